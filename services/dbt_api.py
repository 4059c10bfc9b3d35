"""Client of the dbt API's `/api/v1`: submit, watch and abort invocations, read logs and artifacts, keep projects.

Shapes: contracts/dbt_api.py. Every call may raise BackendUnreachable (nothing happened), BackendTimeout (it may have
happened: all calls are safe to repeat), BackendRejected (with the server's own words) or, where said, NotFound.
"""

from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import quote

import requests

from contracts.dbt_api import (
    AbortRequest,
    Commits,
    Health,
    Invocation,
    ParsedProject,
    Preview,
    PreviewRequest,
    ProjectSource,
    RegisteredProject,
    RegisterProject,
    Rows,
    RowsRequest,
    SubmitInvocation,
)
from services.errors import BackendRejected, BackendTimeout, BackendUnreachable, NotFound

SYSTEM = "dbt API"
SLOW_SECONDS = 600
"""Allowance for what runs git or dbt before it answers: registering, parsing, previewing."""


@dataclass(frozen=True)
class LogChunk:
    """A piece of an invocation's log, from `offset` on; `complete` when nothing will ever follow it."""

    data: bytes
    offset: int
    complete: bool


class DbtApi:
    """One dbt API server. Timeouts are (connect, read) in seconds."""

    def __init__(self, url: str, token: str, *, timeout: tuple[float, float] = (3.05, 30)) -> None:
        self._url = url.rstrip("/")
        self._timeout = timeout
        self._session = requests.Session()
        self._session.auth = _Bearer(token)

    def __enter__(self) -> Self:
        """Use as a context manager to close the connections at the end."""
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def submit(self, invocation: SubmitInvocation) -> Invocation:
        """Queue a dbt command. The same task_id with the same body is the same invocation."""
        body = invocation.model_dump(mode="json")
        return Invocation.model_validate(self._json("POST", "/api/v1/invocations", "submit the invocation", json=body))

    def invocation(self, task_id: str, *, wait_seconds: int = 0) -> Invocation:
        """One invocation as it is now, or as it is after a change within the wait. Raises NotFound."""
        answer = self._json(
            "GET",
            _invocation(task_id),
            "read the invocation",
            params={"wait": wait_seconds},
            extra_seconds=wait_seconds,
        )
        return Invocation.model_validate(answer)

    def abort(self, task_id: str, *, reason: str | None = None) -> Invocation:
        """Ask dbt to stop gracefully; a finished invocation stays as it is. Raises NotFound."""
        body = AbortRequest(reason=reason).model_dump()
        return Invocation.model_validate(
            self._json("POST", f"{_invocation(task_id)}/abort", "abort the invocation", json=body)
        )

    def log_chunk(self, task_id: str, *, offset: int, max_bytes: int = 1 << 20) -> LogChunk:
        """The raw log (dbt's JSON lines) from a byte offset on; empty data when there is none yet. Raises NotFound."""
        headers = {"Range": f"bytes={offset}-{offset + max_bytes - 1}"}
        response = self._call("GET", f"{_invocation(task_id)}/logs", "read the log", headers=headers, accept=(416,))
        data = b"" if response.status_code == 416 else response.content
        size = int(response.headers.get("Content-Range", "*/0").rpartition("/")[2])
        ended = response.headers.get("X-Log-Complete") == "true"
        return LogChunk(data=data, offset=offset, complete=ended and offset + len(data) >= size)

    def artifact(self, task_id: str, name: str) -> bytes:
        """One file that dbt left, by its name in `Invocation.artifacts`. Raises NotFound."""
        return self._call("GET", f"{_invocation(task_id)}/artifacts/{quote(name)}", f"read {name}").content

    def register_project(self, name: str, source: ProjectSource) -> RegisteredProject:
        """Make a project's files ready on the server: write the template, check the folder, or clone. Repeatable."""
        body = RegisterProject(source=source).model_dump(mode="json")
        answer = self._json("PUT", _project(name), "get the source ready", json=body, extra_seconds=SLOW_SECONDS)
        return RegisteredProject.model_validate(answer)

    def upload_project(self, name: str, archive: bytes, *, filename: str) -> RegisteredProject:
        """Make a project's files those of a zip or tar.gz. Repeatable; a bad archive leaves what was there."""
        path, files = f"{_project(name)}/upload", {"file": (filename, archive)}
        answer = self._json("PUT", path, "take the archive", files=files, extra_seconds=SLOW_SECONDS)
        return RegisteredProject.model_validate(answer)

    def parse_project(self, name: str, *, target: str | None = None) -> ParsedProject:
        """What dbt reads in the project; a project that doesn't parse is an answer with problems. Raises NotFound."""
        params = {"target": target} if target else {}
        path = f"{_project(name)}/parse"
        answer = self._json("POST", path, "parse the project", params=params, extra_seconds=SLOW_SECONDS)
        return ParsedProject.model_validate(answer)

    def commits(self, name: str, *, since: str, until: str) -> Commits:
        """What was committed to a project after one commit and up to another. Raises NotFound."""
        params = {"since": since, "until": until}
        path = f"{_project(name)}/commits"
        answer = self._json("GET", path, "list the commits", params=params, extra_seconds=SLOW_SECONDS)
        return Commits.model_validate(answer)

    def docs_site(self, name: str) -> str:
        """dbt's documentation of a project as one HTML page that needs nothing else. Raises NotFound."""
        return self._call("GET", f"{_project(name)}/docs/", "show the documentation").content.decode()

    def docs_page(self, name: str) -> str:
        """The page of dbt's documentation site without any data in it. Raises NotFound."""
        return self._call("GET", f"{_project(name)}/docs/page.html", "show dbt's documentation page").content.decode()

    def delete_project(self, name: str) -> None:
        """Forget a project and the files that the server made for it. Repeatable; a folder source is left alone."""
        self._call("DELETE", _project(name), "delete the project", accept=(404,))

    def preview(self, request: PreviewRequest) -> Preview:
        """The nodes that a selection means, by dbt itself; a wrong selection is an answer too. Raises NotFound."""
        body = request.model_dump(mode="json")
        answer = self._json("POST", "/api/v1/preview", "preview the selection", json=body, extra_seconds=SLOW_SECONDS)
        return Preview.model_validate(answer)

    def rows(self, request: RowsRequest) -> Rows:
        """The rows of a test's or model's query, by dbt itself; one that fails is an answer. Raises NotFound."""
        body = request.model_dump(mode="json")
        answer = self._json("POST", "/api/v1/rows", "show the rows", json=body, extra_seconds=SLOW_SECONDS)
        return Rows.model_validate(answer)

    def health(self) -> Health:
        """Whether the server can take work; a server that answers "not ready" is an answer too."""
        return Health.model_validate(self._call("GET", "/ready", "tell its health", accept=(503,)).json())

    def _json(self, method: str, path: str, action: str, **options: Any) -> Any:
        try:
            return self._call(method, path, action, **options).json()
        except requests.JSONDecodeError as error:
            raise BackendRejected(
                f"The {SYSTEM} answered with something other than JSON to: {action}.",
                system=SYSTEM,
                status=200,
                detail=str(error),
                hint=f"Check that {self._url} really is the {SYSTEM}.",
            ) from error

    def _call(
        self,
        method: str,
        path: str,
        action: str,
        *,
        extra_seconds: float = 0,
        accept: tuple[int, ...] = (),
        **options: Any,
    ) -> requests.Response:
        connect, read = self._timeout
        try:
            response = self._session.request(
                method, self._url + path, timeout=(connect, read + extra_seconds), allow_redirects=False, **options
            )
        except (requests.ReadTimeout, requests.ConnectTimeout) as error:
            raise _no_answer(error, action=action, url=self._url) from error
        except requests.RequestException as error:
            raise _unreachable(self._url, action) from error
        if response.ok or response.status_code in accept:
            return response
        raise _refusal(response, action)


class _Bearer(requests.auth.AuthBase):
    """Sends the token; set as auth so that no ~/.netrc entry can replace it."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def _invocation(task_id: str) -> str:
    return f"/api/v1/invocations/{quote(task_id, safe='')}"


def _project(name: str) -> str:
    return f"/api/v1/projects/{quote(name, safe='')}"


def _unreachable(url: str, action: str) -> BackendUnreachable:
    return BackendUnreachable(
        f"The {SYSTEM} at {url} cannot be reached to: {action}.",
        system=SYSTEM,
        hint="Check that it runs (`python -m dbt_api serve`) and that the address is right.",
    )


def _no_answer(error: requests.Timeout, *, action: str, url: str) -> BackendTimeout | BackendUnreachable:
    if isinstance(error, requests.ConnectTimeout):
        return _unreachable(url, action)
    return BackendTimeout(
        f"The {SYSTEM} gave no answer in time to: {action}.",
        system=SYSTEM,
        hint="It may be busy and may still do it; trying again is safe.",
    )


def _refusal(response: requests.Response, action: str) -> NotFound | BackendRejected:
    detail, hint = _problem(response)
    if response.status_code == 404:
        return NotFound(detail, hint=hint)
    if response.status_code == 401:
        hint = f"The {SYSTEM} does not know the token, or it has expired."
    return BackendRejected(
        f"The {SYSTEM} refused to {action}: {detail}",
        system=SYSTEM,
        status=response.status_code,
        detail=detail,
        hint=hint,
    )


def _problem(response: requests.Response) -> tuple[str, str | None]:
    try:
        body = response.json()
        return str(body["detail"]), body.get("hint")
    except (ValueError, KeyError, TypeError, AttributeError):
        return f"HTTP {response.status_code} {response.reason}", None
