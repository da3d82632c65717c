"""The lower half of the export page: what was exported before, its zip, and structured reports to the PACS."""

import json
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import streamlit as st

from app import access, session
from app.downloads import export_url
from app.export.archive import Earlier, earlier_exports
from app.export.folder import ExportManifest
from app.export.stow import send_reports
from app.faults import shown
from app.markup import report_head_html
from app.servers import Servers
from app.store.audit import record_event
from app.words.exclusions import EXCLUSION_WORDS
from app.words.exports import ExportWords
from xray.data.sources.dicomweb_server import Server, ServerLimits

CHOSEN_KEY = "export_chosen"
_JUST_MADE_KEY = "export_just_made"
_SENT_KEY = "export_sent"
_MOST_SHOWN = 200
_QUICK = ServerLimits(silence_seconds=5, answer_seconds=15, tries=1)  # somebody is waiting for the test


def remember(name: str) -> None:
    """Let the export that was just made be the one that is looked at."""
    st.session_state[_JUST_MADE_KEY] = name


def show(words: ExportWords) -> None:
    """List the project's exports, and show one of them."""
    st.html(report_head_html(words.earlier))
    found = earlier_exports(session.project())[:_MOST_SHOWN]
    if not found:
        st.caption(words.none_yet)
        return
    frame = pd.DataFrame([_row(one, words=words) for one in found])
    st.dataframe(frame, hide_index=True, height=min(38 + 36 * len(frame), 260), key="export_list")
    if made := st.session_state.pop(_JUST_MADE_KEY, None):
        st.session_state[CHOSEN_KEY] = made
    by_name = {one.name: one for one in found}
    name = st.selectbox(words.choose_export, list(by_name), key=CHOSEN_KEY)
    with shown():
        _details(by_name[name], words=words)


def _row(one: Earlier, *, words: ExportWords) -> dict[str, str]:
    columns, manifest = words.columns, one.manifest
    if manifest is None:
        return {columns["time"]: one.name, columns["kind"]: words.unreadable}
    return {
        columns["time"]: f"{manifest.created:%Y-%m-%d %H:%M:%S}",
        columns["kind"]: words.kinds[manifest.kind],
        columns["by"]: manifest.made_by,
        columns["reason"]: manifest.reason,
        columns["written"]: str(manifest.num_written),
        columns["left_out"]: str(
            sum(count for why, count in manifest.num_excluded_by_reason.items() if ":" not in why)
        ),
        columns["file"]: str(len(manifest.files)),
    }


def _details(one: Earlier, *, words: ExportWords) -> None:
    button, note = st.columns([1, 5], vertical_alignment="center")
    url = export_url(one.name, person=access.current().name)
    button.link_button(words.download, url, icon=":material/download:", width="stretch")
    note.caption(words.download_note)
    if one.manifest is None:
        return
    if one.manifest.num_excluded_by_reason:
        names = session.in_language(EXCLUSION_WORDS)
        parts = (f"{names.get(why, why)} {count}" for why, count in one.manifest.num_excluded_by_reason.items())
        st.caption(f"{words.left_out}: {' · '.join(parts)}")
    with st.expander(f"{words.files} ({len(one.manifest.files)})"):
        rows = [
            {
                words.columns["file"]: file.name,
                words.columns["bytes"]: file.num_bytes,
                words.columns["sha256"]: file.sha256,
            }
            for file in one.manifest.files
        ]
        st.dataframe(pd.DataFrame(rows), hide_index=True, key="export_files")
    if one.manifest.kind == "dicom_sr":
        _pacs(one, manifest=one.manifest, words=words)


def _pacs(one: Earlier, *, manifest: ExportManifest, words: ExportWords) -> None:
    st.html(report_head_html(words.pacs))
    address = Servers.from_environment().pacs
    if address is None:
        st.caption(words.pacs_missing)
        return
    if st.button(words.pacs_test, icon=":material/network_check:", key="export_pacs_test"):
        with shown():
            Server.of_environment(address, limits=_QUICK).search("studies", parameters={"limit": "1", "offset": "0"})
            st.success(words.pacs_answers.format(address=address))
    reports = [one.folder / file.name for file in manifest.files]
    is_sure = st.checkbox(
        words.pacs_confirm.format(count=len(reports), address=address), key=f"export_pacs_sure_{one.name}"
    )
    if st.button(words.pacs_send, disabled=not is_sure, icon=":material/send:", key="export_pacs_send") and is_sure:
        with shown():
            st.session_state[_SENT_KEY] = (one.name, _send(reports, name=one.name, address=address))
    sent = st.session_state.get(_SENT_KEY)
    if sent and sent[0] == one.name:
        _tell(sent[1], words=words)


def _send(reports: Sequence[Path], *, name: str, address: str) -> dict[str, bool]:
    """Send the reports one by one and return which of them the PACS keeps; the audit hears of it after a fault too."""
    sender = access.require(access.EXPORTERS).name
    server = Server.of_environment(address)
    kept: dict[str, bool] = {}
    progress = st.progress(0.0)
    try:
        for number, report in enumerate(reports, start=1):
            kept[report.name] = not send_reports(server, [report])
            progress.progress(number / len(reports))
    finally:
        details = {"address": address, "kept": sum(kept.values()), "not_kept": len(reports) - sum(kept.values())}
        record_event(
            session.database(),
            actor=sender,
            action="send to PACS",
            subject=name,
            details=json.dumps(details),
        )
    return kept


def _tell(kept: dict[str, bool], *, words: ExportWords) -> None:
    told = st.success if all(kept.values()) else st.warning
    told(words.pacs_result.format(kept=sum(kept.values()), count=len(kept)))
    rows = [
        {words.columns["file"]: name, words.columns["outcome"]: words.pacs_kept if is_kept else words.pacs_not_kept}
        for name, is_kept in kept.items()
    ]
    st.dataframe(pd.DataFrame(rows), hide_index=True, key="export_sent_files")
