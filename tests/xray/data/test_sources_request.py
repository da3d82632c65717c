"""One door to every kind of data set."""

import json
from pathlib import Path

import pytest

from tests.xray.data.openi_files import write_archive, write_captions, write_folder, xml_report
from tests.xray.data.workbooks import write_workbook
from xray.data.sources import SourceKind, SourceRequest, TableColumns, kind_of, read_source
from xray.errors import ConfigError, DataError

NORMAL = "双肺野清晰，心影不大。"
TALK = [{"from": "human", "value": "<image>?"}, {"from": "gpt", "value": "未见异常。"}]
XML = {"7.xml": xml_report(7, ("CXR7_IM-0001-1001",), findings="Clear.")}


def written(path: Path, content: object) -> Path:
    text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False, indent=1)
    path.write_text(text, encoding="utf-8")
    return path


def sources(films, folder: Path) -> dict[SourceKind, list[Path]]:
    """One film under all its names, and every kind of text about it."""
    films.png("7_1.png", texture=1)
    films.png("files/p10/p10000032/s50414267/x.png", texture=2)
    report = films.root / "files/p10/p10000032/s50414267.txt"
    report.write_text("FINDINGS: Clear.", encoding="utf-8")
    talk = {"image": "7_1.png", "conversations": TALK}
    lines = "\n".join(json.dumps(line) for line in (talk, talk))
    return {
        SourceKind.table: [
            written(folder / "a.csv", f"film,report\n7_1,{NORMAL}\n"),
            written(folder / "a.jsonl", json.dumps({"film": "7_1", "report": NORMAL}, ensure_ascii=False) + "\n"),
            write_workbook(folder / "a.xlsx", ("x", [["film", "report"], ["7_1", NORMAL]])),
        ],
        SourceKind.xrayglm: [write_captions(folder / "zh.json", {"7_1": NORMAL})],
        SourceKind.openi: [write_folder(folder / "xml", XML), write_archive(folder / "r.tgz", XML)],
        SourceKind.mimic: [films.root, films.root / "files"],
        SourceKind.conversations: [
            written(folder / "chat.json", [talk]),
            written(folder / "chat.jsonl", lines + "\n"),
            written(folder / "messages.jsonl", json.dumps({"messages": [], "images": []}) + "\n" + lines),
        ],
    }


@pytest.mark.parametrize("kind", list(SourceKind))
def test_the_kind_is_told_from_the_texts_and_each_is_read_through_one_door(films, tmp_path: Path, kind: SourceKind):
    for reports in sources(films, tmp_path)[kind]:
        assert kind_of(reports) is kind
        source = read_source(SourceRequest(films=films.root, reports=reports))
        assert (source.name, len(source.studies)) == (kind, 1)


def test_a_stated_kind_counts_before_the_name(films, tmp_path: Path):
    films.png("a.png", texture=1)
    table = written(tmp_path / "talks.jsonl", json.dumps({"film": "a", "report": NORMAL, "messages": ""}) + "\n")
    assert kind_of(table) is SourceKind.conversations
    source = read_source(SourceRequest(films=films.root, reports=table, kind=SourceKind.table))
    assert len(source.studies) == 1


def test_columns_sheets_indices_and_captions_reach_their_reader(films, tmp_path: Path):
    films.png("CXR7_IM-0001-1001.png", texture=1)
    book = write_workbook(tmp_path / "a.xlsx", ("x", [["片", "正文"], ["CXR7_IM-0001-1001", NORMAL]]), ("y", [["z"]]))
    columns = TableColumns(film="片", report="正文")
    request = SourceRequest(films=films.root, reports=book, columns=columns, sheet="x", language="zh")
    assert read_source(request).studies[0].report.text == NORMAL
    captions = write_captions(tmp_path / "zh.json", {"7_1": NORMAL})
    index = written(tmp_path / "views.csv", "filename,projection\nCXR7_IM-0001-1001.png,Lateral\n")
    xmls = write_folder(tmp_path / "xml", XML)
    request = SourceRequest(films=films.root, reports=xmls, captions=captions, index=index)
    (study,) = read_source(request).studies
    assert (study.report.text, study.report.language, study.views) == (NORMAL, "zh", ("lateral",))


def test_the_language_of_conversations_is_said_by_the_data_set_because_no_report_does(films, tmp_path: Path):
    chat = sources(films, tmp_path)[SourceKind.conversations][0]
    assert read_source(SourceRequest(films=films.root, reports=chat)).language == "zh"
    assert read_source(SourceRequest(films=films.root, reports=chat, language="en")).language == "en"


@pytest.mark.parametrize(
    ("option", "name"),
    [
        ({"columns": TableColumns(film="x")}, "zh.json"),
        ({"sheet": "x"}, "zh.json"),
        ({"index": Path("x.csv")}, "a.csv"),
        ({"captions": Path("x.json")}, "a.csv"),
    ],
)
def test_an_option_of_another_kind_is_refused_by_name(films, tmp_path: Path, option: dict[str, object], name: str):
    sources(films, tmp_path)
    (word,) = option
    with pytest.raises(ConfigError, match=f"`{word}` belongs to"):
        read_source(SourceRequest(films=films.root, reports=tmp_path / name, **option))


def test_a_folder_without_known_reports_says_what_is_read(tmp_path: Path):
    with pytest.raises(DataError, match="a table is a file"):
        kind_of(tmp_path)


def test_a_missing_file_is_one_clear_error_for_every_ending(films, tmp_path: Path):
    for ending in (".csv", ".xlsx", ".json", ".jsonl", ".tgz"):
        with pytest.raises(DataError, match=r"Check the path|does not exist"):
            read_source(SourceRequest(films=films.root, reports=tmp_path / f"none{ending}"))


def test_the_kind_of_a_large_file_is_told_from_its_beginning(tmp_path: Path):
    talk = json.dumps({"image": "a.png", "conversations": TALK, "note": "长" * 400_000}, ensure_ascii=False)
    assert kind_of(written(tmp_path / "chat.jsonl", talk + "\n" + talk)) is SourceKind.conversations
    row = json.dumps({"film": "a.png", "report": "长" * 400_000}, ensure_ascii=False)
    assert kind_of(written(tmp_path / "table.jsonl", f"{row}\n{row}\n")) is SourceKind.table


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be", "gb18030"])
def test_the_kind_of_a_json_file_does_not_depend_on_its_encoding(tmp_path: Path, encoding: str):
    path = tmp_path / "chat.json"
    path.write_text(json.dumps([{"conversations": TALK}], ensure_ascii=False), encoding=encoding)
    assert kind_of(path) is SourceKind.conversations
    path.write_text(json.dumps({"annotations": [{"caption": NORMAL}]}, ensure_ascii=False), encoding=encoding)
    assert kind_of(path) is SourceKind.xrayglm
