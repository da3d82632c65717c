"""Invented reviews, which fill the pages of a project that nobody has reviewed yet."""

import random
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from app import upkeep
from app.protocol.completeness import missing
from app.protocol.load import preset, preset_names
from app.sample.reader import sample_document
from app.store import audit, reviews, studies
from app.store.engine import Database
from xray.metrics.alignment import split_sentences

GENERATED, REFERENCE = "左侧胸腔少量积液。心影不大。", "右侧胸腔少量积液。心影不大。右肺上叶结节。"


@pytest.mark.parametrize("name", preset_names())
def test_an_invented_reader_answers_all_that_a_protocol_asks(name: str):
    protocol = preset(name)
    labels = ("",) if protocol.reports == 1 else tuple("ABCDE"[: protocol.reports])
    for seed in range(10):
        document = sample_document(
            protocol,
            (GENERATED,) * protocol.reports,
            labels=labels,
            reference=REFERENCE,
            profile="standard",
            rng=random.Random(seed),
        )
        assert missing(document, protocol=protocol, sentences=len(split_sentences(GENERATED))) == ()


def test_sample_reviews_fill_a_project_once(tmp_path: Path, make_run: Callable[..., Path], capsys):
    for name in ("sample-a", "sample-b"):
        make_run(tmp_path / name, run_id=name, num_cases=24)
    assert upkeep.main(["sample", "--project", str(tmp_path)]) == 0
    with closing(Database(tmp_path / "reviews.sqlite")) as database:
        assert len(studies.all_studies(database)) == 3
        statuses = {one.status for one in reviews.newest(database, "sample-a")}
        assert statuses == {"draft", "submitted"}
        audit.verify(database)
    assert upkeep.main(["sample", "--project", str(tmp_path)]) != 0
    assert "has reviews already" in capsys.readouterr().err
