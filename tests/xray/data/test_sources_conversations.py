"""Questions and answers about films."""

import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xray.data.sources import SourceData, read_conversations
from xray.data.sources.dialogue import read_dialogues
from xray.errors import DataError
from xray.types import Turn

ASK = {"from": "human", "value": "<image>\n有气胸吗？"}
TELL = {"from": "gpt", "value": "未见气胸。"}
SPOKEN = (Turn(role="user", text="有气胸吗？"), Turn(role="assistant", text="未见气胸。"))


def write_json(folder: Path, *entries: object) -> Path:
    path = folder / "chat.json"
    path.write_text(json.dumps(entries, ensure_ascii=False), encoding="utf-8")
    return path


def llava(image: str = "a.png", **fields: object) -> dict[str, object]:
    return {"id": "1", "image": image, "conversations": [ASK, TELL]} | fields


def listed(source: SourceData) -> list[tuple[str, str, str]]:
    return [(refusal.kind, refusal.code, refusal.where) for refusal in source.refusals]


def test_a_llava_entry_becomes_a_study_with_a_conversation_and_no_report(films, tmp_path: Path):
    films.dicom("a.dcm", study="1.2", texture=1, patient="P-7")
    source = read_conversations(films.root, write_json(tmp_path, llava("a.dcm")))
    (study,) = source.studies
    assert (study.report, study.conversations, study.patient_id) == (None, (SPOKEN,), "P-7")
    assert (study.row, study.views) == ("chat.json, entry 1", ("frontal",))
    assert (source.name, source.refusals) == ("conversations", ())


def test_messages_with_several_images_and_a_system_turn_are_read_like_llavas(films, tmp_path: Path):
    films.png("a.png", texture=1)
    films.png("b.png", texture=2)
    messages = [
        {"role": "system", "content": "你是放射科医师。"},
        {"role": "user", "content": "<image><image>有气胸吗？"},
        {"role": "assistant", "content": "未见气胸。"},
    ]
    path = tmp_path / "chat.jsonl"
    path.write_text(json.dumps({"messages": messages, "images": ["a.png", "b.png"]}) + "\n", encoding="utf-8")
    (study,) = read_conversations(films.root, path).studies
    assert len(study.films) == 2
    assert study.conversations == ((Turn(role="system", text="你是放射科医师。"), *SPOKEN),)
    assert study.row == "chat.jsonl, line 1"


def test_a_system_field_becomes_the_first_turn(films, tmp_path: Path):
    films.png("a.png", texture=1)
    (study,) = read_conversations(films.root, write_json(tmp_path, llava(system="简短回答。"))).studies
    assert study.conversations[0][0] == Turn(role="system", text="简短回答。")


def test_all_conversations_about_one_set_of_films_are_one_study(films, tmp_path: Path):
    films.png("a.png", texture=1)
    films.png("b.png", texture=2)
    both = {"images": ["b.png", "a.png"], "conversations": [{**ASK, "value": "<image><image>?"}, TELL]}
    turned = {**both, "images": ["a.png", "b.png"]}
    other = llava(conversations=[ASK, {"from": "gpt", "value": "右侧气胸。"}])
    source = read_conversations(films.root, write_json(tmp_path, llava(), other, llava(), both, turned))
    assert [(len(study.films), len(study.conversations)) for study in source.studies] == [(1, 2), (2, 1)]
    assert len({study.study_uid for study in source.studies}) == 2
    assert listed(source) == [("note", "duplicate_row", f"chat.json, entry {number}") for number in (3, 5)]


def test_a_film_that_is_shown_twice_is_in_the_study_once(films, tmp_path: Path):
    films.png("a.png", texture=1)
    entry = {"images": ["a.png", "a.png"], "conversations": [{**ASK, "value": "<image><image>?"}, TELL]}
    (study,) = read_conversations(films.root, write_json(tmp_path, entry)).studies
    assert len(study.films) == 1


def test_a_patient_field_names_the_patient_and_else_the_film_or_its_examination(films, tmp_path: Path):
    for number, patient in enumerate(("P-1", "ANONYMOUS", "")):
        films.dicom(f"{number}.dcm", study=f"1.2.{number}", texture=number, patient=patient)
    films.png("3.png", texture=3)
    entries = [llava("0.dcm", subject_id=77), llava("1.dcm"), llava("2.dcm", patient_id="匿名"), llava("3.png")]
    source = read_conversations(films.root, write_json(tmp_path, *entries))
    assert [study.patient_id for study in source.studies] == ["77", "1.2.1", "1.2.2", None]


def test_a_declared_split_is_kept(films, tmp_path: Path):
    films.png("a.png", texture=1)
    (study,) = read_conversations(films.root, write_json(tmp_path, llava(split="test"), llava())).studies
    assert study.declared_split == "test"


@pytest.mark.parametrize(
    ("entry", "code"),
    [
        ("text", "bad_entry"),
        ({"image": "a.png", "conversations": "hello"}, "bad_entry"),
        ({"image": 7, "conversations": [ASK, TELL], "images": {}}, "bad_entry"),
        ({"conversations": [ASK, TELL]}, "no_film_named"),
        (llava(conversations=[]), "bad_turns"),
        (llava(conversations=[ASK]), "bad_turns"),
        (llava(conversations=[TELL, ASK]), "bad_turns"),
        (llava(conversations=[ASK, ASK, TELL, TELL]), "bad_turns"),
        (llava(conversations=[ASK, TELL, {"from": "system", "value": "x"}]), "bad_turns"),
        (llava(conversations=[ASK, {"from": "tool", "value": "x"}]), "unknown_role"),
        (llava(conversations=[ASK, {"from": "gpt", "value": " \n"}]), "empty_answer"),
        (llava(conversations=[{"from": "human", "value": "?"}, TELL]), "image_marks"),
        (llava(conversations=[ASK, TELL, ASK, TELL]), "image_marks"),
        (llava(conversations=[{"from": "human", "value": "?"}, {"from": "gpt", "value": "<image>x"}]), "image_marks"),
        (llava(conversations=[ASK, {"from": "gpt", "value": "心影\0大"}]), "undecodable_text"),
        (llava(conversations=[ASK, {"from": "gpt", "value": "心影\ud83d大"}]), "undecodable_text"),
        (llava(conversations=[ASK, {"from": "gpt", "value": "长" * 20001}]), "text_too_long"),
        (llava(split="fold1"), "unknown_split"),
        (llava("b.png"), "ambiguous_film"),
        (llava("broken.png"), "film_refused"),
        (llava("none.png"), "no_film"),
    ],
)
def test_an_entry_that_cannot_be_used_is_refused_by_place_and_code(films, tmp_path: Path, entry: object, code: str):
    for number, name in enumerate(("a.png", "x/b.png", "y/b.png")):
        films.png(name, texture=number)
    (films.root / "broken.png").write_bytes(b"not a film")
    path = tmp_path / "chat.json"
    path.write_text(json.dumps([entry, llava("a.png")]), encoding="utf-8")
    source = read_conversations(films.root, path)
    refused = [refusal for refusal in source.refusals if refusal.row]
    assert [(refusal.code, refusal.row) for refusal in refused] == [(code, "chat.json, entry 1")]
    assert refused[0].kind == ("unpaired" if code == "no_film" else "refused")
    assert len(source.studies) == 1


def test_a_path_from_another_root_leads_to_the_film_but_never_to_one_in_another_folder(films, tmp_path: Path):
    films.png("p1/a.png", texture=1)
    films.png("p2/b.png", texture=2)
    entries = [llava("data/images/p1/a.png"), llava("data\\p1\\a.png"), llava("data/p9/b.png")]
    source = read_conversations(films.root, write_json(tmp_path, *entries))
    assert [film.name for study in source.studies for film in study.films] == ["a.png"]
    assert ("unpaired", "no_film", "chat.json, entry 3") in listed(source)


def test_films_that_nobody_talks_about_are_listed(films, tmp_path: Path):
    films.png("a.png", texture=1)
    films.png("alone.png", texture=2)
    source = read_conversations(films.root, write_json(tmp_path, llava()))
    assert listed(source) == [("unpaired", "no_conversation", "alone.png")]


def test_a_refused_film_that_a_conversation_names_is_counted_as_lost(films, tmp_path: Path):
    films.png("a.png", texture=1)
    (films.root / "broken.png").write_bytes(b"not a film")
    source = read_conversations(films.root, write_json(tmp_path, llava(), llava("broken.png")))
    assert [refusal.where for refusal in source.lost_films] == ["broken.png"]


@pytest.mark.parametrize(
    ("fields", "code"),
    [(("patient_id", "P-1", "P-2"), "several_patients"), (("split", "train", "test"), "several_splits")],
)
def test_conversations_that_contradict_each_other_are_all_refused(films, tmp_path: Path, fields, code: str):
    films.png("a.png", texture=1)
    name, *values = fields
    source = read_conversations(films.root, write_json(tmp_path, *(llava(**{name: value}) for value in values)))
    assert source.studies == ()
    assert listed(source) == [("refused", code, f"chat.json, entry {number}") for number in (1, 2)]


def test_films_of_two_patients_are_no_study(films, tmp_path: Path):
    films.dicom("a.dcm", study="1.1", texture=1, patient="P-1")
    films.dicom("b.dcm", study="1.2", texture=2, patient="P-2")
    entry = {"images": ["a.dcm", "b.dcm"], "conversations": [{**ASK, "value": "<image><image>?"}, TELL]}
    assert listed(read_conversations(films.root, write_json(tmp_path, entry))) == [
        ("refused", "several_patients", "chat.json, entry 1")
    ]


@pytest.mark.parametrize("text", ["", "[", "{}\n{", "nonsense", "[" * 100_000])
def test_a_file_that_is_no_json_is_one_clear_error_or_has_no_study(tmp_path: Path, text: str):
    path = tmp_path / "chat.jsonl"
    path.write_text(text, encoding="utf-8")
    if not text:
        assert read_dialogues(path, refusals=[]) == []
        return
    with pytest.raises(DataError, match="not JSON"):
        read_dialogues(path, refusals=[])


def test_a_missing_file_is_one_clear_error(tmp_path: Path):
    with pytest.raises(DataError, match="Check the path"):
        read_dialogues(tmp_path / "none.json", refusals=[])


scalars = st.none() | st.booleans() | st.integers() | st.text(max_size=8)
said = st.fixed_dictionaries({"from": st.sampled_from(["human", "gpt", "system", "x"]), "value": st.text(max_size=12)})
anything = st.recursive(scalars | said, lambda inner: st.lists(inner, max_size=3), max_leaves=8)
entries = st.fixed_dictionaries(
    {},
    optional={"image": anything, "images": anything, "conversations": anything, "messages": anything, "split": scalars},
)


@given(records=st.lists(entries | anything, max_size=4))
def test_any_json_is_a_conversation_or_refused_by_code(tmp_path_factory, records: list[object]):
    path = tmp_path_factory.mktemp("chats") / "chat.json"
    path.write_text(json.dumps(records), encoding="utf-8")
    refusals = []
    dialogues = read_dialogues(path, refusals=refusals)
    assert len(dialogues) + len(refusals) == len(records)
    assert all(dialogue.turns[-1].role == "assistant" for dialogue in dialogues)


@given(data=st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_with_a_data_error(tmp_path_factory, data: bytes):
    path = tmp_path_factory.mktemp("chats") / "chat.jsonl"
    path.write_bytes(data)
    with suppress(DataError):
        read_dialogues(path, refusals=[])


def test_a_patient_is_the_same_however_a_number_was_written(films, tmp_path: Path):
    for number in range(4):
        films.png(f"{number}.png", texture=number)
    fields: list[dict[str, object]] = [{"subject_id": 17}, {"subject_id": 17.0}, {"patient_id": "17"}]
    fields.append({"patient_id": float("nan"), "subject_id": "'17"})
    entries = [llava(f"{number}.png", **field) for number, field in enumerate(fields)]
    source = read_conversations(films.root, write_json(tmp_path, *entries))
    assert [study.patient_id for study in source.studies] == ["17"] * 4


def test_an_entry_that_tells_two_conversations_in_two_styles_is_refused(films, tmp_path: Path):
    films.png("a.png", texture=1)
    messages = [{"role": "user", "content": "<image>有气胸吗？"}, {"role": "assistant", "content": "未见气胸。"}]
    source = read_conversations(films.root, write_json(tmp_path, llava(messages=messages)))
    assert source.studies == ()
    assert listed(source)[0] == ("refused", "bad_entry", "chat.json, entry 1")
