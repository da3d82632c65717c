"""A report as FHIR R4B: DiagnosticReport with its PDF, and Provenance, in one Bundle."""

import base64
import hashlib
from datetime import datetime
from uuid import NAMESPACE_OID, uuid5
from xml.sax.saxutils import escape

from fhir.resources.R4B.bundle import Bundle
from fhir.resources.R4B.diagnosticreport import DiagnosticReport
from fhir.resources.R4B.provenance import Provenance

from app.export.contents import without_controls
from app.export.dicom_identity import derived_uid
from app.export.records import ExportContext, ReviewedReport

_AI_ASSERTED = {  # HL7 v3 ObservationValue, as HL7's AI Transparency on FHIR asks
    "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
    "code": "AIAST",
    "display": "Artificial Intelligence asserted",
}
_RADIOLOGY = {"system": "http://terminology.hl7.org/CodeSystem/v2-0074", "code": "RAD", "display": "Radiology"}
_REPORT = {"system": "http://loinc.org", "code": "18748-4", "display": "Diagnostic imaging study"}
_PARTICIPANT = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"


def to_fhir(record: ReviewedReport, *, pdf: bytes, context: ExportContext) -> bytes:
    """Return the Bundle (type collection) as UTF-8 JSON, validated against R4B.

    `status` is `preliminary` until the report is signed, then `final`, or `amended` if it was changed after submission.
    Patient, study and people are logical references by identifier: the pseudonyms, and the readers' ids.
    """
    report = DiagnosticReport.model_validate(_report(record, pdf=pdf, context=context))
    provenance = Provenance.model_validate(_provenance(record, context=context))
    bundle = Bundle.model_validate(
        {
            "type": "collection",
            "timestamp": _time(record),
            "meta": {"security": [_AI_ASSERTED]},
            "entry": [
                {"fullUrl": _urn(record, "DiagnosticReport"), "resource": report},
                {"fullUrl": _urn(record, "Provenance"), "resource": provenance},
            ],
        }
    )
    text: str = bundle.model_dump_json(indent=2)
    return text.encode()


def _report(record: ReviewedReport, *, pdf: bytes, context: ExportContext) -> dict[str, object]:
    text = without_controls(record.final_text)
    lines = "".join(f"<p>{escape(line)}</p>" for line in (record.ai_label, *text.split("\n")))
    readers = [record.signed.by] if record.signed else []
    return {
        "meta": {"security": [_AI_ASSERTED]},
        "language": "en" if record.language == "en" else "zh-CN",
        "text": {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{lines}</div>'},
        "identifier": [{"system": "urn:ietf:rfc:3986", "value": _urn(record, "DiagnosticReport")}],
        "status": _status(record),
        "category": [{"coding": [_RADIOLOGY]}],
        "code": {"coding": [_REPORT]},
        "subject": {"type": "Patient", "identifier": {"value": record.patient_key}},
        "imagingStudy": [{"type": "ImagingStudy", "identifier": _study(record)}],
        "issued": _time(record),
        "performer": [{"type": "Organization", "display": context.institution}] if context.institution else None,
        "resultsInterpreter": [
            {"type": "Practitioner", "identifier": {"value": reader.id}, "display": reader.name} for reader in readers
        ]
        or None,
        "conclusion": f"{record.ai_label}\n{text}",
        "presentedForm": [
            {
                "contentType": "application/pdf",
                "language": "zh-CN",
                "data": base64.b64encode(pdf).decode(),
                "size": len(pdf),
                "hash": base64.b64encode(hashlib.sha1(pdf, usedforsecurity=False).digest()).decode(),  # R4B asks SHA-1
                "title": record.ai_label,
            }
        ],
    }


def _provenance(record: ReviewedReport, *, context: ExportContext) -> dict[str, object]:
    agents = [
        {
            "type": {"coding": [{"system": _PARTICIPANT, "code": "assembler"}]},
            "role": [{"text": record.ai_label}],
            "who": {"type": "Device", "identifier": {"value": record.run_id}, "display": record.model_name},
            "onBehalfOf": {"type": "Organization", "display": context.producer},
        },
        {
            "type": {"coding": [{"system": _PARTICIPANT, "code": "verifier"}]},
            "who": {
                "type": "Practitioner",
                "identifier": {"value": record.reader.id},
                "display": record.reader.name,
            },
        },
    ]
    if signed := record.signed:
        agents.append(
            {
                "type": {"coding": [{"system": _PARTICIPANT, "code": "legal"}]},
                "role": [{"text": signed.meaning}],
                "who": {"type": "Practitioner", "identifier": {"value": signed.by.id}, "display": signed.by.name},
            }
        )
    return {
        "meta": {"security": [_AI_ASSERTED]},
        "target": [{"reference": _urn(record, "DiagnosticReport")}],
        "recorded": _time(record),
        "agent": agents,
        "entity": [{"role": "source", "what": {"type": "ImagingStudy", "identifier": _study(record)}}],
    }


def _status(record: ReviewedReport) -> str:
    if record.signed is None:
        return "preliminary"
    return "amended" if record.status == "amended" else "final"


def _study(record: ReviewedReport) -> dict[str, str]:
    return {"system": "urn:dicom:uid", "value": f"urn:oid:{derived_uid('study', record.study_uid)}"}


def _time(record: ReviewedReport) -> datetime:
    return record.signed.at if record.signed else record.saved_at


def _urn(record: ReviewedReport, resource: str) -> str:
    return uuid5(NAMESPACE_OID, f"{resource}/{record.id}/{record.revision}").urn
