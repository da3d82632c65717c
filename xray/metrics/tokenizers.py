"""Tokens of Chinese text, as other tools take them, and the check that a tokeniser can read Chinese at all.

A tokeniser made for English returns one token for a Chinese report, or none. BLEU and ROUGE on such tokens are 0 for
identical reports and mean nothing, so they are refused here instead of being printed.
"""

import importlib
import logging
import tempfile
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from importlib.metadata import version
from typing import Protocol

from sacrebleu.tokenizers.tokenizer_zh import TokenizerZh

from xray.errors import ConfigError
from xray.han import HAN

_LONGEST_WORD = 8
_KEPT = 20_000


class _Cutter(Protocol):
    """What is used of jieba.Tokenizer."""

    tmp_dir: str | None

    def initialize(self) -> None:
        """Load the dictionary, and write a cache of it to `tmp_dir`."""

    def cut(self, text: str) -> Iterator[str]:
        """Return the words of a text."""


def require_tokens(text: str, tokens: Sequence[str], *, tokenizer: str) -> None:
    """Refuse a tokeniser that does not split Chinese.

    Raises ConfigError where a text with Han characters has no token, or a single one of more than eight of them: the
    longest word a report may consist of. A report `骨折` is rightly one word.
    """
    if len(tokens) > 1 or not HAN.search(text):
        return
    han = len(HAN.findall(text))
    if not tokens or han > _LONGEST_WORD:
        raise ConfigError(
            f"The tokeniser {tokenizer} makes {len(tokens)} tokens of a text with {han} Chinese characters, so that "
            "even identical reports would score 0. Use characters, jieba or sacreBLEU's zh."
        )


@lru_cache(maxsize=_KEPT)
def jieba_words(text: str) -> tuple[str, ...]:
    """Return the words of jieba's default mode, white space among them: joined, they are the text.

    The dictionary is the one of the package: words added to jieba elsewhere in the process, or a cache left by somebody
    in the temporary folder, change nothing. Raises ConfigError where jieba is not installed.
    """
    words = tuple(_jieba().cut(text))
    require_tokens(text, words, tokenizer="jieba")
    return words


def jieba_version() -> str:
    """Version of jieba, for signatures. Raises ConfigError where it is not installed."""
    _jieba()
    return version("jieba")


@lru_cache(maxsize=_KEPT)
def sacrebleu_zh_tokens(text: str) -> tuple[str, ...]:
    """Return the tokens of sacreBLEU's `zh`: Chinese characters one by one, the rest by mteval's 13a."""
    found = tuple(_sacrebleu_zh()(text.rstrip()).split())
    require_tokens(text, found, tokenizer="sacreBLEU zh")
    return found


@lru_cache(maxsize=1)
def _sacrebleu_zh() -> Callable[[str], str]:
    tokenizer: Callable[[str], str] = TokenizerZh()
    return tokenizer


@lru_cache(maxsize=1)
def _jieba() -> _Cutter:
    try:
        jieba = importlib.import_module("jieba")
    except ImportError as error:
        raise ConfigError(
            "jieba, which cuts Chinese into words, is not installed. Run: pip install 'xray-report-kit[compatible]'"
        ) from error
    logging.getLogger("jieba").setLevel(logging.WARNING)
    tokenizer: _Cutter = jieba.Tokenizer()
    with tempfile.TemporaryDirectory() as folder:
        tokenizer.tmp_dir = folder
        tokenizer.initialize()
    return tokenizer
