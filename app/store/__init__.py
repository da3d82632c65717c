"""What a project keeps: reviews, people, reader studies, decisions, and the audit that vouches for them.

    engine.py         Database: SQLite or PostgreSQL, opened and brought to the present schema
    schema.py         the tables          migrations/  how they came about    upgrade.py, version_1.py
    reviews.py        save, void, history         people.py        users and roles
    studies.py        studies, assignments, what labels stand for             adjudication.py
    progress.py       how far readers are, tasks put aside
    chain.py, audit.py   the chain of hashes      adopt.py         reviews of single runs, once
    backup.py         copies while the server runs, and the way back

Functions take the `Database` first and give frozen dataclasses; no row of SQLAlchemy leaves this package.
"""
