"""Operators ask Google: here its stand-in."""

from tests.google.fixtures import google  # noqa: F401
