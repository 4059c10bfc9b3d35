"""The one error of the dbt API: an HTTP status with a sentence for people."""


class ApiError(Exception):
    """Ends a request with this status; `hint` says what to try, `retry_after_seconds` when."""

    def __init__(
        self, status: int, detail: str, *, hint: str | None = None, retry_after_seconds: int | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.hint = hint
        self.retry_after_seconds = retry_after_seconds


class UnknownInvocation(ApiError):
    """There is no such invocation, or the caller may not know of it. The unversioned door answers it with 200."""

    def __init__(self, task_id: str) -> None:
        super().__init__(404, f"There is no invocation '{task_id}'.")
        self.task_id = task_id


def not_found(what: str, name: str) -> ApiError:
    """The thing named does not exist."""
    return ApiError(404, f"There is no {what} '{name}'.")
