"""Airflow's settings for tests that need no running Airflow: everything in a folder that goes away."""

import atexit
import os
import shutil
import tempfile

_home = tempfile.mkdtemp(prefix="pilothouse-airflow-")
atexit.register(shutil.rmtree, _home, ignore_errors=True)
os.environ.update(
    {
        "AIRFLOW_HOME": _home,
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__UNIT_TEST_MODE": "True",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{_home}/airflow.db",
    }
)
