"""The log viewer's side of the console's web server: ranges of a log as JSON, places in it, and downloads.

Every request is checked by itself (services/logs/tickets.py), does a bounded piece of work, and leaves nothing behind.
"""

from collections.abc import Callable, Iterator, Mapping
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from models.run import Invocation, Run
from services.errors import InvalidInput, NotAllowed, NotFound, PilothouseError
from services.logs.download import lines_of, raw_of
from services.logs.files import Source, path_of
from services.logs.nodes import nodes_in
from services.logs.query import Query, shown_of
from services.logs.tickets import admit
from services.logs.view import PAGE, View, open_view

MOST_ROWS = 1_000
TICKET_HEADER = "Pilothouse-Ticket"
_SEARCH_SECONDS = 0.25
_STATUS = {NotAllowed: 403, NotFound: 404, InvalidInput: 422}
_PRIVATE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}

Answer = Callable[[Invocation, Request], object]


def routes(base: str = "") -> list[Route]:
    """All of them, below the path that the console is served at."""
    prefix = f"/{base.strip('/')}".rstrip("/") + "/api/logs/{invocation:int}"
    return [
        Route(f"{prefix}/rows", _answering(rows)),
        Route(f"{prefix}/place", _answering(place)),
        Route(f"{prefix}/nodes", _answering(lambda invocation, _: nodes_in(invocation))),
        Route(f"{prefix}/lines/{{line}}", _answering(whole_line)),
        Route(f"{prefix}/download", download, methods=["POST"]),
    ]


def rows(invocation: Invocation, request: Request) -> object:
    """A range of the lines asked for, and how all of them stand.

    `line` begins it at that line; `version` is what the asker knows of the logs, so that only the heights of pages
    that are new to it are told.
    """
    view = _view(invocation, request, search_seconds=_SEARCH_SECONDS if "only" in request.query_params else 0)
    line, version = request.query_params.get("line"), request.query_params.get("version")
    at = view.position_of(_line(line)) if line else None
    same = view.same(version) if version else 0
    count = min(_number(request, "count", 0), MOST_ROWS)
    first = _number(request, "first", 0)
    if at is not None:
        first = max(0, at - at % PAGE - (count - PAGE) // 2 // PAGE * PAGE)
    elif "end" in request.query_params:
        first = max(0, view.total - view.total % PAGE - count + PAGE)
    return {
        "version": view.version,
        "same": same,
        "total": view.total,
        "at": at,
        "first": first,
        "rows": view.rows(first, count),
        "heights": {"first": same // PAGE, "pages": view.heights(same // PAGE)},
        "counts": view.counts(),
        "lines": view.lines,
        "complete": view.complete,
        "read": round(view.read, 4),
        "searched": round(view.searched, 4) if view.query.only else 1,
    }


def place(invocation: Invocation, request: Request) -> object:
    """The match, or error, next to a row; meanwhile the search goes on, and its count may still grow."""
    errors = request.query_params.get("what") == "error"
    view = _view(invocation, request, search_seconds=0 if errors else _SEARCH_SECONDS)
    found = view.errors() if errors else view.matches()
    row = _number(request, "row", -1, least=-1)
    if "back" in request.query_params:
        position = int(found.searchsorted(row)) - 1
    else:
        position = int(found.searchsorted(row, side="right"))
    position = position % len(found) if len(found) else -1
    at = int(found[position]) if len(found) else None
    return {
        "count": len(found),
        "number": position + 1,
        "at": at,
        "line": view.rows(at, 1)[0].line if at is not None else None,
        "hidden": 0 if errors else view.hidden_matches(),
        "searched": 1 if errors else round(view.searched, 4),
        "read": round(view.read, 4),
    }


def whole_line(invocation: Invocation, request: Request) -> object:
    """All of one line's text."""
    return {"text": _view(invocation, request).whole(_line(request.path_params["line"]))}


async def download(request: Request) -> Response:
    """All of a log, or the lines that the form chooses, as a file."""
    form = dict(parse_qsl((await request.body()).decode(errors="replace")))
    return await run_in_threadpool(_refusing, lambda: _download(request.path_params["invocation"], form))


def _download(invocation_id: int, form: dict[str, str]) -> Response:
    run, invocation = admit(form.get("ticket", ""), invocation_id)
    query = _query(form)
    name = f"run-{run.id}-try-{invocation.try_number}-{query.source}"
    if form.get("raw"):
        source: Source = "airflow" if query.source == "airflow" else "dbt"
        return _file(raw_of(path_of(invocation, source)), f"{name}.{'log' if source == 'airflow' else 'jsonl'}")
    return _file(lines_of(invocation, query), f"{name}.txt")


def _file(content: Iterator[bytes], name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Content-Encoding": "identity", **_PRIVATE}
    return StreamingResponse(content, media_type="text/plain; charset=utf-8", headers=headers)


def _answering(answer: Answer) -> Callable[[Request], Response]:
    """A route of its own thread that answers JSON, or says in JSON why not."""

    def route(request: Request) -> Response:
        return _refusing(lambda: _json(answer(_admitted(request)[1], request)))

    return route


def _json(content: object, status: int = 200) -> Response:
    return JSONResponse(content, status, headers=_PRIVATE)


def _refusing(work: Callable[[], Response]) -> Response:
    try:
        return work()
    except PilothouseError as error:
        said = {"message": error.message, "hint": error.hint}
        return _json(said, next((code for kind, code in _STATUS.items() if isinstance(error, kind)), 500))


def _admitted(request: Request) -> tuple[Run, Invocation]:
    return admit(request.headers.get(TICKET_HEADER, ""), request.path_params["invocation"])


def _view(invocation: Invocation, request: Request, *, search_seconds: float = 0) -> View:
    return open_view(invocation, _query(request.query_params), search_seconds=search_seconds)


def _query(given: Mapping[str, str]) -> Query:
    return Query(
        source=shown_of(given.get("source", "dbt")),
        hidden=frozenset(filter(None, given.get("hide", "").split(","))),
        node=given.get("node", ""),
        find=given.get("find", ""),
        regex="regex" in given,
        only="only" in given and bool(given.get("find")),
    )


def _number(request: Request, name: str, default: int, *, least: int = 0) -> int:
    text = request.query_params.get(name, str(default))
    try:
        number = int(text[:12])
    except ValueError:
        raise InvalidInput(f"{name} is no number.", field=name) from None
    return max(least, number)


def _line(text: str) -> str:
    digits = text.removeprefix("a")
    if not (digits.isascii() and digits.isdigit() and 0 < len(digits) < 11 and int(digits)):
        raise InvalidInput(f"{text[:20]!r} names no line.", field="line")
    return text
