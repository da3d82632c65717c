"""What the person at the terminal is told about a preparation, beyond what its store may keep.

The places are real: paths, rows and study ids of the hospital. They are for that person's eyes and stay on the machine.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from xray.data.file_names import printable
from xray.data.pseudonym import SITE_KEY_VARIABLE
from xray.data.sources.study_files import Kind, Refusal
from xray.data.store import Store
from xray.records import write_atomically

MOST_LINES = 20
FEW_PATIENTS = 20
"""Below so many patients a bootstrap over patients says little."""
_CHANGES = {"identifier": "identifiers taken out", "repair": "terms repaired"}
_FIRST: dict[Kind, int] = {"refused": 0, "unpaired": 1, "note": 2}


def tell_refusals(
    refusals: Sequence[Refusal], *, say: Callable[[str], None], everything: Path | None = None, hint: str = ""
) -> None:
    """Say `place: code: why` of the first 20 things that were left out, and how many more there are.

    What is refused comes before what has no partner. The file `everything` gets all of them, the notes about studies
    that are used as well. `hint` ends the line that counts the rest: where the user finds them.
    """
    ordered = sorted(refusals, key=lambda refusal: _FIRST[refusal.kind])
    left_out = [refusal for refusal in ordered if refusal.kind != "note"]
    for refusal in left_out[:MOST_LINES]:
        say(_line(refusal))
    if everything is not None:
        write_atomically(everything, "".join(_line(refusal) + "\n" for refusal in ordered))
        hint = f"all are in {printable(str(everything))}"
    if len(left_out) > MOST_LINES:
        say(f"and {len(left_out) - MOST_LINES} more" + (f"; {hint}" if hint else ""))


def tell_store(store: Store, *, say: Callable[[str], None]) -> None:
    """Say what was kept, by split, and what was left out or changed, by reason."""
    info = store.info
    splits = (f"{name} {count.studies} ({count.patients} patients)" for name, count in info.splits.items())
    say(f"kept: {info.studies} studies with {info.films} films: {', '.join(splits)}")
    for kind, title in (("refused", "refused"), ("unpaired", "without partner"), ("note", "noted")):
        if counts := info.left_out[kind]:
            say(f"{title}: {', '.join(f'{code} {number}' for code, number in counts.items())}")
    for line in _warnings(store):
        say(f"warning: {line}")
    if info.text_changes:
        changed = ", ".join(f"{_CHANGES[kind]} {number}" for kind, number in info.text_changes.items())
        say(f"changed in the texts: {changed}; see text_changes.jsonl")
    if old := store.count_old_files():
        say(f"not deleted yet: {old} older files of films, which a command still reads. Prepare again after its end.")


def _warnings(store: Store) -> Iterator[str]:
    """Yield what makes a split say less than it seems to."""
    for name in ("val", "test"):
        count = store.info.splits[name]
        if 0 < count.patients < FEW_PATIENTS:
            yield (
                f"{count.patients} patients in {name}, too few for scores to say much: patients are drawn by a hash of "
                "their number, so the shares are met on average only. Add data, or raise the share."
            )
    if unknown := store.info.left_out["note"].get("no_patient_id"):
        yield f"{unknown} studies have no patient id and count as a patient each: two of one patient may be parted"


def public_key_notice(store: Store) -> str | None:
    """Return a warning if patients with an id of their own got pseudonyms that anybody can compute, else None."""
    named = any(study.patient_key != study.study_uid for study in store.studies)
    if store.info.site_key == "own" or not named:
        return None
    return (
        "patient pseudonyms were made with the public default key, so anybody can try patient numbers against them; "
        f"for real patients set {SITE_KEY_VARIABLE} to a secret of your site and prepare into a new folder"
    )


def _line(refusal: Refusal) -> str:
    return f"{printable(refusal.row or refusal.where)}: {refusal.code}: {refusal.why}"
