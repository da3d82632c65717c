"""What ties studies together, so that they must stand on one side of a split.

A cluster of one kind names the studies that share one thing: a patient, an examination, a film (the same rendered
pixels), nearly the same film, a report, nearly the same report. Two rules keep half a hospital out of one group:

- A text, or a cluster of texts that are nearly the same, ties studies only if it is long enough to be telling and not
  more than `MOST_PATIENTS_OF_TEXT` patients share it. Other repeated texts are templates ("both lungs are clear"),
  which are legitimate: they are counted, and tie nothing.
- A picture that nearly the same pixels of more than `MOST_PATIENTS_OF_FILM` patients show is no patient's film (a test
  pattern, a drawing): counted too. The limit is wider, since such pairs are verified on the pixels.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from xray.data.perceptual import HashedFilm, Pixels, near_duplicates
from xray.text.similarity import SHORTEST_TELLING, content, near_texts

MOST_PATIENTS_OF_TEXT = 3
MOST_PATIENTS_OF_FILM = 20

ClusterKind = Literal["patients", "studies", "images", "near_images", "reports", "near_reports", "templates"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitFilm:
    """A film as a split sees it: the sha256 of its rendered pixels and their `perceptual_hash`, both in hex digits."""

    pixels_sha256: str
    perceptual_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitStudy:
    """A study, or one image of it, as a split sees it.

    `patients` are the keys of its patient: the first decides its split, others (what the films' headers say) only tie.
    `text` is the report and whatever else of it is trained on, empty if there is none.
    """

    study: str
    patients: tuple[str, ...]
    text: str
    films: tuple[SplitFilm, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """At least two entries that share one thing, by their positions in the list of studies, ascending.

    Each pair of films or texts that are nearly the same is a cluster, so that leaving an entry out unties the rest.
    """

    kind: ClusterKind
    members: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """`ties` must not cross splits; `templates` may."""

    ties: tuple[Cluster, ...]
    templates: tuple[Cluster, ...]


class DisjointSets:
    """Union-find: the root of a set is its smallest member, whatever the order of the unions."""

    def __init__(self) -> None:
        self._parent: dict[str, str] = {}

    def root(self, item: str) -> str:
        """Return the smallest member of the item's set; an item that was never joined is a set of its own."""
        parent = self._parent
        parent.setdefault(item, item)
        while parent[item] != item:
            parent[item] = parent[parent[item]]
            item = parent[item]
        return item

    def join(self, items: Iterable[str]) -> None:
        """Make one set of the sets of all items."""
        roots = {self.root(item) for item in items}
        self._parent.update(dict.fromkeys(roots, min(roots, default="")))


def find_links(studies: Sequence[SplitStudy], *, pixels: Callable[[str], Pixels] | None = None) -> Links:
    """Find what ties the studies together; the result depends on the set of studies alone, not on their order.

    `pixels` gives the rendered film, uint8 [H, W], of a `pixels_sha256`, to verify films whose hashes are alike;
    without it, films that are nearly the same are not looked for. `xray.data.perceptual` and `xray.text.similarity`
    say what near means and how surely it is found.
    """
    texts, templates = _text_clusters(studies)
    ties = [
        *_clusters("patients", _by_key((key, n) for n, study in enumerate(studies) for key in set(study.patients))),
        *_clusters("studies", _by_key((study.study, n) for n, study in enumerate(studies))),
        *_clusters("images", _by_film(studies)),
        *texts,
    ]
    if pixels is not None:
        films, repeated = _near_films(studies, pixels=pixels)
        ties += films
        templates += repeated
    return Links(ties=tuple(ties), templates=tuple(templates))


def _by_key(pairs: Iterable[tuple[str, int]]) -> dict[str, list[int]]:
    members: dict[str, list[int]] = defaultdict(list)
    for key, number in pairs:
        members[key].append(number)
    return members


def _by_film(studies: Sequence[SplitStudy]) -> dict[str, list[int]]:
    return _by_key(
        (film, n) for n, study in enumerate(studies) for film in {film.pixels_sha256 for film in study.films}
    )


def _clusters(kind: ClusterKind, members_of: Mapping[str, Sequence[int]]) -> list[Cluster]:
    return [Cluster(kind=kind, members=tuple(members)) for members in members_of.values() if len(members) > 1]


def _text_clusters(studies: Sequence[SplitStudy]) -> tuple[list[Cluster], list[Cluster]]:
    """Return the clusters of texts that tie studies, and the templates."""
    members_of = _by_key((text, n) for n, study in enumerate(studies) if (text := content(study.text)))
    ties: list[Cluster] = []
    templates: list[Cluster] = []
    for texts, pairs in _connected(members_of, pairs=near_texts(members_of)):
        members = _members(texts, members_of)
        telling = min(map(len, texts)) >= SHORTEST_TELLING
        if telling and _num_patients(members, studies) <= MOST_PATIENTS_OF_TEXT:
            ties += _clusters("reports", {text: members_of[text] for text in texts})
            ties += [Cluster(kind="near_reports", members=_members(pair, members_of)) for pair in pairs]
        elif len(members) > 1:
            templates.append(Cluster(kind="templates", members=members))
    return ties, templates


def _near_films(
    studies: Sequence[SplitStudy], *, pixels: Callable[[str], Pixels]
) -> tuple[list[Cluster], list[Cluster]]:
    """Return the pairs of films of several patients that differ and show one film, and pictures that many show."""
    members_of = _by_film(studies)
    films = {
        film.pixels_sha256: HashedFilm(key=film.pixels_sha256, hash=film.perceptual_hash, owner=study.patients[0])
        for study in sorted(studies, key=lambda study: study.patients[0])
        for film in study.films
    }
    ties: list[Cluster] = []
    repeated: list[Cluster] = []
    for shown, pairs in _connected(members_of, pairs=near_duplicates(list(films.values()), pixels=pixels)):
        members = _members(shown, members_of)
        if _num_patients(members, studies) <= MOST_PATIENTS_OF_FILM:
            ties += [Cluster(kind="near_images", members=_members(pair, members_of)) for pair in pairs]
        elif pairs:
            repeated.append(Cluster(kind="templates", members=members))
    return ties, repeated


def _connected(
    items: Iterable[str], *, pairs: Sequence[tuple[str, str]]
) -> list[tuple[list[str], list[tuple[str, str]]]]:
    """Return each connected set of items with the pairs that connect it, all in sorted order."""
    sets = DisjointSets()
    for pair in pairs:
        sets.join(pair)
    members: dict[str, list[str]] = defaultdict(list)
    for item in sorted(items):
        members[sets.root(item)].append(item)
    inside: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for pair in sorted(pairs):
        inside[sets.root(pair[0])].append(pair)
    return [(members[root], inside.get(root, [])) for root in members]


def _members(keys: Iterable[str], members_of: Mapping[str, Sequence[int]]) -> tuple[int, ...]:
    return tuple(sorted({number for key in keys for number in members_of[key]}))


def _num_patients(members: Collection[int], studies: Sequence[SplitStudy]) -> int:
    return len({studies[number].patients[0] for number in members})
