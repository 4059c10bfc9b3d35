"""The form of this process's own log: text for people, or one JSON object a line for machines."""

import logging

from dbt_api.settings import settings

TEXT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def set_up_logging() -> None:
    """Send every logger's lines, DBOS's and uvicorn's too, to one handler on stderr."""
    handler = logging.StreamHandler()
    handler.setFormatter(_json() if settings().log_format == "json" else logging.Formatter(TEXT))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.INFO)
    for noisy in ("httpx", "alembic.runtime.migration", "botocore", "aiobotocore"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def _json() -> logging.Formatter:
    from pythonjsonlogger.json import JsonFormatter

    names = {"asctime": "time", "levelname": "level", "name": "logger"}
    return JsonFormatter("%(asctime)s %(levelname)s %(name)s %(message)s", rename_fields=names)
