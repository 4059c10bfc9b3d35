"""What Google's clients raise, in the one error tree: Google's own words first, then what to do about it."""

import re
from typing import Any

from services.errors import (
    BackendRejected,
    BackendTimeout,
    BackendUnreachable,
    ConfigurationError,
    NotFound,
    PilothouseError,
)

SYSTEM = "google"
_SIGNING_IN = re.compile(r"^Getting metadata from plugin failed with error: ")
"""How gRPC wraps what went wrong when it asked for a token."""
_INNER_MESSAGE = re.compile(r'"message": ?"(?P<message>(?:[^"\\]|\\.)*)"')
"""Google's words within what google-auth makes of an answer."""
_FIRST_ARGUMENT = re.compile(r"^\([\"'](?P<message>.+?)[\"'], ")
"""How an error of google-auth reads that has both words and an answer."""
_CAUSE = re.compile(r"\[Errno -?\d+\] [^'\")]+")
"""What the operating system says, at the heart of what urllib3 says."""
_PERMISSION = re.compile(r"[\"'](?P<permission>(?:container|iam|compute)\.[A-Za-z.]+)[\"']")
_ROLES = {
    "container.clusters.list": "Kubernetes Engine Viewer (roles/container.viewer)",
    "container.clusters.get": "Kubernetes Engine Viewer (roles/container.viewer)",
    "container.operations.list": "Kubernetes Engine Viewer (roles/container.viewer)",
    "container.operations.get": "Kubernetes Engine Viewer (roles/container.viewer)",
    "container.clusters.create": "Kubernetes Engine Cluster Admin (roles/container.clusterAdmin)",
    "container.clusters.delete": "Kubernetes Engine Cluster Admin (roles/container.clusterAdmin)",
    "iam.serviceAccounts.actAs": "Service Account User (roles/iam.serviceAccountUser) on the nodes' service account",
    "iam.serviceAccounts.getAccessToken": "Service Account Token Creator (roles/iam.serviceAccountTokenCreator) on it",
}
_SIGN_IN_AGAIN = (
    "Sign in again (gcloud auth application-default login), or set a new key file in PILOTHOUSE_GOOGLE_KEY_FILE. Check "
    "this machine's clock too."
)
_QUOTA = "Ask for more quota (IAM & Admin, Quotas), delete what is not needed, or choose fewer or smaller nodes."
_BY_WORDS = [
    (
        re.compile(r"API has not been used in project|it is disabled"),
        "Enable it there: gcloud services enable container.googleapis.com, then wait a few minutes.",
    ),
    (re.compile(r"(?i)\bquota\b"), _QUOTA),
    (
        re.compile(r"does not have enough resources|STOCKOUT"),
        "Google has no such machines free there now: choose another zone, region or machine type.",
    ),
    (re.compile(r"[Oo]peration operation-\S+ is currently"), "Wait until the other operation has ended."),
]
_BY_STATUS = {
    401: _SIGN_IN_AGAIN,
    409: "Choose another name, or use the cluster that has this one.",
    429: _QUOTA,
}


def told(error: Exception, action: str) -> PilothouseError:
    """What went wrong at Google when it was asked to do something. Errors of our own stay as they are."""
    from google.api_core import exceptions
    from google.auth import exceptions as auth

    if isinstance(error, PilothouseError):
        return error
    if isinstance(error, auth.TransportError):
        return _unreachable(str(error), action)
    if isinstance(error, auth.GoogleAuthError):
        return _not_signed_in(str(error))
    if isinstance(error, exceptions.DeadlineExceeded | exceptions.RetryError):
        return BackendTimeout(f"Google gave no answer in time to: {action}.", system=SYSTEM, hint="Try again.")
    if isinstance(error, exceptions.GoogleAPICallError):
        return _of_call(error, action)
    return _unreachable(str(error), action)


def _of_call(error: Any, action: str) -> PilothouseError:
    from google.api_core import exceptions

    words = str(error.message)
    if isinstance(error, exceptions.ServiceUnavailable):
        if _SIGNING_IN.match(words) and "Max retries" not in words:
            return _not_signed_in(_SIGNING_IN.sub("", words))
        return _unreachable(words, action)
    if isinstance(error, exceptions.NotFound):
        return NotFound(f"Google does not know it: {words}")
    return BackendRejected(
        f"Google refused to {action}: {words}",
        system=SYSTEM,
        status=int(error.code or 500),
        detail=words,
        hint=hint_for(int(error.code or 500), words),
    )


def hint_for(status: int, words: str) -> str | None:
    """What to do about a refusal, by Google's words and its HTTP status."""
    for pattern, hint in _BY_WORDS:
        if pattern.search(words):
            return hint
    return _role_hint(words) if status == 403 else _BY_STATUS.get(status)


def _role_hint(words: str) -> str:
    permission = match["permission"] if (match := _PERMISSION.search(words)) else ""
    role = _ROLES.get(permission)
    return f"Give the console's account the role {role}." if role else "Give the console's account the right in IAM."


def _not_signed_in(error: str) -> PilothouseError:
    match = _INNER_MESSAGE.search(error) or _FIRST_ARGUMENT.match(error)
    words = match["message"].replace("\\", "") if match else error
    hint = _role_hint(words) if _PERMISSION.search(words) else _SIGN_IN_AGAIN
    return ConfigurationError(f"Google does not take the console's credentials: {words}", hint=hint)


def _unreachable(words: str, action: str) -> BackendUnreachable:
    match = _CAUSE.search(words)
    return BackendUnreachable(
        f"Google cannot be reached to: {action}. {match[0] if match else words}",
        system=SYSTEM,
        hint="Check this machine's way to container.googleapis.com and oauth2.googleapis.com, and its proxy.",
    )
