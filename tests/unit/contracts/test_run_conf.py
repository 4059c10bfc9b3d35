"""What a run may choose, and the dbt words that it means."""

import pytest
from pydantic import ValidationError

from contracts.run_conf import DbtCommand, RunConf


def test_the_words_are_what_one_would_type() -> None:
    conf = RunConf(
        command=DbtCommand.BUILD,
        select=["stg_ships+", "tag:nightly"],
        exclude=["path:models/old"],
        full_refresh=True,
        vars={"day": "2026-01-01"},
        target="prod",
        threads=8,
    )
    assert conf.dbt_arguments() == [
        *("build", "--select", "stg_ships+", "tag:nightly", "--exclude", "path:models/old", "--full-refresh"),
        *("--vars", '{"day": "2026-01-01"}', "--target", "prod", "--threads", "8"),
    ]


def test_two_word_commands_become_two_words() -> None:
    assert RunConf(command=DbtCommand.DOCS_GENERATE).dbt_arguments() == ["docs", "generate"]


def test_run_operation_takes_its_macro_and_arguments() -> None:
    conf = RunConf(command=DbtCommand.RUN_OPERATION, macro="grant_select", macro_arguments={"role": "reader"})
    assert conf.dbt_arguments() == ["run-operation", "grant_select", "--args", '{"role": "reader"}']


@pytest.mark.parametrize(
    "wrong",
    [
        {"select": ["--profiles-dir"]},
        {"select": ["a b"]},
        {"select": ["$(touch x)"]},
        {"select": ["a;b"]},
        {"threads": 0},
        {"target": "prod; rm"},
        {"unknown": 1},
        {"command": "clean"},
        {"command": "debug", "select": ["a"]},
        {"command": "test", "full_refresh": True},
        {"command": "list", "threads": 2},
        {"command": "run-operation"},
        {"command": "build", "macro": "x"},
        {"macro_arguments": {"a": 1}},
        {"version": 2},
    ],
)
def test_what_dbt_would_not_take_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        RunConf.model_validate(wrong)


@pytest.mark.parametrize("name", ["db_password", "API_TOKEN", "ClientSecret", "private_key", "apikey"])
def test_secrets_do_not_travel_as_vars(name: str) -> None:
    with pytest.raises(ValidationError, match="DBT_ENV_SECRET"):
        RunConf.model_validate({"vars": {name: "hush"}})


@pytest.mark.parametrize(
    "selector",
    ["stg_ships", "+stg_ships+2", "@fct", "tag:nightly,config.materialized:table", "source:raw.*", "1+a", "a?"],
)
def test_selector_syntax_of_dbt_is_taken(selector: str) -> None:
    assert RunConf(select=[selector]).select == [selector]
