"""The texts of the interface: each of them is used, and an error is told in the language of the page."""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path

import pytest

import xray
from app import faults, words
from app.words import LANGUAGES
from app.words.refusals import REFUSALS
from xray.errors import DataError, Rejected, XrayError

APP = Path(words.__file__).parent.parent
XRAY = Path(xray.__file__).parent


def texts() -> Iterator[tuple[str, str]]:
    """Every class of texts with the name of each of its texts."""
    for module in pkgutil.walk_packages(words.__path__, f"{words.__name__}."):
        for name, found in vars(importlib.import_module(module.name)).items():
            if isinstance(found, type) and is_dataclass(found) and found.__module__ == module.name:
                yield from ((name, field.name) for field in fields(found))


def test_every_text_of_the_interface_is_used_by_a_page_or_a_component():
    python = "\n".join(path.read_text(encoding="utf-8") for path in APP.rglob("*.py") if "words" not in path.parts)
    script = "\n".join(path.read_text(encoding="utf-8") for path in APP.rglob("*.js"))
    taken = " ".join(re.findall(r"\{([^{}]*)\} = \S*words", script))  # const { sentence } = this.bench.words
    asked = {*re.findall(r"\.(\w+)", python + script), *re.findall(r"""["'](\w+)["']""", script)}
    asked |= set(re.findall(r"\w+", taken))
    unused = [(group, name) for group, name in texts() if name not in asked]
    assert not unused


@pytest.mark.parametrize(
    ("error", "chinese", "english"),
    [
        (
            DataError("The film is gone. Restore it.").in_chinese("影像不见了。请恢复。"),
            "影像不见了。请恢复。",
            "is gone",
        ),
        (DataError("Only English."), "Only English.", "Only English."),
        (Rejected("turned_film", "It lies turned."), "正立", "turned_film: It lies turned."),
        (Rejected("quite_new", "Something."), "quite_new", "quite_new: Something."),
    ],
    ids=["both", "one", "refusal", "unknown refusal"],
)
def test_an_error_is_told_in_the_language_of_the_page(
    monkeypatch: pytest.MonkeyPatch, error: XrayError, chinese: str, english: str
):
    for code, told in (("zh", chinese), ("en", english)):
        monkeypatch.setattr(faults, "words", lambda code=code: LANGUAGES[code])
        assert told in faults.sentence_of(error)


def test_every_reason_to_refuse_an_uploaded_film_has_a_sentence_in_chinese():
    data = ("films", "film_header", "pictures", "chest_gate", "file_kind")
    files = [*(XRAY / "dicom").glob("*.py"), XRAY / "guard.py", *(XRAY / "data" / f"{name}.py" for name in data)]
    source = "\n".join(path.read_text(encoding="utf-8") for path in files)
    codes = set(re.findall(r"(?:Rejected|_EndedError|guarded)\(\s*\"(\w+)\"", source))
    assert {"turned_film", "decode_timeout", "corrupt_header"} <= codes
    assert not codes - set(REFUSALS)
    assert all(told.endswith("。") and "{" not in told for told in REFUSALS.values())
