"""The pieces of HTML: everything that enters is escaped, every mark has a word and a sign."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.markup import SIGNS, legend_html, metrics_html, report_head_html, report_html, turns_html
from app.words import EN, ZH, Words
from finetune.manifest import CaseTurn
from xray.metrics.marks import KINDS, Segment

ALLOWED = {"div", "mark", "span", "h3", "b"}


class Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data):
        self.text.append(data)


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    reader.close()
    return reader


@given(text=st.text(alphabet=st.characters(exclude_characters="\r\0", exclude_categories=["Cs"]), max_size=60))
def test_a_report_text_never_becomes_markup(text: str):
    html = report_html([Segment(text=text), Segment(text=text, kind="false", concept=text)], words=ZH)
    reader = read(html)
    assert reader.tags <= ALLOWED
    assert reader.attributes <= {"class", "lang", "title"}
    assert "".join(reader.text).startswith(text)


def test_a_heading_escapes_what_it_is_given():
    assert "<img" not in report_head_html("<img src=x onerror=alert(1)>", badges=[("plain", "<img>")])


@pytest.mark.parametrize("words", [ZH, EN], ids=["zh", "en"])
def test_the_legend_gives_each_kind_its_word_and_its_own_sign(words: Words):
    text = "".join(read(legend_html(words)).text)
    assert all(SIGNS[kind] + words.kinds[kind] in text for kind in KINDS)
    assert len(set(SIGNS.values())) == len(KINDS)


def test_a_score_that_cannot_be_computed_is_a_dash():
    assert "".join(read(metrics_html([("side_accuracy", None)], words=ZH)).text).endswith("–")


def test_what_was_asked_is_shown_and_never_read_as_markup() -> None:
    turns = (
        CaseTurn(role="system", text="你是放射科医生。"),
        CaseTurn(role="user", text="有<b>积液</b>吗？"),
        CaseTurn(role="assistant", text="没有。"),
        CaseTurn(role="user", text="心影大吗？"),
    )
    shown = turns_html(turns, words=ZH)
    assert re.findall(r"<p><b>(.*?)</b> (.*?)</p>", shown) == [
        ("问：", "有&lt;b&gt;积液&lt;/b&gt;吗？"),
        ("答：", "没有。"),
        ("问：", "心影大吗？"),
    ]
    assert turns_html((), words=ZH) == ""
