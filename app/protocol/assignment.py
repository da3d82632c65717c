"""Who reads which case, in what order, and which report stands under which label: a plan, the same for the same seed.

Every case of the study is read by `overlap` readers, whose loads differ by at most one. Where there are more sources
than reports on the page, the readers of a case get different ones in turn. Each reader has an order of their own;
cases that come back do so half an order later and under other labels. Sentinels are further cases, the same for all.
"""

import hashlib
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb

from app.protocol.blinding import neutral_text
from app.protocol.model import Protocol
from app.protocol.sentinels import sentinel_texts
from app.store.studies import Arm, Assignment, Purpose
from xray.errors import ConfigError
from xray.text.lexicon import Profile

REFERENCE = "reference"
LABELS = "ABCDE"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Source:
    """Whose reports are judged: a system of a run, or the run's reference reports (`REFERENCE`)."""

    run_id: str
    system: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyCase:
    """A case that every source has a report on: `texts` in the order of the sources. `stratum` is "" without strata."""

    case_id: str
    texts: tuple[str, ...]
    reference: str
    stratum: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """What a plan is made from. `run_id` is the run whose films and reference are shown; the times are ISO 8601."""

    study_id: str
    run_id: str
    protocol: Protocol
    sources: tuple[Source, ...]
    readers: tuple[str, ...]
    seed: int
    overlap: int = 1
    repeats: float = 0.0
    sentinels: float = 0.0
    not_before: str | None = None
    due: str | None = None
    profile: Profile = "standard"

    @property
    def has_common_texts(self) -> bool:
        """Whether some texts are read by several readers: where there are sources enough, each reader has others."""
        return self.overlap > comb(len(self.sources), self.protocol.reports)

    @property
    def is_disguised(self) -> bool:
        """Whether texts of different authors meet, so that none may be told by its punctuation."""
        return self.protocol.is_blind and (len(self.sources) > 1 or self.sentinels > 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One assignment of a plan with what its labels stand for, and the stratum of its case."""

    assignment: Assignment
    arms: tuple[Arm, ...]
    stratum: str

    @property
    def purpose(self) -> Purpose:
        """Why the case is read: for the study, again, or as a sentinel."""
        return self.arms[0].purpose


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    """A case as one reader sees it: `texts` under the labels from A on, each with its source."""

    case: StudyCase
    texts: tuple[tuple[Source, str], ...]
    purpose: Purpose = "study"


def make_plan(design: Design, cases: Sequence[StudyCase]) -> tuple[Reading, ...]:
    """Deal the cases out. Raises ConfigError for a design that cannot be carried out, with what to change.

    Too few cases whose reference can carry a planted error give fewer sentinels.
    """
    _check(design, cases)
    dealt = sorted(cases, key=lambda case: case.case_id)
    random.Random(f"{design.seed} cases").shuffle(dealt)
    planted = _sentinels(design, dealt)
    chosen = {case.case_id for case, _ in planted}
    by_reader = _deal(design, [case for case in dealt if case.case_id not in chosen])
    count = min(len(own) for own in by_reader.values())
    again = min(round(design.repeats * count), count)
    return tuple(
        reading for reader, own in by_reader.items() for reading in _readings(design, reader, own, planted, again=again)
    )


def _check(design: Design, cases: Sequence[StudyCase]) -> None:
    if not cases:
        raise ConfigError("No case is left for the study. Choose other runs, systems or filters.").in_chinese(
            "没有可用于研究的病例。请更换运行、报告来源或筛选条件。"
        )
    if len({case.case_id for case in cases}) < len(cases):
        raise ConfigError("A case is there twice. Choose each case once.")
    if not design.readers or len(set(design.readers)) < len(design.readers):
        raise ConfigError("A study needs readers, each of them once.")
    if not 1 <= design.overlap <= len(design.readers):
        raise ConfigError(
            f"{design.overlap} readers a case cannot be had from {len(design.readers)}. Add readers, or ask for fewer."
        )
    if len(design.sources) < design.protocol.reports or len(set(design.sources)) < len(design.sources):
        raise ConfigError(
            f"The protocol {design.protocol.name} shows {design.protocol.reports} reports of different sources, and "
            f"{len(set(design.sources))} are chosen. Choose more, or another protocol."
        )


def _deal(design: Design, cases: Sequence[StudyCase]) -> dict[str, list[_Shown]]:
    """Give each case to those readers who have least, first of all, then least of its stratum and least together."""
    rng = random.Random(f"{design.seed} readers")
    readers = sorted(design.readers)
    load: Counter[str] = Counter()
    of_stratum: Counter[tuple[str, str]] = Counter()
    together: Counter[frozenset[str]] = Counter()
    labels = _Labels(design)
    own: dict[str, list[_Shown]] = {reader: [] for reader in readers}
    for case in sorted(cases, key=lambda case: case.stratum):
        chosen: list[str] = []
        while len(chosen) < design.overlap:
            ranked = [
                (
                    load[reader],
                    of_stratum[reader, case.stratum],
                    sum(together[frozenset((reader, other))] for other in chosen),
                    rng.random(),
                    reader,
                )
                for reader in readers
                if reader not in chosen
            ]
            chosen.append(min(ranked)[-1])
        load.update(chosen)
        of_stratum.update((reader, case.stratum) for reader in chosen)
        together.update(frozenset(pair) for pair in combinations(chosen, 2))
        for reader in chosen:
            own[reader].append(labels.put_on(case, reader=reader))
    return own


class _Labels:
    """Which sources a reader sees of a case and under which labels, so that neither tells anything of the other."""

    def __init__(self, design: Design) -> None:
        self._design = design
        self._rng = random.Random(f"{design.seed} labels")
        self._sets = list(combinations(range(len(design.sources)), design.protocol.reports))
        self._seen: Counter[tuple[str, tuple[int, ...]]] = Counter()
        self._placed: Counter[tuple[str, int, int]] = Counter()

    def put_on(self, case: StudyCase, *, reader: str) -> _Shown:
        """Choose what this reader and the readers of this case have seen least of, and so for the labels."""
        who, what = f"reader {reader}", f"case {case.case_id}"
        shown = min(
            self._sets, key=lambda chosen: (self._seen[what, chosen], self._seen[who, chosen], self._rng.random())
        )
        self._seen.update({(what, shown): 1, (who, shown): 1})
        start = self._rng.sample(shown, len(shown))
        turns = [tuple(start[turn:] + start[:turn]) for turn in range(len(start))]
        order = min(turns, key=lambda turn: (self._worn(who, turn), self._worn(what, turn), self._rng.random()))
        self._placed.update((key, source, label) for key in (who, what) for label, source in enumerate(order))
        disguised = self._design.is_disguised
        texts = ((source, neutral_text(case.texts[source]) if disguised else case.texts[source]) for source in order)
        return _Shown(case=case, texts=tuple((self._design.sources[source], text) for source, text in texts))

    def _worn(self, key: str, order: Sequence[int]) -> int:
        return sum(self._placed[key, source, label] for label, source in enumerate(order))


def _sentinels(design: Design, dealt: Sequence[StudyCase]) -> list[tuple[StudyCase, tuple[tuple[Source, str], ...]]]:
    """Take as many cases as each reader is to have sentinels, and make their texts."""
    load = len(dealt) * design.overlap / len(design.readers)
    wanted = min(round(design.sentinels * load), len(dealt) - 1)
    rng = random.Random(f"{design.seed} sentinels")
    made: list[tuple[StudyCase, tuple[tuple[Source, str], ...]]] = []
    for case in dealt:
        if len(made) >= wanted:
            break
        reference = neutral_text(case.reference) if design.is_disguised else case.reference
        good = design.protocol.reports > 1 or len(made) % 2 == 1
        texts = sentinel_texts(reference, count=design.protocol.reports, good=good, profile=design.profile, rng=rng)
        if texts:
            made.append((case, tuple((Source(run_id=design.run_id, system=one.system), one.text) for one in texts)))
    return made


def _readings(
    design: Design,
    reader: str,
    own: Sequence[_Shown],
    planted: Sequence[tuple[StudyCase, tuple[tuple[Source, str], ...]]],
    *,
    again: int,
) -> list[Reading]:
    rng = random.Random(f"{design.seed} order {reader}")
    repeated = rng.sample(own, again)
    twice = {shown.case.case_id for shown in repeated}
    once = [shown for shown in own if shown.case.case_id not in twice]
    once += [
        _Shown(case=case, texts=tuple(rng.sample(texts, len(texts))), purpose="sentinel") for case, texts in planted
    ]
    order = _in_order(repeated, once, rng=rng)
    return [_reading(design, reader, shown, position=position) for position, shown in enumerate(order)]


def _in_order(repeated: Sequence[_Shown], once: Sequence[_Shown], *, rng: random.Random) -> list[_Shown]:
    """Shuffle; what comes twice comes in the first half and again exactly half an order later, under other labels."""
    others = rng.sample(once, len(once))
    middle = (len(others) + 1) // 2
    first, second = others[:middle], others[middle:]
    places = sorted(rng.sample(range(len(second) + len(repeated)), len(repeated)))
    for place, shown in zip(places, repeated, strict=True):
        first.insert(place, shown)
        second.insert(place, _again(shown))
    return [*first, *second]


def _again(shown: _Shown) -> _Shown:
    return _Shown(case=shown.case, texts=(*shown.texts[1:], shown.texts[0]), purpose="repeat")


def _reading(design: Design, reader: str, shown: _Shown, *, position: int) -> Reading:
    name = f"{design.seed}/{design.study_id}/{reader}/{position}"
    assignment = Assignment(
        id=hashlib.sha256(name.encode()).hexdigest()[:20],
        study_id=design.study_id,
        reader=reader,
        position=position,
        run_id=design.run_id,
        case_id=shown.case.case_id,
        not_before=design.not_before,
        due=design.due,
    )
    arms = tuple(
        Arm(label=label, text=text, source_run=source.run_id, source_system=source.system, purpose=shown.purpose)
        for label, (source, text) in zip(LABELS, shown.texts, strict=False)
    )
    return Reading(assignment=assignment, arms=arms, stratum=shown.case.stratum)
