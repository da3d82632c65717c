"""Films and texts to studies under pseudonyms, before the split; and everything that was left out on the way."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from xray.data.pseudonym import Pseudonyms, example_id
from xray.data.records import FilmFacts, Quarantined, StoredImage, StoredStudy, TextChange
from xray.data.sources.study_files import READING_ORDER, Refusal, SourceData, StudyFiles
from xray.data.study_texts import StudyTexts, clean_texts
from xray.errors import Rejected

_OLDEST_YEARS = 90.0  # beyond this an age can name a person (HIPAA Safe Harbor, 45 CFR 164.514(b)(2))


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedFilm:
    """A film that is in the workspace under `key`."""

    key: str
    facts: FilmFacts


Outcome = RenderedFilm | Rejected


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembly:
    """Studies with their rendered films, all in `train` for now; `origin` is the source's study of each."""

    names: Pseudonyms
    studies: tuple[StoredStudy, ...]
    origin: Mapping[str, StudyFiles]
    refusals: tuple[Refusal, ...]
    changes: tuple[TextChange, ...]

    def quarantined(self) -> list[Quarantined]:
        """Return the refusals as they may be written: without a path or an id of the source."""
        return [
            Quarantined(
                where=refusal.row or self.names.place(refusal.where),
                code=refusal.code,
                why=refusal.why,
                kind=refusal.kind,
            )
            for refusal in self.refusals
        ]


def assemble(
    source: SourceData, *, outcomes: Mapping[Path, Outcome], names: Pseudonyms, repair_terms: bool
) -> Assembly:
    """Join each study's films and texts. What cannot be used is refused by name; see `clean_texts` for the texts."""
    refusals = list(source.refusals)
    refusals += [
        Refusal(where=source.place(film), code=outcome.code, why=outcome.why)
        for film, outcome in outcomes.items()
        if isinstance(outcome, Rejected)
    ]
    studies: dict[str, StoredStudy] = {}
    origin: dict[str, StudyFiles] = {}
    changes: dict[str, tuple[TextChange, ...]] = {}
    for files in source.studies:
        uid = names.study(files.study_uid)
        try:
            texts = clean_texts(files, study_uid=uid, repair_terms=repair_terms)
            study = _stored(files, uid=uid, texts=texts, source=source, outcomes=outcomes, names=names)
        except Rejected as rejected:
            refusals.append(Refusal(where=files.study_uid, code=rejected.code, why=rejected.why, row=files.row))
            continue
        studies[uid], origin[uid], changes[uid] = study, files, texts.changes
        if files.patient_id is None:
            why = "no patient is known; the study stands for its patient"
            refusals.append(Refusal(where=files.study_uid, code="no_patient_id", why=why, kind="note", row=files.row))
    ordered = _with_days([studies[uid] for uid in sorted(studies)], origin=origin)
    return Assembly(
        names=names,
        studies=tuple(ordered),
        origin=origin,
        refusals=tuple(refusals),
        changes=tuple(change for uid in sorted(changes) for change in changes[uid]),
    )


def _stored(
    files: StudyFiles,
    *,
    uid: str,
    texts: StudyTexts,
    source: SourceData,
    outcomes: Mapping[Path, Outcome],
    names: Pseudonyms,
) -> StoredStudy:
    """One study as it will be written, for now in `train`. Raises Rejected("no_film_left")."""
    images = _images(files, outcomes=outcomes)
    if not images:
        raise Rejected("no_film_left", "each film of the study was refused")
    report = texts.report
    return StoredStudy(
        example_id=example_id(uid),
        study_uid=uid,
        patient_key=names.patient(files.patient_id) if files.patient_id else uid,
        source=source.name,
        split="train",
        images=images,
        language=report.language if report else source.language,
        findings=report.findings if report else "",
        impression=report.impression if report else None,
        indication=report.indication if report else None,
        comparison=report.comparison if report else None,
        origin=report.origin if report else source.origin,
        age_years=None if files.age_years is None else min(files.age_years, _OLDEST_YEARS),
        sex=files.sex,
        conversations=texts.conversations,
    )


def _images(files: StudyFiles, *, outcomes: Mapping[Path, Outcome]) -> tuple[StoredImage, ...]:
    """Return the films that could be rendered, each picture once.

    Where the source said nothing of a film's view, or no more than the header, the rendered film's own view counts: it
    may have been told from the picture, or the picture may contradict the header.
    """
    images: dict[str, StoredImage] = {}
    for film, view in zip(files.films, files.views, strict=True):
        rendered = outcomes[film]
        if not isinstance(rendered, Rejected):
            facts = rendered.facts
            seen = facts.view if view == "unknown" or "view_conflict" in facts.flags else view
            images.setdefault(facts.pixels_sha256, StoredImage(key=rendered.key, view=seen, facts=facts))
    return tuple(sorted(images.values(), key=lambda image: READING_ORDER[image.view]))


def _with_days(studies: Sequence[StoredStudy], *, origin: Mapping[str, StudyFiles]) -> list[StoredStudy]:
    """Count days from the first study of each patient whose day is known: no date leaves memory."""
    days = {study.study_uid: origin[study.study_uid].study_day for study in studies}
    known: dict[str, list[int]] = defaultdict(list)
    for study in studies:
        day = days[study.study_uid]
        if day is not None and study.patient_key != study.study_uid:
            known[study.patient_key].append(day)
    return [
        study.model_copy(update={"day": day - min(known[study.patient_key])})
        if (day := days[study.study_uid]) is not None and study.patient_key in known
        else study
        for study in studies
    ]
