"""The server's description of itself: FastAPI's, with every error declared as the problem+json that it is.

Errors that follow from what an operation is (a body, parameters, a login) are added here; a route declares only those
that follow from what it does, as `responses=problems(404, 409)`.
"""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI

from contracts.dbt_api import Problem

PROBLEM = "#/components/schemas/Problem"
METHODS = {"get", "put", "post", "delete", "patch"}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Errors that a route may answer with, for its `responses`."""
    return {status: {"description": HTTPStatus(status).phrase} for status in statuses}


def example(answer: dict[str, Any]) -> dict[str, Any]:
    """A route's answer by example, for its `responses`."""
    return {"content": {"application/json": {"example": answer}}}


def describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document of the application."""
    document = FastAPI.openapi(app)
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schemas["Problem"] = Problem.model_json_schema()
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    for path, operations in document["paths"].items():
        for method in METHODS & set(operations):
            _declare_errors(path, operations[method])
    return document


def _declare_errors(path: str, operation: dict[str, Any]) -> None:
    responses = operation.setdefault("responses", {})
    told = {status for status in responses if status[0] in "45"} | {str(each) for each in _inherent(path, operation)}
    for status in sorted(told):
        responses[status] = {
            "description": HTTPStatus(int(status)).phrase,
            "content": {"application/problem+json": {"schema": {"$ref": PROBLEM}}},
        }


def _inherent(path: str, operation: dict[str, Any]) -> Iterator[int]:
    yield from (500, 503)
    if operation.get("security"):
        yield from (401, 403, 408, 429)
    if "requestBody" in operation:
        yield from (400, 413, 422)
    if operation.get("parameters"):
        yield 422
    if "{" in path:
        yield 404
