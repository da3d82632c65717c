"""Which finding answers which where several could, and how far a sign and its conclusion may be apart."""

import pytest

from xray.metrics.compare import compare_findings
from xray.metrics.stated import read_report


def errors(candidate: str, reference: str) -> dict[str, int]:
    return {kind: count for kind, count in compare_findings(candidate, reference).errors.items() if count}


def test_a_namesake_is_paired_before_a_neighbour_so_that_errors_do_not_hide():
    reference, candidate = "右侧胸膜增厚，右侧肋膈角变钝。", "右侧胸腔积液，右侧肋膈角变钝。"
    assert errors(candidate, reference) == {"false": 1, "omission": 1}
    assert [
        match.reference.concept for match in compare_findings("右肺肿块。右肺结节。", "右肺结节。右肺斑片影。").matches
    ] == ["nodule"]


@pytest.mark.parametrize("hedge", ["考虑肺炎", "不除外肺炎", "肺炎待排", "肺炎？", "肺炎可能"])
def test_a_sign_belongs_to_its_conclusion_however_the_conclusion_is_hedged(hedge: str):
    (one,) = read_report(f"右肺中叶斑片影，{hedge}。").stated
    assert (one.concept, one.laterality) == ("pneumonia", "right")
    assert errors(f"右肺中叶斑片影，{hedge}。", "右肺中叶斑片影，考虑肺炎。") == {}


def test_an_opposite_course_costs_more_than_one_that_is_left_out():
    (opposite,) = compare_findings("右侧胸腔积液较前增多。", "右侧胸腔积液较前吸收。").matches
    (silent,) = compare_findings("右侧胸腔积液。", "右侧胸腔积液较前吸收。").matches
    assert (opposite.credit, silent.credit) == (0.5, 0.9)


def test_a_model_that_repeats_itself_states_one_finding():
    (one,) = read_report("右侧胸腔积液。" * 20_000).stated
    assert len(one.mentions) == 20_000
