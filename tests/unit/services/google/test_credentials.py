"""Who the console is to Google: each way of signing in, and what is said when one is refused."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from services import google as gke
from services.operators import Check
from services.operators._google import google_checks
from services.settings import settings

if TYPE_CHECKING:
    from tests.google.stand_in import GoogleStandIn

ROOT = Path(__file__).parents[4]
PROJECT = "pilothouse-test"
ACCOUNT = f"console@{PROJECT}.iam.gserviceaccount.com"
OTHER = f"dbt@{PROJECT}.iam.gserviceaccount.com"

Setting = Callable[[str, str | Path | None], None]


@pytest.fixture
def setting(monkeypatch: pytest.MonkeyPatch) -> Setting:
    def given(name: str, value: str | Path | None) -> None:
        if value is None:
            monkeypatch.delenv(name)
        else:
            monkeypatch.setenv(name, str(value))
        settings.cache_clear()

    return given


def first_check() -> Check:
    return google_checks(PROJECT, None, makes_clusters=False)[0]


def test_default_credentials(google: "GoogleStandIn") -> None:
    assert first_check().message == f"The console acts as {ACCOUNT}, from Application Default Credentials."


def test_a_key_file_by_path(google: "GoogleStandIn", setting: Setting) -> None:
    setting("GOOGLE_APPLICATION_CREDENTIALS", None)
    setting("PILOTHOUSE_GOOGLE_KEY_FILE", google.key_file)
    assert first_check().message == f"The console acts as {ACCOUNT}, from the key file."


def test_the_account_of_the_machine_or_pod(google: "GoogleStandIn", setting: Setting) -> None:
    """In a process of its own: google-auth reads where the metadata server is once, when it is loaded."""
    setting("GOOGLE_APPLICATION_CREDENTIALS", None)
    words = [sys.executable, "-c", f"from {__name__} import first_check; print(first_check().message)"]
    told = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert told.stdout.strip() == f"The console acts as {ACCOUNT}, from Application Default Credentials."
    assert google.identities.asked[0] == ("metadata", ACCOUNT)


def test_another_account_is_impersonated(google: "GoogleStandIn", setting: Setting) -> None:
    google.identities.impersonable.add(OTHER)
    setting("PILOTHOUSE_GOOGLE_IMPERSONATE", OTHER)
    assert first_check().message == f"The console acts as {OTHER}, impersonated by {ACCOUNT}."


def test_an_account_that_is_gone_says_so_and_how_to_go_on(google: "GoogleStandIn") -> None:
    google.identities.accounts.clear()
    check = first_check()
    assert check.passed is False
    assert check.message.endswith("credentials: invalid_grant: Invalid grant: account not found")
    assert "gcloud auth application-default login" in (check.hint or "")
    gke.refresh()
    ((_, state),) = gke.project_states()
    assert "invalid authentication credentials" in state.message
    assert "gcloud auth application-default login" in state.message


def test_a_key_file_that_is_no_key_file_is_told_without_its_content(
    google: "GoogleStandIn", setting: Setting, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text('{"type": "service_account", "private_key": "MIIEvQIBADANBg"}')
    setting("PILOTHOUSE_GOOGLE_KEY_FILE", broken)
    check = first_check()
    assert check.passed is False
    assert "broken.json" in check.message
    assert "MIIEvQIBADANBg" not in check.message
