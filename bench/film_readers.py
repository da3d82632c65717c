"""What is compared: ways from a DICOM file to 448 px on the long side, each as its users write it down."""

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import numpy as np
from numpy.typing import NDArray

SIZE = 448
Reader = Callable[[Path], NDArray[Any]]


def kit() -> Reader:
    """Load with `xray`: header gate, digest of the file, decoding, rendering, view check, padding to a square."""
    from xray.data.films import load_film
    from xray.dicom.render import RenderSettings

    settings = RenderSettings(size=SIZE)
    return lambda path: load_film(path, settings=settings).pixels


def kit_rendering() -> Reader:
    """Render with `xray` and do no more than the others: no digest of the file, no header, no view check."""
    from xray.dicom.read import read_dataset
    from xray.dicom.render import RenderSettings, render_dataset

    settings = RenderSettings(size=SIZE)
    return lambda path: render_dataset(read_dataset(path), settings=settings).pixels


def pydicom_recipe() -> Reader:
    """Read with pydicom as most training code does: its default plugins, its tables and windows, min-max, Pillow."""
    import pydicom
    from pydicom.pixels import apply_modality_lut, apply_voi_lut

    def read(path: Path) -> NDArray[Any]:
        dataset = pydicom.dcmread(path)
        values = apply_voi_lut(apply_modality_lut(dataset.pixel_array, dataset), dataset)
        if dataset.PhotometricInterpretation == "MONOCHROME1":
            values = values.max() - values
        values = values - values.min()
        return _small((values / values.max() * 255).astype(np.uint8))

    return read


def pydicom_without_gdcm() -> Reader:
    """Read the same where python-gdcm is not installed."""
    sys.modules["gdcm"] = None  # type: ignore[assignment]
    return pydicom_recipe()


def simple_itk() -> Reader:
    """Read with SimpleITK: its reader (which inverts MONOCHROME1 itself), min-max, Pillow. No window is applied."""
    import SimpleITK

    def read(path: Path) -> NDArray[Any]:
        image = SimpleITK.RescaleIntensity(SimpleITK.ReadImage(str(path)), 0, 255)
        return _small(SimpleITK.GetArrayFromImage(SimpleITK.Cast(image, SimpleITK.sitkUInt8))[0])

    return read


def torchxrayvision() -> Reader:
    """Read with torchxrayvision's `read_xray_dcm`, from its file alone: its package would import torch. No window."""
    for name in ("torch", "skimage", "requests", "tqdm", "tqdm.auto"):  # imported by the file, not used by the reader
        sys.modules.setdefault(name, MagicMock())
    package = importlib.util.find_spec("torchxrayvision")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("torchxrayvision")
    spec = importlib.util.spec_from_file_location("xrv_utils", Path(package.origin).with_name("utils.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return lambda path: _small(module.read_xray_dcm(path))


BASE_READER = "this kit, rendering alone"  # what the others are compared with
READERS: dict[str, Callable[[], Reader]] = {
    "this kit, load_film": kit,
    "this kit, rendering alone": kit_rendering,
    "pydicom, with python-gdcm": pydicom_recipe,
    "pydicom, without": pydicom_without_gdcm,
    "SimpleITK": simple_itk,
    "torchxrayvision": torchxrayvision,
}


def _small(values: NDArray[Any]) -> NDArray[Any]:
    """Reduce with Pillow's default filter; a float picture stays one."""
    from PIL import Image

    scale = SIZE / max(values.shape)
    picture = Image.fromarray(values)
    return np.asarray(picture.resize((round(values.shape[1] * scale), round(values.shape[0] * scale))))
