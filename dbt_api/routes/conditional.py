"""Conditional reading: a client that sends the ETag of what it has is told 304 as long as that is still true."""

import hashlib
import json
from typing import Any


def etag_of(value: Any) -> str:
    """A weak ETag of a JSON value."""
    return f'W/"{hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:32]}"'


def is_known(etag: str, if_none_match: str | None) -> bool:
    """Whether an If-None-Match header names this ETag (RFC 9110, section 13.1.2: weak comparison)."""
    known = [each.strip().removeprefix("W/") for each in (if_none_match or "").split(",")]
    return known == ["*"] or etag.removeprefix("W/") in known
