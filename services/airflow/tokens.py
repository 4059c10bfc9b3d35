"""Where Airflow's bearer token comes from; replaceable, because every Airflow signs people in differently.

Password: Airflow's own users (POST /auth/token). Token: a fixed one (Astronomer). Command: whatever a program prints
(MWAA, a vault). Google: application default credentials (Composer).
"""

import shlex
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Any

import requests
from pydantic import SecretStr

from services.errors import BackendRejected, BackendTimeout, BackendUnreachable, ConfigurationError
from services.settings import Settings

SYSTEM = "airflow"
_TIMEOUT = (3.05, 30)
_COMMAND_TIMEOUT_SECONDS = 60


class TokenSource:
    """Hands out one token until it is told that Airflow refused it."""

    def __init__(self, fetch: Callable[[], str]) -> None:
        self._fetch = fetch
        self._token: str | None = None
        self._lock = Lock()

    def token(self) -> str:
        """The current token, fetched when there is none. Raises BackendError or ConfigurationError."""
        with self._lock:
            if self._token is None:
                self._token = self._fetch()
            return self._token

    def forget(self, refused: str) -> None:
        """Drop a token that Airflow refused, unless another thread has already brought a newer one."""
        with self._lock:
            if self._token == refused:
                self._token = None


@dataclass(frozen=True)
class PasswordLogin:
    """Signs in with a name and a password at Airflow's own POST /auth/token (201 with a JWT for 24 hours)."""

    url: str
    user: str
    password: SecretStr

    def __call__(self) -> str:
        """A fresh token."""
        body = {"username": self.user, "password": self.password.get_secret_value()}
        try:
            answer = requests.post(f"{self.url}/auth/token", json=body, timeout=_TIMEOUT)
        except requests.Timeout as error:
            raise BackendTimeout(f"Airflow at {self.url} did not answer the sign-in.", system=SYSTEM) from error
        except requests.RequestException as error:
            raise BackendUnreachable(
                f"Cannot reach Airflow at {self.url} to sign in.",
                system=SYSTEM,
                hint="Check that Airflow runs and that PILOTHOUSE_AIRFLOW_URL is its address.",
            ) from error
        return self._token_of(answer)

    def _token_of(self, answer: requests.Response) -> str:
        try:
            return str(answer.json()["access_token"])
        except (ValueError, KeyError, TypeError) as error:
            raise BackendRejected(
                f"Airflow refused the sign-in of user '{self.user}' (HTTP {answer.status_code}).",
                system=SYSTEM,
                status=answer.status_code,
                detail="no token in the answer",
                hint="Check PILOTHOUSE_AIRFLOW_USER and the password in secrets/pilothouse_airflow_password.",
            ) from error


def run_token_command(command: str) -> str:
    """What the configured program prints, without blanks around it. Its output never enters a message."""
    try:
        words = shlex.split(command)
        done = subprocess.run(words, capture_output=True, text=True, timeout=_COMMAND_TIMEOUT_SECONDS, check=False)
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise ConfigurationError(
            f"The program that prints Airflow's token could not be run ({type(error).__name__}).",
            hint="Check PILOTHOUSE_AIRFLOW_TOKEN_COMMAND: try it in a shell as the console's user.",
        ) from error
    token = done.stdout.strip()
    if done.returncode != 0 or not token:
        raise ConfigurationError(
            f"The program that prints Airflow's token ended with status {done.returncode} and "
            f"{'an empty' if not token else 'some'} output.",
            hint="Check PILOTHOUSE_AIRFLOW_TOKEN_COMMAND: try it in a shell as the console's user.",
        )
    return token


def google_token() -> str:
    """A token of Google's application default credentials, as Cloud Composer's REST API takes it."""
    import google.auth
    import google.auth.exceptions
    import google.auth.transport.requests

    try:
        credentials, _ = google.auth.default(scopes=["https://www.googleapis.com/auth/cloud-platform"])
        credentials.refresh(google.auth.transport.requests.Request())  # type: ignore[no-untyped-call]
    except google.auth.exceptions.GoogleAuthError as error:
        raise ConfigurationError(
            "Google's application default credentials gave no token for Airflow.",
            hint="Run `gcloud auth application-default login`, or set GOOGLE_APPLICATION_CREDENTIALS.",
        ) from error
    return str(credentials.token)


def token_source(settings: Settings) -> TokenSource:
    """The source that the settings ask for. Raises ConfigurationError naming the setting that is missing."""
    makers: dict[str, Callable[[Settings], Callable[[], str]]] = {
        "password": lambda s: PasswordLogin(
            s.airflow_url.rstrip("/"), s.airflow_user, _needed(s.airflow_password, "PILOTHOUSE_AIRFLOW_PASSWORD")
        ),
        "token": lambda s: _needed(s.airflow_token, "PILOTHOUSE_AIRFLOW_TOKEN").get_secret_value,
        "command": lambda s: _command(_needed(s.airflow_token_command, "PILOTHOUSE_AIRFLOW_TOKEN_COMMAND")),
        "google": lambda _: google_token,
    }
    return TokenSource(makers[settings.airflow_auth](settings))


def _command(command: str) -> Callable[[], str]:
    return lambda: run_token_command(command)


def _needed(value: Any, name: str) -> Any:
    if not value:
        raise ConfigurationError(
            f"The console has no way to sign in to Airflow: {name} is not set.",
            hint="Set it in the environment, or as a file of the same name in lower case in the secrets folder.",
        )
    return value
