"""Where Airflow's token comes from, and what is said when it doesn't come."""

import pytest
from pydantic import SecretStr

from services.airflow.tokens import PasswordLogin, TokenSource, run_token_command, token_source
from services.errors import BackendRejected, ConfigurationError
from services.settings import Settings
from tests.unit.services.airflow.stand_in import StandIn, serving


def test_a_refused_token_is_fetched_again_but_a_newer_one_kept() -> None:
    tokens = TokenSource(iter(["a", "b"]).__next__)
    assert (tokens.token(), tokens.token()) == ("a", "a")
    tokens.forget("a")
    assert tokens.token() == "b"
    tokens.forget("a")
    assert tokens.token() == "b"


def test_a_password_is_exchanged_for_a_token() -> None:
    with serving(StandIn(tokens=["jwt"])) as server:
        assert PasswordLogin(server.url, "ada", SecretStr("hush"))() == "jwt"


def test_a_wrong_password_is_a_refusal_without_the_password() -> None:
    refusing = StandIn(answers=[(401, {"detail": "Invalid credentials"})])
    with serving(refusing) as server, pytest.raises(BackendRejected) as failure:
        PasswordLogin(f"{server.url}/wrong", "ada", SecretStr("hush"))()
    assert failure.value.status == 401
    assert "hush" not in f"{failure.value.message}{failure.value.hint}"


def test_a_command_prints_the_token() -> None:
    assert run_token_command("echo abc") == "abc"


@pytest.mark.parametrize("command", ["no-such-program", "false", "true", "sh -c 'echo half-a-secret; exit 3'", "'"])
def test_a_command_that_gives_none_is_named_without_its_output(command: str) -> None:
    with pytest.raises(ConfigurationError) as failure:
        run_token_command(command)
    assert "half-a-secret" not in failure.value.message
    assert "PILOTHOUSE_AIRFLOW_TOKEN_COMMAND" in str(failure.value.hint)


@pytest.mark.parametrize(
    ("settings", "token"),
    [
        (Settings(airflow_auth="token", airflow_token=SecretStr("fixed")), "fixed"),
        (Settings(airflow_auth="command", airflow_token_command="echo printed"), "printed"),
    ],
)
def test_the_settings_choose_the_source(settings: Settings, token: str) -> None:
    assert token_source(settings).token() == token


@pytest.mark.parametrize("auth", ["password", "token", "command"])
def test_a_source_without_its_setting_names_it(auth: str) -> None:
    given = Settings.model_validate(
        {"airflow_auth": auth, "airflow_password": None, "airflow_token": None, "airflow_token_command": None}
    )
    with pytest.raises(ConfigurationError, match="PILOTHOUSE_AIRFLOW_"):
        token_source(given)


def test_google_without_credentials_says_how_to_get_some(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere.json")
    with pytest.raises(ConfigurationError) as failure:
        token_source(Settings(airflow_auth="google")).token()
    assert "GOOGLE_APPLICATION_CREDENTIALS" in str(failure.value.hint)
