"""Films of a folder beside DCMTK's dcmj2pnm, and beside what a manifest says of their stored values.

    python -m bench.against_dcmtk FOLDER [--manifest FOLDER/manifest.csv]

DCMTK gets the stored values that we decoded, written natively, so rendering is compared and not decoding; decoding is
compared with the manifest: `ok (rows, columns) dtype low..high md5` in its column `pixels_with_all_plugins`. Both take
the header's VOI LUT or its first window; without either DCMTK is told the window that we found. DCMTK 3.6.7 cuts
modality values down to whole numbers, so where a slope makes fractions it gets the same window in stored units.
Exits with 1 where a difference is larger than half a grey level of 255, or an array is another.
"""

import argparse
import csv
import hashlib
import re
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian

from tests.xray.dicom.conftest import file_bytes
from tests.xray.dicom.oracle import dcmtk
from xray.dicom import tags
from xray.dicom.decode import decode, decode_stored
from xray.dicom.read import read_dataset
from xray.dicom.render import Rendered, RenderSettings, render_dataset
from xray.errors import Rejected

MOST_GREY_LEVELS, MOST_LOSSY = 0.5, 2
SETTINGS = RenderSettings(size=None, square=False, deep=True)
STATED = re.compile(r"ok (\(.*?\)) (\S+) (\S+)\.\.(\S+) (\w{8})")


def main() -> int:
    """Compare every file and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--manifest", type=Path)
    options = parser.parse_args()
    stated = _stated(options.manifest) if options.manifest else {}
    failed = 0
    for path in sorted(path for path in options.folder.rglob("*") if path.is_file() and path != options.manifest):
        name = path.relative_to(options.folder).as_posix()
        words = [_stored_values(path, stated=stated.get(name)), _shown(path)]
        failed += any(word.startswith("OTHER") for word in words)
        print(f"{name:70s} {words[0]:34s} {words[1]}")
    print(f"{failed} files differ")
    return int(failed > 0)


def _stated(manifest: Path) -> Mapping[str, str]:
    with manifest.open(encoding="utf-8", newline="") as stream:
        return {row["file"]: row["pixels_with_all_plugins"] for row in csv.DictReader(stream)}


def _stored_values(path: Path, *, stated: str | None) -> str:
    """Compare the stored values with what the manifest says of them."""
    known = STATED.match(stated or "")
    try:
        values = decode_stored(read_dataset(path, frames="any"))
    except Rejected as rejected:
        return f"{'OTHER: refused' if known else 'refused'} {rejected.code}"
    if known is None:
        return "read; not stated" if stated is None else "OTHER: read, but stated as unreadable"
    shape, kind, low, high, digest = known.groups()
    if str(values.shape) != shape or values.dtype != np.dtype(kind):
        return f"OTHER shape or type {values.shape} {values.dtype}"
    if hashlib.md5(np.ascontiguousarray(values).tobytes(), usedforsecurity=False).hexdigest()[:8] == digest:
        return "same array"
    ends = max(abs(int(values.min()) - int(low)), abs(int(values.max()) - int(high)))
    return f"lossy, ends within {ends}" if ends <= MOST_LOSSY else f"OTHER values, ends differ by {ends}"


def _shown(path: Path) -> str:
    """Compare the rendering with DCMTK's: the largest difference in grey levels of 255."""
    try:
        film = read_dataset(path)
        if tags.whole(film, "SamplesPerPixel") != 1:
            return "not grey"
        rendered = render_dataset(film, settings=SETTINGS)
        native = _native(film, values=decode(film))
    except Rejected as rejected:
        return f"refused {rejected.code}"
    options = _options(native, rendered=rendered)
    with tempfile.TemporaryDirectory() as folder:
        theirs = dcmtk.rendered(file_bytes(native), *options, folder=Path(folder)) * (255 / 65535)
    ours = np.clip(np.asarray(rendered.deep) / 65535 * 2 - 0.5, 0, 1) * 255
    difference = float(np.abs(ours - theirs).max())
    return f"{'' if difference <= MOST_GREY_LEVELS else 'OTHER: '}{difference:.3f} grey levels {' '.join(options)}"


def _native(film: Dataset, *, values: NDArray[np.integer]) -> Dataset:
    """Write decoded values back, uncompressed."""
    film.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    film.BitsAllocated = 8 * values.dtype.itemsize
    film.HighBit = film.BitsStored - 1
    film.add_new("PixelData", "OW" if values.dtype.itemsize == 2 else "OB", values.astype(values.dtype).tobytes())
    film["PixelData"].is_undefined_length = False
    film.set_original_encoding(is_implicit_vr=False, is_little_endian=True)
    return film


def _options(film: Dataset, *, rendered: Rendered) -> tuple[str, ...]:
    """Tell DCMTK the values of interest; `film` loses a slope that makes fractions, which its window then contains."""
    if rendered.window is None:
        return ("+Wl", "1")
    center, width = rendered.window
    is_automatic = "auto_window" in rendered.flags
    if is_automatic:  # the ends of the window themselves are black and white, as of LINEAR_EXACT
        center, width = center + 0.5, width + 1
    slope, intercept = tags.number(film, "RescaleSlope") or 1.0, tags.number(film, "RescaleIntercept") or 0.0
    if slope == int(slope) and intercept == int(intercept):
        return ("+Ww", f"{center}", f"{width}") if is_automatic else ("+Wi", "1")
    film.RescaleSlope, film.RescaleIntercept = "1", "0"
    center, width = (center - 0.5 - intercept) / slope + 0.5, (width - 1) / slope + 1
    return ("+Ww", f"{center:.9f}", f"{width:.9f}")


if __name__ == "__main__":
    sys.exit(main())
