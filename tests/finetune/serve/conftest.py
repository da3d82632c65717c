"""One run of the demo base, which writes real reports, opened once."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from finetune.config import RunConfig
from finetune.manifest import Case, read_records
from finetune.run import start_run
from finetune.serve.opening import Served, opened
from tests.finetune.conftest import quiet_screen


@pytest.fixture(scope="session")
def demo_run(tmp_path_factory: pytest.TempPathFactory, make_config: Callable[..., RunConfig]) -> Path:
    """A complete run of the demo base, whose adapter has learned a little."""
    folder = tmp_path_factory.mktemp("demo_run")
    config = make_config(
        folder,
        "name=demo",
        "data.image_size=128",
        "model.model_name_or_path=demo",
        "model.image_size=128",
        "train.max_steps=2",
        "train.learning_rate=5e-3",
    )
    return start_run(config, screen=quiet_screen(), command="finetune run demo.yaml")


@pytest.fixture(scope="session")
def served(demo_run: Path) -> Iterator[Served]:
    with opened(str(demo_run)) as opening:
        yield opening


@pytest.fixture(scope="session")
def case(demo_run: Path) -> Case:
    """A test study with one film."""
    return next(case for case in read_records(demo_run / "references.jsonl", Case) if len(case.images) == 1)


@pytest.fixture(scope="session")
def film(demo_run: Path, case: Case) -> Path:
    """The film of that study."""
    return demo_run / case.images[0]
