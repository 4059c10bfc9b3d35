"""Names that two processes must derive alike: DAG ids, the Variable, invocation ids."""

import hashlib
import re

PROJECT_NAME_PATTERN = r"^[a-z][a-z0-9_]{1,49}$"
"""What dbt and Airflow both take as a name: lower-case letters, digits, underscores; 2 to 50 characters."""

DAG_ID_PREFIX = "pilothouse__"
ANCHOR_DAG_ID = "pilothouse_projects"
"""A DAG that is always in the factory's file, so that the file can be re-parsed when no project exists yet."""

PROJECTS_VARIABLE = "pilothouse_projects"
DBT_TASK_ID = "dbt"
BEGIN_TASK_ID = "begin"
CREATE_CLUSTER_TASK_ID = "create_cluster"
DELETE_CLUSTER_TASK_ID = "delete_cluster"
"""The tasks around dbt's in the DAG of a project whose cluster is made for each run."""
DBT_API_CONNECTION_ID = "pilothouse_dbt_api"


RUN_LABEL = "pilothouse.dev/run"
PROJECT_LABEL = "pilothouse.dev/project"
TRY_LABEL = "try_number"
"""Airflow's own label on the pods that it starts: which try of the task a pod belongs to."""
DBT_CONTAINER = "base"
"""The container in which dbt runs; the name is Airflow's."""
SOURCE_CONTAINER = "source"
"""The init container that clones the project."""


def run_label_of(dag_id: str, dag_run_id: str) -> str:
    """The value of RUN_LABEL on every pod of a DAG run: a hash, because run ids hold what labels may not."""
    return hashlib.sha256(f"{dag_id}/{dag_run_id}".encode()).hexdigest()[:32]


def dag_id_of(project_name: str) -> str:
    """The id of the one DAG that runs this project."""
    return f"{DAG_ID_PREFIX}{project_name}"


def project_name_of(dag_id: str) -> str | None:
    """The project behind a DAG id, or None when the DAG is not one of ours."""
    return dag_id.removeprefix(DAG_ID_PREFIX) if dag_id.startswith(DAG_ID_PREFIX) else None


def invocation_task_id(dag_id: str, dag_run_id: str, task_id: str, try_number: int) -> str:
    """The idempotency key of one try of one Airflow task, valid as a dbt API task_id.

    Readable at the front, unique by a hash at the end, and the same wherever it is computed: the operator
    submits under it and the collector finds the invocation without asking Airflow for an XCom.
    """
    identity = f"{dag_id}/{dag_run_id}/{task_id}/{try_number}"
    readable = re.sub(r"[^A-Za-z0-9._-]+", "-", f"{dag_id}.{dag_run_id}.{try_number}")[:150]
    return f"{readable}.{hashlib.sha256(identity.encode()).hexdigest()[:12]}"
