"""Text overlap as other tools print it, so that their numbers can be set beside ours.

Four conventions for Chinese are in use, and the same outputs differ by a factor of two between them:

- `llamafactory`: LLaMA-Factory, src/llamafactory/train/sft/metric.py (commit 158f4cb). ROUGE on jieba's words by
  rouge-chinese, BLEU-4 of single reports on characters (white space included), each value of each report in percent
  and rounded to four decimals before the mean. Texts of white space alone have ROUGE 0.
- `swift`: ms-swift, swift/metrics/nlg.py (commit 06505dd). ROUGE by the package rouge and BLEU-4 of single reports,
  both on jieba's words; means in percent, rounded to six decimals. Reports without a reference are left out, empty
  outputs count 0 (earlier they were left out, too; releases with swift/plugin/metric.py took characters for BLEU).
- `sacrebleu_zh`: `sacrebleu --tokenize zh` with its defaults, BLEU-4 of the corpus in percent.
- `coco_char`: pycocoevalcap on characters separated by spaces: BLEU-1 to 4 of the corpus and mean ROUGE-L (beta 1.2) in
  [0, 1], mean CIDEr-D in [0, 10] with the frequencies of the references that are scored.

All equal what the tools print: tests run their packages; rouge 1.0.1 and pycocoevalcap 1.2, which cannot be installed
here (the first shares files with rouge-chinese, the second is not for commercial use), were compared by hand on 1,500
random corpora and differed by less than 1e-12.

A report contributes one row of numbers. Rows add up over a corpus or a resample of it; values are functions of sums.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import sacrebleu
from numpy.typing import NDArray

from xray.errors import ConfigError, DataError
from xray.metrics import bleu
from xray.metrics.cider import ReferenceFrequencies
from xray.metrics.lexical import rouge_l_of, tokens
from xray.metrics.rouge import Rouge, rouge_chinese, rouge_plain
from xray.metrics.tokenizers import jieba_version, jieba_words, sacrebleu_zh_tokens

FloatArray = NDArray[np.float64]

VARIANTS = ("llamafactory", "swift", "sacrebleu_zh", "coco_char")
"""The names that `variant` knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """How one tool scores text overlap.

    metrics: names of its M values. best: what identical reports of at least four tokens reach (CIDEr less where the
    references are alike). signature: tokeniser, smoothing and averaging; numbers of other signatures do not compare.
    row: candidate, reference -> float64 [K], to be summed. values: summed rows float64 [..., K] -> float64 [..., M];
    never NaN for the sum of at least one row.
    """

    name: str
    metrics: tuple[str, ...]
    best: tuple[float, ...]
    signature: str
    row: Callable[[str, str], FloatArray]
    values: Callable[[FloatArray], FloatArray]

    def metric(self, name: str) -> Callable[[FloatArray], FloatArray]:
        """One of the values as a function of summed rows: float64 [..., K] -> [...]."""
        position = self.metrics.index(name)
        return lambda sums: self.values(sums)[..., position]

    def score(self, candidates: Sequence[str], references: Sequence[str]) -> dict[str, float]:
        """Values of a corpus by name. Raises DataError where there is nothing to score or the lengths differ."""
        if not references or len(candidates) != len(references):
            raise DataError(
                f"There are {len(candidates)} reports and {len(references)} references. Give as many of both, and one."
            )
        rows = [self.row(ours, theirs) for ours, theirs in zip(candidates, references, strict=True)]
        return dict(zip(self.metrics, self.values(np.sum(rows, axis=0)).tolist(), strict=True))


def variant(name: str, references: Sequence[str]) -> Variant:
    """Return the variant of a name.

    `references` are all references that are scored: CIDEr's frequencies come from them. Raises ConfigError for an
    unknown name and where jieba is needed but not installed, DataError where there are no references.
    """
    if not references:
        raise DataError("There are no reference reports to score against. Give at least one.")
    if name == "llamafactory":
        return _llamafactory()
    if name == "swift":
        return _swift()
    if name == "sacrebleu_zh":
        return _sacrebleu_zh()
    if name == "coco_char":
        return _coco_char(ReferenceFrequencies.of(references))
    raise ConfigError(f"Unknown variant {name!r}. Use one of: {', '.join(VARIANTS)}.")


def _llamafactory() -> Variant:
    return Variant(
        name="llamafactory",
        metrics=tuple(f"llamafactory_{name}" for name in ("rouge1", "rouge2", "rouge_l", "bleu4")),
        best=(100.0,) * 4,
        signature=(
            f"compat:llamafactory|bleu.tok:char|bleu.smooth:nltk-method3|rouge.tok:jieba-{jieba_version()}"
            "|rouge:rouge-chinese-1.0.3|avg:reports,rounded-4-each|scale:100"
        ),
        row=_llamafactory_row,
        values=lambda sums: sums[..., :4] / sums[..., 4:],
    )


def _llamafactory_row(candidate: str, reference: str) -> FloatArray:
    rouge = rouge_chinese(jieba_words(candidate), jieba_words(reference))
    smoothed = bleu.nltk_method3(candidate, reference)
    return np.array([*(round(100 * value, 4) for value in (*rouge, smoothed)), 1.0])


def _swift() -> Variant:
    return Variant(
        name="swift",
        metrics=tuple(f"swift_{name}" for name in ("rouge1", "rouge2", "rouge_l", "bleu4")),
        best=(100.0,) * 4,
        signature=(
            f"compat:swift|tok:jieba-{jieba_version()}|bleu.smooth:nltk-method3|rouge:rouge-1.0.1"
            "|avg:reports-with-reference,rounded-6|scale:100"
        ),
        row=_swift_row,
        values=lambda sums: np.round(100 * sums[..., :4] / np.maximum(sums[..., 4:], 1), 6),
    )


def _swift_row(candidate: str, reference: str) -> FloatArray:
    ours, theirs = (
        [word.strip(" ") for word in jieba_words(text) if word.strip(" ")] for text in (candidate, reference)
    )
    if not theirs:
        return np.zeros(5)
    rouge = rouge_plain(ours, theirs) if ours else Rouge(0.0, 0.0, 0.0)
    return np.array([*rouge, bleu.nltk_method3(ours, theirs), 1.0])


def _sacrebleu_zh() -> Variant:
    return Variant(
        name="sacrebleu_zh",
        metrics=("sacrebleu_zh_bleu4",),
        best=(100.0,),
        signature=f"compat:sacrebleu_zh|nrefs:1|case:mixed|eff:no|tok:zh|smooth:exp|version:{sacrebleu.__version__}",
        row=lambda candidate, reference: bleu.tally_tokens(
            sacrebleu_zh_tokens(candidate), sacrebleu_zh_tokens(reference)
        ),
        values=lambda sums: bleu.sacrebleu_exp(sums)[..., None],
    )


def _coco_char(frequencies: ReferenceFrequencies) -> Variant:
    def row(candidate: str, reference: str) -> FloatArray:
        ours, theirs = tokens(candidate), tokens(reference)
        means = rouge_l_of(ours, theirs), frequencies.cider(candidate, reference), 1.0
        return np.concatenate([bleu.tally_tokens(ours, theirs), means])

    def values(sums: FloatArray) -> FloatArray:
        means = sums[..., -3:-1] / sums[..., -1:]
        return np.concatenate([bleu.coco(sums[..., :-3]), means], axis=-1)

    names = (*(f"bleu{order}" for order in range(1, bleu.ORDER + 1)), "rouge_l", "cider")
    return Variant(
        name="coco_char",
        metrics=tuple(f"coco_char_{name}" for name in names),
        best=(1.0, 1.0, 1.0, 1.0, 1.0, 10.0),
        signature=(
            f"compat:coco_char|tok:char|bleu:corpus,smooth:none|rouge_l:beta-1.2|cider:D,sigma-6,df-{frequencies.reports}"
            "-references|avg:reports|scale:1,cider-10"
        ),
        row=row,
        values=values,
    )
