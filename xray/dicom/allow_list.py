"""What a film may say of itself once it is de-identified: every attribute by name, every value by its range or words.

No free text is on the list. A code string must be one of the listed words and a number must lie in its range, so that
nothing a hospital wrote into a header passes unless it is one of these. Attributes of the Image Pixel module,
pseudonyms, dates, LUTs and the view are built by `xray.dicom.deidentify` and are not listed here.
Sources: PS3.3 A.2 (CR), A.26 (DX), C.7.6, C.8.1, C.8.7.10, C.8.11, C.11; PS3.15 Table E.1-1; PS3.16 CID 4010.
"""

from dataclasses import dataclass

from xray.types import View

Code = tuple[str, str, str]
"""Code Value, Coding Scheme Designator and Code Meaning (PS3.3 Table 8.8-1)."""


@dataclass(frozen=True, slots=True)
class Range:
    """How many values a numeric attribute may have at most, and from where to where they go."""

    most_values: int
    low: float
    high: float


WORDS: dict[str, tuple[str, ...]] = {
    "PatientSex": ("M", "F", "O"),
    "SmokingStatus": ("YES", "NO", "UNKNOWN"),
    "Modality": ("CR", "DX", "RG"),
    "ConversionType": ("DV", "DI", "DF", "WSD", "SD", "SI", "DRW", "SYN"),
    "PresentationIntentType": ("FOR PRESENTATION",),
    "ImageLaterality": ("R", "L", "U", "B"),
    "PositionerType": ("CARM", "COLUMN", "NONE"),
    "DetectorType": ("DIRECT", "SCINTILLATOR", "STORAGE", "FILM"),
    "DetectorConfiguration": ("AREA", "SLOT"),
    "ExposureControlMode": ("MANUAL", "AUTOMATIC"),
    "Grid": ("FIXED", "FOCUSED", "RECIPROCATING", "PARALLEL", "CROSSED", "NONE"),
    "FieldOfViewShape": ("RECTANGLE", "ROUND", "HEXAGONAL"),
    "FieldOfViewHorizontalFlip": ("YES", "NO"),
    "PixelSpacingCalibrationType": ("GEOMETRY", "FIDUCIAL"),
    "PixelIntensityRelationship": ("LIN", "LOG", "DISP"),
    "PresentationLUTShape": ("IDENTITY", "INVERSE"),
    "VOILUTFunction": ("LINEAR", "LINEAR_EXACT", "SIGMOID"),
    "RescaleType": ("US", "OD", "HU", "MGML", "PCT"),
    "ShutterShape": ("RECTANGULAR", "CIRCULAR", "POLYGONAL"),
    "BurnedInAnnotation": ("NO",),
    "RecognizableVisualFeatures": ("NO",),
    "QualityControlImage": ("YES", "NO", "BOTH"),
    "LossyImageCompression": ("00", "01"),
    "LossyImageCompressionMethod": ("ISO_10918_1", "ISO_14495_1", "ISO_15444_1", "ISO_15444_15"),
}
"""Attributes with an enumerated or defined term; other values are left out."""

NUMBERS: dict[str, Range] = {
    "PatientSize": Range(1, 0.2, 2.6),
    "PatientWeight": Range(1, 0.2, 400),
    "SeriesNumber": Range(1, 0, 9999),
    "AcquisitionNumber": Range(1, 0, 9999),
    "InstanceNumber": Range(1, 0, 9999),
    "KVP": Range(1, 1, 300),
    "ExposureTime": Range(1, 0, 100_000),
    "XRayTubeCurrent": Range(1, 0, 5000),
    "Exposure": Range(1, 0, 5000),
    "ExposureInuAs": Range(1, 0, 5_000_000),
    "ExposureIndex": Range(1, 0, 1_000_000),
    "TargetExposureIndex": Range(1, 0, 1_000_000),
    "DeviationIndex": Range(1, -100, 100),
    "RelativeXRayExposure": Range(1, 0, 100_000),
    "Sensitivity": Range(1, 0, 100_000),
    "DistanceSourceToDetector": Range(1, 100, 10_000),
    "DistanceSourceToPatient": Range(1, 100, 10_000),
    "EstimatedRadiographicMagnificationFactor": Range(1, 0.5, 5),
    "FieldOfViewDimensions": Range(2, 1, 2000),
    "FieldOfViewRotation": Range(1, 0, 360),
    "PixelIntensityRelationshipSign": Range(1, -1, 1),
    "ImagerPixelSpacing": Range(2, 1e-4, 100),
    "PixelSpacing": Range(2, 1e-4, 100),
    "NominalScannedPixelSpacing": Range(2, 1e-4, 100),
    "PixelAspectRatio": Range(2, 1, 100_000),
    "RescaleSlope": Range(1, -1e6, 1e6),
    "RescaleIntercept": Range(1, -1e6, 1e6),
    "ShutterLeftVerticalEdge": Range(1, -65536, 65536),
    "ShutterRightVerticalEdge": Range(1, -65536, 65536),
    "ShutterUpperHorizontalEdge": Range(1, -65536, 65536),
    "ShutterLowerHorizontalEdge": Range(1, -65536, 65536),
    "CenterOfCircularShutter": Range(2, -65536, 65536),
    "RadiusOfCircularShutter": Range(1, 0, 131_072),
    "VerticesOfThePolygonalShutter": Range(4096, -65536, 65536),
    "ShutterPresentationValue": Range(1, 0, 65535),
    "LossyImageCompressionRatio": Range(8, 1, 1000),
}
"""Numeric attributes; one with a value outside its range, or with none that is a number, is left out."""

EMPTY = ("PatientBirthDate", "StudyTime", "AccessionNumber", "ReferringPhysicianName")
"""Attributes of Type 2 whose action in Table E.1-1 is Z: they are there, without a value."""

TYPE_2 = ("PatientSex", "StudyDate", "SeriesNumber", "InstanceNumber", "Manufacturer", "PatientOrientation")
"""Attributes that are written without a value where the film has none that may pass."""

TYPE_2_OF_CR = ("BodyPartExamined", "ViewPosition")
TYPE_2_OF_DX = ("PositionerType", "DetectorType", "AcquisitionContextSequence")

DATES = ("StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate")

IMAGE_TYPES = (("ORIGINAL", "DERIVED"), ("PRIMARY", "SECONDARY"))
"""The words of the first two values of ImageType (PS3.3 C.7.6.1.1.2)."""

VIEW_POSITIONS = ("AP", "PA", "LL", "RL", "RLD", "LLD", "RLO", "LLO")

VIEW_CODES: tuple[Code, ...] = (
    ("272479007", "SCT", "postero-anterior"),
    ("399348003", "SCT", "antero-posterior"),
    ("399067008", "SCT", "lateral"),
    ("399173006", "SCT", "left lateral"),
    ("399198007", "SCT", "right lateral"),
    ("399033003", "SCT", "frontal"),
    ("30730003", "SCT", "sagittal"),
    ("399135007", "SCT", "left anterior oblique"),
    ("399006002", "SCT", "left posterior oblique"),
    ("399356000", "SCT", "right anterior oblique"),
    ("399038007", "SCT", "right posterior oblique"),
    ("399182000", "SCT", "oblique"),
    ("R-40888", "SRT", "postero-anterior"),
    ("R-10206", "SRT", "antero-posterior"),
    ("R-10214", "SRT", "postero-anterior"),
    ("R-102CD", "SRT", "lateral"),
    ("R-10236", "SRT", "left lateral"),
    ("R-10232", "SRT", "right lateral"),
    ("R-10202", "SRT", "frontal"),
    ("G-A145", "SRT", "sagittal"),
)
"""View codes of CID 4010 and their older forms. Scheme and meaning are written from here, not from the film."""

VIEWS: dict[View, Code] = {"frontal": ("399033003", "SCT", "frontal"), "lateral": ("399067008", "SCT", "lateral")}
"""How a view is written that a film tells in words."""

MANUFACTURERS = (
    ("GE", "General Electric"),
    ("Siemens",),
    ("Philips",),
    ("Fujifilm", "Fuji"),
    ("Canon",),
    ("Agfa",),
    ("Carestream", "Kodak"),
    ("Konica Minolta", "Konica"),
    ("Samsung",),
    ("Shimadzu",),
    ("Toshiba",),
    ("Hologic",),
    ("Mindray",),
    ("United Imaging",),
    ("Neusoft",),
    ("Wandong",),
    ("Anke",),
    ("Landwind",),
    ("Varian",),
    ("Vieworks",),
    ("DRTECH",),
    ("Swissray",),
    ("Oldelft",),
)
"""Makers of X-ray systems, each as it is written and the other words that mean it."""

METHODS: tuple[Code, ...] = (
    ("113100", "DCM", "Basic Application Confidentiality Profile"),
    ("113105", "DCM", "Clean Descriptors Option"),
    ("113107", "DCM", "Retain Longitudinal Temporal Information Modified Dates Option"),
    ("113108", "DCM", "Retain Patient Characteristics Option"),
)
"""What is done, by the codes of CID 7050. Of the characteristics sex, age, size, weight and smoking are kept."""
