"""How to do a run again elsewhere: on one's own machine, by Airflow's REST API, by the dbt API's. Never with a secret.

Addresses are those that this console uses; logins are variables of the reader's own shell.
"""

import json
import shlex
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from models.run import Run
from services.settings import settings


def local_commands(run: Run, source: Mapping[str, Any], *, dbt_version: str | None) -> str:
    """The shell commands, from the project's files to dbt. One's own profiles.yml decides where it writes."""
    version = (
        [f"# dbt-core {dbt_version}, and the profile of {run.project} in your profiles.yml"] if dbt_version else []
    )
    return "\n".join([*version, *_files(run, source), "dbt deps", f"dbt {run.command}"])


def _files(run: Run, source: Mapping[str, Any]) -> list[str]:
    kind, commit = source.get("kind"), run.git_sha
    checkout = [f"git checkout {shlex.quote(commit)}"] if commit else []
    if kind == "git":
        folder = shlex.quote("/".join(filter(None, [run.project, source.get("subfolder")])))
        return [f"git clone {shlex.quote(str(source.get('url')))} {run.project}", f"cd {folder}", *checkout]
    if kind == "folder":
        was = [f"# it was at commit {commit}"] if commit else []
        return [f"cd {shlex.quote(str(source.get('path')))}  # on the dbt API's machine", *was]
    if kind == "upload":
        named = source.get("filename") or "the uploaded archive"
        return [f"# unpack {named} (sha256 {str(source.get('sha256'))[:12]}…) and go into it"]
    return ["# go into a copy of the project: its files lie on the dbt API's machine"]


def airflow_call(run: Run) -> str:
    """The call that starts the same DAG run. The console finds such a run and shows it too."""
    conf = {name: value for name, value in run.conf.items() if name != "requested_by"}
    url = f"{settings().airflow_link}/api/v2/dags/{quote(run.dag_id, safe='')}/dagRuns"
    return _curl(url, "AIRFLOW_TOKEN", {"logical_date": None, "conf": conf})


def dbt_api_call(run: Run) -> str:
    """The call that runs the same dbt command on the dbt API."""
    url = f"{settings().dbt_api_url.rstrip('/')}/api/v1/invocations"
    return _curl(url, "DBT_API_TOKEN", {"project": run.project, "command": _words(run.command)})


def _words(command: str) -> list[str]:
    """The command's words; one that came from elsewhere need not be what a shell would take."""
    try:
        return shlex.split(command)
    except ValueError:
        return command.split()


def _curl(url: str, token: str, body: Mapping[str, Any]) -> str:
    return " \\\n  ".join(
        [
            f"curl --fail-with-body -X POST {shlex.quote(url)}",
            f'-H "Authorization: Bearer ${token}"',
            "-H 'Content-Type: application/json'",
            f"-d {shlex.quote(json.dumps(body, ensure_ascii=False))}",
        ]
    )
