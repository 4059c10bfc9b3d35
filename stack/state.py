"""What a running stack tells about itself: `stack.json` in the data folder, read by `status`, `stop` and tests."""

import json
import os
from pathlib import Path
from typing import Any

from stack.places import Places
from stack.supervisor import Supervisor


def _file(places: Places) -> Path:
    return places.data / "stack.json"


def write(places: Places, supervisor: Supervisor) -> None:
    """Write the present state, all or nothing."""
    alive = {name: child.pid for name, child in supervisor.children.items() if child.status is None}
    state = {
        "pid": os.getpid(),
        "ready": supervisor.is_ready,
        "console": places.console.url,
        "airflow": places.airflow.url,
        "dbt_api": places.dbt_api.url,
        "processes": alive,
    }
    half = _file(places).with_suffix(".new")
    half.write_text(json.dumps(state, indent=2))
    half.replace(_file(places))


def read(places: Places) -> dict[str, Any] | None:
    """The last written state, or None when no stack runs."""
    try:
        state: dict[str, Any] = json.loads(_file(places).read_text())
    except (OSError, ValueError):
        return None
    return state


def clear(places: Places) -> None:
    """Forget the state: nothing runs any more."""
    _file(places).unlink(missing_ok=True)
