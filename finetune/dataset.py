"""The data of a run: from the films and reports a config names to the examples of each split."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from finetune.config import DataConfig
from finetune.manifest import DataSummary
from xray.data.notices import FEW_PATIENTS, public_key_notice
from xray.data.prepare import prepare, scratch_folder
from xray.data.sources.film_scan import Scan, scan_films
from xray.data.sources.request import SourceRequest, read_source
from xray.data.sources.study_files import Refusal
from xray.data.store import Store
from xray.errors import DataError
from xray.types import Example, View


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedData:
    """A prepared store and its examples."""

    store: Store
    train: tuple[Example, ...]
    val: tuple[Example, ...]
    test: tuple[Example, ...]

    @property
    def all(self) -> tuple[Example, ...]:
        """Every example, training split first."""
        return (*self.train, *self.val, *self.test)


def source_request(settings: DataConfig, *, scan: Scan) -> SourceRequest:
    """Return what to read; `scan` finds the films."""

    def placed(path: Path | None) -> Path | None:
        return None if path is None else settings.root / path

    return SourceRequest(
        films=settings.root / settings.films,
        reports=settings.root / settings.reports,
        kind=settings.source,
        columns=settings.columns,
        sheet=settings.sheet,
        index=placed(settings.index),
        captions=placed(settings.captions),
        language=settings.language,
        scan=scan,
    )


def prepare_data(
    settings: DataConfig,
    *,
    progress: Callable[[int, int], None] | None = None,
    on_refusals: Callable[[Sequence[Refusal]], None] | None = None,
) -> PreparedData:
    """Render the films that are not in the store yet, split by patient, and return the examples.

    `progress` is called for the headers first, and then for the films. `on_refusals` gets everything that was left out,
    with its real place. Raises DataError when a split is empty: a run needs all three.
    """
    out = store_folder(settings)
    with scratch_folder(out, films=settings.root / settings.films) as scratch:
        store = prepare(
            read_source(source_request(settings, scan=partial(scan_films, scratch=scratch, progress=progress))),
            out,
            settings=settings.render_settings(),
            split=settings.split,
            splits=None if settings.splits is None else settings.root / settings.splits,
            repair_terms=settings.repair_terms,
            max_refused_fraction=settings.max_refused_fraction,
            progress=progress,
            on_refusals=on_refusals,
        )
    examples = store.examples(
        question=settings.question, system=settings.system, max_images=settings.max_images, views=settings.views
    )
    splits = {
        split: tuple(example for example in examples if example.split == split) for split in ("train", "val", "test")
    }
    empty = [split for split, members in splits.items() if not members]
    if empty:
        counts = dict(Counter(example.split for example in examples))
        raise DataError(
            f"the {' and '.join(empty)} split is empty ({counts or 'no usable study'}; what was left out: "
            f"{store.path / 'quarantine.jsonl'}). At least three patients with films and reports are needed."
        )
    return PreparedData(store=store, train=splits["train"], val=splits["val"], test=splits["test"])


def store_folder(settings: DataConfig) -> Path:
    """Return where the prepared data of these settings lie: one folder per data set and way of preparing it."""
    where = [str((settings.root / part).resolve()) for part in (settings.films, settings.reports)]
    how = settings.model_dump(
        mode="json",
        exclude={
            "card",
            "root",
            "films",
            "reports",
            "store_dir",
            "question",
            "system",
            "views",
            "max_images",
            "profile",
        },
    )
    digest = hashlib.sha256(json.dumps([where, how], sort_keys=True, ensure_ascii=False).encode()).hexdigest()
    name = (settings.root / settings.films).resolve().parent.name or "data"
    return settings.store_dir / f"{name}-{digest[:8]}"


def count_by_split(data: PreparedData) -> dict[str, int]:
    """Return the number of studies in each split."""
    return {"train": len(data.train), "val": len(data.val), "test": len(data.test)}


def count_patients(data: PreparedData) -> dict[str, int]:
    """Return the number of patients in each split."""
    splits = {"train": data.train, "val": data.val, "test": data.test}
    return {split: len({example.patient_key for example in members}) for split, members in splits.items()}


def describe_data(data: PreparedData, *, views: Collection[View]) -> list[str]:
    """Return the lines that tell what the data are: counts by split, what was left out and why, public pseudonyms."""
    counts = count_by_split(data)
    info = data.store.info
    patients = count_patients(data)
    lines = ["Studies: " + ", ".join(f"{split} {counts[split]} ({patients[split]} patients)" for split in counts)]
    left_out = {**info.left_out["refused"], **info.left_out["unpaired"]}
    if left_out:
        listed = ", ".join(f"{code} {number}" for code, number in left_out.items())
        lines.append(
            f"Left out: {listed}. Listed without names in {data.store.path / 'quarantine.jsonl'}, "
            "with names by `xray prepare ... --refused FILE`"
        )
    if without := data.store.count_without(views):
        lines.append(f"Not used: {without} studies without a film of data.views ({', '.join(views)})")
    if patients["test"] < FEW_PATIENTS:
        lines.append(
            f"Warning: {patients['test']} patients in the test split: too few for the scores to say much. "
            "Add studies, or raise data.split.test."
        )
    if notice := public_key_notice(data.store):
        lines.append(f"Warning: {notice}")
    return lines


def summarize_data(data: PreparedData, *, settings: DataConfig) -> DataSummary:
    """Return what a run's manifest says of its data."""
    info = data.store.info
    return DataSummary(
        source=str(settings.root / settings.reports),
        store=str(data.store.path),
        fingerprint=data.store.fingerprint,
        render_digest=settings.render_settings().digest(),
        image_size=settings.image_size,
        studies=count_by_split(data),
        patients=count_patients(data),
        left_out=info.left_out,
        leakage=info.leakage,
    )
