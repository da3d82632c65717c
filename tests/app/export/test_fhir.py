"""Reports as FHIR R4B."""

import base64
import hashlib
import json

import pytest
from fhir.resources.R4B.bundle import Bundle

from app.export.fhir import to_fhir
from app.export.records import ReviewedReport
from tests.app.export.reviews import CONTEXT, CORRECTED, LABEL, review, signed

PDF = b"%PDF-1.7 of the report"


def resources(record: ReviewedReport) -> tuple[dict[str, object], dict[str, object]]:
    """DiagnosticReport and Provenance, from a Bundle that is read and validated again."""
    bundle = Bundle.model_validate_json(to_fhir(record, pdf=PDF, context=CONTEXT))
    first, second = (json.loads(entry.resource.model_dump_json()) for entry in bundle.entry)
    return first, second


@pytest.mark.parametrize(
    ("record", "status"),
    [
        (review(), "preliminary"),
        (signed(status="draft"), "preliminary"),
        (signed(), "final"),
        (signed(status="approved"), "final"),
        (signed(status="amended"), "amended"),
    ],
    ids=["unsigned", "draft", "signed", "approved", "amended"],
)
def test_a_report_is_preliminary_until_it_is_signed(record: ReviewedReport, status: str) -> None:
    assert resources(record)[0]["status"] == status


def test_the_report_and_its_provenance_are_marked_as_asserted_by_ai() -> None:
    for resource in resources(signed()):
        assert [code["code"] for code in resource["meta"]["security"]] == ["AIAST"]  # type: ignore[index]


def test_the_text_stands_under_its_label_and_the_pdf_is_inside() -> None:
    report, _ = resources(signed())
    assert report["conclusion"] == f"{LABEL}\n{CORRECTED}"
    assert f"<p>{LABEL}</p>" in report["text"]["div"]  # type: ignore[index]
    (form,) = report["presentedForm"]  # type: ignore[misc]
    assert base64.b64decode(form["data"]) == PDF
    assert base64.b64decode(form["hash"]) == hashlib.sha1(PDF, usedforsecurity=False).digest()
    assert (form["contentType"], form["size"], form["title"]) == ("application/pdf", len(PDF), LABEL)


def test_a_text_cannot_break_out_of_the_narrative() -> None:
    report, _ = resources(review(corrected="<script>\x01&右肺"))
    assert "<p>&lt;script&gt;&amp;右肺</p>" in report["text"]["div"]  # type: ignore[index]


def test_the_provenance_names_the_model_the_reader_and_who_signed() -> None:
    report, provenance = resources(signed())
    agents = [(a["type"]["coding"][0]["code"], a["who"]["display"]) for a in provenance["agent"]]  # type: ignore[attr-defined]
    assert agents == [("assembler", "demo-0.3b"), ("verifier", "张三"), ("legal", "张三")]
    assert provenance["recorded"] == "2026-11-29T16:00:05+08:00"
    assert provenance["target"][0]["reference"] == report["identifier"][0]["value"]  # type: ignore[index]
    assert len(resources(review())[1]["agent"]) == 2  # type: ignore[arg-type]
