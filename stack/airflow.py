"""Airflow's settings in the embedded stack: environment variables only, the same for all of its processes."""

import json
import os

from stack.places import HOST, ROOT, Places
from stack.secrets import AIRFLOW_USER, Secrets, airflow_users_file

# What may be tuned by setting the same variable before the start.
TUNING = {
    # A task of ours waits more than it works, so slots are cheap; with few, one project's queue starves the others.
    "AIRFLOW__CORE__PARALLELISM": str(max(8, 2 * (os.cpu_count() or 1))),
    # More than 0 would drop a publication that follows another closely, until the next parse.
    "AIRFLOW__CORE__MIN_SERIALIZED_DAG_UPDATE_INTERVAL": "0",
    "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "30",
    "AIRFLOW__DAG_PROCESSOR__BUNDLE_REFRESH_CHECK_INTERVAL": "1",
    "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "10",
    "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.5",
    # Importing the Kubernetes provider takes seconds, and on a busy machine more than Airflow's 30.
    "AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT": "180",
    "AIRFLOW__DAG_PROCESSOR__DAG_FILE_PROCESSOR_TIMEOUT": "240",
    # Recovery after a killed scheduler: how soon its tasks are noticed and given a new try. The heartbeat's time-out
    # must exceed the longest restart of the API server.
    "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "10",
    "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "30",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "120",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "10",
    # A cancelled run reaches its task with the next heartbeat; each is a write, and SQLite takes one writer at a time.
    "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "2",
    # A restart of the API server must not kill running tasks; each failure is two seconds or more.
    "AIRFLOW__WORKERS__MAX_FAILED_HEARTBEATS": "20",
    # After a start the scheduler may take a task up again before the API server answers: the task waits for it.
    "AIRFLOW__WORKERS__EXECUTION_API_RETRIES": "20",
    "AIRFLOW__WORKERS__EXECUTION_API_RETRY_WAIT_MAX": "5",
    # A cluster's API server may be away for about two minutes. With the provider's own 5 a task gives its pod up after
    # 15 seconds: the run fails, and dbt goes on in a pod that nobody looks after.
    "AIRFLOW__WORKERS__API_RETRIES": "12",
}


def environment(places: Places, secrets: Secrets) -> dict[str, str]:
    """Every variable that Airflow's processes need; what is in TUNING yields to a value already set."""
    return {**_tuning(), **_wiring(places), **_access(places, secrets)}


def _tuning() -> dict[str, str]:
    return {name: os.environ.get(name) or default for name, default in TUNING.items()}


def _wiring(places: Places) -> dict[str, str]:
    home = places.airflow_home
    return {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{places.airflow.url}/execution/",
        **database(places, patience_seconds=90),
        "AIRFLOW__API__HOST": HOST,
        "AIRFLOW__API__PORT": str(places.airflow.number),
        "AIRFLOW__API__BASE_URL": places.airflow.url,
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH": str(home / "bundles"),
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(home / "logs"),
    }


def database(places: Places, *, patience_seconds: int) -> dict[str, str]:
    """Airflow's SQLite, which one process writes at a time, and how long another waits for its turn.

    The scheduler ends when its turn does not come. The API server writes its audit log where it also answers requests,
    so while it waits, whoever holds the turn by one of them cannot end it: short, and its clients ask again.
    """
    path = places.airflow_home / "airflow.db"
    return {"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{path}?timeout={patience_seconds}"}


def _access(places: Places, secrets: Secrets) -> dict[str, str]:
    dbt_api = {
        "conn_type": "http",
        "host": places.dbt_api.url,
        "login": "pilothouse",
        "password": secrets.dbt_api_token,
    }
    return {
        "AIRFLOW__CORE__FERNET_KEY": secrets.airflow_fernet_key,
        "AIRFLOW__API__SECRET_KEY": secrets.airflow_api_secret,
        "AIRFLOW__API_AUTH__JWT_SECRET": secrets.airflow_jwt_secret,
        "AIRFLOW__CORE__AUTH_MANAGER": (
            "airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager"
        ),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{AIRFLOW_USER}:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(airflow_users_file(places)),
        "AIRFLOW_CONN_PILOTHOUSE_DBT_API": json.dumps(dbt_api),
        # Without a key: Google's Application Default Credentials, as this machine has them.
        "AIRFLOW_CONN_GOOGLE_CLOUD_DEFAULT": json.dumps({"conn_type": "google_cloud_platform"}),
    }
