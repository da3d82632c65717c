"""The pieces of HTML: everything that enters is escaped, every mark has a word and a sign."""

import re
from html.parser import HTMLParser

from app.markup import SIGNS, metrics_html, report_head_html, turns_html
from app.words import ZH
from app.words.workbench import WORKBENCH_WORDS
from finetune.manifest import CaseTurn
from xray.metrics.alignment import SENTENCE_KINDS


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


def test_a_heading_escapes_what_it_is_given():
    assert "<img" not in report_head_html("<img src=x onerror=alert(1)>", badges=[("plain", "<img>")])


def test_each_kind_has_a_word_in_both_languages_and_a_sign_of_its_own():
    assert len(set(SIGNS.values())) == len(SENTENCE_KINDS)
    for words in WORKBENCH_WORDS.values():
        assert set(words.kinds) == set(SIGNS) == set(SENTENCE_KINDS)


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
