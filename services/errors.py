"""The one error tree. Every error says what went wrong and, where it can, what to try.

PilothouseError
├─ NotFound             the thing named does not exist
├─ InvalidInput         a value is wrong; `field` says which
├─ NotAllowed           the rule that forbids it is in the message
├─ ConfigurationError   a setting is missing or unsafe
└─ BackendError         another system failed; `system` says which
   ├─ BackendUnreachable   no connection; trying again may help
   ├─ BackendTimeout       no answer in time; the call may have taken effect
   └─ BackendRejected      it answered with a refusal: `status`, `detail`
"""


class PilothouseError(Exception):
    """Base of all errors that users may read."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class NotFound(PilothouseError):
    """The thing named does not exist."""


class InvalidInput(PilothouseError):
    """A value that a person or a program gave is wrong."""

    def __init__(self, message: str, *, field: str, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.field = field


class NotAllowed(PilothouseError):
    """A rule forbids the action now."""


class ConfigurationError(PilothouseError):
    """A setting is missing or unsafe."""


class BackendError(PilothouseError):
    """Another system failed while we asked it to do something."""

    def __init__(self, message: str, *, system: str, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.system = system


class BackendUnreachable(BackendError):
    """No connection: nothing happened, trying again may help."""


class BackendTimeout(BackendError):
    """No answer in time: the call may or may not have taken effect."""


class BackendRejected(BackendError):
    """The system answered with a refusal."""

    def __init__(self, message: str, *, system: str, status: int, detail: str, hint: str | None = None) -> None:
        super().__init__(message, system=system, hint=hint)
        self.status = status
        self.detail = detail
