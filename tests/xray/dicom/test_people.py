"""Everybody whom a header names is known in every way in which a report may write them."""

import numpy as np
import pytest
from pydicom.uid import ImplicitVRLittleEndian

from xray.dicom.people import people_of


def people(make_film, through_file, **elements):
    film = make_film(np.zeros((64, 64), dtype=np.uint16), PatientID="9", **elements)
    return set(people_of(through_file(film)))


def test_a_name_is_known_with_family_name_first_and_last(make_film, through_file):
    found = people(make_film, through_file, PatientName="Zhang^San^Wei=张^三=ㄓㄤ^ㄙㄢ")
    assert {"Zhang San Wei", "San Wei Zhang", "张三"} <= found


def test_physicians_and_operators_are_known(make_film, through_file):
    found = people(
        make_film, through_file, OperatorsName=["李^四", "王^五"], ReferringPhysicianName="赵六", PatientName="钱^七"
    )
    assert found == {"李四", "王五", "赵六", "钱七"}


@pytest.mark.parametrize(
    ("declared", "encoding"), [("ISO_IR 100", "gb18030"), ("GB18030", "utf-8"), ("ISO_IR 192", "utf-8")]
)
def test_each_of_several_operators_is_known_where_the_character_set_is_wrong(
    make_film, through_file, declared, encoding
):
    film = make_film(np.zeros((64, 64), dtype=np.uint16), PatientID="9", PatientName=None)
    film.SpecificCharacterSet = declared
    film.add_new("OperatorsName", "UN", "李四\\王五\\赵^六".encode(encoding))
    assert people_of(through_file(film)) == ("李四", "王五", "赵六")


def test_operators_that_share_one_value_are_known_each(make_film, through_file):
    found = people(make_film, through_file, OperatorsName="李四,王五、赵六/孙^七", PatientName="")
    assert found == {"李四", "王五", "赵六", "孙七"}


def test_numbers_of_five_and_more_characters_are_known(make_film, through_file):
    film = make_film(np.zeros((64, 64), dtype=np.uint16), PatientID="ZY00123", AccessionNumber="77", PatientName="")
    assert people_of(through_file(film)) == ("ZY00123",)


def test_a_word_alone_is_no_latin_name(make_film, through_file):
    assert people(make_film, through_file, PatientName="ANONYMOUS") == set()


def test_a_department_in_the_place_of_a_person_is_no_name(make_film, through_file):
    found = people(
        make_film, through_file, ReferringPhysicianName="内科", OperatorsName=["技师", "李四"], PatientName="匿名"
    )
    assert found == {"李四"}


def test_a_name_in_an_implicit_vr_file_is_known_too(make_film, through_file):
    film = make_film(np.zeros((64, 64), dtype=np.uint16), PatientID="9", PatientName="司徒^慕青", PatientAge="061Y")
    film.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    assert people_of(through_file(film)) == ("司徒慕青",)
