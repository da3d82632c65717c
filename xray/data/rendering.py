"""One pass over the films of a data set: what is known already, what is rendered, what is refused."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from xray.data.assembly import Outcome, RenderedFilm
from xray.data.convert import ConvertedFilm, StudyTask, film_key
from xray.data.engines import convert_studies
from xray.data.known_files import KnownFiles
from xray.data.sources.study_files import SourceData
from xray.data.workspace import Workspace
from xray.dicom.render import RenderSettings
from xray.errors import Rejected
from xray.types import Engine

Progress = Callable[[int, int], None]
"""Called with the number of films done and of all."""


@dataclass(slots=True, kw_only=True)
class Rendering:
    """What became of each film; `refused` are the keys of those that were refused."""

    source: SourceData
    space: Workspace
    files: KnownFiles
    settings: RenderSettings
    outcomes: dict[Path, Outcome] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)

    def run(self, *, engine: Engine, workers: int | None, progress: Progress | None) -> None:
        """Render each film that is not in the workspace yet.

        A film that was hashed before and has not changed is looked up in this process, and its bytes are not read.
        """
        ordered = dict.fromkeys(film for study in self.source.studies for film in study.films)

        def note(film: ConvertedFilm) -> None:
            self._note(film)
            if progress is not None:
                progress(len(self.outcomes), len(ordered))

        known = self.space.known()
        try:
            for film in ordered:
                if (key := self._key(film)) in known:
                    note(ConvertedFilm(path=film, key=key))
            convert_studies(
                self._tasks(), settings=self.settings, known=known, on_film=note, workers=workers, engine=engine
            )
        finally:
            self.space.flush()
            self.files.flush()
        self.outcomes = {film: self.outcomes[film] for film in ordered}

    def _key(self, film: Path) -> str | None:
        sha256 = self.files.sha256(film)
        return None if sha256 is None else film_key(sha256, settings=self.settings)

    def _tasks(self) -> Sequence[StudyTask]:
        left = [tuple(film for film in study.films if film not in self.outcomes) for study in self.source.studies]
        return [StudyTask(films=films) for films in left if films]

    def _note(self, film: ConvertedFilm) -> None:
        if film.row is not None:
            self.space.add(film.row)
        if film.digest is not None:
            self.files.note(film.path, film.digest)
        if film.rejected is not None and film.key is not None:
            self.space.refuse(film.key, film.rejected)
        known = film.rejected or self.space.outcome(str(film.key))
        if isinstance(known, Rejected):
            self.refused.update({film.key} if film.key else ())
            self.outcomes[film.path] = known
        else:
            self.outcomes[film.path] = RenderedFilm(key=str(film.key), facts=known)
