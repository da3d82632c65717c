"""Render every case with dcmj2pnm and keep the outcome in `expected.npz`, for machines without DCMTK.

PYTHONPATH=. python -m tests.xray.dicom.oracle.make_expected
"""

import tempfile
from pathlib import Path

import numpy as np

from tests.xray.dicom.conftest import file_bytes
from tests.xray.dicom.oracle import dcmtk
from tests.xray.dicom.oracle.cases import all_cases

EXPECTED = Path(__file__).with_name("expected.npz")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        arrays = {
            name: dcmtk.rendered(file_bytes(case.film), *case.options, folder=Path(folder))
            for name, case in all_cases().items()
        }
    np.savez_compressed(EXPECTED, dcmtk_version=np.array(dcmtk.version()), options=np.array(dcmtk.OPTIONS), **arrays)


if __name__ == "__main__":
    main()
