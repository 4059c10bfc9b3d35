"""Makes the root zygote warm: imports what dbt imports lazily, and runs a throw-away project once.

Running matters as much as importing: serialisers are generated and macros compiled at first use. The project is parsed
in a child, because dbt's first parse starts the threads of its static parser, which a fork would not survive.
"""

import importlib
import os
import pkgutil
import tempfile
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import dbt_common.clients
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.adapters.factory import cleanup_connections, reset_adapters
from dbt.cli.main import dbtRunner
from dbt.contracts.graph.manifest import Manifest
from dbt_common.clients.jinja import template_cache

LAZY = (
    *("dbt.task.build", "dbt.task.run", "dbt.task.test", "dbt.task.seed", "dbt.task.snapshot", "dbt.task.list"),
    *("dbt.task.compile", "dbt.task.docs.generate", "dbt.task.run_operation", "dbt.task.freshness", "dbt.task.show"),
    *("dbt.task.retry", "dbt.compilation", "dbt.parser.manifest", "dbt.parser.sql", "dbt.graph.thread_pool"),
    *("dbt.adapters.duckdb.environments.local", "multiprocessing.pool", "multiprocessing.dummy"),
    *("multiprocessing.synchronize", "sqlparse", "sqlparse.cli", "sqlparse.engine", "babel.dates", "babel.localtime"),
)
QUIET = ["--quiet", "--log-level", "none", "--log-level-file", "none"]
PROJECT = {
    "dbt_project.yml": "name: warm\nversion: '1.0'\nprofile: warm\nflags: {send_anonymous_usage_stats: false}\n",
    "profiles.yml": "warm:\n  target: t\n  outputs:\n    t: {type: duckdb, path: w.duckdb, threads: 2}\n",
    "models/a.sql": "{{ config(materialized='table') }} select 1 as id",
    "models/b.sql": "select * from {{ ref('a') }}",
    "models/s.yml": "models:\n  - name: b\n    columns: [{name: id, data_tests: [unique, not_null]}]\n",
    "seeds/s.csv": "id,x\n1,a\n",
}


def warm() -> None:
    """Leave dbt imported and used, and everything closed again."""
    for name in LAZY:
        importlib.import_module(name)
    for module in pkgutil.iter_modules(dbt_common.clients.__path__, "dbt_common.clients."):
        importlib.import_module(module.name)
    home = os.getcwd()
    with tempfile.TemporaryDirectory() as folder:
        for name, text in PROJECT.items():
            path = Path(folder, name)
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        os.chdir(folder)
        os.environ |= {"DBT_PROFILES_DIR": folder, "DBT_TARGET_PATH": f"{folder}/target", "DBT_LOG_PATH": folder}
        manifest = _run_throw_away()
        os.chdir(home)
    compile_macros(manifest)
    close_database()


def _run_throw_away() -> Manifest:
    in_child(lambda: _invoke("parse"))
    manifest: Manifest = _invoke("parse")
    _invoke("build")
    return manifest


def _invoke(command: str) -> Any:
    done = dbtRunner().invoke([command, *QUIET])
    if not done.success:
        raise RuntimeError(f"dbt {command} of the throw-away project failed: {done.exception or 'a node failed'}")
    return done.result


def in_child(work: Callable[[], object]) -> None:
    """Do something in a process that is thrown away. Raises RuntimeError when it fails there."""
    child = os.fork()
    if child == 0:
        try:
            work()
            os._exit(0)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)
    if os.waitpid(child, 0)[1] != 0:
        raise RuntimeError("the project does not parse")


def compile_macros(manifest: Manifest) -> None:
    """Fill dbt's template cache, which is keyed by the macro's text. A broken macro is for its caller to find."""
    for macro in manifest.macros.values():
        with suppress(Exception):
            template_cache.get_node_template(macro)


def close_database() -> None:
    """Close DuckDB, which dbt leaves to the end of its interpreter.

    Never fork with an open handle: two processes would write to one file, and no lock would say so. And a child that
    exits without it leaves its changes in the write-ahead log, for the next one to replay.
    """
    cleanup_connections()
    reset_adapters()
    if DuckDBConnectionManager._ENV is not None:
        DuckDBConnectionManager._ENV.close()
        DuckDBConnectionManager._ENV = None
