"""The list of the workbench's texts."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkbenchWords:
    """One language's texts. Mappings go from stored words to labels; `{...}` is filled in by the page."""

    generated_badge: str
    generated_among_badge: str
    edited_badge: str
    no_report: str
    empty_report: str
    reference_report: str
    alone: Mapping[str, str]
    shared: str
    alike: str
    kinds: Mapping[str, str]
    aspects: Mapping[str, str]
    values: Mapping[str, str]
    rib: str
    unsaid: str
    contrast: str
    evidence: str
    decisions: Mapping[str, str]
    omission_decisions: Mapping[str, str]
    accept_rest: str
    by_program: str
    by_me: str
    still_there: str
    comma: str
    rewrite_hint: str
    category: str
    categories: Mapping[str, str]
    significance: Mapping[str, str]
    my_kind: str
    pick: str
    sentence: str
    reference_sentence: str
    counts: str
    counts_hint: str
    rest_zero: str
    yes_no: Mapping[str, str]
    optional: str
    answer_first: str
    preference: str
    neither: str
    preference_reason: str
    verdict: str
    verdicts: Mapping[str, str]
    corrected: str
    corrected_hint: str
    from_sentences: str
    by_hand: str
    assemble_again: str
    start_from_draft: str
    comment: str
    comment_hint: str
    states: Mapping[str, str]
    saved: str
    saving: str
    offline: str
    nothing_yet: str
    submit: str
    submitting: str
    amend: str
    cancel_amendment: str
    amend_reason: str
    amend_reason_hint: str
    lacking: str
    lacks: Mapping[str, str]
    complete: str
    outdated: str
    void: str
    read_only: str
    conflict: str
    keep_mine: str
    take_theirs: str
    undo: str
    redo: str
    help: str
    close: str
    judging: str
    keys: tuple[tuple[str, str], ...]
    history: str
    history_columns: tuple[str, ...]
    statuses: Mapping[str, str]
