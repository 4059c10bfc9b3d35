"""Scopes and project bindings: every route demands a scope, and another's project does not exist."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import RouteContext, iter_route_contexts

from contracts.dbt_api import Scope
from dbt_api.app import create_app
from dbt_api.auth.access import authorised
from dbt_api.auth.door import OPEN
from tests.unit.dbt_api.server import Server

ALL_BUT_ADMIN = [scope for scope in Scope if scope is not Scope.ADMIN]
PATH_PARAMETERS = {"task_id": "of-other", "name": "other", "prefix": "pht_nobody"}


def routes() -> Iterator[RouteContext]:
    yield from iter_route_contexts(create_app().routes)


def scopes_of(dependant: Dependant | None) -> set[str]:
    """The scopes that a route demands, wherever it says so."""
    if dependant is None:
        return set()
    own = set(dependant.own_oauth_scopes or []) if dependant.call is authorised else set()
    return own.union(*(scopes_of(each) for each in dependant.dependencies))


def test_every_route_declares_its_scope() -> None:
    undeclared = {route.path for route in routes() if not scopes_of(getattr(route, "dependant", None))}
    assert undeclared == OPEN


def test_projects_and_invocations_are_named_alike_in_all_paths() -> None:
    """The binding is checked by these names."""
    for route in routes():
        for named in re.findall(r"/projects/(\{.*?\})", str(route.path)):
            assert named == "{name}"
        for named in re.findall(r"/invocations/(\{.*?\})", str(route.path)):
            assert named == "{task_id}"


@pytest.fixture(scope="module")
def paths(guarded: Server) -> dict[str, dict[str, Any]]:
    return dict(guarded.call("GET", "/openapi.json").json()["paths"])


def test_openapi_tells_scheme_and_scope_of_every_route(paths: dict[str, dict[str, Any]]) -> None:
    for path, methods in paths.items():
        for operation in methods.values():
            expected = path not in OPEN
            assert bool(operation.get("security")) == expected
            for scheme in operation.get("security", []):
                ((name, scopes),) = scheme.items()
                assert name in ("bearer", "basic")
                assert set(scopes) <= set(Scope)


def calls(paths: dict[str, dict[str, Any]]) -> Iterator[tuple[str, str, str]]:
    """Every call of every guarded route: method, template, path with a name of the other project."""
    for template, methods in paths.items():
        for method in methods:
            path = template
            for name, value in PATH_PARAMETERS.items():
                in_artifacts = name == "name" and "/artifacts/" in template
                path = path.replace(f"{{{name}}}", "manifest.json" if in_artifacts else value)
            if template not in OPEN:
                yield method.upper(), template, path


BODIES: dict[str, Any] = {
    "POST /api/v1/invocations": {"project": "other", "command": ["ls"]},
    "POST /invocations": {"project_dir": "other", "command": ["ls"]},
    "POST /api/v1/preview": {"project": "other"},
    "PUT /api/v1/projects/{name}": {"source": {"kind": "template"}},
    "POST /api/v1/tokens": {"name": "mine", "scopes": ["run:read"]},
}


def test_another_projects_token_meets_nothing_on_every_route(guarded: Server, paths: dict[str, dict[str, Any]]) -> None:
    token = guarded.make_token(*ALL_BUT_ADMIN, project="shop")
    met = {}
    for method, template, path in calls(paths):
        answer = guarded.call_with(token, method, path, json=BODIES.get(f"{method} {template}"))
        met[f"{method} {template}"] = answer
        if "{task_id}" in template or "{name}" in template:
            unknown = path.replace("of-other", "nobody").replace("projects/other", "projects/nobody")
            same = guarded.call_with(token, method, unknown, json=BODIES.get(f"{method} {template}"))
            named = same.text.replace("nobody", "of-other" if "of-other" in path else "other")
            assert (answer.status_code, answer.text) == (same.status_code, named), (method, template)
            assert answer.status_code == 404 or answer.json()["state"] == "NOT_FOUND"
    assert met["POST /api/v1/invocations"].status_code == 404
    assert met["POST /api/v1/preview"].status_code == 404
    assert met["POST /invocations"].status_code == 422
    assert met["POST /invocations"].json()["hint"] == "Registered: shop."
    assert [each["name"] for each in met["GET /api/v1/projects"].json()] == ["shop"]
    for door in ("GET /invocations", "GET /api/v1/invocations"):
        assert {each["project"] for each in met[door].json()["invocations"]} == {"shop"}
    for admin in ("GET /api/v1/tokens", "POST /api/v1/tokens", "GET /api/v1/audit"):
        assert met[admin].status_code == 403
    assert guarded.call("GET", "/api/v1/projects/other").ok
    assert guarded.read("of-other")["state"] == "SUCCESS"


@pytest.mark.parametrize("host", ["x/y", "x?", "x#", "x/api/v1/invocations?"])
def test_no_host_name_leads_past_the_binding(guarded: Server, host: str) -> None:
    token = guarded.make_token(*ALL_BUT_ADMIN, project="shop")
    for path in ("/api/v1/projects/other", "/api/v1/invocations/of-other"):
        assert guarded.call_with(token, "GET", path, headers={"Host": host}).status_code in (400, 404)
    answer = guarded.call_with(token, "GET", "/invocations/of-other", headers={"Host": host})
    assert answer.status_code == 400 or answer.json() == {"task_id": "of-other", "state": "NOT_FOUND"}


def test_a_bound_token_works_in_its_own_project(guarded: Server) -> None:
    token = guarded.make_token(*ALL_BUT_ADMIN, project="shop")
    for path in ("/api/v1/invocations/of-shop", "/api/v1/invocations/of-shop/logs", "/api/v1/projects/shop"):
        assert guarded.call_with(token, "GET", path).ok
    assert guarded.call_with(token, "GET", "/invocations/of-shop").json()["state"] == "SUCCESS"
    assert guarded.call_with(token, "POST", "/api/v1/invocations/of-shop/abort").status_code == 202
    listed = guarded.call_with(token, "GET", "/api/v1/invocations?project=other")
    assert listed.status_code == 404
    named_nothing = guarded.call_with(token, "POST", "/invocations", json={"command": ["ls"], "task_id": "only-one"})
    assert named_nothing.status_code == 200
    assert guarded.ended("only-one")["project"] == "shop"


def test_an_id_of_another_project_cannot_be_taken_over(guarded: Server) -> None:
    token = guarded.make_token(*ALL_BUT_ADMIN, project="shop")
    body = {"task_id": "of-other", "project": "shop", "command": ["ls"]}
    assert guarded.call_with(token, "POST", "/api/v1/invocations", json=body).status_code == 409
    assert guarded.read("of-other")["project"] == "other"


@pytest.mark.parametrize("scope", ALL_BUT_ADMIN)
def test_one_scope_opens_what_demands_it_and_nothing_else(guarded: Server, scope: Scope) -> None:
    token = guarded.make_token(scope)
    for route in routes():
        demanded = scopes_of(getattr(route, "dependant", None))
        path = str(route.path).replace("{task_id}", "nobody").replace("{name}", "nobody").replace("{name:path}", "x")
        if demanded and demanded != {scope}:
            for method in (route.methods or set()) - {"HEAD"}:
                answer = guarded.call_with(token, method, path, json=BODIES.get(f"{method} {route.path}"))
                assert answer.status_code == 403, (method, path)


def test_run_operation_needs_a_scope_of_its_own(guarded: Server) -> None:
    writer, operator = guarded.make_token("run:write"), guarded.make_token("run:write", "run:operation")
    for command in (["run-operation", "grant_all"], ["--fail-fast", "run-operation", "grant_all"]):
        for path, body in (
            ("/api/v1/invocations", {"project": "shop", "command": command}),
            ("/invocations", {"project_dir": "shop", "command": command}),
        ):
            refused = guarded.call_with(writer, "POST", path, json=body)
            assert (refused.status_code, "run:operation" in refused.json()["detail"]) == (403, True)
    body = {"project": "shop", "command": ["run-operation", "grant_all"], "task_id": "operation"}
    assert guarded.call_with(operator, "POST", "/api/v1/invocations", json=body).status_code == 202
    guarded.ended("operation")


def test_only_an_admin_speaks_for_others(guarded: Server) -> None:
    body = {"project": "shop", "command": ["ls"], "requested_by": "boss"}
    writer = guarded.make_token("run:write", name="night shift")
    admin = guarded.make_token("admin", name="console")
    assert guarded.call_with(writer, "POST", "/api/v1/invocations", json=body).json()["requested_by"] == "night shift"
    assert guarded.call_with(admin, "POST", "/api/v1/invocations", json=body).json()["requested_by"] == "boss"
    assert guarded.call("POST", "/api/v1/invocations", json=body).json()["requested_by"] == "boss"
    body.pop("requested_by")
    assert guarded.call_with(admin, "POST", "/api/v1/invocations", json=body).json()["requested_by"] == "console"


def test_what_nobody_is_allowed_is_told_by_403_and_who_nobody_knows_by_401(guarded: Server) -> None:
    reader = guarded.make_token("run:read")
    forbidden = guarded.call_with(reader, "POST", "/api/v1/invocations/of-shop/abort")
    assert (forbidden.status_code, "run:abort" in forbidden.json()["detail"]) == (403, True)
    assert "WWW-Authenticate" not in forbidden.headers
    unknown = guarded.call_with(f"{reader}x", "POST", "/api/v1/invocations/of-shop/abort")
    assert (unknown.status_code, "WWW-Authenticate" in unknown.headers) == (401, True)


def test_two_logins_at_once_are_none(guarded: Server) -> None:
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", guarded.port, timeout=10)
    connection.putrequest("GET", "/invocations")
    for token in (guarded.make_token("run:read"), "x"):
        connection.putheader("Authorization", f"Bearer {token}")
    connection.endheaders()
    assert connection.getresponse().status == 401
    connection.close()
