"""dbt's `--defer`: parents that the own target has not built are read where another target has them.

A client names the other target; which manifest that means, and where it lies, is the server's matter.
"""

from pathlib import Path

from dbt_api.errors import ApiError
from dbt_api.projects import manifests
from dbt_api.running.command import command_name
from dbt_api.tables import InvocationRow

NOT_DEFERRING = {"deps", "debug", "parse"}


def check_defer(project: str, command: list[str], defer_to: str | None) -> None:
    """Refuse what cannot be deferred. Raises ApiError 422: such a command, an option twice, no manifest yet."""
    if defer_to is None:
        return
    if (name := command_name(command)) in NOT_DEFERRING:
        raise ApiError(422, f"`dbt {name}` reads no parents: leave defer_to out.")
    if "--defer" in command or "--no-defer" in command:
        raise ApiError(422, "Deferring is said twice: by defer_to and in the command.")
    if manifests.newest(project, defer_to) is None:
        raise ApiError(
            422,
            f"There is no manifest of '{project}' for the target '{defer_to}' to defer to.",
            hint="Run or parse that target once.",
        )


def defer_words(row: InvocationRow, folder: Path) -> list[str]:
    """dbt's words for it, with a copy of the manifest in the attempt's folder: a newer one never comes under a run."""
    if row.defer_to is None:
        return []
    state = folder / "state"
    state.mkdir(parents=True, exist_ok=True)
    manifests.put(manifests.get_newest(row.project, row.defer_to).manifest, state / manifests.MANIFEST)
    return ["--defer", "--state", str(state)]
