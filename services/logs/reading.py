"""Lines of a log by their numbers."""

import os
from pathlib import Path

import numpy as np

from services.logs.index import LineIndex, Numbers

LONGEST_LINE = 4 << 20
"""Bytes of one line that are read for showing it or searching in it."""
_BLOCK = 8 << 20


def raw_lines(path: Path, index: LineIndex, numbers: Numbers, *, longest: int = LONGEST_LINE) -> list[bytes]:
    """The bytes of these lines, counted from 0 and in rising order; of each at most `longest`."""
    if not len(numbers):
        return []
    starts, ends = bounds(index, numbers)
    descriptor = os.open(path, os.O_RDONLY)
    try:
        first, size = int(starts[0]), int(ends[-1] - starts[0])
        if numbers[-1] - numbers[0] + 1 == len(numbers) and size <= min(_BLOCK, longest):
            block = os.pread(descriptor, size, first)
            return [block[a - first : b - first] for a, b in zip(starts.tolist(), ends.tolist(), strict=True)]
        sizes = np.minimum(ends - starts, longest)
        return [os.pread(descriptor, n, at) for n, at in zip(sizes.tolist(), starts.tolist(), strict=True)]
    finally:
        os.close(descriptor)


def bounds(index: LineIndex, numbers: Numbers) -> tuple[Numbers, Numbers]:
    """Where these lines begin and end."""
    offsets = index.records["offset"]
    last = len(offsets) - 1
    ends = offsets[np.minimum(numbers + 1, last)].astype(np.int64)
    ends[numbers == last] = index.end
    return offsets[numbers].astype(np.int64), ends
