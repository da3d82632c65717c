"""A de-identified film shows the same picture and names nobody."""

import shutil
import subprocess
from datetime import date
from io import BytesIO

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.datadict import DicomDictionary
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    DigitalXRayImageStorageForPresentation,
    ExplicitVRLittleEndian,
    MultiFrameGrayscaleByteSecondaryCaptureImageStorage,
    generate_uid,
)

from xray.dicom import allow_list
from xray.dicom.deidentify import NewIdentity, deidentify
from xray.dicom.render import RenderSettings, render_dataset
from xray.dicom.view import view_of
from xray.errors import Rejected

IDENTITY = NewIdentity(
    patient="0123456789abcdef",
    study="fedcba9876543210",
    study_uid="2.25.11",
    series_uid="2.25.12",
    instance_uid="2.25.13",
    days_back=1000,
)
CANARY = "CANARYLEAK"
TEXT_VRS = {"LO", "SH", "PN", "LT", "ST", "UT", "UC", "CS", "AE", "UR", "OB", "UN", "OW"}
NATIVE = RenderSettings(size=None, square=False, deep=True)


def shades(*, dtype=np.uint16, top=4096):
    """A picture with every grey in it: 64 x 80."""
    return (np.arange(64 * 80).reshape(64, 80) * 37 % top).astype(dtype)


def code(value, meaning):
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "SCT", meaning
    return item


def lut(*, count, first, bits, top):
    item = Dataset()
    item.add_new("LUTDescriptor", "SS" if first < 0 else "US", [count, first, bits])
    item.add_new("LUTData", "OW", np.linspace(0, top, count).astype("<u2").tobytes())
    item.LUTExplanation = CANARY
    return item


def written(film):
    """The bytes of a film as a file."""
    stream = BytesIO()
    film.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def fill_with_canaries(film: Dataset) -> int:
    """Put a canary into every element of the dictionary that takes text and is not there yet; return how many."""
    planted = 0
    for tag, (vr, *_) in DicomDictionary.items():
        if vr not in TEXT_VRS or tag in film or tag >> 16 in (0x0000, 0x0002, 0xFFFE):
            continue
        film.add_new(tag, vr, CANARY.encode() if vr in ("OB", "UN", "OW") else CANARY)
        planted += 1
    for group in (0x5000, 0x6000, 0x6002):
        film.add_new((group, 0x0022), "LO", CANARY)
        film.add_new((group, 0x4000), "LT", CANARY)
        film.add_new((group, 0x3000), "OW", CANARY.encode())
    film.add_new((0x0011, 0x0010), "LO", CANARY)
    film.add_new((0x0011, 0x1001), "LO", CANARY)
    return planted


def test_no_text_of_any_element_in_the_dictionary_passes(make_film, through_file):
    film = make_film(shades(), bits=12, ViewPosition="PA")
    assert fill_with_canaries(film) > 1500
    data = written(deidentify(through_file(film), identity=IDENTITY))
    assert CANARY.encode() not in data
    assert b"ID-CANARY-7" not in data


def test_no_text_inside_a_sequence_passes(make_film, through_file):
    film = make_film(shades(), bits=12)
    item = code("272479007", CANARY)
    fill_with_canaries(item)
    for keyword in ("ViewCodeSequence", "AnatomicRegionSequence", "RequestAttributesSequence", "IconImageSequence"):
        setattr(film, keyword, Sequence([item]))
    film.VOILUTSequence = Sequence([lut(count=4096, first=0, bits=12, top=4095)])
    film.ModalityLUTSequence = Sequence([lut(count=4096, first=0, bits=12, top=4095)])
    cleaned = deidentify(through_file(film), identity=IDENTITY)
    assert CANARY.encode() not in written(cleaned)
    assert cleaned.ViewCodeSequence[0].CodeMeaning == "postero-anterior"


def test_code_strings_and_numbers_pass_only_as_what_the_list_allows(make_film, through_file):
    film = make_film(shades(), bits=12, KVP="125", Exposure="4.6", PatientWeight="13812345678", SeriesNumber="20230102")
    film.PatientSex, film.DetectorType, film.WindowCenter, film.WindowWidth = "M", CANARY, "13812345678", "100"
    cleaned = deidentify(through_file(film), identity=IDENTITY)
    assert (cleaned.KVP, cleaned.PatientSex) == (125, "M")
    assert cleaned.SeriesNumber is None
    assert not {"PatientWeight", "WindowCenter", "DetectorType"} & set(cleaned.dir())


def test_every_attribute_is_one_that_somebody_has_thought_of(make_film, through_file):
    film = make_film(shades(), bits=12, ViewPosition="PA", PatientAge="045Y", StudyDate="20230102")
    thought_of = {*allow_list.WORDS, *allow_list.NUMBERS, *allow_list.EMPTY, *allow_list.TYPE_2, *allow_list.DATES}
    thought_of |= {
        *allow_list.TYPE_2_OF_CR,
        *allow_list.TYPE_2_OF_DX,
        "SpecificCharacterSet",
        "SOPClassUID",
        "ImageType",
    }
    thought_of |= {"StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "StudyID", "PatientID", "PatientName"}
    thought_of |= {
        "PatientAge",
        "PatientIdentityRemoved",
        "DeidentificationMethod",
        "DeidentificationMethodCodeSequence",
    }
    thought_of |= {
        "LongitudinalTemporalInformationModified",
        "Rows",
        "Columns",
        "BitsAllocated",
        "BitsStored",
        "HighBit",
    }
    thought_of |= {"PixelRepresentation", "SamplesPerPixel", "PhotometricInterpretation", "PixelData"}
    assert set(deidentify(through_file(film), identity=IDENTITY).dir()) <= thought_of


SIGNED = shades(dtype=np.int16) - 2048
PICTURES = [
    pytest.param(shades(), {"bits": 12, "WindowCenter": 2000, "WindowWidth": 3000}, id="a window"),
    pytest.param(shades(), {"bits": 12, "photometric": "MONOCHROME1"}, id="no window, MONOCHROME1"),
    pytest.param(
        shades(), {"bits": 12, "WindowCenter": 2000, "WindowWidth": 900, "VOILUTFunction": "SIGMOID"}, id="sigmoid"
    ),
    pytest.param(shades(), {"bits": 12, "RescaleSlope": -2, "RescaleIntercept": 4095}, id="a negative slope"),
    pytest.param(
        shades(), {"bits": 12, "VOILUTSequence": Sequence([lut(count=4096, first=0, bits=12, top=4095)])}, id="VOI LUT"
    ),
    pytest.param(
        shades(),
        {"bits": 12, "ModalityLUTSequence": Sequence([lut(count=4096, first=0, bits=16, top=60000)])},
        id="Modality LUT",
    ),
    pytest.param(
        SIGNED,
        {"bits": 12, "VOILUTSequence": Sequence([lut(count=4096, first=-2048, bits=10, top=1023)])},
        id="a VOI LUT that starts below 0",
    ),
    pytest.param(
        SIGNED,
        {"bits": 16, "VOILUTSequence": Sequence([lut(count=40000, first=-2048, bits=16, top=65535)])},
        id="a VOI LUT of more than 32767 entries that starts below 0",
    ),
    pytest.param(SIGNED, {"bits": 16, "WindowCenter": 0, "WindowWidth": 4096, "PixelPaddingValue": -2048}, id="signed"),
    pytest.param(
        shades(), {"bits": 12, "PixelPaddingValue": 0, "PixelPaddingRangeLimit": 400}, id="a range of padding"
    ),
    pytest.param(shades() << 4, {"bits": 12, "high_bit": 15, "WindowCenter": 2048, "WindowWidth": 4096}, id="high bit"),
    pytest.param(
        shades(),
        {"bits": 12, "ShutterShape": "RECTANGULAR", "ShutterLeftVerticalEdge": 10, "ShutterRightVerticalEdge": 60}
        | {"ShutterUpperHorizontalEdge": 5, "ShutterLowerHorizontalEdge": 50},
        id="a shutter",
    ),
    pytest.param(
        shades(),
        {"bits": 12, "ShutterShape": ["BITMAP", "CIRCULAR"], "CenterOfCircularShutter": [32, 40]}
        | {"RadiusOfCircularShutter": 25},
        id="a shutter beside one that is unknown",
    ),
    pytest.param(
        shades(),
        {
            "bits": 12,
            "ShutterShape": "POLYGONAL",
            "VerticesOfThePolygonalShutter": [5, 5, *[5, 60, 50, 60] * 70, 50, 5],
        },
        id="a polygon of many vertices",
    ),
    pytest.param(shades(), {"bits": 12, "PixelAspectRatio": [2, 1]}, id="pixels that are no squares"),
    pytest.param(shades(dtype=np.uint8, top=256), {}, id="8 bits"),
    pytest.param(shades(dtype=np.uint8, top=256)[:63, :79], {}, id="an odd number of bytes"),
]


@pytest.mark.parametrize(("pixels", "elements"), PICTURES)
def test_the_picture_is_the_same_to_the_last_pixel(make_film, through_file, pixels, elements):
    film = through_file(make_film(pixels, **elements))
    cleaned = dcmread(BytesIO(written(deidentify(film, identity=IDENTITY))))
    before, after = render_dataset(film, settings=NATIVE), render_dataset(cleaned, settings=NATIVE)
    np.testing.assert_array_equal(before.pixels, after.pixels)
    np.testing.assert_array_equal(before.deep, after.deep)


@pytest.mark.parametrize(
    "elements",
    [
        {"WindowCenter": ["20a8", "1800.5"], "WindowWidth": ["100", "2000.25"]},
        {"RescaleSlope": ["abc"], "RescaleIntercept": ["-10"]},
    ],
)
def test_numbers_that_are_none_leave_the_same_picture(make_film, through_file, elements):
    film = make_film(shades(), bits=12)
    for keyword, values in elements.items():
        film.add_new(keyword, "LO", values)
    film = through_file(film)
    cleaned = dcmread(BytesIO(written(deidentify(film, identity=IDENTITY))))
    before, after = render_dataset(film, settings=NATIVE), render_dataset(cleaned, settings=NATIVE)
    np.testing.assert_array_equal(before.pixels, after.pixels)
    np.testing.assert_array_equal(before.deep, after.deep)


@pytest.mark.parametrize(
    "elements",
    [
        {"PixelSpacing": [2000, 1000]},
        {"PixelSpacing": [20, 1]},
        {"RescaleSlope": [2, 3], "RescaleIntercept": 0},
        {"RescaleSlope": 1, "RescaleIntercept": 5000000},
        {"RescaleSlope": 1, "RescaleIntercept": "1e12"},
    ],
)
def test_a_film_that_would_look_otherwise_without_a_number_is_refused(make_film, through_file, elements):
    film = through_file(make_film(shades(), bits=12, **elements))
    with pytest.raises(Rejected, match="bad_tag"):
        deidentify(film, identity=IDENTITY)


def test_an_overlay_in_unused_bits_is_gone(make_film, through_file):
    film = make_film(shades() | 0xF000, bits=12)
    cleaned = deidentify(through_file(film), identity=IDENTITY)
    assert int(np.frombuffer(cleaned.PixelData, dtype="<u2").max()) < 4096


def test_pixels_are_written_native_and_the_file_meta_information_is_ours(make_film, through_file):
    film = make_film(shades(), bits=12)
    film.file_meta.SourceApplicationEntityTitle = CANARY
    film.preamble = CANARY.encode().ljust(128, b"\0")
    data = written(deidentify(through_file(film), identity=IDENTITY))
    assert data[:128] == bytes(128)
    meta = dcmread(BytesIO(data)).file_meta
    assert meta.TransferSyntaxUID == ExplicitVRLittleEndian
    assert "SourceApplicationEntityTitle" not in meta
    assert meta.MediaStorageSOPInstanceUID == IDENTITY.instance_uid


def test_it_says_what_was_done(make_film, through_file):
    cleaned = deidentify(through_file(make_film(shades(), bits=12)), identity=IDENTITY)
    assert cleaned.PatientIdentityRemoved == "YES"
    assert cleaned.LongitudinalTemporalInformationModified == "MODIFIED"
    codes = [item.CodeValue for item in cleaned.DeidentificationMethodCodeSequence]
    assert codes == ["113100", "113105", "113107", "113108"]
    assert (cleaned.PatientID, cleaned.PatientName, cleaned.StudyID) == (IDENTITY.patient,) * 2 + (IDENTITY.study,)


def test_dates_move_together_and_times_go(make_film, through_file):
    film = make_film(shades(), bits=12, StudyDate="20240229", SeriesDate="20240301", StudyTime="101112")
    cleaned = deidentify(through_file(film), identity=IDENTITY)
    days = [date.fromisoformat(moved) for moved in (cleaned.StudyDate, cleaned.SeriesDate)]
    assert (date(2024, 2, 29) - days[0]).days == IDENTITY.days_back
    assert (days[1] - days[0]).days == 1
    assert not cleaned.StudyTime


@pytest.mark.parametrize(("age", "kept"), [("045Y", "045Y"), ("018M", "018M"), ("097Y", "090Y"), ("CANARY", None)])
def test_an_age_above_90_becomes_90(make_film, through_file, age, kept):
    cleaned = deidentify(through_file(make_film(shades(), bits=12, PatientAge=age)), identity=IDENTITY)
    assert cleaned.get("PatientAge") == kept


@pytest.mark.parametrize(
    "elements",
    [
        {"ViewPosition": "PA"},
        {"ViewPosition": "LL", "PatientOrientation": ["A", "F"]},
        {"ViewPosition": "LATERAL"},
        {"SeriesDescription": "CANARY 胸部后前位"},
        {"ProtocolName": "Chest lateral CANARY"},
        {"StudyDescription": "胸部正侧位"},
        {"ViewPosition": "PA", "SeriesDescription": "decubitus"},
        {"ViewCodeSequence": Sequence([code("399173006", CANARY)])},
        {"ViewCodeSequence": Sequence([code("1234567", "frontal CANARY")])},
        {},
    ],
)
@pytest.mark.parametrize("is_dx", [False, True])
def test_the_view_stays_and_no_description_does(make_film, through_file, elements, is_dx):
    film = make_film(shades(), bits=12, **elements)
    if is_dx:
        film.SOPClassUID, film.Modality = DigitalXRayImageStorageForPresentation, "DX"
    film = through_file(film)
    cleaned = dcmread(BytesIO(written(deidentify(film, identity=IDENTITY))))
    assert view_of(cleaned) == view_of(film)
    assert CANARY[:6].encode() not in written(cleaned)
    assert (cleaned.PatientOrientation or None) == film.get("PatientOrientation")


def test_a_maker_is_written_as_the_list_spells_it(make_film, through_file):
    film = make_film(shades(), bits=12, Manufacturer=f"FUJI PHOTO FILM {CANARY}")
    assert deidentify(through_file(film), identity=IDENTITY).Manufacturer == "Fujifilm"


@pytest.mark.parametrize(
    ("elements", "refusal"),
    [
        ({"SOPClassUID": MultiFrameGrayscaleByteSecondaryCaptureImageStorage}, "unsupported_sop_class"),
        ({"SOPClassUID": "CANARY"}, "unsupported_sop_class"),
        ({"PresentationLUTShape": "INVERSE"}, "polarity_conflict"),
        ({"ModalityLUTSequence": Sequence([Dataset()])}, "bad_lut"),
    ],
)
def test_what_cannot_be_written_honestly_is_refused(make_film, through_file, elements, refusal):
    with pytest.raises(Rejected) as refused:
        deidentify(through_file(make_film(shades(), bits=12, **elements)), identity=IDENTITY)
    assert refused.value.code == refusal
    assert "CANARY" not in str(refused.value)


def test_a_colour_picture_is_refused(make_film, through_file):
    film = make_film(np.zeros((64, 64, 3), dtype=np.uint8), photometric="RGB")
    with pytest.raises(Rejected, match="not_grey"):
        deidentify(through_file(film), identity=IDENTITY)


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dciodvfy (Debian dicom3tools) is not installed")
@pytest.mark.parametrize("modality", ["CR", "DX"])
def test_the_validator_finds_no_error_that_the_original_did_not_have(make_film, tmp_path, modality):
    film = make_film(shades(), bits=12, ViewPosition="PA", PatientOrientation=["L", "F"])
    film.SeriesInstanceUID = generate_uid(entropy_srcs=["series"])
    film.ImageType, film.InstanceNumber, film.SeriesNumber, film.StudyID = ["ORIGINAL", "PRIMARY", ""], 1, 1, "1"
    for keyword in ("PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "AccessionNumber", "Manufacturer"):
        setattr(film, keyword, "")
    film.ReferringPhysicianName = ""
    if modality == "DX":
        film.SOPClassUID = film.file_meta.MediaStorageSOPClassUID = DigitalXRayImageStorageForPresentation
        film.Modality, film.PresentationIntentType, film.ImageLaterality = "DX", "FOR PRESENTATION", "U"
        film.AnatomicRegionSequence = Sequence([code("816094009", "Chest")])
        view = code("272479007", "postero-anterior")
        view.ViewModifierCodeSequence = Sequence([])
        film.ViewCodeSequence, film.AcquisitionContextSequence = Sequence([view]), Sequence([])
        film.DetectorType, film.PixelIntensityRelationship, film.PixelIntensityRelationshipSign = "DIRECT", "LOG", -1
        film.ImagerPixelSpacing, film.BurnedInAnnotation, film.LossyImageCompression = [0.2, 0.2], "NO", "00"
        film.RescaleIntercept, film.RescaleSlope, film.RescaleType, film.PresentationLUTShape = 0, 1, "US", "IDENTITY"
        film.WindowCenter, film.WindowWidth, film.PositionerType = 2048, 4096, ""
    before, after = tmp_path / "before.dcm", tmp_path / "after.dcm"
    before.write_bytes(written(film))
    after.write_bytes(written(deidentify(film, identity=IDENTITY)))
    assert errors(after) - errors(before) == set()


def errors(path):
    done = subprocess.run(["dciodvfy", str(path)], capture_output=True, text=True, timeout=60, check=False)
    return {line for line in (done.stdout + done.stderr).splitlines() if line.startswith("Error")}
