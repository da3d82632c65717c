"""Films in one folder that share a number: copies of one another, or two images of which nobody knows the right one."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from xray.data.film_header import FilmHeader
from xray.data.films import file_sha256, stored_sha256
from xray.data.identity import Clash, FilmIdentity, identity_clashes
from xray.errors import Rejected
from xray.guard import Guarded


def twin_clashes(headers: Sequence[FilmHeader]) -> tuple[Clash, ...]:
    """Return which of these films cannot be used, by `identity_clashes`.

    Pixels are only compared among films with one SOPInstanceUID: by the bytes of their files, and where these differ
    by their decoded values, in a guarded process. A film that cannot be decoded is returned with that reason.
    """
    twins = _Twins()
    with Guarded(stored_sha256) as decode:
        for group in _same_instance(headers):
            twins.compare(group, decode=decode)
    failed = {clash.path for clash in twins.failed}
    known = [_identity(header, pixels=twins.digests) for header in headers if header.path not in failed]
    return (*twins.failed, *identity_clashes(known))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Twins:
    """The digests of what films show, as far as it had to be known."""

    digests: dict[Path, str] = field(default_factory=dict)
    failed: list[Clash] = field(default_factory=list)

    def compare(self, paths: Sequence[Path], *, decode: Guarded[Path, str]) -> None:
        by_bytes: dict[str, list[Path]] = defaultdict(list)
        for path in paths:
            try:
                by_bytes[file_sha256(path)].append(path)
            except Rejected as rejected:
                self.failed.append(Clash(path=path, code=rejected.code, why=rejected.why))
        for content, same in by_bytes.items():
            try:
                shown = decode(same[0]) if len(by_bytes) > 1 else content
                self.digests.update(dict.fromkeys(same, shown))
            except Rejected as rejected:
                self.failed.extend(Clash(path=path, code=rejected.code, why=rejected.why) for path in same)


def _same_instance(headers: Sequence[FilmHeader]) -> list[list[Path]]:
    groups: dict[str, list[Path]] = defaultdict(list)
    for header in headers:
        if header.sop_instance_uid is not None:
            groups[header.sop_instance_uid].append(header.path)
    return [group for group in groups.values() if len(group) > 1]


def _identity(header: FilmHeader, *, pixels: dict[Path, str]) -> FilmIdentity:
    return FilmIdentity(
        path=header.path,
        patient_id=header.patient_id,
        study_uid=header.study_uid,
        sop_instance_uid=header.sop_instance_uid,
        pixels_sha256=pixels.get(header.path),
    )
