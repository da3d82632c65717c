"""What the person at the terminal is told of a preparation."""

import os
from pathlib import Path

import pytest

from xray.data.notices import public_key_notice, tell_refusals, tell_store
from xray.data.prepare import prepare
from xray.data.pseudonym import SITE_KEY_VARIABLE
from xray.data.sources import Refusal, read_table
from xray.data.split_settings import SplitSettings
from xray.data.store import Store
from xray.dicom.render import RenderSettings
from xray.errors import DataError

REFUSED = [Refusal(where=f"{number}.dcm", code="turned_film", why="it is turned") for number in range(25)]
NOTE = Refusal(where="1.2", code="no_patient_id", why="no patient is known", kind="note", row="reports.csv, line 2")


def said(refusals: list[Refusal], **options: object) -> list[str]:
    lines: list[str] = []
    tell_refusals(refusals, say=lines.append, **options)
    return lines


def test_the_first_twenty_are_named_and_the_rest_counted():
    lines = said([NOTE, *REFUSED], hint="--refused lists all")
    assert lines[0] == "0.dcm: turned_film: it is turned"
    assert len(lines) == 21
    assert lines[-1] == "and 5 more; --refused lists all"


def test_what_is_refused_comes_before_what_has_no_partner_and_notes_are_not_shown():
    alone = Refusal(where="alone.png", code="no_report", why="it is alone", kind="unpaired")
    assert [line.split(":")[0] for line in said([alone, NOTE, REFUSED[0]])] == ["0.dcm", "alone.png"]


def test_a_file_takes_everything_with_notes_rows_and_foreign_names(tmp_path: Path):
    gbk = Refusal(where=os.fsdecode("王某.dcm".encode("gbk")), code="turned_film", why="it is turned")
    lines = said([NOTE, gbk, *REFUSED], everything=tmp_path / "refused.txt")
    written = (tmp_path / "refused.txt").read_text(encoding="utf-8").splitlines()
    assert len(written) == 27
    assert written[0] == "王某.dcm: turned_film: it is turned" == lines[0]
    assert written[-1] == "reports.csv, line 2: no_patient_id: no patient is known"
    assert lines[-1].startswith("and 6 more; all are in ")


@pytest.fixture
def store_of(films, tmp_path: Path):
    def make(patient: str, name: str = "out") -> Store:
        films.dicom("a.dcm", study="1.2.3", texture=1, patient=patient)
        table = tmp_path / "reports.csv"
        table.write_text("study_uid,report\n1.2.3,心影不大。\n", encoding="utf-8")
        source = read_table(films.root, table)
        return prepare(source, tmp_path / name, settings=RenderSettings(size=32), split=SplitSettings(val=0, test=0))

    return make


def test_pseudonyms_of_real_patient_ids_under_the_public_key_are_warned_about(
    store_of, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv(SITE_KEY_VARIABLE, raising=False)
    assert SITE_KEY_VARIABLE in (public_key_notice(store_of("HOSP777")) or "")
    assert public_key_notice(store_of("ANONYMOUS")) is None
    monkeypatch.setenv(SITE_KEY_VARIABLE, "a secret of the site")
    assert public_key_notice(store_of("HOSP777", "own")) is None


def test_a_store_under_another_key_is_refused_because_its_patients_would_get_second_names(store_of, monkeypatch):
    monkeypatch.delenv(SITE_KEY_VARIABLE, raising=False)
    store_of("HOSP777")
    monkeypatch.setenv(SITE_KEY_VARIABLE, "a secret of the site")
    with pytest.raises(DataError, match="under another key"):
        store_of("HOSP777")


def test_small_splits_and_unknown_patients_are_warned_of(store_of):
    said: list[str] = []
    tell_store(store_of("ANONYMOUS"), say=said.append)
    assert any("no patient id and count as a patient each" in line for line in said)
