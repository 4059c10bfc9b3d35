"""The first start without a token makes one and keeps it in a file that only its owner may read."""

import logging
import os
import secrets

from pydantic import SecretStr

from dbt_api.settings import PREFIX, settings

LOG = logging.getLogger(__name__)


def ensure_token() -> str | None:
    """Have a token, made now if need be. A sentence says why there is none; the token itself is never told."""
    if settings().token is not None:
        return None
    file = settings().token_file
    if not settings().generate_token:
        return f"The dbt API has no default secret: set {PREFIX}TOKEN, or write the token to {file}."
    token = secrets.token_urlsafe(32)
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
            opened.write(token)
    except OSError as error:
        return f"No token could be kept in {file} ({error.strerror}): set {PREFIX}TOKEN."
    settings().token = SecretStr(token)
    LOG.warning("There was no token, so one was made: read it in %s", file)
    return None
