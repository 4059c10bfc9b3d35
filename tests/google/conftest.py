"""Tests of the stand-in itself. What runs on it and a real Kubernetes is tested in tests/cluster."""

from tests.google.fixtures import google  # noqa: F401
