"""Run DCMTK's `dcmj2pnm`."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

PROGRAM = shutil.which("dcmj2pnm")
OPTIONS = ("-O", "+opw")  # no overlays, 16-bit grey levels as text; the last of several output formats counts


def version() -> str:
    """The version of the installed program, such as `3.6.7`."""
    shown = subprocess.run([PROGRAM, "--version"], capture_output=True, text=True, check=True, timeout=60).stdout
    return shown.split()[2].lstrip("v")


def rendered(film: bytes, *options: str, folder: Path) -> NDArray[np.unsignedinteger]:
    """Render a DICOM file: uint16 [H, W], 0 = black, 65535 = white, or uint8 with the option `+opb`."""
    source, target = folder / "film.dcm", folder / "film.pgm"
    source.write_bytes(film)
    subprocess.run([PROGRAM, "-q", *OPTIONS, *options, source, target], check=True, capture_output=True, timeout=120)
    lines = [line for line in target.read_text().splitlines() if not line.startswith("#")]
    kind, *words = " ".join(lines).split()
    columns, rows, white, *levels = (int(word) for word in words)
    if kind != "P2":
        raise ValueError("dcmj2pnm did not write grey levels as text")
    return np.array(levels, dtype={255: np.uint8, 65535: np.uint16}[white]).reshape(rows, columns)
