"""Which dbt words pass."""

import pytest

from dbt_api.errors import ApiError
from dbt_api.running.command import checked, option, without_option


@pytest.mark.parametrize(
    "words",
    [
        ["build"],
        ["--fail-fast", "run", "--select", "a", "b+", "tag:x"],
        ["-t", "prod", "run"],
        ["docs", "generate"],
        ["source", "freshness", "--select", "source:raw"],
        ["run-operation", "grant", "--args", "{a: 1}"],
        ["ls", "--output", "json"],
        ["retry", "--target", "prod"],
    ],
)
def test_what_dbt_offers_passes_as_it_is(words: list[str]) -> None:
    assert checked(words) == words


@pytest.mark.parametrize(
    "words",
    [
        ["clean"],
        ["docs", "serve"],
        ["init"],
        [],
        ["--fail-fast"],
        ["--unknown", "run"],
        ["run", "--profiles-dir", "/tmp"],
        ["run", "--profiles-dir=/tmp"],
        ["--project-dir", "/tmp", "run"],
        ["run", "--target-path", "x"],
        ["run", "--log-path=x"],
        ["run", "--state", "/x"],
        ["run", "-r", "/tmp/x"],
        ["run", "-r/tmp/x"],
        ["run", "-xr", "/tmp/x"],
        ["source", "freshness", "-o", "/tmp/x"],
        ["source", "freshness", "-o/tmp/x"],
        ["run", "--no-write-json"],
        ["run", "a\0b"],
    ],
)
def test_what_reaches_beyond_the_project_is_refused(words: list[str]) -> None:
    with pytest.raises(ApiError) as refused:
        checked(words)
    assert refused.value.status == 422


def test_the_logs_form_is_the_servers_own() -> None:
    words = ["--log-level-file", "info", "--debug", "run", "--log-format=text", "-q", "--select", "a"]
    assert checked(words) == ["run", "--select", "a"]


def test_options_are_read_as_dbt_reads_them() -> None:
    assert option(["run", "--target", "dev", "--target=prod"], "--target", "-t") == "prod"
    assert option(["run"], "--target") is None
    assert without_option(["run", "--project-dir", "x", "-f"], "--project-dir") == ["run", "-f"]
