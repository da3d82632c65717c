"""What a site knows about its own devices and no header can tell: which of two contradicting polarities is right.

MONOCHROME2 with PresentationLUTShape INVERSE, or MONOCHROME1 with IDENTITY, is illegal in PS3.3 C.8.11.3.1.2, yet
devices write it and viewers differ in which they obey. Without a rule of the site such films are refused. A profile is
a YAML file:

    devices:                        # the first rule that fits decides
      - manufacturer: "Acme*"       # * and ? are wildcards; upper and lower case are the same
        model: "DX-1*"
        polarity: photometric_interpretation
      - station: "ROOM2"            # at least one of manufacturer, model and station
        polarity: presentation_lut_shape
"""

from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal

import yaml
from pydantic import Field, ValidationError, model_validator
from pydicom.dataset import Dataset

from xray.dicom import tags
from xray.errors import ConfigError, Rejected
from xray.records import Record

Polarity = Literal["photometric_interpretation", "presentation_lut_shape"]
_MOST_BYTES = 1 << 20
_KEYWORDS = {"manufacturer": "Manufacturer", "model": "ManufacturerModelName", "station": "StationName"}


class DeviceRule(Record):
    """Which element tells black from white on the films of some devices. A name left out fits every device."""

    manufacturer: str | None = Field(None, min_length=1)
    model: str | None = Field(None, min_length=1)
    station: str | None = Field(None, min_length=1)
    polarity: Polarity

    @model_validator(mode="after")
    def _names_a_device(self) -> "DeviceRule":
        if self.manufacturer is None and self.model is None and self.station is None:
            raise ValueError("a rule names a manufacturer, a model or a station")
        return self

    def fits(self, dataset: Dataset) -> bool:
        """Tell whether the film comes from a device that the rule names."""
        wanted = {"manufacturer": self.manufacturer, "model": self.model, "station": self.station}
        return all(
            pattern is None or fnmatchcase((tags.text(dataset, _KEYWORDS[name]) or "").lower(), pattern.lower())
            for name, pattern in wanted.items()
        )


class SiteProfile(Record):
    """The rules of a site, in the order in which they are tried."""

    devices: tuple[DeviceRule, ...] = Field(min_length=1)

    def polarity_of(self, dataset: Dataset) -> Polarity | None:
        """Return what the first fitting rule says, or None."""
        return next((rule.polarity for rule in self.devices if rule.fits(dataset)), None)


def read_site_profile(path: Path) -> SiteProfile:
    """Read a profile. Raises ConfigError: no such file, not YAML, an unknown key, a value that is not allowed."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ConfigError(f"{path} is too large for a site profile; it holds a few rules.")
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path} does not exist. Name the YAML file of the site profile.") from None
    except (OSError, UnicodeDecodeError):
        raise ConfigError(f"{path} cannot be read. Name the YAML file of the site profile, in UTF-8.") from None
    except (yaml.YAMLError, RecursionError):
        raise ConfigError(f"{path} is not valid YAML. Quote names that hold : or start with *.") from None
    try:
        return SiteProfile.model_validate(content)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in problem["loc"]) or "the file"
        raise ConfigError(f"{path}: {place}: {problem['msg']}.") from None


def is_inverted(dataset: Dataset, *, photometric: str, site: SiteProfile | None) -> tuple[bool, tuple[str, ...]]:
    """Tell whether the lowest value is shown white, and flag `polarity_by_site` where the site had to decide.

    MONOCHROME1 shows its lowest value white (PS3.3 C.7.6.3.1.2); PresentationLUTShape may only say the same, so
    MONOCHROME1 with INVERSE is one inversion and not two (PS3.3 C.8.11.3.1.2).

    Raises Rejected("polarity_conflict") where the two contradict each other and no rule of the site fits.
    """
    shape = tags.code(dataset, "PresentationLUTShape")
    expected = {"MONOCHROME1": "INVERSE", "MONOCHROME2": "IDENTITY"}.get(photometric, shape)
    if shape not in ("INVERSE", "IDENTITY") or shape == expected:
        return photometric == "MONOCHROME1", ()
    decision = site.polarity_of(dataset) if site else None
    if decision is None:
        raise Rejected(
            "polarity_conflict",
            f"{photometric} with PresentationLUTShape {shape}: black and white cannot be told apart. "
            "State in a site profile which of the two is right for this device.",
        )
    by_shape = decision == "presentation_lut_shape"
    return (shape == "INVERSE") if by_shape else (photometric == "MONOCHROME1"), ("polarity_by_site",)
