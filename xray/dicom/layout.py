"""How the pixels of an image are laid out (Image Pixel module, PS3.3 C.7.6.3), checked before they are touched."""

from dataclasses import dataclass

from pydicom.dataset import Dataset

from xray.dicom import tags
from xray.errors import Rejected

MAX_SIDE = 8192
MAX_DECODED_BYTES = 128 * 1024 * 1024
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
    """The Image Pixel module of an image. `signed` is PixelRepresentation 1."""

    rows: int
    columns: int
    samples: int
    bits_allocated: int
    bits_stored: int
    high_bit: int
    signed: bool
    photometric: str
    planar: int
    frames: int = 1

    @property
    def frame_bytes(self) -> int:
        """Size of a decoded frame in bytes."""
        return (self.rows * self.columns * self.samples * self.bits_allocated + 7) // 8

    @property
    def shift(self) -> int:
        """Unused low bits of a pixel cell; 0 unless HighBit differs from BitsStored - 1."""
        return self.high_bit + 1 - self.bits_stored


def pixel_layout(dataset: Dataset) -> PixelLayout:
    """Read and check the Image Pixel module of a film: one frame of 8 or 16 bits.

    Raises Rejected: `no_pixels` (no image in the file), `missing_tag`, `bad_tag`, `multi_frame`, `unsupported_bits`,
    `not_grey` (an unknown photometric interpretation), `too_large` (a side beyond 8192 pixels, or more than 128 MiB).
    """
    frames = _frames(dataset)
    if frames != 1:
        raise Rejected("multi_frame", f"The image has {frames} frames. Export single frames.")
    return _checked(_layout(dataset, frames=1), bits=(8, 16))


def stored_layout(dataset: Dataset) -> PixelLayout:
    """Read and check the Image Pixel module of any image: several frames, 1 to 64 bits.

    Raises Rejected as `pixel_layout` does, except `multi_frame`; the frames together may take 128 MiB.
    """
    frames = _frames(dataset)
    if frames < 1:
        raise Rejected("bad_tag", "NumberOfFrames must be 1 or more.")
    return _checked(_layout(dataset, frames=frames), bits=(1, 8, 16, 32, 64))


def _frames(dataset: Dataset) -> int:
    if "Rows" not in dataset and "Columns" not in dataset:
        raise Rejected("no_pixels", "The file holds no image (no Rows and Columns).")
    frames = tags.whole(dataset, "NumberOfFrames")
    return 1 if frames is None else frames


def _layout(dataset: Dataset, *, frames: int) -> PixelLayout:
    is_float = "FloatPixelData" in dataset or "DoubleFloatPixelData" in dataset  # PS3.3 C.7.6.24 and C.7.6.25
    bits_allocated = _required(dataset, "BitsAllocated")
    bits_stored = bits_allocated if is_float else _required(dataset, "BitsStored")
    high_bit = tags.whole(dataset, "HighBit")
    samples = _required(dataset, "SamplesPerPixel")
    return PixelLayout(
        rows=_required(dataset, "Rows"),
        columns=_required(dataset, "Columns"),
        samples=samples,
        bits_allocated=bits_allocated,
        bits_stored=bits_stored,
        high_bit=bits_stored - 1 if high_bit is None else high_bit,
        signed=not is_float and _sign(dataset),
        photometric=tags.code(dataset, "PhotometricInterpretation"),
        planar=(tags.whole(dataset, "PlanarConfiguration") or 0) if samples > 1 else 0,
        frames=frames,
    )


def _sign(dataset: Dataset) -> bool:
    found = _required(dataset, "PixelRepresentation")
    if found not in (0, 1):
        raise Rejected("bad_tag", "PixelRepresentation must be 0 (unsigned) or 1 (signed).")
    return found == 1


def _required(dataset: Dataset, keyword: str) -> int:
    found = tags.whole(dataset, keyword)
    if found is None:
        raise Rejected("missing_tag", f"{keyword} is missing. Repair the header or export the film again.")
    return found


def _checked(layout: PixelLayout, *, bits: tuple[int, ...]) -> PixelLayout:
    if not (0 < layout.rows <= 65535 and 0 < layout.columns <= 65535):
        raise Rejected("bad_tag", "Rows and Columns must lie between 1 and 65535.")
    _check_bits(layout, allowed=bits)
    if layout.photometric not in GREY + COLOUR:
        state = "unknown" if layout.photometric else "missing"
        raise Rejected("not_grey", f"PhotometricInterpretation is {state}, so black and white cannot be told apart.")
    expected_samples = 1 if layout.photometric in (*GREY, "PALETTE COLOR") else 3
    if layout.samples != expected_samples or layout.planar not in (0, 1):
        raise Rejected("bad_tag", "SamplesPerPixel or PlanarConfiguration contradicts PhotometricInterpretation.")
    _check_size(layout)
    return layout


def _check_size(layout: PixelLayout) -> None:
    size = f"{layout.rows} x {layout.columns}"
    if max(layout.rows, layout.columns) > MAX_SIDE:
        raise Rejected("too_large", f"The image of {size} pixels is larger than {MAX_SIDE} x {MAX_SIDE}.")
    if layout.frames * layout.frame_bytes > MAX_DECODED_BYTES:
        raise Rejected("too_large", f"The image of {size} pixels decodes to more than {MAX_DECODED_BYTES >> 20} MiB.")


def _check_bits(layout: PixelLayout, *, allowed: tuple[int, ...]) -> None:
    if layout.bits_allocated not in allowed:
        known = " and ".join(str(bits) for bits in allowed)
        raise Rejected("unsupported_bits", f"BitsAllocated is {layout.bits_allocated}; {known} are supported.")
    if not 1 <= layout.bits_stored <= layout.bits_allocated:
        raise Rejected("bad_tag", "BitsStored must lie between 1 and BitsAllocated.")
    if not layout.bits_stored - 1 <= layout.high_bit < layout.bits_allocated:
        raise Rejected("bad_tag", "HighBit contradicts BitsStored and BitsAllocated.")
