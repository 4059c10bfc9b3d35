"""Answers with a file's bytes by HTTP's own means: Range and If-Range, ETag and 304 (RFC 9110, sections 8, 13, 14)."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from fastapi import Request
from fastapi.responses import Response, StreamingResponse

RANGE = re.compile(r"^bytes=([0-9]{0,18})-([0-9]{0,18})$")
FINAL = "private, max-age=86400, immutable"
GROWING = "no-store"
RANGED: dict[int | str, dict[str, Any]] = {
    206: {"description": "The part that `Range` asks for."},
    304: {"description": "What `If-None-Match` names is still what there is."},
    416: {"description": "`Range` begins behind the last byte."},
}
"""What `answer` may answer besides 200, for OpenAPI."""


@dataclass(frozen=True)
class ByteRange:
    """Bytes `start` up to but not including `end`."""

    start: int
    end: int


@dataclass(frozen=True)
class Content:
    """Bytes to answer with; `read` gives a part of them in blocks, and nothing is read before it is sent.

    Those with an `etag` will never change and may be kept by the client.
    """

    size: int
    read: Callable[[int, int], Iterator[bytes]]
    media_type: str
    etag: str | None
    headers: dict[str, str]


def requested_range(header: str | None, size: int) -> ByteRange | None:
    """The range that a Range header means in a file of this size; None when it holds no byte of it.

    No header, or one that we don't understand, means the whole file (RFC 9110, section 14.2).
    """
    found = RANGE.match(header or "")
    if found is None or found.groups() == ("", ""):
        return ByteRange(0, size)
    first, last = found.groups()
    start = int(first) if first else max(0, size - int(last))
    end = min(size, int(last) + 1) if first and last else size
    return ByteRange(start, end) if start < end else None


def answer(request: Request, content: Content) -> Response:
    """200 with the whole, 206 with the part asked for, 304 for what the client has, 416 for a part there is not."""
    headers = {"Accept-Ranges": "bytes", "X-Content-Type-Options": "nosniff", **content.headers}
    headers["Cache-Control"] = FINAL if content.etag else GROWING
    if content.etag:
        headers["ETag"] = content.etag
        if _names(request.headers.get("If-None-Match", ""), content.etag):
            return Response(status_code=304, headers=headers)
    asked = _range_of(request, content.etag)
    wanted = requested_range(asked, content.size)
    if wanted is None:
        headers["Content-Range"] = f"bytes */{content.size}"
        return Response(status_code=416, headers=headers, media_type=content.media_type)
    if asked is not None:
        headers["Content-Range"] = f"bytes {wanted.start}-{wanted.end - 1}/{content.size}"
    headers["Content-Length"] = str(wanted.end - wanted.start)
    body = content.read(wanted.start, wanted.end)
    return StreamingResponse(body, 200 if asked is None else 206, headers, media_type=content.media_type)


def attachment(name: str) -> dict[str, str]:
    """The header that makes a browser save the answer under a name of plain characters."""
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", name)
    return {"Content-Disposition": f'attachment; filename="{plain}"'}


def _range_of(request: Request, etag: str | None) -> str | None:
    """The Range header, if it is a byte range, and if what the client has parts of is still the same."""
    header = request.headers.get("Range")
    unless = request.headers.get("If-Range")
    if header is None or not RANGE.match(header) or header == "bytes=-" or (unless and unless != etag):
        return None
    return header


def _names(if_none_match: str, etag: str) -> bool:
    return any(each.strip().removeprefix("W/") in (etag, "*") for each in if_none_match.split(","))
