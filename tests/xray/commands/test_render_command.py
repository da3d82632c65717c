"""`xray render` in this process; its decoder runs in a guarded one."""

import json

import numpy as np
import pytest
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.uid import JPEG2000Lossless
from typer.testing import CliRunner

from tests.xray.dicom.conftest import build_film, file_bytes
from xray.cli import app
from xray.errors import ConfigError

RAMP = np.arange(4096, dtype=np.uint16).reshape(64, 64)
SITE = "devices:\n  - manufacturer: ACME\n    polarity: presentation_lut_shape\n"


@pytest.fixture
def render(tmp_path):
    """Run the command on a film: its exit code and what it printed."""

    def run(film, *options, out="out.png"):
        source = tmp_path / "film.dcm"
        source.write_bytes(file_bytes(film))
        done = CliRunner().invoke(app, ["render", str(source), str(tmp_path / out), "--json", *map(str, options)])
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done.exit_code, json.loads(done.stdout)

    return run


def window_film(**elements):
    return build_film(RAMP, bits=12, WindowCenter=2048, WindowWidth=3000, **elements)


def shown(tmp_path, name="out.png"):
    with Image.open(tmp_path / name) as image:
        return np.asarray(image)


def test_the_profile_is_printed_and_changes_the_film(render, tmp_path):
    code, said = render(window_film())
    assert (code, said["profile"]) == (0, "viewer")
    code, said = render(window_film(), "--profile", "mimic_jpg", out="mimic.png")
    assert (code, said["profile"]) == (0, "mimic_jpg")
    assert (shown(tmp_path) != shown(tmp_path, "mimic.png")).any()
    assert np.bincount(shown(tmp_path, "mimic.png").ravel()).max() <= 2 * 4096 / 256


def test_a_site_profile_decides_a_conflict_that_is_refused_without_it(render, tmp_path):
    film = window_film(PresentationLUTShape="INVERSE", Manufacturer="ACME")
    code, said = render(film)
    assert (code, said["code"]) == (3, "polarity_conflict")
    assert not (tmp_path / "out.png").exists()
    site = tmp_path / "site.yaml"
    site.write_text(SITE, encoding="utf-8")
    code, said = render(film, "--site", site)
    assert (code, said["flags"]) == (0, ["polarity_by_site"])
    assert shown(tmp_path)[0, 0] == 255


def test_a_site_profile_that_is_missing_is_a_configuration_error(render, tmp_path):
    with pytest.raises(ConfigError, match="does not exist"):
        render(window_film(), "--site", tmp_path / "none.yaml")


def test_a_codestream_that_announces_gigabytes_ends_in_a_refusal(render, tmp_path):
    size = (60000).to_bytes(4, "big") * 2 + bytes(8) + (60000).to_bytes(4, "big") * 2 + bytes(8)
    stream = b"\xff\x4f\xff\x51\x00\x29\x00\x00" + size + b"\x00\x01\x0f\x01\x01" + b"\xff\xd9"
    film = build_film(RAMP, bits=12, syntax=JPEG2000Lossless)
    film.PixelData = encapsulate([stream])
    film["PixelData"].VR = "OB"
    film["PixelData"].is_undefined_length = True
    code, said = render(film)
    assert (code, said["code"]) == (3, "size_mismatch")


def test_raw_keeps_every_frame(tmp_path):
    film = build_film(np.arange(2 * 8 * 8, dtype=np.uint16).reshape(16, 8), bits=12)
    film.Rows, film.NumberOfFrames = 8, 2
    (tmp_path / "film.dcm").write_bytes(file_bytes(film))
    target = tmp_path / "out.npy"
    done = CliRunner().invoke(app, ["render", str(tmp_path / "film.dcm"), "--raw", str(target), "--json"])
    assert json.loads(done.stdout) == {"shape": [2, 8, 8], "dtype": "uint16"}
    assert (np.load(target).ravel() == np.arange(128)).all()
