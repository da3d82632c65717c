"""Which ids name a patient and which only fill the field."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xray.data.patient_ids import real_patient_id

PLACEHOLDERS = ("ANONYMOUS", "anon", "0", "0000", "NA", "N/A", "none", "Unknown", "--", "XXX", "匿名", "无名", "ＮＡ")


@pytest.mark.parametrize("placeholder", [*PLACEHOLDERS, "", " ", None])
def test_a_placeholder_is_nobodys_id(placeholder: str | None):
    assert real_patient_id(placeholder) is None


@pytest.mark.parametrize("number", ["ANON-17", "0012", "NA7", "X1", "匿名3"])
def test_an_id_that_only_looks_like_a_placeholder_is_kept(number: str):
    assert real_patient_id(f" {number} ") == number


@given(word=st.sampled_from(PLACEHOLDERS), noise=st.text(alphabet=" -_./*^()", max_size=4), upper=st.booleans())
def test_case_blanks_and_punctuation_make_no_difference(word: str, noise: str, upper: bool):
    assert real_patient_id(noise + (word.upper() if upper else word.lower()) + noise) is None


@given(number=st.integers(min_value=1))
def test_every_number_but_zero_is_an_id(number: int):
    assert real_patient_id(str(number)) == str(number)
