"""Places in an invocation's story as one number: which attempt, and how far into its log.

A line of the log that begins at byte `b` and ends before byte `e` owns the places `b + 1` (the node it changed was
told) and `e` (the line itself was told). Behind the log's last byte come the nodes that its end interrupted, one place
each, and at the very end of the attempt's places its terminal state. Only files decide, so the places are the same for
every reader, every server, and after every restart.
"""

PLACES = 1 << 40
"""Places of one attempt. 8191 attempts of a tebibyte each fit a number that JavaScript holds exactly."""
LAST = PLACES - 1


def seq_of(attempt: int, place: int) -> int:
    """The number of a place of an attempt."""
    return attempt * PLACES + place


def place_of(seq: int) -> tuple[int, int]:
    """The attempt and the place in it that a number means."""
    return divmod(seq, PLACES)
