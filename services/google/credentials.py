"""Who the console is to Google: a key file, Application Default Credentials, workload identity, or another account.

Nothing of it is kept: the files stay where they are, tokens live in memory only.
"""

from typing import Any

from services.errors import ConfigurationError
from services.google.refusals import told
from services.settings import settings

SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
_HOW = (
    "Set PILOTHOUSE_GOOGLE_KEY_FILE to a service account's key file, or run gcloud auth application-default login as "
    "the user of console and collector; on Google Cloud, give the machine or pod a service account."
)


def credentials() -> Any:
    """Google's credentials by the settings, no token asked for yet. Raises ConfigurationError."""
    source = _source()
    if not settings().google_impersonate:
        return source
    from google.auth import impersonated_credentials

    *delegates, target = _chain()
    return impersonated_credentials.Credentials(  # type: ignore[no-untyped-call]
        source, target_principal=target, target_scopes=SCOPES, delegates=delegates
    )


def _chain() -> list[str]:
    return [name.strip() for name in (settings().google_impersonate or "").split(",") if name.strip()]


def _source() -> Any:
    import google.auth
    from google.auth.exceptions import GoogleAuthError
    from google.oauth2 import service_account

    key_file = settings().google_key_file
    try:
        if key_file:
            path = str(key_file.expanduser())
            return service_account.Credentials.from_service_account_file(path, scopes=SCOPES)  # type: ignore[no-untyped-call]
        found, _ = google.auth.default(scopes=SCOPES)
    except (GoogleAuthError, OSError, ValueError) as error:
        where = f"the key file {key_file}" if key_file else "Application Default Credentials"
        raise ConfigurationError(f"The console has no credentials for Google: {where}: {error}", hint=_HOW) from error
    return found


def whose(signed_in: Any) -> str:
    """The account behind credentials, in words, and where they come from. Never anything secret."""
    account = _account(signed_in) or "an account that Google does not name"
    if settings().google_impersonate:
        return (
            f"{account}, impersonated by {_account(getattr(signed_in, '_source_credentials', None)) or 'the console'}"
        )
    return f"{account}, from {'the key file' if settings().google_key_file else 'Application Default Credentials'}"


def _account(signed_in: Any) -> str | None:
    for name in ("_target_principal", "service_account_email", "account"):
        found = getattr(signed_in, name, None)
        if found and found != "default":
            return str(found)
    return None


def fresh_token(signed_in: Any) -> str:
    """An access token that is valid now. Raises PilothouseError in Google's words."""
    from google.auth.transport.requests import Request

    if not signed_in.valid:
        try:
            signed_in.refresh(Request())
        except Exception as error:
            raise told(error, "sign in") from error
    return str(signed_in.token)
