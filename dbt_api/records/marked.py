"""Finds the lines of a log that matter, by what stands in them: of most logs they are few, so most lines are not even
looked at.
"""

from collections.abc import Iterable


def lines_with(marks: Iterable[bytes], lines: bytes) -> list[bytes]:
    """The whole lines that hold one of the marks, in their order, with their line breaks."""
    found: dict[int, int] = {}
    for mark in marks:
        at = lines.find(mark)
        while at >= 0:
            end = lines.find(b"\n", at) + 1 or len(lines)
            found[lines.rfind(b"\n", 0, at) + 1] = end
            at = lines.find(mark, end)
    return [lines[start:end] for start, end in sorted(found.items())]
