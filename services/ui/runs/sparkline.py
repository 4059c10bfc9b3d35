"""The course of a figure as a small line or row of bars: an SVG of a few hundred bytes.

Streamlit's own chart in a metric loads a whole chart library, and names itself to no screen reader.
"""

from collections.abc import Sequence
from typing import Literal
from urllib.parse import quote

import streamlit as st

_WIDTH, _HEIGHT = 100, 30
_COLOUR = "#5B8DEF"
"""Seen well on the light and on the dark ground: a picture does not know which it is on."""
_DRAWING = (
    f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 -1 {_WIDTH} {_HEIGHT + 2}" preserveAspectRatio="none">'
    "{drawn}</svg>"
)


def sparkline(values: Sequence[float | None], *, kind: Literal["line", "bar"], told: str) -> None:
    """Draw the values, oldest first, gaps where there is none; `told`, which is ours, is what a screen reader says."""
    known = [value for value in values if value is not None]
    least = 0 if kind == "bar" else min(known)
    scale = _HEIGHT / ((max(known) - least) or 1)
    step = _WIDTH / len(values)
    heights = [
        (place * step, round((value - least) * scale, 1)) for place, value in enumerate(values) if value is not None
    ]
    drawing = _DRAWING.format(drawn=_bars(heights, step) if kind == "bar" else _line(heights, step))
    picture = quote(drawing, safe="/:=' ,.-")
    st.html(f'<img alt="{told}" src="data:image/svg+xml,{picture}" style="display:block;width:100%;height:34px">')


def _bars(heights: Sequence[tuple[float, float]], step: float) -> str:
    bars = (f"M{x + step * 0.2:.1f} {_HEIGHT}v-{height}h{step * 0.6:.1f}v{height}z" for x, height in heights)
    return f'<path d="{"".join(bars)}" fill="{_COLOUR}"/>'


def _line(heights: Sequence[tuple[float, float]], step: float) -> str:
    points = " ".join(f"{x + step / 2:.1f},{_HEIGHT - height:.1f}" for x, height in heights)
    drawn = f'fill="none" stroke="{_COLOUR}" stroke-width="2" vector-effect="non-scaling-stroke"'
    return f'<polyline points="{points}" {drawn}/>'
