"""The memory limit of an invocation, warm and cold."""

from collections.abc import Callable

import pytest

from tests.unit.dbt_api.server import Server

Start = Callable[..., Server]
GREEDY = """{{ config(materialized='table') }}
select range as i, repeat('x', 1000) || range as s from range(3000000) order by s desc"""


@pytest.mark.parametrize("warm", ["true", "false"])
def test_an_exceeded_memory_limit_is_told_as_such(start_server: Start, warm: str) -> None:
    server = start_server(WARM=warm, MEMORY_LIMIT_MB="900")
    (server.data.parent / "shop" / "models" / "greedy.sql").write_text(GREEDY)
    server.submit("greedy", "run", "--select", "greedy")
    server.submit("modest", "run", "--select", "orders", project="other")
    greedy, modest = server.ended("greedy"), server.ended("modest")
    assert greedy["engine"] == ("warm" if warm == "true" else "cold")
    assert (greedy["state"], greedy["outcome"], greedy["exc_type"]) == ("FAILURE", "oom", "OutOfMemory")
    assert greedy["exc_message"] == "dbt needed more memory than its limit of 900 MiB."
    assert modest["state"] == "SUCCESS"
