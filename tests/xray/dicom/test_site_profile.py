import numpy as np
import pytest

from xray.dicom.render import RenderSettings, render_dataset
from xray.dicom.site_profile import DeviceRule, SiteProfile, read_site_profile
from xray.errors import ConfigError, Rejected

EXAMPLE = """
devices:
  - manufacturer: "acme*"
    model: "DX-1*"
    polarity: photometric_interpretation
  - station: ROOM2
    polarity: presentation_lut_shape
"""
INPUTS = np.array([[49, 50, 75, 99], [100, 149, 150, 255]], dtype=np.uint8)


@pytest.fixture
def profile(tmp_path):
    path = tmp_path / "site.yaml"
    path.write_text(EXAMPLE, encoding="utf-8")
    return read_site_profile(path)


def rendered(film, site):
    return render_dataset(film, settings=RenderSettings(size=None, square=False, site=site))


def conflicting(make_film, **elements):
    film = make_film(INPUTS, PresentationLUTShape="INVERSE", **elements)
    film.WindowCenter, film.WindowWidth = 100, 101
    return film


def test_a_rule_can_say_that_the_photometric_interpretation_is_right(make_film, profile):
    film = conflicting(make_film, Manufacturer="ACME Medical", ManufacturerModelName="DX-1000")
    shown = rendered(film, profile)
    assert shown.pixels.tolist() == [[0, 1, 65, 126], [129, 254, 255, 255]]
    assert shown.flags == ("polarity_by_site",)


def test_a_rule_can_say_that_the_presentation_shape_is_right(make_film, profile):
    shown = rendered(conflicting(make_film, StationName="room2"), profile)
    assert shown.pixels.tolist() == [[255, 254, 190, 129], [126, 1, 0, 0]]
    assert shown.flags == ("polarity_by_site",)


@pytest.mark.parametrize(
    "elements", [{}, {"Manufacturer": "ACME"}, {"Manufacturer": "ACME", "ManufacturerModelName": "CR"}]
)
def test_a_device_that_no_rule_names_entirely_stays_refused(make_film, profile, elements):
    with pytest.raises(Rejected, match="polarity_conflict"):
        rendered(conflicting(make_film, **elements), profile)


def test_the_first_rule_that_fits_decides(make_film):
    by_shape = DeviceRule(station="ROOM*", polarity="presentation_lut_shape")
    site = SiteProfile(devices=(by_shape, DeviceRule(station="ROOM2", polarity="photometric_interpretation")))
    assert rendered(conflicting(make_film, StationName="ROOM2"), site).pixels[0, 0] == 255


def test_a_profile_changes_nothing_where_the_header_is_clear(make_film, profile):
    film = make_film(INPUTS, photometric="MONOCHROME1", StationName="ROOM2", WindowCenter=100, WindowWidth=101)
    assert rendered(film, profile).pixels.tolist() == rendered(film, None).pixels.tolist()
    assert rendered(film, profile).flags == ()


def test_the_digest_follows_the_profile(profile):
    other = SiteProfile(devices=profile.devices[:1])
    digests = {RenderSettings(site=site).digest() for site in (None, profile, other)}
    assert len(digests) == 3


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("devices: []", "devices"),
        ("devices:\n  - polarity: photometric_interpretation", "names a manufacturer"),
        ("devices:\n  - station: A\n    polarity: guess", "polarity"),
        ("devices:\n  - station: A\n    colour: red\n    polarity: photometric_interpretation", "colour"),
        ("devices: [", "not valid YAML"),
        ("- *A", "not valid YAML"),
        ("", "the file"),
        ("[" * 5000, "YAML"),
    ],
)
def test_a_profile_that_cannot_be_meant_is_a_configuration_error(tmp_path, text, problem):
    path = tmp_path / "site.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=problem):
        read_site_profile(path)


def test_a_missing_profile_is_a_configuration_error(tmp_path):
    with pytest.raises(ConfigError, match="does not exist"):
        read_site_profile(tmp_path / "site.yaml")
    with pytest.raises(ConfigError, match="cannot be read"):
        read_site_profile(tmp_path)
