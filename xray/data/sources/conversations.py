r"""Questions and answers about films, as LLaVA and ShareGPT write them, in `.json` or `.jsonl`.

    {"image": "a.png", "conversations": [{"from": "human", "value": "<image>\n..."}, {"from": "gpt", "value": ...}]}
    {"images": ["a.png", "b.png"], "messages": [{"role": "user", "content": "<image><image>..."}, ...]}

All conversations about one set of films are one study, so that a split cannot part them.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from xray.data.film_header import FilmHeader
from xray.data.sources.dialogue import Dialogue, read_dialogues
from xray.data.sources.film_scan import Scan, scan_films
from xray.data.sources.film_study import film_study
from xray.data.sources.films_folder import FilmsFolder, Found
from xray.data.sources.study_files import Kind, Refusal, SourceData, StudyFiles, first_stated
from xray.errors import Rejected
from xray.types import Split, Turn


def read_conversations(
    films: Path, conversations: Path, *, language: str = "zh", scan: Scan = scan_films
) -> SourceData:
    """Pair the films below `films` with the conversations that name them by path or file name.

    A study has no report; each assistant's turn is something to learn. Its films are put frontal first, as in every
    study, whatever order an entry shows them in. Optional fields of an entry: `system`,
    `patient_id` or `subject_id` (else the films' own), `split`. Refused are entries as `read_dialogues` does, and
    `ambiguous_film`, `film_refused`, `several_patients`, `several_splits`; listed as unpaired are entries that name a
    film that is not there (`no_film`) and films that no entry names (`no_conversation`). A repeated entry is noted
    (`duplicate_row`). Films are found by `scan`. Raises DataError if a file is missing or
    no JSON.
    """
    folder = scan(films)
    reader = _Reader(folder=folder, refusals=list(folder.refusals))
    studies = reader.studies(read_dialogues(conversations, refusals=reader.refusals))
    return SourceData(
        name="conversations",
        root=films,
        studies=tuple(studies),
        refusals=tuple(reader.refusals),
        lost_films=tuple(reader.lost.values()),
        unpacked=reader.folder.unpacked,
        language=language,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """A conversation with the headers of its films, each once, in the order in which it shows them."""

    dialogue: Dialogue
    headers: tuple[FilmHeader, ...] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
    folder: FilmsFolder
    refusals: list[Refusal]
    lost: dict[PurePath, Refusal] = field(default_factory=dict)
    named: set[Path] = field(default_factory=set)

    def studies(self, dialogues: Sequence[Dialogue]) -> list[StudyFiles]:
        """One study for each set of films, in the order of its first conversation."""
        by_films: dict[frozenset[Path], list[_Entry]] = defaultdict(list)
        for dialogue in dialogues:
            try:
                headers = tuple({header.path: header for header in self._films(dialogue)}.values())
            except Rejected as rejected:
                self._refuse(dialogue, rejected, is_unpaired=rejected.code == "no_film")
                continue
            by_films[frozenset(header.path for header in headers)].append(_Entry(dialogue=dialogue, headers=headers))
        studies = [study for same in by_films.values() if (study := self._study(same)) is not None]
        self.refusals.extend(self._films_without_conversation())
        return studies

    def _study(self, entries: list[_Entry]) -> StudyFiles | None:
        headers = entries[0].headers
        try:
            patient = self._patient(entries)
            return film_study(
                headers,
                study_uid=";".join(sorted(self.folder.relative(header) for header in headers)),
                report=None,
                patient_id=patient,
                row=entries[0].dialogue.place,
                declared_split=self._split(entries),
                conversations=tuple(self._each_once(entries)),
            )
        except Rejected as rejected:
            for entry in entries:
                self._refuse(entry.dialogue, rejected)
            return None

    def _each_once(self, entries: list[_Entry]) -> Iterator[tuple[Turn, ...]]:
        """Yield the different conversations; an entry that repeats one is noted."""
        seen: set[tuple[Turn, ...]] = set()
        for dialogue in (entry.dialogue for entry in entries):
            if dialogue.turns in seen:
                why, place = "an earlier entry says the same of these films", dialogue.place
                self.refusals.append(Refusal(where=place, code="duplicate_row", why=why, kind="note", row=place))
                continue
            seen.add(dialogue.turns)
            yield dialogue.turns

    def _patient(self, entries: list[_Entry]) -> str | None:
        """Return what the entries say, else the films' patient, else their StudyInstanceUID.

        The last joins two sets of films of one examination, which no split may part, where nobody is named.
        """
        stated = {patient for entry in entries if (patient := entry.dialogue.patient_id)}
        if len(stated) > 1:
            raise Rejected("several_patients", "conversations give one set of films to different patients")
        headers = entries[0].headers
        own = [header.patient_id for header in headers] + [header.study_uid for header in headers]
        return first_stated([*stated, *own])

    def _split(self, entries: list[_Entry]) -> Split | None:
        splits = {entry.dialogue.split for entry in entries} - {None}
        if len(splits) > 1:
            raise Rejected("several_splits", "conversations put one set of films into different splits")
        return first_stated(splits)

    def _films(self, dialogue: Dialogue) -> Iterator[FilmHeader]:
        for name in dialogue.images:
            found = self._found(name)
            self.named.update(header.path for header in found.headers)
            self.lost.update((file.path, file.refusal) for file in found.refused)
            if found.is_ambiguous:
                raise Rejected("ambiguous_film", "several films have the name that is given; give the path below films")
            if not found:
                raise Rejected("no_film", "a film that the conversation is about is not there")
            if not found.headers:
                raise Rejected("film_refused", "a film of this conversation was refused; see there")
            yield found.headers[0]

    def _found(self, name: str) -> Found:
        """Find a film by its path below films, or by one that begins higher up: `train/images/a.png` is `images/a.png`.

        A path that does not lead to a film never stands for one of the same name in another folder.
        """
        parts = PurePath(name.replace("\\", "/")).parts
        for start in range(len(parts)):
            found = self.folder.named("/".join(parts[start:]))
            if found and (start == 0 or self._is_at(found, PurePath(*parts[start:]))):
                return found
        return Found(headers=(), refused=())

    def _is_at(self, found: Found, path: PurePath) -> bool:
        places = [PurePath(self.folder.relative(header)) for header in found.headers]
        places += [file.path for file in found.refused]
        return bool(places) and all(path in (place, place.with_suffix("")) for place in places)

    def _refuse(self, dialogue: Dialogue, rejected: Rejected, *, is_unpaired: bool = False) -> None:
        kind: Kind = "unpaired" if is_unpaired else "refused"
        place = dialogue.place
        self.refusals.append(Refusal(where=place, code=rejected.code, why=rejected.why, kind=kind, row=place))

    def _films_without_conversation(self) -> Iterator[Refusal]:
        for header in self.folder.headers:
            if header.path not in self.named:
                where, why = self.folder.relative(header), "no conversation is about this film"
                yield Refusal(where=where, code="no_conversation", why=why, kind="unpaired")
