"""SQL around the line that an error is about, that line marked."""

import html

import streamlit as st

_AROUND = 6
_MARK = "background:rgba(217,83,79,.18);box-shadow:inset 3px 0 0 #D9534F;font-weight:600"
_BLOCK = "margin:0;padding:.5rem 0;overflow-x:auto;font-size:.85em;line-height:1.55;border-radius:8px"


def marked_sql(sql: str, line: int) -> None:
    """Draw the lines around `line`, counted from 1, numbered; the mark is a sign and a word besides its colour."""
    lines = sql.splitlines()
    first, last = max(1, line - _AROUND), min(len(lines), line + _AROUND)
    width = len(str(last))
    rows = [_row(number, lines[number - 1], width, is_marked=number == line) for number in range(first, last + 1)]
    st.html(f'<pre tabindex="0" aria-label="Line {line} of the compiled SQL" style="{_BLOCK}">{"".join(rows)}</pre>')


def _row(number: int, text: str, width: int, *, is_marked: bool) -> str:
    sign, style = ("▶", _MARK) if is_marked else (" ", "")
    shown = html.escape(f"{sign} {number:>{width}}  {text}")
    return f'<span style="display:block;padding:0 .75rem;white-space:pre;{style}">{shown or " "}</span>'


def whole_sql(sql: str) -> None:
    """Draw all of it, with a button that copies it."""
    st.code(
        sql.strip("\n"), language="sql", line_numbers=True, height=280 if sql.strip().count("\n") > 14 else "content"
    )
