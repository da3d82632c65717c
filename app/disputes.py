"""The cases of a study on which its readers differ, as an adjudicator gets them: nobody named, nothing unblinded."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.document import sha256
from app.protocol.disagreement import Item, Opinion, differences, together
from app.protocol.load import thawed
from app.protocol.model import Protocol
from app.store import progress, studies
from app.store.adjudication import Decision, decided_in
from app.store.engine import Database
from app.store.studies import Study


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispute:
    """A case to decide. `opinions` are in an order that tells nothing of who the readers are, from case to case.

    `reports` are the judged texts in an order of their own: report 1, 2, ... on the page, whatever a reader's letters.
    `earlier` are the decisions between these readers, the oldest first.
    """

    case_id: str
    run_id: str
    opinions: tuple[Opinion, ...]
    items: tuple[Item, ...]
    earlier: tuple[Decision, ...] = ()

    @property
    def key(self) -> str:
        """Name of the dispute in an address."""
        return sha256("\0".join((self.case_id, *self.reports)))[:12]

    @property
    def is_decided(self) -> bool:
        """Whether the last decision was about the reviews as they are now; a review amended since opens it again."""
        now = {(opinion.review.task, opinion.review.revision) for opinion in self.opinions}
        return bool(self.earlier) and {(ground.task, ground.revision) for ground in self.earlier[-1].basis} == now

    @property
    def reports(self) -> tuple[str, ...]:
        """The texts that were judged, each once."""
        return tuple(sorted(self.opinions[0].texts.values(), key=sha256))


def disputes(database: Database, study: Study, *, adjudicator: str) -> tuple[Dispute, ...]:
    """Return the cases of a study that have to be decided or were, by case id.

    Cases that come back to their reader and sentinels are not among them, nor those that the adjudicator reads in the
    study: nobody decides about their own review, or sees others' before they have given their own.
    """
    protocol = thawed(study.protocol)
    found = _opinions(database, study, adjudicator=adjudicator)
    known = decided_in(database, study.id)
    made = (
        _dispute(case_id, group, protocol=protocol, study=study, known=known)
        for case_id, opinions in sorted(found.items())
        for group in together(opinions)
    )
    return tuple(dispute for dispute in made if dispute.items)


def _opinions(database: Database, study: Study, *, adjudicator: str) -> dict[str, list[Opinion]]:
    purposes, texts = progress.purposes(database, study.id), progress.texts(database, study.id)
    own = {item.assignment.case_id for item in studies.work(database, study.id, adjudicator)}
    found: dict[str, list[Opinion]] = {}
    for review in studies.given_in(database, study.id):
        if purposes[review.task] == "study" and review.case_id not in own:
            shown = {arm.label: arm.text for arm in texts[review.task]}
            found.setdefault(review.case_id, []).append(Opinion(review=review, texts=shown))
    return found


def _dispute(
    case_id: str, opinions: tuple[Opinion, ...], *, protocol: Protocol, study: Study, known: Sequence[Decision]
) -> Dispute:
    mixed = sorted(opinions, key=lambda opinion: sha256(f"{study.seed} {case_id} {opinion.review.reviewer}"))
    tasks = {opinion.review.task for opinion in opinions}
    return Dispute(
        case_id=case_id,
        run_id=opinions[0].review.run_id,
        opinions=tuple(mixed),
        items=differences(mixed, protocol=protocol),
        earlier=tuple(decision for decision in known if tasks & {ground.task for ground in decision.basis}),
    )
