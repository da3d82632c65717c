"""Where studies are converted: in processes of this machine, or on a Ray cluster, with the same result."""

import logging
import math
import os
import pickle
from collections.abc import Callable, Collection, Sequence
from typing import Any

from xray.data.convert import ConvertedFilm, StudyConverter, StudyTask, film_by_film
from xray.data.film_pool import map_guarded
from xray.dicom.render import RenderSettings
from xray.errors import ConfigError, Rejected
from xray.guard import Guarded
from xray.types import Engine

_STUDIES_AT_ONCE = 8  # Ray hands over what an actor has done when it has done that many: a kill costs the rest
OnFilm = Callable[[ConvertedFilm], None]


def convert_studies(
    tasks: Sequence[StudyTask],
    *,
    settings: RenderSettings,
    known: Collection[str],
    on_film: OnFilm,
    workers: int | None = None,
    engine: Engine = Engine.local,
) -> None:
    """Convert the films of all studies, each once; `on_film` gets what became of each, in any order.

    `workers` is the number of processes at work, by default one for each processor this process may use (local), or
    as many as the cluster has (ray). Raises ConfigError where Ray is asked for and not installed.
    """
    if not tasks:
        return
    converter = StudyConverter(settings=settings, known=frozenset(known))
    if engine is Engine.ray:
        _with_ray(tasks, converter=converter, on_film=on_film, workers=workers)
    else:
        _with_processes(tasks, converter=converter, on_film=on_film, workers=workers)


def _with_processes(
    tasks: Sequence[StudyTask], *, converter: StudyConverter, on_film: OnFilm, workers: int | None
) -> None:
    again: list[StudyTask] = []

    def note(index: int, outcome: tuple[ConvertedFilm, ...] | Rejected) -> None:
        converted = film_by_film(tasks[index], outcome) if isinstance(outcome, Rejected) else outcome
        for film in converted:
            if isinstance(film, StudyTask):
                again.append(film)
            else:
                on_film(film)

    map_guarded(converter, tasks, workers=workers, on_result=note)
    if again:
        _with_processes(again, converter=converter, on_film=on_film, workers=workers)


def _with_ray(tasks: Sequence[StudyTask], *, converter: StudyConverter, on_film: OnFilm, workers: int | None) -> None:
    """Ray Data with one guarded process for each actor. A cluster that is there is used; else one is started here."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
        from ray.data import ActorPoolStrategy, DataContext
    except ImportError:
        raise ConfigError("Ray is not installed. Install the extra `cluster`, or use the local engine.") from None
    started = not ray.is_initialized()
    if started:
        address = os.environ.get("RAY_ADDRESS")
        quiet = {"include_dashboard": False, "log_to_driver": False, "logging_level": logging.ERROR}
        ray.init(address=address, **quiet, **_loopback_unless(address))
    try:
        context = DataContext.get_current()
        context.enable_progress_bars, context.print_on_execution_start = False, False
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        count = min(workers or int(ray.cluster_resources().get("CPU", 1)), max(1, len(tasks)))
        blocks = max(count, math.ceil(len(tasks) / _STUDIES_AT_ONCE))
        studies = ray.data.from_items([{"task": pickle.dumps(task)} for task in tasks], override_num_blocks=blocks)
        converted = studies.map(_RayConverter, fn_constructor_args=(converter,), compute=ActorPoolStrategy(size=count))
        for row in converted.iter_rows():
            for film in pickle.loads(row["films"]):
                on_film(film)
    finally:
        if started:
            ray.shutdown()


def _loopback_unless(address: str | None) -> dict[str, Any]:
    """Keep a cluster of this machine alone on the loopback."""
    return {} if address else {"_node_ip_address": "127.0.0.1"}


class _RayConverter:
    """A converter as Ray Data calls it, a row in and a row out, in a guarded process below the actor's.

    Rows are Arrow tables, which know bytes and none of our types.
    """

    def __init__(self, converter: StudyConverter) -> None:
        self._convert = Guarded(converter)

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        return {"films": pickle.dumps(self._films(pickle.loads(row["task"])))}

    def _films(self, task: StudyTask) -> list[ConvertedFilm]:
        try:
            return list(self._convert(task))
        except Rejected as rejected:
            parts = film_by_film(task, rejected)
            nested = [self._films(part) if isinstance(part, StudyTask) else [part] for part in parts]
            return [film for films in nested for film in films]
