"""The interface as an OpenAPI 3.1 document, made from the routes and what their views say."""

from __future__ import annotations

import re
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from app.api.problems import PROBLEM, Problem
from app.api.registry import TAGS, operation_of, phrase
from app.api.schemas import schema_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Flask
    from werkzeug.routing import Rule

    from app.api.registry import Answer, Operation
    from app.api.schemas import Schema

ROOT = "/api/v1"
METHODS = ("GET", "POST", "DELETE")
BEARER = "bearer"
ABOUT = (
    "Zones, districts, alerts and measures as a city published them, and for its staff runs and "
    "jobs. Nothing here needs an account but what is marked for staff. Faults are told as "
    "application/problem+json (RFC 9457)."
)
ANY_FAULT = (400,)  # what any address may answer; 404 and others are said where they happen
STAFF_FAULTS = (401, 403, 429)


def document(app: Flask) -> dict[str, Any]:
    """Describe every endpoint below ``/api/v1`` that the application has."""
    components: dict[str, Schema] = {}
    paths: dict[str, dict[str, Any]] = {}
    for rule, method, operation in operations(app):
        told = _operation(rule.endpoint, operation, components)
        paths.setdefault(path_of(rule), {})[method.lower()] = told
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Safer Ground",
            "version": version("saferground"),
            "summary": "Risk terrain zones of a city, its alerts and its measures",
            "description": ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": ROOT}],
        "tags": [{"name": name, "description": told} for name, told in TAGS.items()],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": dict(sorted(components.items())),
            "securitySchemes": {
                BEARER: {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An access token, made on the account page; it begins with sg_.",
                }
            },
        },
    }


def operations(app: Flask) -> Iterator[tuple[Rule, str, Operation]]:
    """Give each route of the interface that says what it does, with its method."""
    for rule in app.url_map.iter_rules():
        operation = operation_of(app.view_functions[rule.endpoint])
        if operation is None or not rule.rule.startswith(ROOT):
            continue
        for method in METHODS:
            if method in (rule.methods or ()):
                yield rule, method, operation


def path_of(rule: Rule) -> str:
    """Write the path of a route as OpenAPI does, below the address of the server."""
    return re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", rule.rule.removeprefix(ROOT))


def _operation(
    endpoint: str, operation: Operation, components: dict[str, Schema]
) -> dict[str, Any]:
    faults = (*ANY_FAULT, *(STAFF_FAULTS if operation.scope else ()), *operation.problems)
    told: dict[str, Any] = {
        "operationId": endpoint,
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": _meaning(operation),
        "parameters": [one.as_openapi() for one in operation.parameters],
        "responses": {
            **{str(status): _answer(one, components) for status, one in operation.answers.items()},
            **{str(status): _fault(status, components) for status in sorted(set(faults))},
        },
        "security": [{BEARER: []}] if operation.scope else [],
    }
    if operation.body is not None:
        schema = schema_of(operation.body, components, closed=True)
        told["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": schema}},
        }
    return told


def _meaning(operation: Operation) -> str:
    if operation.scope is None:
        return operation.meaning
    return f"{operation.meaning} Needs a token with the scope {operation.scope}."


def _answer(answer: Answer, components: dict[str, Schema]) -> dict[str, Any]:
    told: dict[str, Any] = {"description": answer.meaning}
    if answer.forms:
        told["content"] = {
            form: {"schema": schema_of(kind, components)} for form, kind in answer.forms.items()
        }
    return told


def _fault(status: int, components: dict[str, Schema]) -> dict[str, Any]:
    schema = schema_of(Problem, components)
    return {"description": phrase(status), "content": {PROBLEM: {"schema": schema}}}
