"""A store as it is after a year of use: 100,000 runs, one of them of 3,000 nodes. For benchmarks, tests, pictures."""

from benchmarks.big_store.filling import BigStore, fill

__all__ = ["BigStore", "fill"]
