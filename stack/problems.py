"""The one error of this package: something a person must put right, in one sentence."""


class Problem(Exception):
    """Why the stack cannot start, and what to do about it."""
