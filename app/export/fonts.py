"""A font with Chinese glyphs, found on this machine: a PDF has to carry the one it was set in."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTCollection, TTFont

from xray.errors import ConfigError

_FOLDERS = (
    Path("/usr/share/fonts"),
    Path("/usr/local/share/fonts"),
    Path.home() / ".local/share/fonts",
    Path("/Library/Fonts"),
    Path("C:/Windows/Fonts"),
)
_FILES = (
    "NotoSansCJK-Regular.ttc",
    "NotoSansCJKsc-Regular.otf",
    "NotoSansSC-Regular.otf",
    "NotoSansSC-Regular.ttf",
    "SourceHanSansSC-Regular.otf",
)
_FAMILY_NAME = 1  # OpenType, table `name`


@dataclass(frozen=True, slots=True, kw_only=True)
class Font:
    """A font file, and the number of the face for simplified Chinese in it."""

    path: Path
    face: int = 0


def find_font(folders: tuple[Path, ...] = _FOLDERS) -> Font:
    """Return Noto Sans or Source Han Sans for simplified Chinese below `folders`.

    Raises ConfigError naming the package to install where there is none: a PDF without its font shows other signs
    or none on the next machine.
    """
    for name in _FILES:
        for folder in folders:
            if path := next(iter(sorted(folder.rglob(name))), None):
                return Font(path=path, face=_simplified(path))
    raise ConfigError(
        "No font for Chinese was found, and a PDF must carry one. Install the package fonts-noto-cjk (Debian, Ubuntu), "
        "google-noto-sans-cjk-fonts (Fedora) or noto-fonts-cjk (Arch), or put NotoSansSC-Regular.otf into "
        "~/.local/share/fonts."
    ).in_chinese(
        "没有找到中文字体，而 PDF 必须内嵌字体。请安装 fonts-noto-cjk（Debian、Ubuntu）、"
        "google-noto-sans-cjk-fonts（Fedora）或 noto-fonts-cjk（Arch），"
        "或把 NotoSansSC-Regular.otf 放入 ~/.local/share/fonts。"
    )


def subset_font(font: Font, *, characters: Iterable[str], into: Path) -> Font:
    """Write a font of those `characters` that `font` has and return it.

    A face for Chinese has 65,000 glyphs and takes seconds to load: one small font serves a whole export.
    """
    with TTFont(font.path, fontNumber=font.face, lazy=True) as face:
        subsetter = Subsetter(Options(name_IDs=["*"], layout_features=[], notdef_outline=True))
        subsetter.populate(unicodes={ord(character) for character in characters})
        subsetter.subset(face)
        face.save(into)
    return Font(path=into)


def _simplified(path: Path) -> int:
    if path.suffix != ".ttc":
        return 0
    with TTCollection(path, lazy=True) as collection:
        faces: list[TTFont] = collection.fonts
        names = [str(face["name"].getDebugName(_FAMILY_NAME)) for face in faces]
    return next((number for number, name in enumerate(names) if name.endswith("CJK SC") and "Mono" not in name), 0)
