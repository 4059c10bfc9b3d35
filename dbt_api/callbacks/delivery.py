"""Delivers callbacks: one thread of the server that tells what is due, signed, and never follows a redirect."""

import hashlib
import hmac
import http.client
import json
import logging
import socket
import ssl
import threading
from typing import Any

from dbt_api import store
from dbt_api.callbacks import outbox
from dbt_api.callbacks.addresses import Address, address_of
from dbt_api.errors import ApiError
from dbt_api.lifecycle import stopping
from dbt_api.settings import settings
from dbt_api.tables import CallbackRow

LOG = logging.getLogger(__name__)
LOOK_SECONDS = 0.5
TIMEOUT_SECONDS = 10
SIGNATURE_HEADER = "X-Pilothouse-Signature-256"


def start_delivery() -> None:
    """Deliver what is due until the server stops."""
    threading.Thread(target=_deliver_until_stopped, daemon=True, name="callbacks").start()


def _deliver_until_stopped() -> None:
    while not stopping.wait(LOOK_SECONDS):
        try:
            for row in outbox.take_due():
                _deliver(row)
        except Exception:  # the database is away: what is due stays so
            LOG.exception("Callbacks could not be looked up")


def _deliver(row: CallbackRow) -> None:
    try:
        status = _post(address_of(row.url), json.dumps(_body(row)).encode())
        problem = None if 200 <= status < 300 else f"answered {status}"
    except ApiError as error:
        problem = error.detail
    except (OSError, http.client.HTTPException) as error:
        problem = f"cannot be reached: {type(error).__name__}"
    if problem is None or row.attempt + 1 >= outbox.ATTEMPTS:
        outbox.settle(row)
    if problem is not None:
        LOG.warning("Callback of %s (%s), attempt %s: %s", row.task_id, row.state, row.attempt + 1, problem)


def _body(row: CallbackRow) -> dict[str, Any]:
    """dbt-labs' two keys, and ours. `status` is what the callback is about; a later one may have come before it."""
    invocation = store.find(row.task_id)
    ended = invocation.finished_at if invocation is not None and row.state.is_terminal else None
    return {
        "task_id": row.task_id,
        "status": row.state,
        "state": row.state,
        "finished_at": ended.isoformat() if ended is not None else None,
        "url": f"{settings().public_url.rstrip('/')}/invocations/{row.task_id}",
    }


def signature(body: bytes) -> str:
    """HMAC-SHA256 of the body with the secret of the settings, in the form of the header."""
    secret = settings().callback_secret
    assert secret is not None, "address_of lets nothing pass without one"
    return "sha256=" + hmac.new(secret.get_secret_value().encode(), body, hashlib.sha256).hexdigest()


def _post(address: Address, body: bytes) -> int:
    connection = http.client.HTTPConnection(address.host, address.port, timeout=TIMEOUT_SECONDS)
    connection.sock = _connected(address)
    headers = {"Content-Type": "application/json", SIGNATURE_HEADER: signature(body)}
    try:
        connection.request("POST", address.path, body, headers)
        return connection.getresponse().status
    finally:
        connection.close()


def _connected(address: Address) -> socket.socket:
    plain = socket.create_connection((address.ip, address.port), timeout=TIMEOUT_SECONDS)
    if address.scheme == "http":
        return plain
    return ssl.create_default_context().wrap_socket(plain, server_hostname=address.host)
