"""Small films, each with one trait of the rendering chain, that DCMTK's `dcmj2pnm` renders as well.

A case names the options that tell dcmj2pnm which values of interest to take; everything else it reads from the header.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items

from tests.xray.dicom.conftest import build_film
from xray.dicom.render import RenderSettings
from xray.dicom.site_profile import DeviceRule, Polarity, SiteProfile

ROWS, COLUMNS = 32, 64
WINDOW, SECOND_WINDOW, LOOKUP, MIN_MAX = ("+Wi", "1"), ("+Wi", "2"), ("+Wl", "1"), ("+Wm",)
IN_8_BITS = "+opb"  # spread over 16 bits, DCMTK 3.6.7 leaves the white of an 8-bit table at 254 / 255
ANY_LUT_BITS = "+Mv"  # without it, DCMTK believes a descriptor that is wrong and shows the film almost black


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A film, the options of dcmj2pnm beside `-O` (16-bit output unless they say `+opb`), our settings for the same."""

    film: Dataset
    options: tuple[str, ...]
    settings: RenderSettings


def all_cases() -> dict[str, Case]:
    """Return every case by its name."""
    return {
        **_bits(),
        **_polarities(),
        **_windows(),
        **_without_window(),
        **_modality(),
        **_voi_luts(),
        **_cells(),
    }


def case(film: Dataset, *options: str, site: Polarity | None = None) -> Case:
    rules = SiteProfile(devices=(DeviceRule(manufacturer="*", polarity=site),)) if site else None
    settings = RenderSettings(size=None, square=False, deep=True, site=rules)
    return Case(film=film, options=options or WINDOW, settings=settings)


def ramp(low: int, high: int, kind: str = "uint16") -> NDArray[np.integer]:
    """2048 values from low to high, both ends included."""
    return np.linspace(low, high, ROWS * COLUMNS).round().astype(kind).reshape(ROWS, COLUMNS)


def with_ends(low: int, high: int, kind: str = "uint16") -> NDArray[np.integer]:
    """A ramp whose ends fill a row each, so that its 0.5 and 99.5 percentiles are its ends."""
    values = ramp(low, high, kind)
    values[0], values[-1] = low, high
    return values


def table(entries: Sequence[int], *, first: int, bits: int, vr: str = "US", packed: bool = False) -> Items:
    """A lookup table as a sequence of one item."""
    item = Dataset()
    item.add_new("LUTDescriptor", vr, [len(entries) % 65536, first, bits])
    item.add_new("LUTData", "OW", np.array(entries, dtype=np.uint8 if packed else "<u2").tobytes())
    return Items([item])


def s_curve(count: int, bits: int, *, falling: bool = False) -> list[int]:
    """Entries that rise slowly, fast and slowly again, as the tables of many devices do."""
    entries = np.round((1 - np.cos(np.linspace(0, np.pi, count))) / 2 * ((1 << bits) - 1)).astype(int)
    return [int(entry) for entry in (entries[::-1] if falling else entries)]


def windowed(values: NDArray[np.integer], center: float, width: float, **elements: object) -> Dataset:
    return build_film(values, WindowCenter=center, WindowWidth=width, **elements)


def _bits() -> dict[str, Case]:
    return {
        "8_bits": case(windowed(ramp(0, 255, "uint8"), 120, 200)),
        "8_bits_in_16": case(windowed(ramp(0, 255), 128, 180, bits=8)),
        "10_bits": case(windowed(ramp(0, 1023), 500, 800, bits=10)),
        "12_bits": case(windowed(ramp(0, 4095), 2048, 3000, bits=12)),
        "14_bits": case(windowed(ramp(0, 16383), 8000, 12000, bits=14)),
        "15_bits": case(windowed(ramp(0, 32767), 15000, 30000, bits=15)),
        "16_bits": case(windowed(ramp(0, 65535), 30000, 50000)),
        "signed_8_bits": case(windowed(ramp(-128, 127, "int8"), 0, 200)),
        "signed_12_bits": case(windowed(ramp(-2048, 2047, "int16"), -100, 3000, bits=12)),
        "signed_16_bits": case(windowed(ramp(-32768, 32767, "int16"), 500, 50000)),
    }


def _polarities() -> dict[str, Case]:
    one, two = {"photometric": "MONOCHROME1"}, {"photometric": "MONOCHROME2"}
    inverse, identity = {"PresentationLUTShape": "INVERSE"}, {"PresentationLUTShape": "IDENTITY"}
    film = {"bits": 12, "Manufacturer": "ACME"}
    signed = ramp(-2048, 2047, "int16")
    return {
        "monochrome1": case(windowed(ramp(0, 4095), 2000, 3000, **film, **one)),
        "monochrome1_8_bits": case(windowed(ramp(0, 255, "uint8"), 100, 201, **one)),
        "monochrome1_signed": case(windowed(signed, 0, 3000, bits=12, **one)),
        "monochrome1_inverse": case(windowed(ramp(0, 4095), 2000, 3000, **film, **one, **inverse)),
        "monochrome2_identity": case(windowed(ramp(0, 4095), 2000, 3000, **film, **two, **identity)),
        "monochrome2_inverse_by_shape": case(
            windowed(ramp(0, 4095), 2000, 3000, **film, **two, **inverse), site="presentation_lut_shape"
        ),
        "monochrome1_identity_by_shape": case(
            windowed(ramp(0, 4095), 2000, 3000, **film, **one, **identity), site="presentation_lut_shape"
        ),
        "monochrome2_inverse_by_photometric": case(
            windowed(ramp(0, 4095), 2000, 3000, **film, **two, **inverse),
            *WINDOW,
            "+Pid",
            site="photometric_interpretation",
        ),
        "monochrome1_identity_by_photometric": case(
            windowed(ramp(0, 4095), 2000, 3000, **film, **one, **identity),
            *WINDOW,
            "+Piv",
            site="photometric_interpretation",
        ),
    }


def _windows() -> dict[str, Case]:
    values = ramp(0, 4095)
    binary = np.where(values % 2, 101, 100).astype(np.uint16)
    several = {"WindowCenter": [2000, 300, 900], "WindowWidth": [2800, 50, 400]}
    broken_first = {"WindowCenter": [2000, 1800], "WindowWidth": [0, 2800]}
    return {
        "linear_fraction": case(windowed(values, 2047.5, 2999.25, bits=12)),
        "linear_beyond_the_bits": case(windowed(values, 5000, 9000, bits=12)),
        "linear_width_1": case(windowed(binary, 101, 1, bits=12)),
        "linear_width_2": case(windowed(binary, 101, 2, bits=12)),
        "linear_width_3": case(windowed(ramp(99, 102), 101, 3, bits=12)),
        "linear_exact": case(windowed(values, 2048, 3000, bits=12, VOILUTFunction="LINEAR_EXACT")),
        "linear_exact_monochrome1": case(
            windowed(values, 2048, 3000, bits=12, VOILUTFunction="LINEAR_EXACT", photometric="MONOCHROME1")
        ),
        "sigmoid": case(windowed(values, 2048, 2000, bits=12, VOILUTFunction="SIGMOID")),
        "sigmoid_monochrome1": case(
            windowed(values, 1500, 2500, bits=12, VOILUTFunction="SIGMOID", photometric="MONOCHROME1")
        ),
        "several_windows": case(build_film(values, bits=12, **several)),
        "width_0_then_a_window": case(build_film(values, bits=12, **broken_first), *SECOND_WINDOW),
    }


def _without_window() -> dict[str, Case]:
    return {
        "no_window_8_bits": case(build_film(with_ends(3, 240, "uint8")), *MIN_MAX),
        "no_window_12_bits": case(build_film(with_ends(200, 3900), bits=12), *MIN_MAX),
        "no_window_monochrome1": case(build_film(with_ends(200, 3900), bits=12, photometric="MONOCHROME1"), *MIN_MAX),
        "no_window_signed": case(build_film(with_ends(-900, 1500, "int16"), bits=12), *MIN_MAX),
        "width_0_alone": case(windowed(with_ends(0, 4095), 2000, 0, bits=12)),
        "width_negative_alone": case(windowed(with_ends(0, 4095), 2000, -100, bits=12)),
    }


def _modality() -> dict[str, Case]:
    values, short = ramp(0, 4095), ramp(0, 255, "uint8")

    def by_table(bits: int, **elements: object) -> Dataset:
        film = windowed(values, 1 << (bits - 1), 0.8 * (1 << bits), bits=12, **elements)
        film.ModalityLUTSequence = table(s_curve(4096, bits), first=0, bits=bits)
        return film

    short_table = windowed(short, 2000, 3000)
    short_table.ModalityLUTSequence = table(s_curve(200, 12), first=20, bits=12)
    falling = windowed(values, 2048, 3000, bits=12)
    falling.ModalityLUTSequence = table(s_curve(4096, 12, falling=True), first=0, bits=12)
    for film in (short_table, falling):
        film.ModalityLUTSequence[0].ModalityLUTType = "US"
    return {
        "slope_and_intercept": case(windowed(values, 3000, 6000, bits=12, RescaleSlope=2, RescaleIntercept=-1024)),
        "slope_below_1": case(windowed(values, 900, 1600, bits=12, RescaleSlope="0.4321", RescaleIntercept="12.5")),
        "slope_negative": case(windowed(values, 2048, 3000, bits=12, RescaleSlope=-1, RescaleIntercept=4095)),
        "slope_negative_monochrome1": case(
            windowed(values, -20000, 35000, bits=12, RescaleSlope=-10, RescaleIntercept=0, photometric="MONOCHROME1")
        ),
        "slope_0": case(windowed(values, 2048, 3000, bits=12, RescaleSlope=0, RescaleIntercept=0)),
        "modality_lut_8_bits": case(by_table(8)),
        "modality_lut_12_bits": case(by_table(12)),
        "modality_lut_16_bits": case(by_table(16)),
        "modality_lut_12_bits_monochrome1": case(by_table(12, photometric="MONOCHROME1")),
        "modality_lut_short": case(short_table),
        "modality_lut_falling": case(falling),
    }


def _voi_luts() -> dict[str, Case]:
    values = ramp(0, 4095)

    def by_table(entries: Sequence[int], *, bits: int, first: int = 0, **elements: object) -> Dataset:
        film = build_film(values, bits=12, **elements)
        film.VOILUTSequence = table(entries, first=first, bits=bits, vr="SS" if first < 0 else "US")
        return film

    packed = build_film(values, bits=12)
    packed.VOILUTSequence = table(s_curve(4096, 8), first=0, bits=8, packed=True)
    longest = build_film(ramp(0, 65535))
    longest.VOILUTSequence = table(s_curve(65536, 16), first=0, bits=16)
    signed = build_film(ramp(-2048, 2047, "int16"), bits=12)
    signed.VOILUTSequence = table(s_curve(4096, 12), first=-2048, bits=12, vr="SS")
    both = by_table(s_curve(4096, 12), bits=12, WindowCenter=300, WindowWidth=700)
    return {
        "voi_lut_8_bits": case(by_table(s_curve(4096, 8), bits=8), *LOOKUP, IN_8_BITS),
        "voi_lut_8_bits_packed": case(packed, *LOOKUP, IN_8_BITS),
        "voi_lut_12_bits": case(by_table(s_curve(4096, 12), bits=12), *LOOKUP),
        "voi_lut_16_bits": case(by_table(s_curve(4096, 16), bits=16), *LOOKUP),
        "voi_lut_of_65536_entries": case(longest, *LOOKUP),
        "voi_lut_monochrome1": case(by_table(s_curve(4096, 12), bits=12, photometric="MONOCHROME1"), *LOOKUP),
        "voi_lut_short": case(by_table(s_curve(3000, 12), bits=12, first=500), *LOOKUP),
        "voi_lut_of_rescaled": case(
            by_table(s_curve(4096, 12), bits=12, first=-1000, RescaleSlope=1, RescaleIntercept=-1000), *LOOKUP
        ),
        "voi_lut_signed": case(signed, *LOOKUP),
        "voi_lut_before_window": case(both, *LOOKUP),
        "voi_lut_says_16_bits_uses_12": case(by_table(s_curve(4096, 12), bits=16), *LOOKUP, ANY_LUT_BITS),
        "voi_lut_says_8_bits_uses_12": case(by_table(s_curve(4096, 12), bits=8), *LOOKUP, ANY_LUT_BITS),
    }


def _cells() -> dict[str, Case]:
    values = ramp(0, 4095)
    junk = (values | ((values % 16) << 12)).astype(np.uint16)
    names_in_high_bits = (ramp(0, 1023) | (values % 64) << 10).astype(np.uint16)
    padded = values.copy()
    padded[:4] = 0
    return {
        "high_bit_15": case(windowed(values << 4, 2048, 3000, bits=12, high_bit=15)),
        "high_bit_13": case(windowed(values << 2, 2048, 3000, bits=12, high_bit=13)),
        "junk_in_unused_bits": case(windowed(junk, 2048, 3000, bits=12)),
        "overlay_in_unused_bits": case(windowed(names_in_high_bits, 500, 800, bits=10)),
        "padding_that_is_black_anyway": case(windowed(padded, 2048, 3000, bits=12, PixelPaddingValue=0)),
        "overlay_group_6000": case(_with_overlay(windowed(values, 2048, 3000, bits=12))),
    }


def _with_overlay(film: Dataset) -> Dataset:
    """Add an overlay plane (PS3.3 C.9.2) that covers half of the film."""
    bits = np.zeros((ROWS, COLUMNS), dtype=np.uint8)
    bits[:, : COLUMNS // 2] = 1
    film.add_new(0x60000010, "US", ROWS)
    film.add_new(0x60000011, "US", COLUMNS)
    film.add_new(0x60000040, "CS", "G")
    film.add_new(0x60000050, "SS", [1, 1])
    film.add_new(0x60000100, "US", 1)
    film.add_new(0x60000102, "US", 0)
    film.add_new(0x60003000, "OW", np.packbits(bits, bitorder="little").tobytes())
    return film
