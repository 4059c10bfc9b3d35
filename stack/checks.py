"""Ready checks: whether a process that was started does its work yet."""

import json
import urllib.error
import urllib.request
from datetime import UTC, datetime
from typing import Any

TIMEOUT_SECONDS = 5
WARM_UP_SECONDS = 60


def _get(url: str, timeout: float = TIMEOUT_SECONDS) -> bytes | None:
    """The body of a good answer, or None. Proxies are for other machines, never for this one."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=timeout) as answer:
            body: bytes = answer.read()
            return body
    except (OSError, urllib.error.URLError):
        return None


def answers(url: str) -> bool:
    """Whether a GET is answered with success."""
    return _get(url) is not None


def airflow_api_ready(url: str) -> bool:
    """Whether Airflow's API server answers, for people and, warmed up, for tasks.

    The first call of the task-facing API costs seconds, so it is paid here and not by the first run.
    """
    return _get(f"{url}/api/v2/version") is not None and _get(f"{url}/execution/health", WARM_UP_SECONDS) is not None


def airflow_component_ready(url: str, component: str, started: datetime) -> bool:
    """Whether a component of Airflow has given a sign of life since it was started.

    Airflow goes on calling a stopped component healthy for a while, so the status alone would not tell.
    """
    body = _get(f"{url}/api/v2/monitor/health")
    return body is not None and has_beaten(json.loads(body), component, started)


def has_beaten(health: dict[str, Any], component: str, started: datetime) -> bool:
    """Whether the answer of `/monitor/health` has a heartbeat of the component that is newer than its start."""
    news = health.get(component) or {}
    beat = news.get(f"latest_{component}_heartbeat")
    if news.get("status") != "healthy" or not beat:
        return False
    return datetime.fromisoformat(beat).astimezone(UTC) >= started
