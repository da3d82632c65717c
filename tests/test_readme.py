"""The README's commands exist, its YAML is valid, and its file tree is true."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from finetune.config_file import load_config

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SHELL = [block for language, block in re.findall(r"```(\w*)\n(.*?)```", README, re.S) if language in {"sh", "bash"}]
LINES = [line.split("#")[0].strip() for block in SHELL for line in block.splitlines() if line.strip()]
VERBS = sorted({tuple(line.split()[:2]) for line in LINES if line.split()[:1] in (["finetune"], ["xray"])})
TARGETS = sorted({line.split()[1] for line in LINES if line.startswith("make ")})


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_a_command_in_the_readme_exists(verb: tuple[str, str]) -> None:
    code = f"from {verb[0]}.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code, verb[1], "--help"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("target", TARGETS)
def test_a_make_target_in_the_readme_exists(target: str) -> None:
    done = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_the_readme_names_the_two_commands() -> None:
    assert {"demo", "test"} <= set(TARGETS)


@pytest.mark.parametrize("text", re.findall(r"```yaml\n(.*?)```", README, re.S))
def test_a_configuration_in_the_readme_is_valid(text: str, tmp_path: Path) -> None:
    path = tmp_path / "readme.yaml"
    path.write_text(text, encoding="utf-8")
    assert load_config(path).name == yaml.safe_load(text)["name"]


def test_every_path_of_the_readmes_file_tree_exists_and_every_module_is_in_it() -> None:
    tree = re.search(r"```text\n(.*?)```", README, re.S)
    assert tree
    named: set[str] = set()
    stack: list[tuple[int, str]] = []
    for line in tree.group(1).splitlines():
        match = re.match(r"( *)(\S+)", line)
        if match is None:
            continue
        depth, name = len(match.group(1)), match.group(2)
        stack = [(level, parent) for level, parent in stack if level < depth]
        path = "".join(parent for _, parent in stack) + name
        assert (ROOT / path).exists(), path
        named.add(path)
        if name.endswith("/"):
            stack.append((depth, name))
    packages = {path.parent.relative_to(ROOT).as_posix() + "/" for path in ROOT.glob("[xfa]*/**/__init__.py")}
    assert {name for name in packages if name.split("/")[0] in {"xray", "finetune", "app"}} - named == set()


def test_the_readme_says_that_this_is_not_a_medical_device() -> None:
    assert "not a medical device" in README.lower()
