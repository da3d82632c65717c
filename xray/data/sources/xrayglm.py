"""The XrayGLM format: `{"annotations": [{"image_id": "<study>_<k>", "caption": ...}]}`, films named by image id."""

from pathlib import Path

from xray.data.sources.captions import one_per_study, read_captions
from xray.data.sources.film_scan import Scan, scan_films
from xray.data.sources.numbered_films import lost_films, numbered_studies, own_names, pair_films, read_index, unpaired
from xray.data.sources.study_files import SourceData
from xray.data.sources.values import sectioned_report
from xray.errors import DataError
from xray.types import Origin, Report


def read_xrayglm(
    annotations: Path,
    films: Path,
    *,
    index: Path | None = None,
    language: str = "zh",
    origin: Origin = "machine_translation",
    scan: Scan = scan_films,
) -> SourceData:
    """Pair the captions with films called `<study>_<k>.png`, `.jpg` or `.dcm`; one study is one `<study>`.

    `index` is a CSV for films with other names: columns `file` and `image_id` (or `openi_id`), and optionally
    `projection` or `view`. Films are ordered frontal first, then by `<k>`. A study has one report, the caption of its
    first image id; differing ones are noted as `several_reports`. Captions without film (`no_film`) and films without
    caption (`no_report`) are listed. Films are found by `scan`. Raises DataError if a file
    is missing or not in this format.
    """
    folder = scan(films)
    refusals = list(folder.refusals)
    captions = read_captions(annotations, refusals=refusals)
    pairing = pair_films(folder, own_names(folder) if index is None else read_index(index, refusals=refusals))
    meant = captions.keys() & {*pairing.images, *pairing.ambiguous, *pairing.refused}
    if index is None and folder.headers and not meant:
        raise DataError(
            f"None of the {len(folder.headers)} films is called <study>_<k>, as image ids are. Give a CSV of file "
            "names and image ids: --index (data.index in a configuration)."
        )
    rows = {image_id: caption.row for image_id, caption in captions.items()}
    refusals += unpaired(rows, pairing=pairing, folder=folder)
    with_film = {image.study for image in pairing.images.values()}
    reports = one_per_study(captions, studies=with_film, refusals=refusals)

    def report_of(study: str) -> Report:
        return sectioned_report(reports[study].text, study_uid=study, language=language, origin=origin)

    places = {study: caption.row for study, caption in reports.items()}
    studies = numbered_studies(pairing, rows=places, report_of=report_of, folder=folder, refusals=refusals)
    return SourceData(
        name="xrayglm",
        root=films,
        studies=studies,
        refusals=tuple(refusals),
        lost_films=lost_films(pairing, with_text=captions),
        unpacked=folder.unpacked,
    )
