"""Who may read which log: a page that has let somebody in gives their browser a ticket, and every range asks for it.

A ticket names the person and one run, is signed, and soon over; the page gives a new one for as long as it lets the
person in. It travels in a header or a form, never in an address.
"""

import os
import secrets
import time
from functools import cache
from pathlib import Path

from itsdangerous import BadSignature, URLSafeSerializer

from models.run import Invocation, Run
from services.database import session
from services.errors import NotAllowed, NotFound
from services.settings import settings

LIFETIME_SECONDS = 600
_KEY = "console_log_key"


def ticket_for(run_id: int, person: str) -> str:
    """A ticket for all logs of one run. Asked again soon, it is the same one."""
    until = (int(time.time()) // LIFETIME_SECONDS + 2) * LIFETIME_SECONDS
    return str(_signer().dumps({"run": run_id, "person": person, "until": until}))


def admit(ticket: str, invocation_id: int) -> tuple[Run, Invocation]:
    """What the bearer may read of this invocation. Raises NotAllowed, or NotFound when it is gone."""
    try:
        claims = _signer().loads(ticket)
    except BadSignature:
        raise NotAllowed("This page may not read logs.", hint="Reload the page.") from None
    if claims["until"] < time.time():
        raise NotAllowed("This page was open for too long to read logs.", hint="Reload the page.")
    with session() as opened:
        invocation = opened.get(Invocation, invocation_id)
        if invocation is None:
            raise NotFound("This log was deleted.", hint="See all runs for what is left.")
        if invocation.run_id != claims["run"]:
            raise NotAllowed("This page may not read the logs of another run.", hint="Open that run's own page.")
        return opened.get_one(Run, invocation.run_id), invocation


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(_key(settings().data / "secrets" / _KEY), salt="log")


@cache
def _key(path: Path) -> bytes:
    """One key for all console processes on these data, drawn by the first of them."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(secrets.token_hex(32).encode())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return path.read_bytes()
