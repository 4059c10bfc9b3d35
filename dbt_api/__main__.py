"""`python -m dbt_api serve`: server and worker in one process; `token`: API tokens."""

import argparse
import logging
import signal
import sys
from types import FrameType

import uvicorn

from dbt_api.app import create_app
from dbt_api.lifecycle import stopping
from dbt_api.settings import settings

KEEP_ALIVE_SECONDS = 75


class Server(uvicorn.Server):
    """Tells the runner at the first signal, so that dbt is interrupted and held requests are answered."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Uvicorn's own signal handler, preceded by our notice."""
        stopping.set()
        super().handle_exit(sig, frame)


def serve() -> int:
    """Serve until a signal comes. 0 after SIGTERM or SIGINT, 2 when it may not start."""
    if settings().token is None:
        print(  # noqa: T201
            "The dbt API has no default secret: set PILOTHOUSE_DBT_API_TOKEN, or write the token to "
            f"{settings().data.parent / 'secrets' / 'pilothouse_dbt_api_token'}.",
            file=sys.stderr,
        )
        return 2
    config = uvicorn.Config(
        create_app(),
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
    server.run()
    return 0 if server.started else 1


def main() -> int:
    """Read the command line."""
    if sys.argv[1:2] == ["token"]:
        from dbt_api.auth.cli import run_token_command

        return run_token_command(sys.argv[2:])
    parser = argparse.ArgumentParser(prog="dbt_api", description="The dbt API server and its worker.")
    parser.add_argument("action", choices=["serve"])
    parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    return serve()


if __name__ == "__main__":
    sys.exit(main())
