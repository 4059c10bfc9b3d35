"""Which nodes dbt's log speaks of."""

import numpy as np

from models.run import Invocation
from services.logs.index import NO_NODE
from services.logs.opened import open_logs


def nodes_in(invocation: Invocation) -> dict[str, int]:
    """By unique_id, in the order of their appearance: how many lines of dbt's log are about a node."""
    index = open_logs(invocation, ("dbt",), seconds=0.3)[0].index
    nodes = index.records["node"]
    counts = np.bincount(nodes[nodes != NO_NODE], minlength=len(index.nodes))
    return {name: int(count) for name, count in zip(index.nodes, counts, strict=True) if count}
