"""Logins by JWT: the issuer's are taken, all others are refused, and its outage concerns nobody else."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from tests.ports import free_ports
from tests.unit.dbt_api.issuer import Issuer
from tests.unit.dbt_api.server import Server

HOUR = 3600


def part(value: Any) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def with_the_public_key_as_a_secret(issuer: Issuer) -> str:
    """The classic confusion; made by hand, because libraries refuse to."""
    public = issuer.key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    signed = f"{part({'alg': 'HS256', 'kid': 'one'})}.{part(issuer.claims())}"
    return f"{signed}.{part(hmac.digest(public, signed.encode(), hashlib.sha256))}"


def of_another_key(issuer: Issuer) -> str:
    key = rsa.generate_private_key(65537, 2048)
    return jwt.encode(issuer.claims(), key, algorithm="RS256", headers={"kid": "one"})


def of_another_kind_of_key(issuer: Issuer) -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    return jwt.encode(issuer.claims(), key, algorithm="ES256", headers={"kid": "one"})


BAD: dict[str, Callable[[Issuer], str]] = {
    "expired": lambda issuer: issuer.token(exp=int(time.time()) - HOUR),
    "without an end": lambda issuer: issuer.token(exp=None),
    "not yet": lambda issuer: issuer.token(nbf=int(time.time()) + HOUR),
    "another audience": lambda issuer: issuer.token(aud="another"),
    "no audience": lambda issuer: issuer.token(aud=None),
    "another issuer": lambda issuer: issuer.token(iss="https://another.example"),
    "unknown key": lambda issuer: issuer.token(kid="two"),
    "no key": lambda issuer: issuer.token(kid=None),
    "algorithm none": lambda issuer: jwt.encode(issuer.claims(), "", algorithm="none", headers={"kid": "one"}),
    "HS256 with the public key": with_the_public_key_as_a_secret,
    "another key": of_another_key,
    "another kind of key": of_another_kind_of_key,
    "changed": lambda issuer: ".".join(
        [*issuer.token().split(".")[:1], part(issuer.claims(groups=["engineers"])), issuer.token().split(".")[2]]
    ),
    "nobody": lambda issuer: issuer.token(sub=None),
    "nonsense": lambda _: "a.b.c",
    "deep nonsense": lambda _: f"{part(b'[' * 20_000)}.{part({})}.x",
    "odd claims": lambda issuer: f"{part({'alg': 'RS256', 'kid': ['one']})}.{part([])}.x",
    "odd algorithm": lambda _: f"{part({'alg': ['RS256'], 'kid': 'one'})}.{part({})}.x",
}


@pytest.mark.parametrize("kind", BAD)
def test_a_wrong_jwt_is_refused(guarded: Server, issuer: Issuer, kind: str) -> None:
    token = BAD[kind](issuer)
    answer = guarded.call_with(token, "GET", "/api/v1/invocations")
    assert answer.status_code == 401, answer.text
    assert "Bearer" in answer.headers["WWW-Authenticate"]
    assert token not in answer.text


def test_the_group_decides_what_a_jwt_may_do(guarded: Server, issuer: Issuer) -> None:
    analyst = issuer.token()
    for path in ("/api/v1/invocations", "/invocations"):
        listed = guarded.call_with(analyst, "GET", path).json()["invocations"]
        assert {each["project"] for each in listed} == {"shop"}
    assert guarded.call_with(analyst, "GET", "/api/v1/tokens").status_code == 403
    assert guarded.call_with(issuer.token(groups="engineers"), "GET", "/api/v1/tokens").ok
    submitted = guarded.call_with(
        analyst, "POST", "/api/v1/invocations", json={"project": "shop", "command": ["ls"], "requested_by": "boss"}
    )
    assert submitted.json()["requested_by"] == "grace"


@pytest.mark.parametrize("groups", [None, [], ["strangers"], "strangers", 7, {"analysts": 1}, [["analysts"]]])
def test_without_a_known_group_there_is_nothing_to_do_here(guarded: Server, issuer: Issuer, groups: Any) -> None:
    answer = guarded.call_with(issuer.token(groups=groups), "GET", "/api/v1/invocations")
    assert (answer.status_code, "groups" in answer.json()["detail"]) == (403, True)


def test_a_clock_that_is_a_little_off_is_forgiven(guarded: Server, issuer: Issuer) -> None:
    assert guarded.call_with(issuer.token(exp=int(time.time()) - 1), "GET", "/api/v1/invocations").ok


def test_the_keys_are_asked_for_rarely(guarded: Server, issuer: Issuer) -> None:
    guarded.call_with(issuer.token(), "GET", "/api/v1/invocations")
    before = issuer.questions
    for number in range(20):
        guarded.call_with(issuer.token(), "GET", "/api/v1/invocations")
        guarded.call_with(issuer.token(kid=f"made-up-{number}"), "GET", "/api/v1/invocations")
    assert issuer.questions <= before + 3


def test_an_issuer_that_is_down_stops_jwt_logins_and_no_others(
    start_server: Callable[..., Server], issuer: Issuer
) -> None:
    url = f"http://127.0.0.1:{free_ports(1)[0]}"
    server = start_server(
        OIDC__ISSUER=url, OIDC__AUDIENCE="dbt-api", OIDC__GROUPS='{"analysts": {"scopes": ["admin"]}}'
    )
    answer = server.call_with(issuer.token(iss=url), "GET", "/api/v1/invocations")
    assert (answer.status_code, "issuer" in answer.json()["detail"]) == (503, True)
    assert int(answer.headers["Retry-After"]) > 0
    assert server.call("GET", "/api/v1/invocations").ok
