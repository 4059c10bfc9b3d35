"""The HTTP server of this process, and how it goes down: drain, interrupt, end."""

import logging
import signal
import sys
import threading
from types import FrameType

import uvicorn

from dbt_api.app import create_app
from dbt_api.lifecycle import draining, stopping
from dbt_api.settings import settings
from dbt_api.workers.lease import lease
from dbt_api.workers.service import service

LOG = logging.getLogger(__name__)
KEEP_ALIVE_SECONDS = 75
LOST = 3
"""Exit status of a worker that others counted as lost."""


class Server(uvicorn.Server):
    """Answers while what runs is drained; a second signal ends the drain."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Uvicorn's own signal handler, preceded by our notice."""
        if settings().drain_seconds and not draining.is_set():
            draining.set()
            threading.Thread(target=self._drain, args=(sig,), daemon=True, name="drain").start()
            return
        draining.set()
        stopping.set()
        super().handle_exit(sig, frame)

    def _drain(self, sig: int) -> None:
        service.stop()
        super().handle_exit(sig, None)


def serve(*, with_routes: bool) -> int:
    """Serve until a signal comes: all routes, or those of a worker. 0 after a signal, 3 when counted as lost."""
    config = uvicorn.Config(
        create_app(with_routes=with_routes),
        host=settings().host,
        port=settings().port,
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings().trusted_proxies),
        forwarded_allow_ips=settings().trusted_proxies,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=3,
        log_config=None,
    )
    server = Server(config)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))  # uvicorn raises the signal once more after its clean end
    try:
        server.run()
    except SystemExit as ended:
        return LOST if lease.is_lost else int(ended.code or 0)
    return 0 if server.started else 1
