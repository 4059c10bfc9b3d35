"""The one error of the dbt API: an HTTP status with a sentence for people."""


class ApiError(Exception):
    """Ends a request with this status; `hint` says what to try."""

    def __init__(
        self, status: int, detail: str, *, hint: str | None = None, retry_after_seconds: int | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.hint = hint
        self.retry_after_seconds = retry_after_seconds


def not_found(what: str, name: str) -> ApiError:
    """The thing named does not exist."""
    return ApiError(404, f"There is no {what} '{name}'.")
