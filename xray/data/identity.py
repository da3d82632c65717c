"""Films that cannot all be what their headers say: one number for two images, one image or study for two patients."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class FilmIdentity:
    """Who a film says it is, and what it shows. None where nothing is said, or the pixels are not known yet."""

    path: Path = field(repr=False)
    patient_id: str | None = field(default=None, repr=False)
    study_uid: str | None = field(default=None, repr=False)
    sop_instance_uid: str | None = field(default=None, repr=False)
    pixels_sha256: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Clash:
    """A film that is not used, and why. `copy_of` is the film of which it is a copy, None where it is none."""

    path: Path = field(repr=False)
    code: str
    why: str
    copy_of: Path | None = field(default=None, repr=False)


def identity_clashes(films: Iterable[FilmIdentity]) -> tuple[Clash, ...]:
    """Return the films that cannot be used, in the order of `films`, each once, by the first rule that it breaks.

    `several_patients`: the films of one StudyInstanceUID name different patients; all of them. `duplicate_uid`: one
    SOPInstanceUID with different pixels; all, because nobody knows which is meant. `image_of_two_patients`: the same
    pixels under different patient ids; all. `duplicate_film`: one SOPInstanceUID with the same pixels; all but the
    first. A film without pixels clashes in none of the ways that compare pixels.
    """
    known = list(films)
    clashes: dict[Path, Clash] = {}
    rules = (_of_several_patients, _of_several_images, _of_two_patients, _copies)
    for rule in rules:
        for clash in rule([film for film in known if film.path not in clashes]):
            clashes.setdefault(clash.path, clash)
    return tuple(clashes[film.path] for film in known if film.path in clashes)


def _of_several_patients(films: Sequence[FilmIdentity]) -> Iterable[Clash]:
    why = "films of one StudyInstanceUID carry different patient ids; none of them is used"
    for group in _groups(films, lambda film: film.study_uid).values():
        if len({film.patient_id for film in group if film.patient_id}) > 1:
            yield from (Clash(path=film.path, code="several_patients", why=why) for film in group)


def _of_several_images(films: Sequence[FilmIdentity]) -> Iterable[Clash]:
    why = "films with one SOPInstanceUID have different pixels; none of them is used"
    for group in _groups(films, lambda film: film.sop_instance_uid).values():
        seen = [film for film in group if film.pixels_sha256]
        if len({film.pixels_sha256 for film in seen}) > 1:
            yield from (Clash(path=film.path, code="duplicate_uid", why=why) for film in seen)


def _of_two_patients(films: Sequence[FilmIdentity]) -> Iterable[Clash]:
    why = "the same image is there under different patient ids; none of these films is used"
    for group in _groups(films, lambda film: film.pixels_sha256).values():
        if len({film.patient_id for film in group if film.patient_id}) > 1:
            yield from (Clash(path=film.path, code="image_of_two_patients", why=why) for film in group)


def _copies(films: Sequence[FilmIdentity]) -> Iterable[Clash]:
    why = "another file has the same SOPInstanceUID and the same image"
    seen = [film for film in films if film.pixels_sha256]
    for group in _groups(seen, lambda film: film.sop_instance_uid).values():
        for copy in group[1:]:
            yield Clash(path=copy.path, code="duplicate_film", why=why, copy_of=group[0].path)


def _groups(
    films: Sequence[FilmIdentity], key: Callable[[FilmIdentity], str | None]
) -> Mapping[str, list[FilmIdentity]]:
    """Group the films that have the key."""
    groups: dict[str, list[FilmIdentity]] = defaultdict(list)
    for film in films:
        found = key(film)
        if found is not None:
            groups[found].append(film)
    return groups
