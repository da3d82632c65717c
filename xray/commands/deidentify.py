"""`xray deidentify`: films and reports that may leave the hospital."""

import sys
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from xray.command_line import keep_inputs, print_json, progress_bar

if TYPE_CHECKING:
    from xray.data.pseudonym import Pseudonyms
    from xray.data.release_reports import ReleasedReports
    from xray.data.sources.study_files import Refusal


def deidentify(
    source: Annotated[Path, typer.Argument(metavar="IN", help="DICOM file, zip or tar file, or folder of films")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="folder of the release")],
    reports: Annotated[
        Path | None, typer.Option(help="table of reports of these films; OUT/reports.csv gets them, cleaned")
    ] = None,
    refused: Annotated[
        Path | None,
        typer.Option(metavar="OUT.txt", help="list all that was left out, by its real path: for the hospital's eyes"),
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="processes; all cores without it")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print the counts as JSON")] = False,
) -> None:
    """Write chest films as new DICOM files without their patients (PS3.15 Annex E), and their reports.

    Needs XRAY_SITE_KEY, a secret of the site. Films that are in OUT already are not made again.
    """
    from xray.data.archives import is_archive
    from xray.data.notices import tell_refusals
    from xray.data.pseudonym import Pseudonyms
    from xray.data.release import release_films

    if refused is not None and refused.resolve().is_relative_to(out.resolve()):
        raise typer.BadParameter("--refused lies inside the release, which may be passed on; put it elsewhere")
    if reports is not None and source.is_file() and not is_archive(source.name):
        raise typer.BadParameter("--reports needs the folder or archive of the films that they belong to")
    keep_inputs(refused, inputs=(source, reports))
    names = Pseudonyms.of_site()
    with progress_bar("De-identifying films") as progress:
        released = release_films(source, out, names=names, workers=workers, progress=progress)
    texts = None if reports is None else _release_reports(source, reports, out=out, names=names)
    refusals = released.refusals if texts is None else (*released.refusals, *texts.refusals)
    tell_refusals(refusals, say=_say, everything=refused, hint="--refused OUT.txt lists all")
    _say(f"released: {released.written} films, and {released.kept} that were there already{_and_reports(texts)}")
    if codes := _by_code(refusals):
        _say(f"left out: {', '.join(f'{code} {number}' for code, number in codes.items())}")
    if as_json:
        counts = {"written": released.written, "kept": released.kept, "refused": codes}
        print_json(counts if texts is None else {**counts, "reports": texts.written})


def _and_reports(texts: "ReleasedReports | None") -> str:
    return "" if texts is None else f"; {texts.written} reports"


def _release_reports(films: Path, reports: Path, *, out: Path, names: "Pseudonyms") -> "ReleasedReports":
    from xray.data.release_reports import release_reports
    from xray.data.sources.film_scan import scan_films
    from xray.data.sources.table import read_table

    with TemporaryDirectory(prefix="xray-release-") as scratch:
        scan = partial(scan_films, scratch=Path(scratch))
        return release_reports(read_table(films, reports, scan=scan), out, names=names)


def _by_code(refusals: "tuple[Refusal, ...]") -> dict[str, int]:
    codes = sorted(refusal.code for refusal in refusals)
    return {code: codes.count(code) for code in dict.fromkeys(codes)}


def _say(line: str) -> None:
    print(line, file=sys.stderr)
