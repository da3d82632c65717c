"""The rules of the house, where a machine can check them."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("xray", "finetune", "app")
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
MOST_LINES, MOST_FUNCTION_LINES = 300, 50


def run(*arguments: str) -> None:
    done = subprocess.run([sys.executable, "-m", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=400)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_code_is_linted() -> None:
    run("ruff", "check", "--no-cache", ".")


def test_the_code_is_formatted() -> None:
    run("ruff", "format", "--no-cache", "--check", ".")


def test_the_types_hold_under_mypy_strict(tmp_path: Path) -> None:
    run("mypy", "--cache-dir", str(tmp_path))


def test_imports_go_down_only() -> None:
    lint = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([lint, "--no-cache"], cwd=ROOT, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 kept, 0 broken" in done.stdout


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_file_and_its_functions_fit_on_a_few_screens(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= MOST_LINES
    functions = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    long = {node.name: (node.end_lineno or 0) - node.lineno + 1 for node in functions}
    assert {name: lines for name, lines in long.items() if lines > MOST_FUNCTION_LINES} == {}


def test_no_module_draws_from_a_global_random_generator() -> None:
    ambient = re.compile(r"\b(np\.random\.(rand|normal|choice|seed|shuffle)|random\.(random|choice|shuffle|seed))\(")
    found = [path.name for path in SOURCES if ambient.search(path.read_text(encoding="utf-8"))]
    assert found == []


def test_no_module_is_called_by_a_word_that_means_nothing() -> None:
    assert {path.stem for path in SOURCES} & {"utils", "helpers", "common", "misc", "manager"} == set()


def test_no_film_of_a_patient_is_in_the_repository() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split()
    for name in listed:
        path = ROOT / name
        if path.is_file():
            with path.open("rb") as stream:
                assert stream.read(132)[128:] != b"DICM", name
