"""The last step: in a forked child, the `dbt` command, as far as anyone outside can tell."""

import gc
import os
import random
import signal
import sys
import threading
import traceback
from contextlib import suppress
from typing import NoReturn

from dbt.adapters.contracts.connection import ConnectionState
from dbt.adapters.factory import FACTORY
from dbt.cli.main import cli
from dbt_common.events.functions import reset_metadata_vars

from dbt_api.zygote.orders import Order
from dbt_api.zygote.parsed import Parsed
from dbt_api.zygote.warming import close_database

YOUNG_OBJECTS = 50_000
"""How many new objects make a garbage collection due: rarely, since a run of seconds leaves little."""
CANCEL_SECONDS = 0.05


def run_dbt(order: Order, log: int, parsed: Parsed | None) -> int:
    """Run the command; its exit code. Everything that it prints goes to the log."""
    code = 1
    try:
        _redirect(log)
        order.enter()
        random.seed()
        reset_metadata_vars()
        gc.set_threshold(YOUNG_OBJECTS)
        signal.signal(signal.SIGINT, _interrupted)
        if parsed is not None:
            parsed.stand_in()
        code = _run(order.words, parsed)
        close_database()
    except BaseException:
        traceback.print_exc()
    finally:
        with suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
    return code


def _redirect(log: int) -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, number in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(source, number)
    os.close(nothing)
    os.close(log)


def _run(words: list[str], parsed: Parsed | None) -> int:
    sys.argv = ["dbt", *words]
    manifest = parsed.manifest if parsed is not None else None
    try:
        cli(args=words, prog_name="dbt", obj={"manifest": manifest, "callbacks": []})
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def _interrupted(_number: int, _frame: object) -> NoReturn:
    """dbt's own way to stop, begun by KeyboardInterrupt, cancels the queries of that moment. We go on cancelling.

    A query that a node was just about to send would otherwise run to its end, and dbt would wait for it. A timer, not
    a thread: the signal may come while the main thread holds the locks that starting one takes.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGALRM, _cancel_queries)
    signal.setitimer(signal.ITIMER_REAL, CANCEL_SECONDS, CANCEL_SECONDS)
    raise KeyboardInterrupt


def _cancel_queries(_number: int, _frame: object) -> None:
    own = (os.getpid(), threading.get_ident())
    for adapter in FACTORY.adapters.values():
        for thread, connection in list(adapter.connections.thread_connections.items()):
            if thread != own and connection.state == ConnectionState.OPEN:
                with suppress(Exception):
                    connection.handle.cursor().interrupt()
