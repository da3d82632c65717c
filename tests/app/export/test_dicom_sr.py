"""Signed reports as DICOM structured reports, checked by dciodvfy where Debian's dicom3tools is installed."""

import shutil
import subprocess
import warnings
from io import BytesIO
from pathlib import Path

import pytest
from pydicom import DataElement, Dataset, config, dcmread
from pydicom.datadict import dictionary_VR
from pydicom.dataset import FileMetaDataset
from pydicom.uid import BasicTextSRStorage, ComputedRadiographyImageStorage, ExplicitVRLittleEndian

from app.export import write
from app.export.dicom_sr import to_dicom_sr
from app.export.documents import to_documents
from app.export.records import ExportContext, Person, ReviewedFilm, ReviewedReport, Signature
from tests.app.export.reviews import CONTEXT, LABEL, SIGNED, review, signed
from xray.errors import DataError


def header(path: Path, **fields: object) -> ReviewedFilm:
    """A film's header on disk, as a Chinese hospital writes it."""
    dataset = Dataset()
    dataset.SpecificCharacterSet = "GB18030"
    dataset.SOPClassUID, dataset.SOPInstanceUID = ComputedRadiographyImageStorage, f"1.2.3.4.{path.stem}"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "1.2.3", "1.2.3.4"
    dataset.PatientName, dataset.PatientID = "Ouyang^Xiu=欧阳^修", "P-7"
    dataset.PatientBirthDate, dataset.PatientSex, dataset.StudyDate = "19800229", "M", "20261128"
    dataset.AccessionNumber, dataset.StudyID, dataset.StudyTime = "A1", "S1", "0815"
    for keyword, value in fields.items():
        dataset.add(DataElement(keyword, dictionary_VR(keyword), value, validation_mode=config.IGNORE))
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some of the values are no good, which is the point
        dataset.save_as(path, enforce_file_format=True)
    return ReviewedFilm(path=path.with_suffix(".png"), dicom=path)


def written(record: ReviewedReport) -> Dataset:
    return dcmread(BytesIO(to_dicom_sr(record, context=CONTEXT)))


def items(dataset: Dataset) -> list[tuple[str, object]]:
    """The content tree in order: code of the name, and the value."""
    found: list[tuple[str, object]] = []
    for item in dataset.ContentSequence:
        name = item.ConceptNameCodeSequence[0].CodeValue
        if item.ValueType == "CODE":
            found.append((name, item.ConceptCodeSequence[0].CodeValue))
        elif item.ValueType == "CONTAINER":
            found += [(name, None), *items(item)]
        else:
            keyword = {"TEXT": "TextValue", "PNAME": "PersonName", "UIDREF": "UID"}[item.ValueType]
            found.append((name, str(item[keyword].value)))
    return found


def test_the_report_names_reader_and_model_and_carries_label_findings_and_impression() -> None:
    report = written(signed())
    assert report.SOPClassUID == BasicTextSRStorage
    assert report.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    assert report.ContentTemplateSequence[0].TemplateIdentifier == "2000"
    assert report.ConceptNameCodeSequence[0].CodeValue == "18748-4"
    found = items(report)
    assert found[0] == ("121049", "zh-CN")
    assert [value for name, value in found if name == "121005"] == ["121006", "121007"]
    assert ("121008", "Zhang^San=张^三") in found
    assert ("121013", "demo-0.3b") in found
    assert ("121106", LABEL) in found
    assert found[-4:] == [
        ("121070", None),
        ("121071", "右肺下叶见斑片影，心影不大。"),
        ("121072", None),
        ("121073", "右肺下叶炎症。"),
    ]


def test_the_signature_is_the_verification() -> None:
    report = written(signed())
    assert (report.CompletionFlag, report.VerificationFlag, report.PreliminaryFlag) == ("COMPLETE", "VERIFIED", "FINAL")
    (verifying,) = report.VerifyingObserverSequence
    assert str(verifying.VerifyingObserverName) == "Zhang^San=张^三"
    assert verifying.VerifyingOrganization == "某某医院"
    assert verifying.VerificationDateTime == "20261129160005+0800"
    assert (report.ContentDate, report.ContentTime, report.TimezoneOffsetFromUTC) == ("20261129", "160005", "+0800")


def test_the_identity_is_that_of_the_films_whatever_their_character_set(tmp_path: Path) -> None:
    films = (header(tmp_path / "1.dcm"), header(tmp_path / "2.dcm"))
    report = written(signed(films=films))
    assert report.SpecificCharacterSet == "ISO_IR 192"
    assert str(report.PatientName) == "Ouyang^Xiu=欧阳^修"
    assert (report.PatientID, report.StudyInstanceUID, report.AccessionNumber) == ("P-7", "1.2.3", "A1")
    (study,) = report.CurrentRequestedProcedureEvidenceSequence
    named = [item.ReferencedSOPInstanceUID for item in study.ReferencedSeriesSequence[0].ReferencedSOPSequence]
    assert named == ["1.2.3.4.1", "1.2.3.4.2"]


def test_without_dicom_films_the_identity_is_the_pseudonym() -> None:
    report = written(signed())
    assert (report.PatientID, str(report.PatientName)) == ("patient-of-case-1", "")
    assert "CurrentRequestedProcedureEvidenceSequence" not in report
    assert report.StudyInstanceUID == written(signed(run_id="run-2")).StudyInstanceUID


def test_a_revision_always_has_the_same_bytes_and_the_next_one_another_uid() -> None:
    assert to_dicom_sr(signed(), context=CONTEXT) == to_dicom_sr(signed(), context=CONTEXT)
    assert written(signed()).SOPInstanceUID != written(signed(revision=2)).SOPInstanceUID


def test_a_name_without_its_dicom_form_is_kept_whole() -> None:
    by = Signature(by=Person(id="w", name="欧阳修"), at=SIGNED.at, meaning="审核")
    assert str(written(signed(signature=by)).VerifyingObserverSequence[0].VerifyingObserverName) == "=欧阳修^"


def test_reports_that_are_not_signed_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not signed"):
        to_dicom_sr(review(), context=CONTEXT)
    with pytest.raises(DataError, match=r"not_signed\. Submit and sign"):
        write([review()], kind="dicom_sr", folder=tmp_path / "out", context=CONTEXT)


def test_a_report_needs_the_institution_of_who_signed_it() -> None:
    with pytest.raises(DataError, match="institution"):
        to_dicom_sr(signed(), context=ExportContext())


def test_damaged_and_mixed_films_are_refused_without_naming_the_patient(tmp_path: Path) -> None:
    cases = {
        "several patients": header(tmp_path / "2.dcm", PatientID="P-8"),
        "SeriesInstanceUID": header(tmp_path / "3.dcm", SeriesInstanceUID=""),
        "private": header(tmp_path / "4.dcm", SOPClassUID="1.2.999.1"),
        "no such file": ReviewedFilm(path=tmp_path / "a.png", dicom=tmp_path / "none.dcm"),
    }
    for message, film in cases.items():
        with pytest.raises(DataError, match=rf"(?i){message}") as caught:
            written(signed(films=(header(tmp_path / "1.dcm"), film)))
        assert "欧阳" not in str(caught.value)


def test_one_damaged_film_leaves_out_its_own_report_alone(tmp_path: Path) -> None:
    gone = ReviewedFilm(path=tmp_path / "a.png", dicom=tmp_path / "none.dcm")
    whole = signed(films=(header(tmp_path / "1.dcm"),))
    contents = to_documents([whole, signed(case_id="other", films=(gone,))], kind="dicom_sr", context=CONTEXT)
    assert [file.name for file in contents.files] == [f"{whole.id}.dcm"]
    assert [one.reason for one in contents.excluded] == ["unfit_original_film"]


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="Debian's dicom3tools is missing")
@pytest.mark.parametrize("identity", ["film", "film with empty header", "pseudonym"])
def test_dciodvfy_finds_no_error(tmp_path: Path, identity: str) -> None:
    empty = {} if identity == "film" else {"PatientSex": "?", "PatientBirthDate": "", "StudyDate": "unknown"}
    films = {} if identity == "pseudonym" else {"films": (header(tmp_path / "1.dcm", **empty),)}
    (report, _) = write([signed(**films)], kind="dicom_sr", folder=tmp_path / "out", context=CONTEXT)
    done = subprocess.run(["dciodvfy", report], capture_output=True, text=True, timeout=60, check=False)
    assert "BasicTextSR" in done.stderr
    assert "Error" not in done.stdout + done.stderr
