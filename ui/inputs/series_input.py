"""A series that a visitor chooses, pastes or uploads."""

from __future__ import annotations

import streamlit as st

from seq2seq.data.example_series import EXAMPLE_SERIES
from seq2seq.data.frequency import FREQUENCIES
from seq2seq.data.series import Series
from seq2seq.data.series_table import MAX_BYTES, SeriesTable, read_table, series_of
from seq2seq.errors import UserError
from ui.escape import plain
from ui.inputs.text_input import source_area
from ui.links import URL

OWN = "Your own"
READS = "CSV, TSV or numbers; dates and a header are optional. Up to 10,000 rows."
UNKNOWN = "unknown"
DECIMALS = {"as found": "", "point": ".", "comma": ","}


def series_choice() -> str:
    """Let the visitor choose an example, by its title, or OWN."""
    return st.selectbox(
        "Series", [*(each.title for each in EXAMPLE_SERIES), OWN], key="series", width=360, **URL
    )


def series_input(chosen: str) -> Series | None:
    """Return the series of a choice; None where there is none, saying why."""
    for example in EXAMPLE_SERIES:
        if example.title == chosen:
            st.caption(plain(f"Made by this app, so the process is known: {example.process}."))
            return example.series()
    try:
        return _own_series()
    except UserError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return None


def _own_series() -> Series | None:
    """Read what was pasted or uploaded. Raises UserError where it is no series."""
    left, right = st.columns([3, 2])
    with left:
        pasted = source_area("Numbers, or a table", "numbers", "values", reads=READS, instead="")
    with right:
        file = st.file_uploader(
            "Or a file", ["csv", "tsv", "txt"], max_upload_size=MAX_BYTES // 1_000_000, key="table"
        )
        choices = st.container(horizontal=True, vertical_alignment="bottom")
    content = pasted if file is None else file.getvalue()
    if not content.strip():
        st.info("Paste a column of numbers, or upload a table.", icon=":material/info:")
        return None
    table = read_table(content)
    with choices:
        column, frequency, decimal = _choices(table)
    return series_of(table, column, frequency, decimal)


def _choices(table: SeriesTable) -> tuple[int, str, str]:
    """Let the visitor choose column and frequency, and a decimal mark where it is in doubt."""
    column, decimal = table.first, ""
    if len(table.numbers) > 1:
        names = {table.names[at]: at for at in table.numbers}
        usual = table.numbers.index(column)
        column = names[st.selectbox("Column", list(names), usual, key="column", **URL)]
    if table.doubtful(column):
        decimal = DECIMALS[st.selectbox("Decimal mark", list(DECIMALS), key="decimal", **URL)]
    codes = {"from the dates" if table.dates is not None else UNKNOWN: ""}
    codes |= {each.title: each.code for each in FREQUENCIES.values()}
    code = codes[st.selectbox("Frequency", list(codes), key="frequency", **URL)]
    return column, code, decimal
