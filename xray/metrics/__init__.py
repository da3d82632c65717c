"""Scores of generated reports, with intervals and baselines."""
