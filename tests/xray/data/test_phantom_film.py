from dataclasses import replace

import numpy as np
import pytest

from xray.data.phantom import DEMO_CONCEPTS, DrawnFinding, Style, draw, sample_studies
from xray.errors import ConfigError

HEALTHY = replace(next(s for s in sample_studies(50, seed=1, style=Style.DEMO) if not s.findings), has_lateral=True)
# Height bands of the film, as fractions, where a finding of this zone must change the picture.
BANDS = {"upper": (0.12, 0.38), "middle": (0.33, 0.55), "lower": (0.5, 0.75)}


def film(*findings, size=256, view="frontal", style=Style.DEMO, study=HEALTHY):
    return draw(replace(study, findings=findings), view=view, style=style, size=size)


def change(*findings, size=256):
    """What the findings add to the healthy film of the same patient in the same position."""
    return film(*findings, size=size) - film(size=size)


def half(picture, side, band=(0.0, 1.0)):
    """The half of a frontal film where this side of the patient is: the left is on the picture's right."""
    rows = slice(round(band[0] * picture.shape[0]), round(band[1] * picture.shape[0]))
    middle = picture.shape[1] // 2
    return picture[rows, middle:] if side == "left" else picture[rows, :middle]


def other(side):
    return "left" if side == "right" else "right"


@pytest.mark.parametrize("view", ["frontal", "lateral"])
@pytest.mark.parametrize("style", Style)
def test_a_film_is_grey_between_black_and_white_and_near_the_size_asked_for(view, style):
    for study in sample_studies(6, seed=2, style=style):
        picture = draw(study, view=view, style=style, size=200)
        assert picture.dtype == np.float32
        assert max(picture.shape) == 200
        assert 0.85 <= picture.shape[0] / picture.shape[1] <= 1.2
        assert 0 <= picture.min() < 0.1
        assert 0.8 < picture.max() <= 1


def test_the_same_study_gives_the_same_film_and_another_study_another():
    one, two = sample_studies(2, seed=3, style=Style.DEMO)
    kwargs = {"view": "frontal", "style": Style.DEMO, "size": 128}
    assert np.array_equal(draw(one, **kwargs), draw(one, **kwargs))
    assert not np.array_equal(draw(one, **kwargs), draw(replace(one, seed=two.seed), **kwargs))


def test_the_two_hospitals_expose_differently():
    assert not np.array_equal(film(style=Style.DEMO), film(style=Style.BASE))


@pytest.mark.parametrize(("view", "size"), [("unknown", 512), ("frontal", 8)])
def test_a_film_that_cannot_be_drawn_is_refused(view, size):
    with pytest.raises(ConfigError, match="Ask for frontal or lateral"):
        draw(HEALTHY, view=view, style=Style.DEMO, size=size)


def test_the_heart_points_to_the_patients_left_and_the_right_dome_is_higher():
    domes = {"left": [], "right": []}
    for study in sample_studies(12, seed=14, style=Style.DEMO):
        picture = film(study=replace(study, findings=()))
        height, width = picture.shape
        rows = slice(round(0.56 * height), round(0.64 * height))
        shadow = picture[rows, round(0.2 * width) : round(0.8 * width)] > 0.7
        assert half(shadow, "left").sum() > 1.2 * half(shadow, "right").sum()
        for side, x in {"right": 0.24, "left": 0.76}.items():
            column = picture[height // 2 : round(0.92 * height), round(x * width) - 3 : round(x * width) + 3].mean(1)
            domes[side].append(int(np.argmax(column[6:] - column[:-6])))
    assert np.mean(domes["right"]) < np.mean(domes["left"]) - 2


@pytest.mark.parametrize("side", ["left", "right"])
def test_an_effusion_whitens_the_base_of_its_own_side_only(side):
    added = change(DrawnFinding(concept="pleural_effusion", laterality=side, severity="moderate"))
    assert half(added, side, (0.5, 0.9)).mean() > 0.05
    assert abs(half(added, other(side), (0.5, 0.9)).mean()) < 0.01


def test_more_fluid_whitens_more_of_the_film():
    means = [
        change(DrawnFinding(concept="pleural_effusion", laterality="right", severity=severity)).clip(0).mean()
        for severity in ("mild", "moderate")
    ]
    large = DrawnFinding(concept="pleural_effusion", laterality="right", severity="severe")
    assert means[0] < means[1] < change(large).clip(0).mean()


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("severity", ["mild", "severe"])
def test_a_pneumothorax_blackens_the_outer_upper_chest_of_its_own_side_only(side, severity):
    added = change(DrawnFinding(concept="pneumothorax", laterality=side, severity=severity))
    assert half(added, side, (0.1, 0.5)).clip(max=0).mean() < -0.01
    assert half(added, other(side), (0.1, 0.5)).clip(max=0).mean() > -0.005


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("zone", ["upper", "middle", "lower"])
@pytest.mark.parametrize("concept", ["opacity", "consolidation", "nodule", "mass"])
def test_focal_disease_is_bright_in_its_side_and_zone(concept, side, zone):
    size_mm = {"nodule": 24, "mass": 50}.get(concept)
    added = change(DrawnFinding(concept=concept, laterality=side, zone=zone, size_mm=size_mm)).clip(0)
    weight = added / added.sum()
    assert half(weight, side, BANDS[zone]).sum() > 0.6
    assert half(added, side).max() > 0.15


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("concept", ["pleural_thickening", "fracture", "pacemaker", "central_line", "atelectasis"])
def test_one_sided_findings_change_their_own_side_more(concept, side):
    rib = 6 if concept == "fracture" else None
    added = np.abs(change(DrawnFinding(concept=concept, laterality=side, rib=rib)))
    # The catheters end in the vena cava, right of the midline whichever arm they come from: look at the shoulder.
    outer = round(0.3 * added.shape[1])
    shoulder = {"right": added[:, :outer], "left": added[:, -outer:]}
    assert shoulder[side].sum() > 2 * shoulder[other(side)].sum()


def test_edema_whitens_both_lungs():
    added = change(DrawnFinding(concept="edema", laterality="bilateral"))
    for side in ("left", "right"):
        assert half(added, side, BANDS["middle"]).mean() > 0.04


def test_a_tracheal_tube_is_a_bright_line_in_the_upper_midline():
    added = change(DrawnFinding(concept="endotracheal_tube")).clip(0)
    height, width = added.shape
    box = added[: round(0.33 * height), round(0.4 * width) : round(0.6 * width)]
    assert box.sum() > 0.8 * added.sum()


def test_a_large_heart_is_wider_than_a_mildly_enlarged_one_than_a_normal_one():
    hearts = [(), *((DrawnFinding(concept="cardiomegaly", severity=severity),) for severity in ("mild", "severe"))]
    widths = []
    for findings in hearts:
        picture = film(*findings)
        row = picture[round(0.63 * picture.shape[0]), round(0.12 * picture.shape[1]) : round(0.88 * picture.shape[1])]
        widths.append(int((row > 0.7).sum()))
    assert widths[0] < widths[1] < widths[2]


def _examples():
    made = {}
    for study in sample_studies(1200, seed=12, style=Style.DEMO):
        for finding in study.findings:
            made.setdefault(finding.concept, finding)
    return made


@pytest.mark.parametrize("concept", DEMO_CONCEPTS)
def test_every_finding_is_still_seen_at_128_pixels(concept):
    added = np.abs(change(_examples()[concept], size=128))
    assert (added > 0.06).sum() >= 16


def test_the_lateral_film_shows_fluid_behind_and_never_a_side_marker():
    fluid = DrawnFinding(concept="pleural_effusion", laterality="left", severity="moderate")
    added = film(fluid, view="lateral") - film(view="lateral")
    assert half(added, "left", (0.5, 1.0)).mean() > half(added, "right", (0.5, 1.0)).mean()
    assert added.max() > 0.05


def test_the_side_marker_says_r_on_the_patients_right_or_l_on_the_left():
    corners = {"right": 0, "left": 0}
    for study in sample_studies(40, seed=8, style=Style.DEMO):
        picture = film(study=replace(study, findings=()))
        height, width = picture.shape
        strip = picture[round(0.03 * height) : round(0.11 * height)]
        lit = {"right": strip[:, : width // 4].max() > 0.85, "left": strip[:, -width // 4 :].max() > 0.85}
        assert lit["right"] != lit["left"]
        corners["right" if lit["right"] else "left"] += 1
    assert corners["right"] > corners["left"] > 0
