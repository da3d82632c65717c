"""A signed report as a DICOM structured report (Basic Text SR, PS3.3 A.35.1, after TID 2000 of PS3.16)."""

import io

from highdicom.sr import (
    CodedConcept,
    ContainerContentItem,
    ContentItem,
    ContentSequence,
    DeviceObserverIdentifyingAttributes,
    EnhancedSR,
    LanguageOfContentItemAndDescendants,
    ObserverContext,
    PersonObserverIdentifyingAttributes,
    RelationshipTypeValues,
    TextContentItem,
)
from pydicom.uid import BasicTextSRStorage

from app.export.contents import findings_and_impression
from app.export.dicom_identity import derived_uid, identities
from app.export.records import ExportContext, Person, ReviewedReport, Signature
from xray import __version__
from xray.errors import DataError

_TITLE = CodedConcept("18748-4", "LN", "Diagnostic Imaging Report")
_PERSON = CodedConcept("121006", "DCM", "Person")
_DEVICE = CodedConcept("121007", "DCM", "Device")
_COMMENT = CodedConcept("121106", "DCM", "Comment")
_FINDINGS = (CodedConcept("121070", "DCM", "Findings"), CodedConcept("121071", "DCM", "Finding"))
_IMPRESSIONS = (CodedConcept("121072", "DCM", "Impressions"), CodedConcept("121073", "DCM", "Impression"))
_LANGUAGES = {
    "zh": CodedConcept("zh-CN", "RFC5646", "Chinese, China"),
    "en": CodedConcept("en", "RFC5646", "English"),
}
_MOST_OF_LO = 64  # characters, PS3.5 6.2
_SERIES_NUMBER = 990  # reports stand after the films of a study


def to_dicom_sr(record: ReviewedReport, *, context: ExportContext) -> bytes:
    """Return the DICOM file (PS3.10, Explicit VR Little Endian, ISO_IR 192) of a signed report.

    Its identity is that of the films' headers, else the pseudonyms. Observers are the reader and, as device, the model;
    the label is a comment. The signature is the verification. The same revision always has the same UIDs, so sending
    it twice stores it once. Raises DataError for a review that is not signed or whose signer has no institution, and
    as `identities` does.
    """
    signed = record.signed
    if signed is None:
        raise DataError(f"Review {record.id} is not signed. Only signed reports become structured reports.")
    organization = (signed.by.organization or context.institution)[:_MOST_OF_LO]
    if not organization:
        raise DataError(
            "A structured report names the institution of who verified it. Set the institution."
        ).in_chinese("DICOM SR 须写明签署者所在的医疗机构。请填写“医疗机构”。")
    evidence = identities(record)
    report = EnhancedSR(
        evidence=evidence,
        content=_content(record, context),
        series_instance_uid=derived_uid("series", record.id),
        series_number=_SERIES_NUMBER,
        sop_instance_uid=derived_uid("report", record.id, str(record.revision), signed.at.isoformat()),
        instance_number=record.revision,
        manufacturer=context.producer[:_MOST_OF_LO],
        is_complete=True,
        is_final=True,
        is_verified=True,
        institution_name=organization,
        verifying_observer_name=_dicom_name(signed.by),
        verifying_organization=organization,
        specific_character_set="ISO_IR 192",
        series_description="Reviewed AI draft",
        software_versions=__version__,
        content_date=signed.at.date(),
        content_time=signed.at.time().replace(tzinfo=None),
    )
    _date(report, signed)
    if not any(film.dicom for film in record.films):
        del report.CurrentRequestedProcedureEvidenceSequence  # the film is under a pseudonym: no PACS has it
    # A report of texts is a Basic Text SR, which more viewers show. highdicom has no class for it; its Enhanced SR is
    # the same but for what a content item may be.
    report.SOPClassUID = report.file_meta.MediaStorageSOPClassUID = BasicTextSRStorage
    stream = io.BytesIO()
    report.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def _date(report: EnhancedSR, signed: Signature) -> None:
    """Date everything by the signature instead of the clock."""
    report.InstanceCreationDate, report.InstanceCreationTime = f"{signed.at:%Y%m%d}", f"{signed.at:%H%M%S}"
    report.TimezoneOffsetFromUTC = f"{signed.at:%z}"[:5]
    when = f"{signed.at:%Y%m%d%H%M%S}{signed.at:%z}"[:19]
    report.VerifyingObserverSequence[0].VerificationDateTime = when
    report.ContributingEquipmentSequence[0].ContributionDateTime = when  # highdicom names itself


def _content(record: ReviewedReport, context: ExportContext) -> ContainerContentItem:
    root = ContainerContentItem(name=_TITLE, template_id="2000")
    reader = PersonObserverIdentifyingAttributes(
        name=_dicom_name(record.reader), organization_name=record.reader.organization or context.institution or None
    )
    model = DeviceObserverIdentifyingAttributes(
        uid=derived_uid("model", record.run_id, record.model_name),
        name=record.model_name,
        manufacturer_name=context.producer,
    )
    items = ContentSequence()
    items.extend(LanguageOfContentItemAndDescendants(_LANGUAGES.get(record.language, _LANGUAGES["zh"])))
    items.extend(ObserverContext(_PERSON, reader))
    items.extend(ObserverContext(_DEVICE, model))
    items.append(_text(_COMMENT, record.ai_label))
    if both := findings_and_impression(record.final_text):
        items.append(_section(_FINDINGS, both[0]))
        items.append(_section(_IMPRESSIONS, both[1]))
    else:
        items.append(_section(_FINDINGS, record.final_text))
    root.ContentSequence = items
    return root


def _section(names: tuple[CodedConcept, CodedConcept], text: str) -> ContentItem:
    section = ContainerContentItem(name=names[0], relationship_type=RelationshipTypeValues.CONTAINS)
    section.ContentSequence = ContentSequence([_text(names[1], text)])
    return section


def _text(name: CodedConcept, text: str) -> TextContentItem:
    return TextContentItem(name=name, value=text, relationship_type=RelationshipTypeValues.CONTAINS)


def _dicom_name(person: Person) -> str:
    """Return the name in PN form. Family and given name are not told apart by guess: 欧阳 is one name of two signs."""
    if person.person_name:
        return person.person_name
    name = person.name.translate({ord(sign): " " for sign in "^=\\"})
    return f"{name}^" if name.isascii() else f"={name}^"
