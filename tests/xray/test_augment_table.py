"""Which albumentations transforms a film may meet: the table of their behaviour on 8-bit grey, kept true."""

import pytest

from xray.augment import AugmentSettings, check_laterality_safe
from xray.augment_transforms import TransformSpec
from xray.errors import ConfigError

SMALL_HOLES = {"num_holes_range": [1, 2], "hole_height_range": [0.05, 0.1], "hole_width_range": [0.05, 0.1]}
ACCEPTED = {
    "Affine": {"rotate": [-5, 5], "translate_percent": [-0.03, 0.03], "scale": [0.95, 1.05]},
    "CropAndPad": {"percent": [-0.05, 0.0]},
    "RandomBrightnessContrast": {},
    "RandomGamma": {"gamma_limit": [90, 110]},
    "CLAHE": {},
    "Equalize": {},
    "GaussNoise": {"std_range": [0.005, 0.02]},
    "ShotNoise": {"scale_range": [0.01, 0.03]},
    "MultiplicativeNoise": {},
    "GaussianBlur": {},
    "MotionBlur": {},
    "Downscale": {"scale_range": [0.5, 0.9]},
    "ImageCompression": {"quality_range": [70, 99]},
    "CoarseDropout": SMALL_HOLES,
}
REFUSED = {
    "HorizontalFlip": "mirrors",
    "VerticalFlip": "mirrors",
    "D4": "mirrors",
    "SquareSymmetry": "mirrors",
    "Transpose": "mirrors",
    "RandomRotate90": "mirrors",
    "InvertImg": "reverses the order of grey values",
    "Solarize": "reverses the order of grey values",
    "Posterize": "reverses the order of grey values",
    "ElasticTransform": "bends",
    "GridDistortion": "bends",
    "OpticalDistortion": "bends",
    "RandomSunFlare": "paints over",
    "GridDropout": "paints over",
    "RandomGridShuffle": "moves parts",
    "ISONoise": "cannot be applied to an 8-bit grey film",
    "Normalize": "changes the size or the type",
    "ToFloat": "changes the size or the type",
    "ToRGB": "changes the size or the type",
    "RandomResizedCrop": "changes the size or the type",
}
GROUPS = (None, "OneOf", "SomeOf", "Sequential", "RandomOrder")


def settings(name: str, *, group: str | None, arguments: dict[str, object]) -> AugmentSettings:
    spec = TransformSpec(name=name, arguments=arguments)
    if group is not None:
        count = {"n": 1} if group in {"SomeOf", "RandomOrder"} else {}
        spec = TransformSpec(name=group, arguments=count, transforms=(TransformSpec(name="Blur"), spec))
    return AugmentSettings(transforms=(spec,))


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("name", ACCEPTED)
def test_what_keeps_an_eight_bit_grey_film_true_is_accepted(name: str, group: str | None):
    check_laterality_safe(settings(name, group=group, arguments=ACCEPTED[name]))


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("name", REFUSED)
def test_what_makes_a_report_untrue_is_refused_by_name_with_the_reason_at_any_depth(name: str, group: str | None):
    arguments = {"size": [448, 448]} if name == "RandomResizedCrop" else {}
    with pytest.raises(ConfigError, match=f"{name}.*{REFUSED[name]}"):
        check_laterality_safe(settings(name, group=group, arguments=arguments))


def test_noise_that_drowns_the_film_is_refused():
    with pytest.raises(ConfigError, match=r"ShotNoise.*moved or hid things"):
        check_laterality_safe(settings("ShotNoise", group=None, arguments={"scale_range": [0.1, 0.3]}))
