"""`python -m benchmarks.big_store`: fills the empty data folder of `PILOTHOUSE_DATA`."""

import argparse
import time

from benchmarks.big_store.filling import fill
from services import database
from services.settings import settings


def main() -> None:
    """Read the sizes, fill the store, say what is in it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.big_store", description=__doc__)
    parser.add_argument("--runs", type=int, default=100_000)
    parser.add_argument("--nodes", type=int, default=3_000, help="of the one big run")
    chosen = parser.parse_args()
    begun = time.monotonic()
    database.migrate()
    made = fill(runs=chosen.runs, nodes=chosen.nodes)
    print(
        f"{made.runs:,} runs in {settings().data}, {time.monotonic() - begun:.1f} s; "
        f"run {made.big_run} has {made.nodes:,} nodes, runs {made.live_runs} are under way"
    )


if __name__ == "__main__":
    main()
