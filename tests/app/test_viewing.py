"""What a page tells the browser of its films: a reader of a blinded study could read all of it."""

import json
from collections.abc import Callable
from pathlib import Path

from streamlit.testing.v1 import AppTest

from app.run import load_run
from app.words.viewer import VIEWER_WORDS
from tests.app.page import assert_no_error
from tests.app.screen import set_case


def viewer_data(page: AppTest) -> dict[str, object]:
    (found,) = (part.proto.json for part in page.get("bidi_component") if '"films"' in part.proto.json)
    return dict(json.loads(found))


def test_neither_run_nor_case_nor_patient_nor_the_origin_of_a_report_is_said(
    run_folder: Path, open_page: Callable[..., AppTest]
):
    set_case(run_folder, 0, patient_key="patient-p", day=0)
    case = set_case(run_folder, 1, patient_key="patient-p", day=3, film_sha256=("ab" * 32, "cd" * 32))
    page = open_page(run_folder, case=case.id)
    assert_no_error(page)
    said = json.dumps(viewer_data(page), ensure_ascii=False)
    for word in (load_run(run_folder).id, case.id, "study-", case.patient_key, "abab", "adapter", "reference", "参考"):
        assert word not in said
    films = viewer_data(page)["films"]
    assert [(film["label"], film["sources"], film["prior"]) for film in films] == [
        ("正位", ["model"], False),
        ("侧位", ["model"], False),
        ("前片（3 天前）正位", ["model"], True),
    ]


def test_both_languages_name_every_look_source_and_key():
    chinese, english = VIEWER_WORDS["zh"], VIEWER_WORDS["en"]
    for name in ("looks", "sources", "planes"):
        assert list(getattr(chinese, name)) == list(getattr(english, name))
    assert len(chinese.help) == len(english.help)
