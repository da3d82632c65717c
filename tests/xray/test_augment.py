"""Augmentation that keeps a report true and does not depend on who runs it."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xray.augment import Augmenter, AugmentSettings, build, check_laterality_safe, stable_entropy
from xray.augment_transforms import TransformSpec
from xray.errors import ConfigError

STRONG = AugmentSettings(
    probability=0.5,
    transforms=(
        TransformSpec(
            name="OneOf",
            arguments={"p": 0.7},
            transforms=(TransformSpec(name="CLAHE", arguments={"p": 0.3}), TransformSpec(name="Sharpen")),
        ),
        TransformSpec(name="CoarseDropout", arguments={"p": 0.5, "hole_height_range": [2, 6]}),
    ),
)
FILM = np.random.default_rng(0).integers(40, 200, (64, 48), dtype=np.uint8)


@pytest.fixture(scope="module")
def augmenter() -> Augmenter:
    return build(STRONG)


def change(augmenter: Augmenter, example: int, *, epoch: int = 0, image_index: int = 0, seed: int = 3) -> str:
    pixels = augmenter.apply(FILM, seed=seed, epoch=epoch, example_id=f"e{example}", image_index=image_index)
    return hashlib.sha256(pixels.tobytes()).hexdigest()


def test_films_are_changed_alike_in_any_order(augmenter: Augmenter):
    forward = [change(augmenter, example) for example in range(24)]
    backward = [change(augmenter, example) for example in reversed(range(24))]
    assert forward == backward[::-1]


WORKER = """
import sys
sys.modules["torch"] = None  # as in an environment without it
import test_augment
augmenter = test_augment.build(test_augment.STRONG)
print(*(test_augment.change(augmenter, int(example)) for example in sys.argv[1:]))
"""


def test_films_are_changed_alike_in_any_number_of_processes(augmenter: Augmenter):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    shares = [("0", "2", "4", "6"), ("7", "5", "3", "1")]
    workers = [
        subprocess.Popen([sys.executable, "-c", WORKER, *share], stdout=subprocess.PIPE, text=True, env=environment)
        for share in shares
    ]
    changed = [worker.communicate()[0].split() for worker in workers]
    assert changed == [[change(augmenter, int(example)) for example in share] for share in shares]


def test_each_epoch_example_image_and_seed_is_another_change(augmenter: Augmenter):
    draws = [
        change(augmenter, example, epoch=epoch, image_index=index, seed=seed)
        for example in range(6)
        for epoch in range(3)
        for index in range(2)
        for seed in range(2)
    ]
    assert len(set(draws)) > 0.9 * len(draws)


def test_transforms_happen_independently_of_each_other():
    both = AugmentSettings(
        probability=0,
        transforms=(
            TransformSpec(name="Affine", arguments={"translate_px": [3, 3], "p": 0.5}),
            TransformSpec(name="RandomBrightnessContrast", arguments={"brightness_limit": [0.1, 0.1], "p": 0.5}),
        ),
    )
    pipeline = build(both)
    seen = set()
    for number in range(60):
        pixels = pipeline.apply(FILM, seed=0, epoch=0, example_id=str(number), image_index=0)
        seen.add((bool((pixels[0] == pixels[0, 0]).all()), bool(pixels.mean() > FILM.mean() + 5)))
    assert len(seen) == 4


def test_a_film_is_not_changed_in_place_and_keeps_its_size(augmenter: Augmenter):
    film = FILM.copy()
    changed = augmenter.apply(film, seed=0, epoch=0, example_id="e", image_index=0)
    assert (changed.dtype, changed.shape) == (np.uint8, FILM.shape)
    assert np.array_equal(film, FILM)


def test_probability_zero_changes_nothing():
    changed = build(AugmentSettings(probability=0)).apply(FILM, seed=0, epoch=0, example_id="e", image_index=0)
    assert np.array_equal(changed, FILM)


def test_all_changes_turned_off_change_no_more_than_a_rounding():
    off = AugmentSettings(
        probability=1,
        rotate_degrees=0,
        shift=0,
        scale=0,
        brightness=0,
        contrast=0,
        gamma=(100, 100),
        noise_std=0,
        blur_sigma_px=0,
    )
    changed = build(off).apply(FILM, seed=0, epoch=0, example_id="e", image_index=0)
    assert np.abs(changed.astype(int) - FILM).max() <= 1  # a gamma of 1 rounds down


@settings(max_examples=40, deadline=None)
@given(example=st.text(max_size=8), epoch=st.integers(0, 99))
def test_the_brightest_side_of_a_film_stays_on_its_side(example: str, epoch: int):
    film = np.full((80, 80), 30, dtype=np.uint8)
    film[20:60, 50:75] = 220
    changed = STRONGEST.apply(film, seed=0, epoch=epoch, example_id=example, image_index=0)
    assert changed[:, 40:].mean() > changed[:, :40].mean() + 20


STRONGEST = build(AugmentSettings(probability=1, rotate_degrees=15, shift=0.1, scale=0.2, noise_std=0.1))


@pytest.mark.parametrize("film", [FILM.astype(np.uint16), FILM.astype(np.float32), FILM[None], FILM[0]])
def test_only_rendered_grey_films_are_taken(augmenter: Augmenter, film: np.ndarray):
    with pytest.raises(TypeError, match="uint8"):
        augmenter.apply(film, seed=0, epoch=0, example_id="e", image_index=0)


def test_the_seed_of_a_film_is_the_same_on_every_machine():
    assert stable_entropy(1, 2, "例", 0) == int(
        hashlib.sha256("augment\0001\0002\0例\0000".encode()).hexdigest()[:32], 16
    )


FORBIDDEN = ["HorizontalFlip", "VerticalFlip", "Transpose", "D4", "RandomRotate90", "SquareSymmetry", "InvertImg"]
FORBIDDEN += ["Solarize", "Posterize", "RandomSunFlare", "ElasticTransform", "RandomGridShuffle", "Lambda"]


@pytest.mark.parametrize("name", FORBIDDEN)
@pytest.mark.parametrize("group", [None, "OneOf", "Sequential", "SomeOf", "RandomOrder"])
def test_a_forbidden_transform_is_named_with_the_reason_at_any_depth(name: str, group: str | None):
    spec = TransformSpec(name=name, arguments={"p": 0.01})
    if group is not None:
        inner = TransformSpec(name="Sequential", transforms=(TransformSpec(name="Blur"), spec))
        spec = TransformSpec(name=group, arguments={"n": 1} if group == "SomeOf" else {}, transforms=(inner,))
    with pytest.raises(ConfigError, match=f"{name} is not allowed: "):
        check_laterality_safe(AugmentSettings(transforms=(spec,)))


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("Rotate", {"limit": [170, 180]}),
        ("Rotate", {"limit": 90, "p": 0.001}),
        ("Affine", {"scale": [-1, -1]}),
        ("Affine", {"translate_percent": 0.9}),
        ("GaussNoise", {"std_range": [0.9, 1.0]}),
        ("Erasing", {"scale": [0.8, 0.9]}),
    ],
)
def test_allowed_transforms_with_harmful_arguments_are_refused(name: str, arguments: dict[str, object]):
    with pytest.raises(ConfigError, match=name):
        check_laterality_safe(AugmentSettings(transforms=(TransformSpec(name=name, arguments=arguments),)))


def test_changes_that_add_up_to_a_turned_or_an_empty_film_are_refused():
    quarter = (TransformSpec(name="Rotate", arguments={"limit": [25, 25], "p": 0.5}),) * 4
    glare = {"brightness": 0.5, "contrast": 0.5, "gamma": (50, 200), "noise_std": 0.1, "blur_sigma_px": 3.0}
    for harmful in (AugmentSettings(transforms=quarter), AugmentSettings(**glare)):
        with pytest.raises(ConfigError, match="these changes together"):
            check_laterality_safe(harmful)
    check_laterality_safe(AugmentSettings(transforms=quarter[:1]))
    check_laterality_safe(AugmentSettings(probability=0, **glare))


@pytest.mark.parametrize(("name", "size"), [("CenterCrop", 96), ("RandomCrop", 96), ("Resize", 96), ("CenterCrop", 32)])
def test_a_fixed_size_is_refused_whatever_the_test_picture_has(name: str, size: int):
    spec = TransformSpec(name=name, arguments={"height": size, "width": size})
    with pytest.raises(ConfigError, match="changes the size"):
        check_laterality_safe(AugmentSettings(transforms=(spec,)))


@pytest.mark.parametrize("name", ["ISONoise", "ToRGB", "Normalize", "ToFloat"])
def test_transforms_that_do_not_give_a_grey_film_of_the_same_size_are_refused(name: str):
    with pytest.raises(ConfigError, match=name):
        check_laterality_safe(AugmentSettings(transforms=(TransformSpec(name=name),)))


def test_a_misspelled_transform_or_argument_is_named():
    with pytest.raises(ConfigError, match="Did you mean GaussianBlur"):
        check_laterality_safe(AugmentSettings(transforms=(TransformSpec(name="GausianBlur"),)))
    with pytest.raises(ConfigError, match=r"Blur.*blur_limt"):
        check_laterality_safe(AugmentSettings(transforms=(TransformSpec(name="Blur", arguments={"blur_limt": 3}),)))
    with pytest.raises(ConfigError, match="needs `transforms`"):
        check_laterality_safe(AugmentSettings(transforms=(TransformSpec(name="OneOf"),)))


@pytest.mark.parametrize(
    "wrong",
    [{"probability": 1.5}, {"rotate_degrees": 90}, {"shift": -0.1}, {"noise_std": float("nan")}, {"gamma": (1, 9)}],
)
def test_a_value_out_of_its_range_is_refused_with_its_name(wrong: dict[str, object]):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        check_laterality_safe(AugmentSettings(**wrong))


def test_the_default_settings_and_the_useful_transforms_are_accepted():
    check_laterality_safe(AugmentSettings())
    for name in ("CLAHE", "RandomGamma", "GaussianBlur", "MotionBlur", "Downscale", "ImageCompression", "Equalize"):
        check_laterality_safe(AugmentSettings(transforms=(TransformSpec(name=name),)))


def test_a_pipeline_is_built_without_torch_and_without_asking_the_network_for_a_newer_version():
    code = (
        "import socket, sys\n"
        "sys.modules['torch'] = None\n"
        "def refuse(*args, **kwargs): raise SystemExit('the network was asked')\n"
        "socket.getaddrinfo = socket.create_connection = refuse\n"
        "from xray.augment import AugmentSettings, build\n"
        "build(AugmentSettings())\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    environment.pop("NO_ALBUMENTATIONS_UPDATE", None)
    command = [sys.executable, "-W", "error::UserWarning", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
