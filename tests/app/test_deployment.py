"""The guide for a ward's server: what it names exists, what it gives works."""

import re
import shutil
import subprocess
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege

from app import settings, upkeep
from app.__main__ import main
from app.health import health_routes
from app.network import STREAMLIT_OPTIONS
from app.store import audit, people, reviews
from app.store.engine import Database
from app.store.people import Person
from app.store.schema import APPEND_ONLY
from tests.app.postgres import Cluster
from tests.app.test_store import draft

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "deployment.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", GUIDE, re.S)


def blocks(language: str) -> list[str]:
    return [text for kind, text in BLOCKS if kind == language]


def options_of(*command: str, capsys: pytest.CaptureFixture[str]) -> set[str]:
    with pytest.raises(SystemExit):
        main([*command, "--help"])
    return set(re.findall(r"--[a-z][a-z-]+", capsys.readouterr().out))


def test_every_option_and_variable_of_the_guide_exists(capsys: pytest.CaptureFixture[str]):
    commands = [line for text in blocks("sh") + blocks("ini") for line in text.replace("\\\n", " ").splitlines()]
    named: set[str] = set()
    for line in (line for line in commands if "-m app" in line):
        word = line.split("-m app")[1].split()[0]
        known = options_of(*([word] if word in upkeep.COMMANDS else []), capsys=capsys)
        assert set(re.findall(r"(?<= )--[a-z][a-z-]+", line)) <= known, line
        named.add(word)
    assert set(upkeep.COMMANDS) - {"sample"} <= named  # invented reviews have no place on a ward
    in_words = set(re.findall(r"`(--[a-z][a-z-]+)[ `]", GUIDE))
    assert in_words <= options_of(capsys=capsys)
    variables = {value for name, value in vars(settings).items() if name.endswith("_VARIABLE")}
    assert set(re.findall(r"XRAY_REVIEW_\w+", GUIDE)) <= variables


def test_the_guides_paths_size_and_extras_are_the_apps_own():
    (nginx,) = blocks("nginx")
    for route in health_routes(lambda: pytest.fail("not asked")):
        assert f"location = {route.path} {{" in nginx
    assert f"client_max_body_size {STREAMLIT_OPTIONS['server.maxUploadSize']}m;" in nginx
    extras = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for extra in set(re.findall(r"extra `([\w-]+)`", GUIDE)):
        assert f"\n{extra} = [" in extras


@pytest.mark.skipif(not (shutil.which("nginx") and shutil.which("openssl")), reason="needs nginx and openssl")
def test_nginx_accepts_the_example(tmp_path: Path):
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    request = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=review", "-days", "1"]
    made = subprocess.run([*request, "-keyout", str(key), "-out", str(certificate)], capture_output=True, timeout=60)
    assert made.returncode == 0
    (example,) = blocks("nginx")
    example = example.replace("/etc/ssl/review.pem", str(certificate)).replace("/etc/ssl/review.key", str(key))
    path = tmp_path / "nginx.conf"
    path.write_text(f"pid {tmp_path}/pid;\nevents {{}}\nhttp {{\n{example}}}\n", encoding="utf-8")
    done = subprocess.run(
        ["nginx", "-t", "-c", str(path), "-e", str(tmp_path / "log")], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr


def test_under_the_guides_two_roles_the_app_can_work_but_change_nothing_that_was_said(postgres: Cluster):
    making, granting = blocks("sql")
    server = f"postgresql://reader@127.0.0.1:{postgres.port}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        for statement in making.split(";")[:-1]:
            connection.execute(statement)
    owner, app = (
        f"postgresql+psycopg://{role}@127.0.0.1:{postgres.port}/reviews" for role in ("review_owner", "review_app")
    )
    Database(owner).close()
    with psycopg.connect(owner.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(granting)
    with closing(Database(app)) as database:
        li = Person(name="li", display_name="李", roles=frozenset({"reader"}))
        people.add(database, li, actor="local")
        people.change(database, Person(name="li", display_name="李医师", roles=frozenset({"lead"})), actor="local")
        reviews.save(database, draft(comment="清晰"))
        assert audit.verify(database).seq == 3
    with psycopg.connect(app.replace("+psycopg", ""), autocommit=True) as connection:
        for table in APPEND_ONLY:
            for statement in (f"TRUNCATE {table}", f"DELETE FROM {table}", f"ALTER TABLE {table} DISABLE TRIGGER ALL"):
                with pytest.raises(InsufficientPrivilege):
                    connection.execute(statement)
