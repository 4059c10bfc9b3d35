"""Collected logs: files that grow, each with an index of its lines; read by ranges, never whole.

`<data>/runs/<run id>/<invocation task id>/dbt.jsonl` holds dbt's own lines byte for byte (of a pod, also what its
containers said beside them), `airflow.log` the text of Airflow's task log, and `artifacts/` what dbt left.
"""

from services.logs.files import Source, append, artifacts_of, folder, path_of, size_of
from services.logs.nodes import nodes_in
from services.logs.query import Query
from services.logs.view import View, open_view

__all__ = [
    "Query",
    "Source",
    "View",
    "append",
    "artifacts_of",
    "folder",
    "nodes_in",
    "open_view",
    "path_of",
    "size_of",
]
