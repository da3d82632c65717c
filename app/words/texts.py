"""The list of the interface's texts."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """One language's texts. The mappings go from stored words (verdicts, kinds, systems, metrics, views) to labels."""

    code: str
    html_language: str
    app_title: str
    worklist: str
    review: str
    run: str
    language: str
    banner: str
    generated_report: str
    reference_report: str
    speakers: Mapping[str, str]
    reference_note: str
    machine_translated: str
    no_report: str
    empty_report: str
    no_draft: str
    cut_off: str
    unexpected_error: str
    progress: str
    continue_review: str
    all_reviewed: str
    scores_title: str
    scores_note: str
    system: str
    search: str
    search_hint: str
    finding: str
    finding_hint: str
    disagreement: str
    status: str
    order: str
    order_of_run: str
    order_low_first: str
    order_high_first: str
    shown: str
    none_match: str
    open_hint: str
    case: str
    back: str
    previous: str
    following: str
    next_unreviewed: str
    unknown_run: str
    unknown_case: str
    choose_case: str
    verdicts: Mapping[str, str]
    kinds: Mapping[str, str]
    systems: Mapping[str, str]
    metrics: Mapping[str, str]
    views: Mapping[str, str]
    colon: str
    comma: str
    semicolon: str
