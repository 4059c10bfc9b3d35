"""Lines of a pod's log that were longer than what a container runtime keeps in one piece.

Kubelets before version 1.21 put a time stamp not only before a line but before each of its parts, in the middle of the
text. Pure.
"""

import re

PART_BYTES = 16_384
"""Where containerd and CRI-O split a line."""
_STAMP = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d) ")


def joined(text: bytes) -> bytes:
    """A line as it was written, without the time stamps between its parts."""
    parts: list[bytes] = []
    while len(text) > PART_BYTES:
        parts.append(text[:PART_BYTES])
        text = text[PART_BYTES:]
        stamp = _STAMP.match(text)
        text = text[len(stamp[0]) :] if stamp else text
    return b"".join([*parts, text])


def is_stamp(word: bytes) -> bool:
    """Whether this is a time stamp as Kubernetes puts before a line."""
    return _STAMP.fullmatch(word + b" ") is not None
