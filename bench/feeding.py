"""How fast a prepared store gives films back: drawn films, prepared at 448 px, read in the random order of training."""

import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from xray.data.store import Store
from xray.data.stored_films import read_film

_STUDIES, _ROUNDS = 150, 5


def films_per_second(folder: Path, *, size: int) -> float:
    """Draw and prepare a data set in `folder`, read it all `_ROUNDS` times, return films per second of CPU time."""
    drawn, store = folder / "drawn", folder / "store"
    _run("phantom", drawn, "--studies", _STUDIES, "--seed", 4)
    _run("prepare", drawn / "films", drawn / "reports.csv", store, "--size", size)
    places = [place for example in Store.open(store).examples() for place in example.images]
    rng = np.random.default_rng(0)
    read_film(places[0])
    started = time.process_time()
    for _ in range(_ROUNDS):
        for index in rng.permutation(len(places)):
            read_film(places[index])
    return _ROUNDS * len(places) / (time.process_time() - started)


def _run(*arguments: object) -> None:
    command = [sys.executable, "-c", "from xray.cli import main; main()", *map(str, arguments)]
    subprocess.run(command, check=True, capture_output=True)
