"""One call to Airflow's REST API: signed in, with a timeout, its failures told in our own errors."""

import json
import time
from collections.abc import Callable
from typing import Any, TypeVar

import urllib3
from airflow_client.client import ApiClient, Configuration
from airflow_client.client.exceptions import ApiException

from services.airflow.tokens import SYSTEM, TokenSource
from services.errors import BackendError, BackendRejected, BackendTimeout, BackendUnreachable

Answer = TypeVar("Answer")

TIMEOUT = (3.05, 30.0)
"""Seconds to connect and to wait for an answer."""

_PAUSES = (0.3, 1.0)
"""Seconds before the second and third try. Every call of ours may be repeated: what it makes has a name of its own."""

_PASSING = (429, 502, 503, 504)
_DATABASE = "Serious error when handling your request"
"""With status 500, Airflow's words for an error of its database, as when another writer holds it for too long."""
_UNREACHABLE_HINT = "Check that Airflow runs and that PILOTHOUSE_AIRFLOW_URL is its address; then try again."
_HINTS = {
    401: "Airflow does not accept the console's sign-in: check PILOTHOUSE_AIRFLOW_AUTH and its settings.",
    403: "The console's Airflow user lacks the permission: give it the role Op or Admin.",
    404: "Airflow does not know it (yet): publish the project again, or look at the import errors.",
}


class Transport:
    """A signed-in connection to one Airflow."""

    def __init__(self, url: str, tokens: TokenSource) -> None:
        self._url = url.rstrip("/")
        self._tokens = tokens
        configuration = Configuration(host=self._url, retries=False)  # type: ignore[no-untyped-call, unused-ignore]
        self.api = ApiClient(configuration)

    def call(self, action: str, request: Callable[[], Answer], *, patient: bool = True) -> Answer:
        """Make a request; repeat it when nothing was reached. `action` completes "Airflow could not …".

        Raises BackendUnreachable, BackendTimeout, BackendRejected, or what the token's source raises.
        """
        pauses = list(_PAUSES) if patient else []
        while True:
            try:
                return self._signed_in(action, request)
            except BackendError as error:
                if not pauses or not _is_passing(error):
                    raise
            time.sleep(pauses.pop(0))

    def _signed_in(self, action: str, request: Callable[[], Answer]) -> Answer:
        token = self._tokens.token()
        try:
            return self._send(action, request, token)
        except BackendRejected as refusal:
            if not _is_stale_token(refusal):
                raise
        self._tokens.forget(token)
        return self._send(action, request, self._tokens.token())

    def _send(self, action: str, request: Callable[[], Answer], token: str) -> Answer:
        self.api.configuration.access_token = token
        try:
            return request()
        except ApiException as error:
            raise rejected(action, int(error.status or 0), error.body) from error
        except urllib3.exceptions.ReadTimeoutError as error:
            raise BackendTimeout(
                f"Airflow did not answer within {TIMEOUT[1]:.0f} s when asked to {action}.",
                system=SYSTEM,
                hint="It may have been done all the same: look before you repeat it.",
            ) from error
        except urllib3.exceptions.HTTPError as error:
            raise BackendUnreachable(
                f"Cannot reach Airflow at {self._url} to {action}.", system=SYSTEM, hint=_UNREACHABLE_HINT
            ) from error
        except ValueError as error:
            raise rejected(action, 200, "the answer is not what Airflow's REST API 2 gives") from error


def rejected(action: str, status: int, body: Any) -> BackendRejected:
    """Airflow's refusal, with its own words as the detail."""
    detail = _detail(body)
    return BackendRejected(
        f"Airflow could not {action}: {detail} (HTTP {status}).",
        system=SYSTEM,
        status=status,
        detail=detail,
        hint=_HINTS.get(status),
    )


def _detail(body: Any) -> str:
    try:
        found = json.loads(body)["detail"]
    except (ValueError, TypeError, KeyError):
        found = body or "no reason given"
    if isinstance(found, dict):
        found = found.get("message") or found.get("reason") or found
    return str(found).partition("\n\n")[0][:1000]  # below a blank line Airflow repeats the whole JSON schema


def _is_passing(error: BackendError) -> bool:
    if isinstance(error, BackendRejected):
        return error.status in _PASSING or (error.status == 500 and _DATABASE in error.detail)
    return isinstance(error, BackendUnreachable)


def _is_stale_token(refusal: BackendRejected) -> bool:
    """Airflow answers 401 to an expired token, but 403 to one that another secret signed."""
    return refusal.status == 401 or (refusal.status == 403 and "JWT" in refusal.detail)
