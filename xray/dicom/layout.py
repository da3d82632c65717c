"""How the pixels of one image are laid out (Image Pixel module, PS3.3 C.7.6.3), checked before they are touched."""

from dataclasses import dataclass

from pydicom.dataset import Dataset

from xray.dicom import tags
from xray.errors import Rejected

MAX_DECODED_BYTES = 256 * 1024 * 1024
GREY = ("MONOCHROME1", "MONOCHROME2")
COLOUR = (
    "RGB",
    "PALETTE COLOR",
    "YBR_FULL",
    "YBR_FULL_422",
    "YBR_PARTIAL_420",
    "YBR_PARTIAL_422",
    "YBR_ICT",
    "YBR_RCT",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PixelLayout:
    """The Image Pixel module of a single-frame image. `signed` is PixelRepresentation 1."""

    rows: int
    columns: int
    samples: int
    bits_allocated: int
    bits_stored: int
    high_bit: int
    signed: bool
    photometric: str
    planar: int

    @property
    def decoded_bytes(self) -> int:
        """Size of the decoded frame in bytes."""
        return self.rows * self.columns * self.samples * self.bits_allocated // 8

    @property
    def shift(self) -> int:
        """Unused low bits of a pixel cell; 0 unless HighBit differs from BitsStored - 1."""
        return self.high_bit + 1 - self.bits_stored


def pixel_layout(dataset: Dataset) -> PixelLayout:
    """Read and check the Image Pixel module.

    Raises Rejected: `no_pixels` (no image in the file), `missing_tag`, `bad_tag`, `multi_frame`, `unsupported_bits`,
    `not_grey` (an unknown photometric interpretation), `too_large` (more than 256 MiB decoded).
    """
    _require_single_frame(dataset)
    bits_stored = _required(dataset, "BitsStored")
    high_bit = tags.whole(dataset, "HighBit")
    samples = _required(dataset, "SamplesPerPixel")
    layout = PixelLayout(
        rows=_required(dataset, "Rows"),
        columns=_required(dataset, "Columns"),
        samples=samples,
        bits_allocated=_required(dataset, "BitsAllocated"),
        bits_stored=bits_stored,
        high_bit=bits_stored - 1 if high_bit is None else high_bit,
        signed=_required(dataset, "PixelRepresentation") == 1,
        photometric=tags.code(dataset, "PhotometricInterpretation"),
        planar=(tags.whole(dataset, "PlanarConfiguration") or 0) if samples > 1 else 0,
    )
    _check(layout)
    return layout


def _require_single_frame(dataset: Dataset) -> None:
    if "Rows" not in dataset and "Columns" not in dataset:
        raise Rejected("no_pixels", "The file holds no image (no Rows and Columns).")
    frames = tags.whole(dataset, "NumberOfFrames")
    if frames is not None and frames != 1:
        raise Rejected("multi_frame", f"The image has {frames} frames. Export single frames.")


def _required(dataset: Dataset, keyword: str) -> int:
    found = tags.whole(dataset, keyword)
    if found is None:
        raise Rejected("missing_tag", f"{keyword} is missing. Repair the header or export the film again.")
    return found


def _check(layout: PixelLayout) -> None:
    if not (0 < layout.rows <= 65535 and 0 < layout.columns <= 65535):
        raise Rejected("bad_tag", "Rows and Columns must lie between 1 and 65535.")
    _check_bits(layout)
    if layout.photometric not in GREY + COLOUR:
        state = "unknown" if layout.photometric else "missing"
        raise Rejected("not_grey", f"PhotometricInterpretation is {state}, so black and white cannot be told apart.")
    expected_samples = 1 if layout.photometric in (*GREY, "PALETTE COLOR") else 3
    if layout.samples != expected_samples or layout.planar not in (0, 1):
        raise Rejected("bad_tag", "SamplesPerPixel or PlanarConfiguration contradicts PhotometricInterpretation.")
    if layout.decoded_bytes > MAX_DECODED_BYTES:
        size = f"{layout.rows} x {layout.columns}"
        raise Rejected("too_large", f"The image of {size} decodes to more than {MAX_DECODED_BYTES >> 20} MiB.")


def _check_bits(layout: PixelLayout) -> None:
    if layout.bits_allocated not in (8, 16):
        raise Rejected("unsupported_bits", f"BitsAllocated is {layout.bits_allocated}; 8 and 16 are supported.")
    if not 1 <= layout.bits_stored <= layout.bits_allocated:
        raise Rejected("bad_tag", "BitsStored must lie between 1 and BitsAllocated.")
    if not layout.bits_stored - 1 <= layout.high_bit < layout.bits_allocated:
        raise Rejected("bad_tag", "HighBit contradicts BitsStored and BitsAllocated.")
