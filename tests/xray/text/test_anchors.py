import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.xray.text.test_sentences import SENTENCES
from xray.text.lexicon import PROFILES, load
from xray.text.lexicon.anchors import anchors, may_match


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("气胸", {"气"}),
        ("胸腔(?:少量)?积液|胸水", {"腔", "水"}),
        ("(?:左|右)?肺", {"肺"}),
        ("(?<!未见)骨折", {"骨", "折"}),
        ("[^,。]{0,3}", set()),
        ("(?:疝)*", set()),
        ("疝+|.", set()),
    ],
)
def test_anchors_are_characters_no_match_can_do_without(expression: str, expected: set[str]):
    found = anchors(expression)
    assert found <= expected
    assert bool(found) == bool(expected)


@pytest.mark.parametrize("profile", PROFILES)
def test_no_expression_is_skipped_where_it_matches(profile: str):
    lexicon = load(profile)
    patterns = [pattern for _, _, pattern in lexicon.terms] + [pattern for _, pattern in lexicon.cues]
    for text, _ in SENTENCES:
        for pattern in patterns:
            assert may_match(pattern, set(text)) or not pattern.search(text)


@given(st.text(alphabet="胸腔积液水少量气", max_size=12))
def test_a_text_without_anchors_has_no_match(text: str):
    pattern = re.compile("胸(?:腔|水)(?:少量)?(?:积[液气])+|气胸")
    assert may_match(pattern, set(text)) or not pattern.search(text)
