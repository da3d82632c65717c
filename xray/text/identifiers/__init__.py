"""Taking out of a report what names a person: names, phones, numbers, dates, addresses, hospitals; Chinese and English.

What stays is still a report: a name beside a title goes and the title stays, a date becomes its distance from the
day of the study, a signature goes with its label. Names are looked for where names stand (after 患者 or 报告医生,
before 医生, in a signature) and never as words alone, since 高, 白, 石 and 黄 are surnames too. Measurements, vertebrae
and ribs are no identifiers. No list finds every name: tell those that are known, as the films' headers hold them.
"""

from collections.abc import Collection
from dataclasses import dataclass

from xray.text.identifiers.dates import date_rules
from xray.text.identifiers.draft import Draft
from xray.text.identifiers.known import known_rules
from xray.text.identifiers.names import NAME_RULES
from xray.text.identifiers.numbers import LONG_NUMBER_RULES, NUMBER_RULES
from xray.text.identifiers.places import PLACE_RULES


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaned:
    """A text without identifiers, and the kind of each one that was taken out, in no particular order."""

    text: str
    removed: tuple[str, ...]


def remove_identifiers(text: str, *, known: Collection[str] = (), study_day: int | None = None) -> Cleaned:
    """Return `text` without identifiers; unchanged, character by character, where none was found.

    `known` are names and ids of this study, removed wherever they stand; one of a single character is ignored. A
    Chinese name that is a word of the report (张力) goes only from where names stand, see `known_rules`.
    `study_day` is the day of the study (`date.toordinal`): with it 与2023-01-02胸片比较 becomes 与31天前胸片比较,
    without it 与既往胸片比较.
    """
    draft = Draft(text=text)
    draft.apply(known_rules(known))
    draft.apply(NUMBER_RULES)
    draft.apply(NAME_RULES)
    draft.apply(PLACE_RULES)
    draft.apply(date_rules(study_day))
    draft.apply(LONG_NUMBER_RULES)
    return Cleaned(text=draft.finished(), removed=tuple(draft.removed))
