import sys
import tempfile
from pathlib import Path

import jieba
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sacrebleu.tokenizers.tokenizer_13a import Tokenizer13a

from xray.errors import ConfigError
from xray.metrics import tokenizers
from xray.metrics.tokenizers import jieba_words, require_tokens, sacrebleu_zh_tokens

REPORT = "双肺野清晰，心影大小正常，右侧胸腔少量积液。"


@pytest.fixture
def fresh_jieba():
    caches = (tokenizers._jieba, tokenizers.jieba_words)
    for cache in caches:
        cache.cache_clear()
    yield
    for cache in caches:
        cache.cache_clear()


@pytest.mark.parametrize("english", [str.split, lambda text: Tokenizer13a()("".join(text.split("，"))).split()])
def test_a_tokeniser_made_for_english_is_refused_for_chinese(english):
    text = "双肺野清晰心影大小正常右侧胸腔少量积液"
    with pytest.raises(ConfigError, match="identical reports would score 0"):
        require_tokens(text, english(text), tokenizer="english")


def test_a_tokeniser_that_drops_chinese_is_refused_for_any_length():
    with pytest.raises(ConfigError, match="makes 0 tokens"):
        require_tokens("肺", [], tokenizer="[a-z0-9]+")


@pytest.mark.parametrize("text", ["肺", "骨折", "", "  ", "normal", REPORT])
def test_no_text_is_too_short_for_the_tokenisers_we_offer(text: str):
    assert "".join(jieba_words(text)) == text
    assert "".join(sacrebleu_zh_tokens(text)) == "".join(text.split())


@given(st.text(alphabet="左右双侧肺胸腔积液未见心影大小，。 \nabCT1.5-%“”？…", max_size=40))
def test_jieba_is_the_default_mode_of_the_package(text: str):
    assert list(jieba_words(text)) == list(jieba.cut(text))


def test_words_added_to_jieba_elsewhere_change_nothing(fresh_jieba, monkeypatch: pytest.MonkeyPatch):
    before = jieba_words(REPORT)
    jieba.initialize()
    monkeypatch.setattr(jieba.dt, "FREQ", dict(jieba.dt.FREQ))
    monkeypatch.setattr(jieba.dt, "total", jieba.dt.total)
    jieba.add_word("肺野清晰", freq=10**9)
    assert "肺野清晰" in jieba.lcut(REPORT)
    tokenizers.jieba_words.cache_clear()
    assert jieba_words(REPORT) == before


def test_jieba_leaves_nothing_in_the_temporary_folder(fresh_jieba, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    jieba_words(REPORT)
    assert list(tmp_path.iterdir()) == []


def test_without_jieba_the_message_says_what_to_install(fresh_jieba, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "jieba", None)
    with pytest.raises(ConfigError, match=r"pip install 'xray-report-kit\[compatible\]'"):
        jieba_words(REPORT)
