"""Our rendering beside that of DCMTK's dcmj2pnm, before anything is resized.

Compared are the display levels, taken from the 16-bit master: DCMTK's 16-bit output may differ by half a grey level of
255. The 8-bit film must be those levels, rounded. Where DCMTK 3.6.7 is coarser than the standard the difference is
known: it reads LINEAR_EXACT as LINEAR (up to 0.1 grey levels), spreads tables over 2^bits instead of 2^bits - 1 (up to
255 / 4096 for 12 bits), and maps whole values where a slope makes fractions (up to 0.2). It obeys PresentationLUTShape
where that contradicts PhotometricInterpretation; we refuse unless the site decides, so those cases carry a profile.
"""

import numpy as np
import pytest

from tests.xray.dicom.conftest import file_bytes
from tests.xray.dicom.oracle import dcmtk
from tests.xray.dicom.oracle.cases import all_cases
from tests.xray.dicom.oracle.make_expected import EXPECTED
from xray.dicom.render import render_dataset

CASES = all_cases()
KEPT = np.load(EXPECTED, allow_pickle=False)


def assert_agrees(case, shown):
    rendered = render_dataset(case.film, settings=case.settings)
    levels = np.clip(rendered.deep / 65535 * 2 - 0.5, 0, 1) * 255
    assert np.abs(levels - shown * (255 / np.iinfo(shown.dtype).max)).max() <= 0.5
    assert np.abs(levels - rendered.pixels).max() <= 0.5 + 255 / 65535


def test_every_case_has_a_kept_rendering_and_there_are_enough_of_them():
    assert set(KEPT.files) == {*CASES, "dcmtk_version", "options"}
    assert len(CASES) >= 34


@pytest.mark.parametrize("name", CASES)
def test_a_film_is_rendered_as_dcmtk_once_rendered_it(name):
    assert_agrees(CASES[name], KEPT[name])


@pytest.mark.skipif(dcmtk.PROGRAM is None, reason="dcmj2pnm is not installed (Debian: apt install dcmtk)")
@pytest.mark.parametrize("name", CASES)
def test_a_film_is_rendered_as_the_installed_dcmtk_renders_it(name, tmp_path):
    case = CASES[name]
    assert_agrees(case, dcmtk.rendered(file_bytes(case.film), *case.options, folder=tmp_path))
