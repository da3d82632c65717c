"""Reviews as training pairs: what `finetune` reads back, and what must never be learned from."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.export import ExportContext, write
from app.export.folder import ExportManifest
from app.export.records import Person, ReviewedFilm, ReviewedReport
from tests.app.export.reviews import CORRECTED, EDIT, GENERATED, review
from xray.data.sources import SourceRequest, read_source
from xray.errors import DataError
from xray.records import read_record
from xray.types import SourceKind, Turn


def film(folder: Path, name: str, *, grey: int) -> ReviewedFilm:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(np.full((72, 72), grey, np.uint8)).save(path)
    return ReviewedFilm(path=path)


@pytest.fixture
def films(tmp_path: Path) -> tuple[ReviewedFilm, ...]:
    return tuple(film(tmp_path / "run", f"{grey}.png", grey=grey) for grey in (40, 90))


def exported(records: list[ReviewedReport], folder: Path, **context: object) -> ExportManifest:
    last = write(records, kind="pairs", folder=folder, context=ExportContext.model_validate(context))[-1]
    return read_record(last, ExportManifest, remedy="")


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n")[:-1]]


@pytest.mark.parametrize("name", ["sft.jsonl", "preferences.jsonl"])
def test_the_kit_reads_back_the_films_the_question_and_the_corrected_report(
    films: tuple[ReviewedFilm, ...], tmp_path: Path, name: str
) -> None:
    exported([review("a", films=films), review("b", films=films[:1])], tmp_path / "out")
    source = read_source(SourceRequest(films=tmp_path / "out", reports=tmp_path / "out" / name))
    assert source.name == SourceKind.conversations
    assert source.refusals == ()
    assert [study.patient_id for study in source.studies] == ["patient-of-a", "patient-of-b"]
    assert [len(study.films) for study in source.studies] == [2, 1]
    asked = (Turn(role="system", text="你是放射科医师。"), Turn(role="user", text="请写报告。"))
    assert source.studies[0].conversations == ((*asked, Turn(role="assistant", text=CORRECTED)),)
    assert source.studies[0].films[0].read_bytes() == films[0].path.read_bytes()


def test_a_preference_is_written_only_where_a_change_matters(films: tuple[ReviewedFilm, ...], tmp_path: Path) -> None:
    records = [
        review("wrong", films=films),
        review("style", films=films, edits=(EDIT.model_copy(update={"significant": False}),)),
        review("kept", films=films, verdict="accept", corrected="", edits=()),
    ]
    manifest = exported(records, tmp_path / "out")
    assert len(lines(tmp_path / "out/sft.jsonl")) == 3
    (preference,) = lines(tmp_path / "out/preferences.jsonl")
    assert preference["messages"][-1] == {"role": "assistant", "content": CORRECTED}  # type: ignore[index]
    assert (preference["rejected_response"], preference["ai_label"]) == (GENERATED, "人工智能生成")
    assert manifest.num_excluded_by_reason == {
        "preferences.jsonl: no_significant_edit": 1,
        "preferences.jsonl: unchanged": 1,
    }


def test_patients_that_models_are_scored_on_are_kept_out_and_counted(
    films: tuple[ReviewedFilm, ...], tmp_path: Path
) -> None:
    records = [
        review("train", films=films),
        review("val", films=films, split="val"),
        review("test", films=films, split="test"),
        review("later-study-of-test", films=films, split=None, patient_key="patient-of-test"),
        review("named", films=films, split=None),
    ]
    manifest = exported(records, tmp_path / "out", evaluation_patients={"patient-of-named"})
    assert [line["patient_id"] for line in lines(tmp_path / "out/sft.jsonl")] == ["patient-of-train"]
    assert (manifest.num_written, manifest.num_excluded_by_reason) == (1, {"evaluation_patient": 4})


def test_a_patient_in_training_and_in_evaluation_stops_the_export(
    films: tuple[ReviewedFilm, ...], tmp_path: Path
) -> None:
    records = [review("a", films=films), review("b", films=films)]
    with pytest.raises(DataError, match="1 patients") as caught:
        exported(records, tmp_path / "out", evaluation_patients={"patient-of-b"})
    assert "patient-of-b" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_reviews_of_the_test_split_alone_give_no_pairs_and_the_way_out(
    films: tuple[ReviewedFilm, ...], tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=r"1 evaluation_patient.*training split"):
        exported([review(films=films, split="test")], tmp_path / "out")


def test_planted_void_unfinished_and_overruled_reviews_are_not_learned_from(
    films: tuple[ReviewedFilm, ...], tmp_path: Path
) -> None:
    records = [
        review("planted", films=films, sentinel=True),
        review("void", films=films, status="void"),
        review("draft", films=films, status="draft"),
        review("rejected", films=films, verdict="reject", corrected=""),
        review("shared", films=films),
        review("shared", films=films, reader=Person(id="li", name="李四"), status="approved", corrected="右肺炎症。"),
    ]
    manifest = exported(records, tmp_path / "out")
    (line,) = lines(tmp_path / "out/sft.jsonl")
    assert line["messages"][-1]["content"] == "右肺炎症。"  # type: ignore[index]
    assert manifest.num_excluded_by_reason == dict.fromkeys(
        ("sentinel", "void", "not_submitted", "no_text", "superseded_by_approval"), 1
    )


def test_a_film_of_several_reviews_is_copied_once(films: tuple[ReviewedFilm, ...], tmp_path: Path) -> None:
    twin = film(tmp_path / "other", "copy.png", grey=40)
    exported([review("a", films=films), review("b", films=(twin,))], tmp_path / "out")
    assert len(list((tmp_path / "out/films").iterdir())) == 2
