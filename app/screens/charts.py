"""A plot or a table on a page, each with the file to take away."""

from base64 import b64encode
from html import escape

import streamlit as st

from app.figures.table import Cell, Table


def heading(text: str) -> None:
    """Begin a part of a page."""
    st.html(f'<div class="report-head part"><h3>{escape(text)}</h3></div>')


def plot(svg: str, content: Table, *, alt: str, name: str, labels: tuple[str, str]) -> None:
    """Show a plot as a picture, which can run no script, and offer `name`.svg and its numbers as `name`.csv."""
    address = f"data:image/svg+xml;base64,{b64encode(svg.encode()).decode()}"
    st.html(f'<img class="plot" src="{address}" alt="{escape(alt)}">')
    with st.container(horizontal=True):
        download(svg.encode(), name=f"{name}.svg", label=labels[0], kind="image/svg+xml")
        download(content.csv(), name=f"{name}.csv", label=labels[1], kind="text/csv")


def table(content: Table, *, name: str, label: str) -> None:
    """Show a table that can be sorted, and offer its file `name`.csv."""
    decimals = {
        column: st.column_config.NumberColumn(format="%.3f")
        for place, column in enumerate(content.columns)
        if any(isinstance(row[place], float) for row in content.rows)
    }
    st.dataframe(content.records(), hide_index=True, column_config=decimals)
    download(content.csv(), name=f"{name}.csv", label=label, kind="text/csv")


def table_html(content: Table) -> str:
    """Show a small table whose texts may take several lines; a share or an interval comes as text."""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in content.columns)
    rows = "".join(
        f'<tr><th scope="row">{escape(_text(row[0]))}</th>'
        + "".join(f"<td>{escape(_text(cell))}</td>" for cell in row[1:])
        + "</tr>"
        for row in content.rows
    )
    return f'<table class="scores figures"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'


def _text(cell: Cell) -> str:
    if cell is None:
        return "–"
    return f"{cell:.3f}" if isinstance(cell, float) else str(cell)


def download(data: bytes, *, name: str, label: str, kind: str) -> None:
    """Offer a file."""
    st.download_button(
        label, data, file_name=name, mime=kind, key=f"download_{name}", on_click="ignore", icon=":material/download:"
    )
