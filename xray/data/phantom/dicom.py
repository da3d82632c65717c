"""One phantom film as a DICOM object, different from file to file as the films of a hospital are.

Modality, polarity, window, rescale, VOI LUT, character set and compression are drawn for each film (PS3.3 A.2 and A.26,
C.7.6.3, C.8.1.1, C.8.11, C.11.1, C.11.2; PS3.5 A.4). In a correct viewer all of them show what was drawn.
"""

import uuid
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.pixels.encoders.base import get_encoder
from pydicom.sequence import Sequence
from pydicom.uid import (
    UID,
    ComputedRadiographyImageStorage,
    DigitalXRayImageStorageForPresentation,
    ExplicitVRLittleEndian,
    JPEGLSLossless,
    RLELossless,
)

from xray.data.phantom.canvas import FloatArray
from xray.data.phantom.chest_findings import MM_PER_SIDE
from xray.data.phantom.study import PhantomStudy
from xray.types import View

BITS_STORED = 12
_MAXIMUM = (1 << BITS_STORED) - 1
_NAMESPACE = uuid.UUID("7a8a37c4-5b39-4d7c-9d6e-2f3f6f6a2c11")
_IMPLEMENTATION = UID("2.25.162939347218365180411404518214735233041")
_FIRST_DAY = date(2021, 3, 1)
# PS3.16 CID 4010 and CID 4031.
_SNOMED = {
    "Thorax": "816094009",
    "postero-anterior": "272479007",
    "antero-posterior": "399348003",
    "left lateral": "399173006",
}
_VIEW_MEANING = {"PA": "postero-anterior", "AP": "antero-posterior", "LL": "left lateral"}
_ENCODER_PLUGIN = {RLELossless: "pylibjpeg", JPEGLSLossless: "pyjpegls"}


@dataclass(frozen=True, slots=True, kw_only=True)
class DicomVariant:
    """How one film is stored. `window` names what maps stored values to grey: see `_add_grey_mapping`."""

    modality: Literal["CR", "DX"]
    inverted: bool
    window: Literal["none", "one", "two", "sigmoid", "lut"]
    rescaled: bool
    character_set: Literal["GB18030", "ISO_IR 192"]
    transfer_syntax: UID
    view_position: Literal["PA", "AP", "LL"]


def phantom_uid(*names: object) -> UID:
    """Derive a UID under 2.25 (PS3.5 B.2) from names: the same names give the same UID everywhere."""
    return UID(f"2.25.{uuid.uuid5(_NAMESPACE, '/'.join(str(name) for name in names)).int}")


def study_uid(study: PhantomStudy) -> UID:
    """Return the Study Instance UID that the films and the tables of this study carry."""
    return phantom_uid("study", study.patient_seed, study.study_number, study.seed)


def sample_variant(study: PhantomStudy, *, view: View) -> DicomVariant:
    """Draw how a film is stored. A study's films share modality and character set, as they share the machine."""
    machine = np.random.default_rng([study.seed, 5])
    rng = np.random.default_rng([study.seed, 6 if view == "frontal" else 7])
    modality: Literal["CR", "DX"] = "DX" if machine.random() < 0.5 else "CR"
    character_set: Literal["GB18030", "ISO_IR 192"] = "GB18030" if machine.random() < 0.6 else "ISO_IR 192"
    syntaxes = (ExplicitVRLittleEndian, RLELossless, JPEGLSLossless)
    windows: tuple[Literal["none", "one", "two", "sigmoid", "lut"], ...] = ("none", "one", "two", "sigmoid", "lut")
    shares = (0.0, 0.5, 0.23, 0.11, 0.16) if modality == "DX" else (0.14, 0.44, 0.19, 0.09, 0.14)
    bedside = study.get("endotracheal_tube") is not None or machine.random() < 0.2
    return DicomVariant(
        modality=modality,
        inverted=bool(rng.random() < 0.4),
        window=windows[int(rng.choice(5, p=shares))],
        rescaled=modality == "CR" and bool(rng.random() < 0.5),  # a DX object must have slope 1 (PS3.3 C.8.11.3)
        character_set=character_set,
        transfer_syntax=syntaxes[int(rng.choice(3, p=(0.12, 0.18, 0.70)))],
        view_position="LL" if view == "lateral" else ("AP" if bedside else "PA"),
    )


def make_dataset(study: PhantomStudy, *, film: FloatArray, view: View, variant: DicomVariant) -> Dataset:
    """Turn a film, float32 [H, W] in [0, 1], into a complete dataset with file meta information and pixels."""
    dataset = Dataset()
    uid = phantom_uid("film", study_uid(study), view)
    _add_patient(dataset, study=study, variant=variant)
    _add_study(dataset, study=study, variant=variant)
    dataset.SOPInstanceUID = uid
    dataset.SOPClassUID = (
        DigitalXRayImageStorageForPresentation if variant.modality == "DX" else ComputedRadiographyImageStorage
    )
    dataset.SeriesInstanceUID = phantom_uid("series", study_uid(study), view)
    dataset.SeriesNumber = 1 if view == "frontal" else 2
    dataset.InstanceNumber = 1
    _add_projection(dataset, film=film, view=view, variant=variant)
    _add_grey_mapping(dataset, variant=variant, rng=np.random.default_rng([study.seed, 8 if view == "frontal" else 9]))
    _add_pixels(dataset, values=stored_values(film, variant=variant), variant=variant)
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = uid
    meta.TransferSyntaxUID = variant.transfer_syntax
    meta.ImplementationClassUID = _IMPLEMENTATION
    meta.ImplementationVersionName = "XRAY_PHANTOM_1"
    dataset.file_meta = meta
    return dataset


def stored_values(film: FloatArray, *, variant: DicomVariant) -> npt.NDArray[np.uint16]:
    """Return what the pixels hold: uint16 [H, W], 12 bits, MONOCHROME1 films inverted."""
    # The ends stay free, as on a detector: values beyond the window exist.
    values = np.rint(_lowest(variant) + film * (_highest(variant) - _lowest(variant))).astype(np.uint16)
    return (_MAXIMUM - values).astype(np.uint16) if variant.inverted else values


def _lowest(variant: DicomVariant) -> int:
    return 0 if variant.window == "none" else 250


def _highest(variant: DicomVariant) -> int:
    return _MAXIMUM if variant.window == "none" else 3700


def _add_patient(dataset: Dataset, *, study: PhantomStudy, variant: DicomVariant) -> None:
    dataset.SpecificCharacterSet = variant.character_set
    dataset.PatientName = f"测试^{study.patient_number:04d}"
    dataset.PatientID = patient_id(study)
    dataset.PatientBirthDate = ""
    dataset.PatientSex = study.sex
    dataset.PatientAge = f"{study.age_years:03d}Y"


def patient_id(study: PhantomStudy) -> str:
    """Return the invented hospital number of this study's patient."""
    return f"P{study.patient_number:05d}"


def _add_study(dataset: Dataset, *, study: PhantomStudy, variant: DicomVariant) -> None:
    day = (_FIRST_DAY + timedelta(days=study.day)).strftime("%Y%m%d")
    hour, minute = divmod(study.seed % 600, 60)
    dataset.StudyInstanceUID = study_uid(study)
    dataset.StudyDate = dataset.SeriesDate = dataset.AcquisitionDate = dataset.ContentDate = day
    dataset.StudyTime = dataset.SeriesTime = dataset.AcquisitionTime = dataset.ContentTime = (
        f"{8 + hour:02d}{minute:02d}00"
    )
    dataset.AccessionNumber = f"A{study.study_number:06d}"
    dataset.ReferringPhysicianName = ""
    dataset.StudyID = str(study.study_number)
    dataset.StudyDescription = "胸部正侧位" if study.has_lateral else "胸部正位"
    dataset.Manufacturer = "Phantom"
    dataset.InstitutionName = "测试医院"
    dataset.Modality = variant.modality
    dataset.BodyPartExamined = "CHEST"


def _add_projection(dataset: Dataset, *, film: FloatArray, view: View, variant: DicomVariant) -> None:
    """Add what PS3.3 C.8.1.1 (CR) or C.8.11 (DX) asks for: which side of the patient is where on the picture."""
    dataset.ViewPosition = variant.view_position
    dataset.PatientOrientation = ["L", "F"] if view == "frontal" else ["P", "F"]
    spacing = f"{MM_PER_SIDE / min(film.shape):.5f}"
    dataset.ImagerPixelSpacing = [spacing, spacing]
    dataset.PixelSpacing = [spacing, spacing]
    dataset.PixelSpacingCalibrationType = "GEOMETRY"
    if variant.modality == "CR":
        dataset.ImageType = ["ORIGINAL", "PRIMARY"]
        return
    dataset.ImageType = ["ORIGINAL", "PRIMARY", ""]
    dataset.PresentationIntentType = "FOR PRESENTATION"
    dataset.ImageLaterality = "U"
    dataset.AnatomicRegionSequence = Sequence([_code("Thorax")])
    dataset.PatientOrientationCodeSequence = Sequence([])
    dataset.AcquisitionContextSequence = Sequence([])
    dataset.ViewCodeSequence = Sequence([_code(_VIEW_MEANING[variant.view_position])])
    dataset.DetectorType = "SCINTILLATOR"
    dataset.PixelIntensityRelationship = "LOG"
    dataset.PixelIntensityRelationshipSign = 1 if variant.inverted else -1
    dataset.BurnedInAnnotation = "NO"
    dataset.LossyImageCompression = "00"
    dataset.PresentationLUTShape = "INVERSE" if variant.inverted else "IDENTITY"


def _code(meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = _SNOMED[meaning], "SCT", meaning
    return item


def _add_grey_mapping(dataset: Dataset, *, variant: DicomVariant, rng: np.random.Generator) -> None:
    """Add rescale and the window or VOI LUT that shows the film as it was drawn.

    `none` has no window and uses all stored values, `two` offers a second, harder window, `sigmoid` asks for
    VOI LUT Function SIGMOID, `lut` has a VOI LUT Sequence.
    """
    slope, intercept = (2.0, -1024.0) if variant.rescaled else (1.0, 0.0)
    if variant.rescaled or variant.modality == "DX":
        dataset.RescaleSlope, dataset.RescaleIntercept, dataset.RescaleType = slope, intercept, "US"
    low, high = _lowest(variant), _highest(variant)
    if variant.inverted:
        low, high = _MAXIMUM - high, _MAXIMUM - low
    if variant.window == "lut":
        dataset.VOILUTSequence = Sequence([_voi_lut(low=low, high=high, first=int(intercept), step=int(slope))])
    if variant.window in ("none", "lut"):
        return
    width = (high - low) * slope
    centre = (low + high) / 2 * slope + intercept
    if variant.window == "sigmoid":
        dataset.VOILUTFunction, width = "SIGMOID", width * 0.85
    if variant.window == "two":
        dataset.WindowCenter = [f"{centre:.0f}", f"{centre + 0.1 * width:.0f}"]
        dataset.WindowWidth = [f"{width:.0f}", f"{0.6 * width:.0f}"]
        dataset.WindowCenterWidthExplanation = ["NORMAL", "HARDER"]
    else:
        dataset.WindowCenter, dataset.WindowWidth = f"{centre + float(rng.integers(-20, 21)):.0f}", f"{width:.0f}"


def _voi_lut(*, low: int, high: int, first: int, step: int) -> Dataset:
    """Build a 12-bit VOI LUT (PS3.3 C.11.2) that stretches stored values low..high with soft ends."""
    entries = _MAXIMUM * step + 1
    share = np.clip((np.arange(entries) / step - low) / (high - low), 0, 1)
    curve = 0.85 * share + 0.15 * (3 * share**2 - 2 * share**3)
    item = Dataset()
    item.add_new("LUTDescriptor", "SS" if first < 0 else "US", [entries, first, BITS_STORED])
    item.LUTExplanation = "NORMAL"
    item.add_new("LUTData", "OW", np.rint(curve * _MAXIMUM).astype("<u2").tobytes())
    return item


def _add_pixels(dataset: Dataset, *, values: npt.NDArray[np.uint16], variant: DicomVariant) -> None:
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME1" if variant.inverted else "MONOCHROME2"
    dataset.Rows, dataset.Columns = values.shape
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, BITS_STORED, BITS_STORED - 1
    dataset.PixelRepresentation = 0
    frame = values.astype("<u2").tobytes()
    if variant.transfer_syntax == ExplicitVRLittleEndian:
        dataset.PixelData = frame
        dataset["PixelData"].VR = "OW"
        return
    encoder = get_encoder(variant.transfer_syntax)
    packed = encoder.encode(
        values,
        rows=values.shape[0],
        columns=values.shape[1],
        samples_per_pixel=1,
        number_of_frames=1,
        bits_allocated=16,
        bits_stored=BITS_STORED,
        pixel_representation=0,
        photometric_interpretation=dataset.PhotometricInterpretation,
        encoding_plugin=_ENCODER_PLUGIN[variant.transfer_syntax],
    )
    dataset.PixelData = encapsulate([packed])
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
