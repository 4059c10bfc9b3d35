"""Who guesses has to wait; nobody else has to."""

import asyncio
import base64
from collections.abc import Callable
from typing import Any

import pytest
import requests
from pydantic import SecretStr
from requests.adapters import HTTPAdapter

from dbt_api.auth.credentials import Credentials
from dbt_api.auth.expiring import Counter
from dbt_api.auth.login import SLOW_CHECKS, Login
from dbt_api.auth.throttle import Throttle
from dbt_api.errors import ApiError
from dbt_api.settings import Settings
from tests.unit.dbt_api.server import TOKEN, Server


class From(HTTPAdapter):
    """Calls from one of the machine's many loopback addresses."""

    def __init__(self, address: str) -> None:
        self._address = address
        super().__init__()

    def init_poolmanager(self, *positions: Any, **options: Any) -> None:
        super().init_poolmanager(*positions, **options, source_address=(self._address, 0))


def get(server: Server, address: str, *, user: str | None = None, secret: str, **headers: str) -> requests.Response:
    with requests.Session() as session:
        session.mount("http://", From(address))
        if user is not None:
            session.auth = (user, secret)
        else:
            headers["Authorization"] = f"Bearer {secret}"
        return session.get(f"{server.url}/invocations", headers=headers, timeout=30)


def test_guessing_ends_in_429_and_locks_nobody_else_out(start_server: Callable[..., Server]) -> None:
    server = start_server(LOGIN_FAILURES="3", LOGIN_FAILURES_BY_NAME="5", LOGIN_WAIT_SECONDS="3600")
    assert get(server, "127.0.0.2", secret=TOKEN).ok
    answers = [get(server, "127.0.0.2", secret=f"guess-{number}") for number in range(5)]
    assert [each.status_code for each in answers] == [401, 401, 401, 429, 429]
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 3600

    # the address waits with a right login too, unless it had it before; other addresses don't wait
    fresh = server.make_token("run:read")
    assert get(server, "127.0.0.2", secret=fresh).status_code == 429
    assert get(server, "127.0.0.2", secret=TOKEN).ok
    assert get(server, "127.0.0.3", secret=fresh).ok

    # nobody believes what a client says about its address
    spoofed = {"X-Forwarded-For": "192.0.2.7", "Forwarded": "for=192.0.2.7"}
    assert get(server, "127.0.0.2", secret="guess", **spoofed).status_code == 429

    # many addresses guess at one name
    for last in range(10, 15):
        assert get(server, f"127.0.0.{last}", user="pilothouse", secret="guess").status_code == 401
    assert get(server, "127.0.0.20", user="pilothouse", secret="guess").status_code == 401
    assert get(server, "127.0.0.20", user="pilothouse", secret="guess").status_code == 429
    assert get(server, "127.0.0.21", user="pilothouse", secret=TOKEN).ok


def test_a_trusted_proxy_is_believed(start_server: Callable[..., Server]) -> None:
    server = start_server(LOGIN_FAILURES="1", LOGIN_WAIT_SECONDS="3600", TRUSTED_PROXIES="127.0.0.2")
    for client in ("192.0.2.7", "192.0.2.8"):
        forwarded = {"X-Forwarded-For": client}
        assert get(server, "127.0.0.2", secret="guess", **forwarded).status_code == 401
        assert get(server, "127.0.0.2", secret="guess", **forwarded).status_code == 429


def refused(throttle: Throttle, address: str) -> bool:
    try:
        throttle.check(Credentials("guess"), address)
    except ApiError as error:
        return error.status == 429
    return False


def test_guesses_that_come_all_at_once_count_too(guarded: Server) -> None:
    given = Settings(token=SecretStr("root"), users_file=guarded.data.parent / "users.json", login_failures=2)
    login = Login(given)

    async def guess(number: int) -> int:
        header = base64.b64encode(f"ada:guess-{number}".encode())
        with pytest.raises(ApiError) as refused:
            await login.identity(b"Basic " + header, "192.0.2.1")
        return refused.value.status

    async def all_at_once() -> list[int]:
        return await asyncio.gather(*(guess(number) for number in range(20)))

    assert asyncio.run(all_at_once()).count(401) <= 2 + SLOW_CHECKS


def test_waiting_ends_and_memory_is_bounded() -> None:
    throttle = Throttle(failures=1, failures_by_name=1, wait_seconds=3600)
    throttle.failed(Credentials("guess"), "192.0.2.1")
    assert refused(throttle, "192.0.2.1")
    assert not refused(throttle, "192.0.2.2")
    throttle = Throttle(failures=1, failures_by_name=1, wait_seconds=0.01)
    throttle.failed(Credentials("guess"), "192.0.2.1")
    asyncio.run(asyncio.sleep(0.05))
    assert not refused(throttle, "192.0.2.1")

    counter = Counter[int](seconds=3600, size=10)
    for number in range(1000):
        counter.add(number)
    assert len(counter._entries) == 10
    assert counter.get(999) == 1


@pytest.mark.parametrize(
    ("one", "other", "same"), [("2001:db8::1", "2001:db8::2", True), ("2001:db8::1", "::1", False)]
)
def test_a_whole_ipv6_network_is_one_client(one: str, other: str, same: bool) -> None:
    throttle = Throttle(failures=1, failures_by_name=1, wait_seconds=60)
    throttle.failed(Credentials("guess"), one)
    assert refused(throttle, other) is same
