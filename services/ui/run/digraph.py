"""Graphs in Graphviz's language. Every text is a quoted string: a name cannot become an instruction."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

_COLOURS = {"green": "#1B7F4B", "red": "#C62828", "orange": "#B45309", "blue": "#1D5FD1", "gray": "#5B6777"}
_FILLS = {"green": "#E6F4EC", "red": "#FBE4E4", "orange": "#FDF0DC", "blue": "#E3EDFD", "gray": "#F5F7FA"}


@dataclass(frozen=True)
class Box:
    """A node as it is drawn; `colour` is a name of the table of states."""

    key: str
    label: str
    colour: str = "gray"
    is_chosen: bool = False
    link: str | None = None


def digraph(boxes: Iterable[Box], edges: Iterable[tuple[str, str]]) -> str:
    """Boxes from left to right, a text and a colour each."""
    lines = [
        "digraph {",
        "rankdir=LR; bgcolor=transparent; nodesep=0.18; ranksep=0.45;",
        'node [shape=box, style="rounded,filled", fontname="sans-serif", fontsize=11, fontcolor="#16202E"];',
        'edge [color="#8A96A6", arrowsize=0.6];',
    ]
    lines += [_line(box) for box in boxes]
    lines += [f"{_quoted(parent)} -> {_quoted(child)};" for parent, child in edges]
    return "\n".join([*lines, "}"])


def _line(box: Box) -> str:
    colour, fill = (table.get(box.colour, table["gray"]) for table in (_COLOURS, _FILLS))
    link = f", URL={_quoted(box.link)}, target={_quoted('_self')}" if box.link else ""
    width = 2.5 if box.is_chosen else 1
    looks = f"color={_quoted(colour)}, fillcolor={_quoted(fill)}, penwidth={width}{link}"
    return f"{_quoted(box.key)} [label={_quoted(box.label)}, {looks}];"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
