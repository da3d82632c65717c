"""What a stranger installs: pinned, complete, and free of licences the kit must not carry."""

import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import PackageNotFoundError, distribution, distributions
from importlib.util import find_spec
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PINS = {
    canonicalize_name(name): version
    for name, version in re.findall(r"^([\w.-]+)==(\S+)$", (ROOT / "constraints.txt").read_text(encoding="utf-8"), re.M)
}
COPYLEFT = re.compile(r"\b(AGPL|GPL|Affero|General Public License)\b", re.I)
LESSER = re.compile(r"lesser|LGPL", re.I)
# PyPI's torch for Linux brings these, each at an exact version of its own choice; a CPU build brings none of them.
OF_TORCH = re.compile(r"nvidia-.*|cuda-.*|triton")


def requirements_of(*extras: str) -> list[Requirement]:
    listed = PROJECT["dependencies"] + [line for extra in extras for line in PROJECT["optional-dependencies"][extra]]
    return [Requirement(line) for line in listed]


def closure(*extras: str) -> set[str]:
    """Return the names of every package that installing the kit with `extras` brings, without torch's GPU packages."""
    waiting, found = requirements_of(*extras), set()
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        if name in found or OF_TORCH.fullmatch(name):
            continue
        found.add(name)
        try:
            needs = [Requirement(line) for line in distribution(name).requires or []]
        except PackageNotFoundError:
            continue
        wanted = {"", *requirement.extras}
        waiting += [n for n in needs if n.marker is None or any(n.marker.evaluate({"extra": e}) for e in wanted)]
    return found


def test_every_package_that_is_installed_is_pinned() -> None:
    assert closure("train", "review", "interop", "test") - set(PINS) == set()


def test_the_installed_versions_are_the_pinned_ones() -> None:
    wrong = {}
    for name in closure("train", "review", "interop", "test"):
        installed = distribution(name).version.split("+")[0]
        if installed != PINS[name]:
            wrong[name] = (installed, PINS[name])
    assert wrong == {}


def test_the_review_app_installs_without_torch() -> None:
    assert "torch" not in closure("review")
    assert "torch" in closure("train")


@pytest.mark.parametrize("name", ["torchvision", "torchaudio", "torchcodec", "libjpeg", "albumentationsx"])
def test_a_package_that_must_not_come_along_does_not(name: str) -> None:
    assert find_spec(name) is None


def test_no_installed_package_of_the_kit_is_under_gpl_or_agpl() -> None:
    ours = closure("train", "review", "interop", "test")
    found = {}
    for package in distributions():
        name = canonicalize_name(package.metadata["Name"])
        licence = " ".join(
            [package.metadata.get("License-Expression") or "", (package.metadata.get("License") or "")[:200]]
            + [line for line in package.metadata.get_all("Classifier") or [] if line.startswith("License")]
        )
        if name in ours and COPYLEFT.search(licence) and not LESSER.search(licence):
            found[name] = licence
    assert found == {}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    import shutil

    source, out = tmp_path_factory.mktemp("source") / "kit", tmp_path_factory.mktemp("wheel")
    ignore = shutil.ignore_patterns(".git", ".venv", "build", "demo", "runs", "stores", "*.egg-info", ".*_cache")
    shutil.copytree(ROOT, source, ignore=ignore)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*command, "--wheel-dir", str(out), str(source)], check=True, timeout=200, capture_output=True)
    return zipfile.ZipFile(next(out.glob("*.whl")))


@pytest.mark.parametrize("package", ["xray", "finetune", "app"])
def test_the_wheel_holds_every_file_of_the_packages(wheel: zipfile.ZipFile, package: str) -> None:
    ours = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc"
    }
    assert ours - set(wheel.namelist()) == set()


def test_the_wheel_installs_both_commands(wheel: zipfile.ZipFile) -> None:
    entry_points = next(name for name in wheel.namelist() if name.endswith("entry_points.txt"))
    text = wheel.read(entry_points).decode()
    assert "xray = xray.cli:main" in text
    assert "finetune = finetune.cli:main" in text
