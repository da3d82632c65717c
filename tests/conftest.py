"""Settings of all tests: a property test is judged by its outcome, not by how long one example took."""

import os

import pytest
from hypothesis import settings

if "PYTEST_XDIST_WORKER" in os.environ:  # workers share the cores: a torch that takes them all waits for the others
    os.environ.setdefault("OMP_NUM_THREADS", "1")
settings.register_profile("kit", deadline=None, print_blob=True)
settings.load_profile("kit")


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Number what is too long for a name; the bytes of a packed file would even differ between two workers."""
    return argname if isinstance(val, str | bytes) and len(val) > 80 else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep a file in one worker, and all files that need the same trained run: making it takes half a minute."""
    groups: dict[str, str] = {}
    for item in items:
        names = getattr(item, "fixturenames", ())
        needed = next((name for name in ("finished_run", "demo_run") if name in names), None)
        if needed:
            groups[item.location[0]] = needed
    for item in items:
        file = item.location[0]
        item.add_marker(pytest.mark.xdist_group(groups.get(file, file)))
