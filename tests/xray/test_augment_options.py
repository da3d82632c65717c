"""The changes that are off by default, the window, and the record of what was done to a film."""

import hashlib

import cv2
import numpy as np
import pytest

from xray.augment import Augmenter, AugmentSettings, build, check_laterality_safe, settings_digest
from xray.augment_record import AugmentRecord
from xray.augment_transforms import TransformSpec
from xray.augment_window import WindowChange, rewindowed
from xray.errors import ConfigError

OFF = {
    "rotate_degrees": 0,
    "shift": 0,
    "scale": 0,
    "brightness": 0,
    "contrast": 0,
    "gamma": (100, 100),
    "noise_std": 0,
    "blur_sigma_px": 0,
}
ALL = AugmentSettings(
    probability=1,
    window_center=0.05,
    window_width=0.1,
    crop=0.05,
    clahe_clip=4,
    least_resolution=0.5,
    least_jpeg_quality=70,
    dropout_area=0.02,
)
FILM = np.random.default_rng(0).integers(40, 200, (64, 48), dtype=np.uint8)
LEVELS = np.linspace(-0.4, 1.4, 64 * 48).reshape(64, 48)
DEEP = np.round((LEVELS + 0.5) / 2 * 65535).astype(np.uint16)
SHOWN = np.floor(np.clip(LEVELS, 0, 1) * 255 + 0.5).astype(np.uint8)


def told(augmenter: Augmenter, example: int, *, deep: bool = False) -> AugmentRecord:
    return augmenter.parameters(FILM.shape, seed=5, epoch=2, example_id=str(example), image_index=1, deep=deep)


def applied(
    augmenter: Augmenter, film: np.ndarray, record: AugmentRecord, deep: np.ndarray | None = None
) -> np.ndarray:
    who = {"seed": record.seed, "epoch": record.epoch, "example_id": record.example_id}
    return augmenter.apply(film, **who, image_index=record.image_index, deep=deep)


def test_the_default_settings_draw_what_they_always_drew():
    film = np.random.default_rng(7).integers(0, 256, (96, 80), dtype=np.uint8)
    augmenter, digest = build(AugmentSettings()), hashlib.sha256()
    for epoch in range(4):
        for number in range(6):
            changed = augmenter.apply(
                film, seed=11, epoch=epoch, example_id=f"例{number}", image_index=number % 2, deep=None
            )
            digest.update(changed.tobytes())
    assert digest.hexdigest() == "163c4ff223f56a8bd5fff5b202acb4062cf7cdddcd7bcab693be01a9af566aa0"


@pytest.mark.parametrize(
    ("option", "name"),
    [
        ({"crop": 0.05}, "CropAndPad"),
        ({"clahe_clip": 4}, "CLAHE"),
        ({"least_resolution": 0.5}, "Downscale"),
        ({"least_resolution": 0.995}, "Downscale"),
        ({"least_jpeg_quality": 70}, "ImageCompression"),
        ({"dropout_area": 0.02}, "CoarseDropout"),
    ],
)
def test_each_option_changes_films_keeps_their_size_and_is_recorded(option: dict[str, float], name: str):
    augmenter = build(AugmentSettings(probability=1, **OFF, **option))
    acted = [record for record in (told(augmenter, example) for example in range(60)) if name in _names(record)]
    assert acted
    for record in acted[:5]:
        changed = applied(augmenter, FILM, record)
        assert (changed.dtype, changed.shape) == (np.uint8, FILM.shape)
        assert not np.array_equal(changed, FILM)


def test_equalising_and_compressing_stay_rare():
    augmenter = build(AugmentSettings(probability=1, **OFF, clahe_clip=4, least_jpeg_quality=70))
    names = [name for example in range(300) for name in _names(told(augmenter, example))]
    assert 30 <= names.count("CLAHE") <= 90
    assert 10 <= names.count("ImageCompression") <= 55


def test_dropout_blacks_out_no_more_than_its_area():
    augmenter = build(AugmentSettings(probability=1, **OFF, dropout_area=0.02))
    white = np.full((200, 160), 255, dtype=np.uint8)
    for example in range(40):
        changed = augmenter.apply(white, seed=1, epoch=0, example_id=str(example), image_index=0)
        assert 0 < (changed == 0).mean() <= 0.02


def test_a_crop_takes_no_more_than_its_share_of_an_edge():
    augmenter = build(AugmentSettings(probability=1, **OFF, crop=0.05))
    framed = np.zeros((200, 200), dtype=np.uint8)
    framed[10:190, 10:190] = 200
    for example in range(20):
        changed = augmenter.apply(framed, seed=1, epoch=0, example_id=str(example), image_index=0)
        inside = np.argwhere(changed > 100)
        assert (inside.min(axis=0) <= 11).all()
        assert changed.mean() >= framed.mean()
        assert changed[20:180, 20:180].min() > 190


@pytest.mark.parametrize(
    "wrong",
    [
        {"window_center": 0.06},
        {"window_width": 0.2},
        {"crop": 0.2},
        {"clahe_clip": 0.5},
        {"least_resolution": 0.4},
        {"least_jpeg_quality": 50},
        {"dropout_area": 0.1},
    ],
)
def test_an_option_out_of_its_range_is_refused_with_its_name(wrong: dict[str, float]):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        check_laterality_safe(AugmentSettings(**wrong))


def test_the_strongest_options_keep_the_sides():
    augmenter = build(ALL)
    film = np.full((80, 80), 30, dtype=np.uint8)
    film[20:60, 50:75] = 220
    for example in range(40):
        changed = augmenter.apply(film, seed=0, epoch=0, example_id=str(example), image_index=0)
        assert changed[:, 40:].mean() > changed[:, :40].mean() + 20


def test_an_unmoved_window_of_the_master_is_the_film_as_rendered():
    same = WindowChange(center=0, width=1, source="deep")
    assert np.abs(rewindowed(SHOWN, deep=DEEP, change=same).astype(int) - SHOWN).max() <= 1
    assert np.array_equal(rewindowed(SHOWN, deep=None, change=same), SHOWN)


def test_a_moved_window_of_the_master_shows_what_was_clipped():
    change = WindowChange(center=0.05, width=1.1, source="deep")
    expected = np.floor(np.clip((LEVELS - 0.55) / 1.1 + 0.5, 0, 1) * 255 + 0.5)
    assert np.abs(rewindowed(SHOWN, deep=DEEP, change=change) - expected).max() <= 1
    clipped = (LEVELS > 1.0) & (LEVELS < 1.08)
    assert (SHOWN[clipped] == 255).all()
    assert np.unique(rewindowed(SHOWN, deep=DEEP, change=change)[clipped]).size > 5


def test_without_a_master_the_window_is_imitated_and_the_record_says_so():
    augmenter = build(AugmentSettings(probability=1, **OFF, window_center=0.05, window_width=0.1))
    for example in range(10):
        on_pixels, on_master = told(augmenter, example), told(augmenter, example, deep=True)
        assert (on_pixels.window.source, on_master.window.source) == ("pixels", "deep")
        assert on_pixels.window.center == on_master.window.center
        for record, deep in ((on_pixels, None), (on_master, DEEP)):
            expected = rewindowed(SHOWN, deep=deep, change=record.window).astype(int)
            assert np.abs(applied(augmenter, SHOWN, record, deep).astype(int) - expected).max() <= 1


def test_moving_the_window_changes_no_other_draw():
    plain = build(AugmentSettings(probability=0.7))
    windowed = build(AugmentSettings(probability=0.7, window_center=0.05))
    for example in range(20):
        assert told(plain, example).applied == told(windowed, example).applied


def test_the_window_acts_as_often_as_the_probability_says():
    augmenter = build(AugmentSettings(probability=0.3, window_width=0.1))
    acts = [told(augmenter, example).window is not None for example in range(300)]
    assert 0.2 < np.mean(acts) < 0.4
    assert told(build(AugmentSettings(probability=1)), 0).window is None


@pytest.mark.parametrize("deep", [DEEP.astype(np.uint8), DEEP[:-1], DEEP[None]])
def test_only_a_master_of_the_same_film_is_taken(deep: np.ndarray):
    with pytest.raises(TypeError, match="master"):
        build(ALL).apply(FILM, seed=0, epoch=0, example_id="e", image_index=0, deep=deep)


def test_the_recorded_values_make_the_picture_again():
    bright = build(AugmentSettings(probability=1, **{**OFF, "brightness": 0.2, "contrast": 0.2, "gamma": (80, 125)}))
    turned = build(AugmentSettings(probability=1, **{**OFF, "rotate_degrees": 10, "shift": 0.05, "scale": 0.1}))
    for example in range(10):
        record = told(bright, example)
        values = {step.name: step.values for step in record.applied}
        tone = values["RandomBrightnessContrast"]
        expected = np.clip(np.floor(np.clip(FILM * tone["alpha"] + tone["beta"], 0, 255)), 0, 255)
        expected = (expected / 255) ** values["RandomGamma"]["gamma"] * 255
        assert np.abs(applied(bright, FILM, record) - expected).max() <= 3
        record = told(turned, example)
        matrix = np.array(record.applied[0].values["matrix"])[:2]
        expected = cv2.warpAffine(FILM, matrix, FILM.shape[::-1], flags=cv2.INTER_LINEAR)
        assert np.abs(applied(turned, FILM, record).astype(int) - expected).max() <= 1


def test_a_record_survives_its_file_and_tells_settings_apart():
    record = told(build(ALL), 3)
    assert AugmentRecord.model_validate_json(record.model_dump_json()) == record
    assert record == told(build(ALL), 3)
    assert record.settings == settings_digest(ALL) != settings_digest(AugmentSettings())
    assert len(record.model_dump_json()) < 4000


def test_the_parts_of_groups_are_recorded_by_their_own_names():
    group = TransformSpec(name="OneOf", arguments={"p": 1}, transforms=(TransformSpec(name="Sharpen"),))
    record = told(build(AugmentSettings(probability=0, transforms=(group,))), 0)
    assert _names(record) == ["Sharpen"]


def _names(record: AugmentRecord) -> list[str]:
    return [step.name for step in record.applied]
