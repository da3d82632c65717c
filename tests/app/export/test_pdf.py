"""Reports as PDF: readable everywhere, labelled on every page."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from app.export import write
from app.export.aigc import NAMESPACE
from app.export.fonts import Font, find_font, subset_font
from app.export.pdf import NOT_FOR_CARE, characters_of, to_pdf
from app.export.records import ReviewedReport
from tests.app.export.pdf_text import pages_of
from tests.app.export.reviews import CONTEXT, LABEL, review, signed
from xray.errors import ConfigError, DataError

LONG = "".join(f"第{number}处：右肺下叶见斑片状高密度影，边缘模糊。\n" for number in range(120))
DOCUMENTS = {"draft": review(corrected=LONG), "signed": signed(corrected=LONG), "short": signed()}


@pytest.fixture(scope="module")
def font(tmp_path_factory: pytest.TempPathFactory) -> Font:
    try:
        whole = find_font()
    except ConfigError:
        pytest.skip("Debian's fonts-noto-cjk is missing")
    characters = set[str]().union(*(characters_of(record, context=CONTEXT) for record in DOCUMENTS.values()))
    return subset_font(whole, characters=characters, into=tmp_path_factory.mktemp("font") / "report.otf")


def made(record: ReviewedReport, font: Font) -> bytes:
    return to_pdf(record, font=font, context=CONTEXT)


def test_every_page_of_a_draft_is_labelled_and_warned_of(font: Font) -> None:
    pages = pages_of(made(DOCUMENTS["draft"], font))
    assert len(pages) > 2
    assert all(page.startswith(f"人工智能生成\n{NOT_FOR_CARE}\n") for page in pages)
    assert "\n签署\n" not in pages[-1]


def test_every_page_of_a_signed_report_says_who_checked_it_when_and_in_what_sense(font: Font) -> None:
    pages = pages_of(made(DOCUMENTS["signed"], font))
    assert all(page.startswith(f"{LABEL}\n") and NOT_FOR_CARE not in page for page in pages)
    assert "签署\n张三　某某医院　2026-11-29 16:00:05+08:00　审核" in pages[-1]


def test_the_whole_text_is_there_in_order(font: Font) -> None:
    lines = [line for page in pages_of(made(DOCUMENTS["signed"], font)) for line in page.split("\n")]
    assert [line for line in lines if line.startswith("第") and "处：" in line] == LONG.splitlines()
    assert (
        "影像所见\n右肺下叶见斑片影，心影不大。\n诊断意见\n右肺下叶炎症。"
        in pages_of(made(DOCUMENTS["short"], font))[0]
    )


def test_the_font_is_in_the_file(font: Font) -> None:
    data = made(DOCUMENTS["short"], font)
    assert b"/FontFile3" in data
    assert re.search(rb"/BaseFont /\S*NotoSansCJK|/BaseFont /\S*SourceHan|/BaseFont /\S*NotoSansSC", data)
    assert len(data) < 60_000


def test_programs_find_the_label_in_the_metadata(font: Font) -> None:
    data = made(DOCUMENTS["short"], font).decode("utf-8", errors="replace")
    packet = ElementTree.fromstring(data[data.index("<x:xmpmeta") : data.index("</x:xmpmeta>") + len("</x:xmpmeta>")])
    block = json.loads(packet.find(f".//{{{NAMESPACE}}}AIGC").text or "")  # type: ignore[union-attr]
    assert block["Label"] == "1"
    assert (block["ContentProducer"], block["ProduceID"]) == ("某公司", f"{DOCUMENTS['short'].id}-1")


def test_the_same_review_gives_the_same_bytes(font: Font) -> None:
    assert made(DOCUMENTS["short"], font) == made(DOCUMENTS["short"], font)


def test_a_character_without_a_glyph_stops_the_document_instead_of_going_missing(font: Font) -> None:
    with pytest.raises(DataError, match=r"U\+1FAC1"):
        made(signed(corrected="右肺\U0001fac1炎症。"), font)


def test_control_characters_are_left_out(font: Font) -> None:
    assert "右肺下叶炎症。" in pages_of(made(signed(corrected="右肺\x00下叶\u200b炎症。"), font))[0]


def test_without_a_font_the_package_to_install_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="fonts-noto-cjk"):
        find_font((tmp_path, tmp_path / "none"))


def test_an_export_holds_one_file_for_each_report_and_names_what_is_left_out(font: Font, tmp_path: Path) -> None:
    files = write([signed("a"), review("b", status="void")], kind="pdf", folder=tmp_path / "out", context=CONTEXT)
    assert [path.name for path in files] == [f"{signed('a').id}.pdf", "manifest.json"]
    assert files[0].read_bytes().startswith(b"%PDF")
    assert '"void": 1' in files[1].read_text(encoding="utf-8")
