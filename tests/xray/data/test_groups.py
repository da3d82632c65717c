"""What ties studies together, and what is too common to do so."""

import random
from collections import Counter

import numpy as np

from tests.xray.data.drawn_films import VARIANTS, drawn_film
from xray.data.groups import MOST_PATIENTS_OF_FILM, Links, SplitFilm, SplitStudy, find_links
from xray.data.perceptual import perceptual_hash

TELLING = (
    "右肺下野见斑片状密度增高影，边缘模糊，右侧肋膈角变钝，心影增大，主动脉结突出，左侧第五肋骨陈旧性骨折，请结合临床。"
)
OTHER = (
    "左肺上野见结节影，直径约一点五厘米，边缘可见毛刺，邻近胸膜牵拉，纵隔居中，膈面光整，双侧肋膈角锐利，胸廓骨质完整。"
)


def study(name: str, *, patient: str | None = None, text: str = "", films: tuple[str, ...] = ()) -> SplitStudy:
    shown = tuple(SplitFilm(pixels_sha256=film, perceptual_hash="0" * 64) for film in films)
    return SplitStudy(study=name, patients=(patient or f"patient of {name}",), text=text, films=shown)


def ties(links: Links) -> list[tuple[str, tuple[int, ...]]]:
    return sorted((cluster.kind, cluster.members) for cluster in links.ties)


def test_studies_of_one_patient_are_tied_also_by_what_a_header_says() -> None:
    one, other = study("a", patient="p"), study("b", patient="q")
    both = SplitStudy(study="c", patients=("q", "p"), text="")
    assert ties(find_links([one, other, both])) == [("patients", (0, 2)), ("patients", (1, 2))]


def test_studies_with_one_film_are_tied() -> None:
    assert ties(find_links([study("a", films=("f", "f")), study("b", films=("g", "f"))])) == [("images", (0, 1))]


def test_rows_of_one_study_are_tied() -> None:
    assert ("studies", (0, 1)) in ties(find_links([study("a"), study("a")]))


def test_a_telling_text_ties_the_few_patients_that_share_it() -> None:
    links = find_links([study("a", text=TELLING), study("b", text=TELLING + "\n"), study("c", text=OTHER)])
    assert ties(links) == [("reports", (0, 1))]
    assert links.templates == ()


def test_nearly_the_same_text_ties_too() -> None:
    changed = TELLING.replace("第五", "第六")
    assert ties(find_links([study("a", text=TELLING), study("b", text=changed)])) == [("near_reports", (0, 1))]


def test_a_text_that_many_patients_share_is_a_template_and_ties_nobody() -> None:
    links = find_links([study(f"{n}", text=TELLING) for n in range(4)])
    assert ties(links) == []
    assert [cluster.members for cluster in links.templates] == [(0, 1, 2, 3)]


def test_a_text_of_many_variants_is_a_template_too() -> None:
    changed = [TELLING.replace("第五", f"第{number}") for number in "一二三四六"]
    links = find_links([study(f"{n}", text=text) for n, text in enumerate(changed)])
    assert ties(links) == []
    assert len(links.templates) == 1


def test_four_studies_of_one_patient_make_no_template() -> None:
    links = find_links([study(f"{n}", patient="p", text=TELLING) for n in range(4)])
    assert Counter(kind for kind, _ in ties(links)) == {"patients": 1, "reports": 1}


def test_a_short_text_and_no_text_tie_nobody() -> None:
    normal = "双肺纹理清晰，心影不大，膈面光整。"
    links = find_links([study("a", text=normal), study("b", text=normal), study("c"), study("d")])
    assert ties(links) == []
    assert [cluster.members for cluster in links.templates] == [(0, 1)]


def shown(name: str, pixels: np.ndarray, films: dict[str, np.ndarray]) -> SplitStudy:
    films[name] = pixels
    film = SplitFilm(pixels_sha256=name, perceptual_hash=perceptual_hash(pixels))
    return SplitStudy(study=name, patients=(name,), text="", films=(film,))


def test_nearly_the_same_film_ties_if_pixels_are_at_hand() -> None:
    films: dict[str, np.ndarray] = {}
    studies = [shown(f"{n}", drawn_film(n), films) for n in range(3)]
    studies.append(shown("copy", VARIANTS["compressed"](drawn_film(1)), films))
    assert ties(find_links(studies, pixels=films.__getitem__)) == [("near_images", (1, 3))]
    assert ties(find_links(studies)) == []


def test_a_picture_that_very_many_show_ties_nobody_and_is_counted() -> None:
    films: dict[str, np.ndarray] = {}
    picture = drawn_film(1)
    studies = []
    for n in range(MOST_PATIENTS_OF_FILM + 1):
        pixels = picture.copy()
        pixels[0, n] = 255
        studies.append(shown(f"{n}", pixels, films))
    links = find_links(studies, pixels=films.__getitem__)
    assert ties(links) == []
    assert [len(cluster.members) for cluster in links.templates] == [MOST_PATIENTS_OF_FILM + 1]


def test_the_order_of_the_studies_does_not_matter() -> None:
    texts = [TELLING, TELLING.replace("第五", "第六"), OTHER, OTHER + "。", ""]
    studies = [study(f"{n}", patient=f"p{n % 9}", text=texts[n % 5], films=(f"f{n % 11}",)) for n in range(12)]
    shuffled = studies[:]
    random.Random(4).shuffle(shuffled)

    def named(given: list[SplitStudy]) -> set[tuple[str, frozenset[str]]]:
        links = find_links(given)
        clusters = [*links.ties, *links.templates]
        return {(cluster.kind, frozenset(given[member].study for member in cluster.members)) for cluster in clusters}

    assert named(studies) == named(shuffled)
