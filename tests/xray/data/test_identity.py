from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from xray.data.identity import FilmIdentity, identity_clashes


def film(name: str, **identity: str) -> FilmIdentity:
    return FilmIdentity(path=Path(name), **identity)


def codes(*films: FilmIdentity) -> dict[str, str]:
    return {clash.path.name: clash.code for clash in identity_clashes(films)}


def test_films_that_have_nothing_in_common_do_not_clash():
    first = film("a", patient_id="P1", study_uid="1.1", sop_instance_uid="1.1.1", pixels_sha256="aa")
    second = film("b", patient_id="P2", study_uid="1.2", sop_instance_uid="1.2.1", pixels_sha256="bb")
    assert codes(first, second, film("c"), film("d")) == {}


def test_one_study_of_two_patients_is_refused_whole():
    films = [film("a", study_uid="1", patient_id="P1"), film("b", study_uid="1", patient_id="P2")]
    films += [film("c", study_uid="1"), film("d", study_uid="2", patient_id="P1")]
    assert codes(*films) == {"a": "several_patients", "b": "several_patients", "c": "several_patients"}


def test_a_film_without_patient_id_is_not_another_patients():
    assert codes(film("a", study_uid="1", patient_id="P1"), film("b", study_uid="1")) == {}


def test_one_number_for_two_images_refuses_both_and_for_one_image_all_but_the_first():
    twins = [film(name, sop_instance_uid="1", pixels_sha256=pixels) for name, pixels in (("a", "aa"), ("b", "bb"))]
    assert codes(*twins) == {"a": "duplicate_uid", "b": "duplicate_uid"}
    assert codes(twins[0], twins[1], film("c", sop_instance_uid="1", pixels_sha256="aa")).keys() == {"a", "b", "c"}
    copies = [film(name, sop_instance_uid="1", pixels_sha256="aa") for name in "abc"]
    assert codes(*copies) == {"b": "duplicate_film", "c": "duplicate_film"}
    assert [clash.copy_of for clash in identity_clashes(copies)] == [Path("a")] * 2


def test_one_image_of_two_patients_refuses_both_and_of_one_patient_neither():
    films = [film(name, patient_id=patient, pixels_sha256="aa") for name, patient in (("a", "P1"), ("b", "P2"))]
    assert codes(*films) == {"a": "image_of_two_patients", "b": "image_of_two_patients"}
    assert codes(films[0], film("c", patient_id="P1", pixels_sha256="aa"), film("d", pixels_sha256="aa")) == {}


def test_films_whose_pixels_are_unknown_are_not_compared_by_them():
    assert codes(film("a", sop_instance_uid="1"), film("b", sop_instance_uid="1")) == {}
    assert codes(film("a", sop_instance_uid="1"), film("b", sop_instance_uid="1", pixels_sha256="aa")) == {}


def test_what_is_refused_already_does_not_drag_others_down():
    films = [film("a", study_uid="1", patient_id="P1", pixels_sha256="aa")]
    films += [film("b", study_uid="1", patient_id="P2", pixels_sha256="bb")]
    films += [film("c", study_uid="2", patient_id="P3", pixels_sha256="aa")]
    assert codes(*films) == {"a": "several_patients", "b": "several_patients"}


def test_no_clash_names_anybody():
    films = [film(f"CANARY{name}", patient_id=f"CANARY-{name}", pixels_sha256="aa", study_uid="1") for name in "ab"]
    assert not any("CANARY" in f"{clash!r} {clash.why}" for clash in identity_clashes(films))
    assert "CANARY" not in repr(films)


few = st.sampled_from([None, "1", "2"])
FILMS = st.lists(st.tuples(few, few, few, few), max_size=8).map(
    lambda rows: [
        FilmIdentity(path=Path(str(number)), patient_id=p, study_uid=s, sop_instance_uid=i, pixels_sha256=x)
        for number, (p, s, i, x) in enumerate(rows)
    ]
)


@given(films=FILMS)
def test_what_is_left_over_does_not_clash(films: list[FilmIdentity]):
    gone = {clash.path for clash in identity_clashes(films)}
    assert len(gone) == len(identity_clashes(films))
    assert identity_clashes([one for one in films if one.path not in gone]) == ()


@given(films=FILMS, data=st.data())
def test_who_is_refused_as_another_does_not_depend_on_the_order(films: list[FilmIdentity], data: st.DataObject):
    other_order = data.draw(st.permutations(films))
    first, second = (
        {clash.path: clash.code for clash in identity_clashes(order) if clash.code != "duplicate_film"}
        for order in (films, other_order)
    )
    assert first == second
