"""Faults as ``application/problem+json`` (RFC 9457), for everything below ``/api/``."""

from __future__ import annotations

import json
from typing import Annotated, Literal, TypedDict

from flask import Response, request

PROBLEM = "application/problem+json"
BELOW = "/api/"
PAGE = "/api/"  # the page about the interface, where the kinds of faults are told


class Problem(TypedDict):
    """Why an address gives nothing else (RFC 9457)."""

    type: Annotated[str, "Where this kind of fault is told; relative to this site."]
    title: Annotated[str, "The kind of fault, in words."]
    status: int
    detail: Annotated[str, "What was wrong here, and what to do."]
    instance: Annotated[str, "The path that was asked for."]
    ok: Annotated[Literal[False], "As earlier versions told it."]
    error: Annotated[str, "The detail, as earlier versions told it."]
    code: Annotated[str, "The kind of fault, for programs."]
    parameters: Annotated[
        dict[str, str | int | list[str]], "What the fault is about, by name; what is known of it."
    ]


def problem(
    status: int,
    title: str,
    detail: str,
    code: str,
    parameters: dict[str, str | int | list[str]] | None = None,
) -> Response:
    """Answer a fault; ``code`` names its kind for programs."""
    result = detail or title
    body: Problem = {
        "type": f"{PAGE}#fault-{status}",
        "title": title,
        "status": status,
        "detail": result,
        "instance": request.path,
        "ok": False,
        "error": result,
        "code": code,
        "parameters": parameters or {},
    }
    content = json.dumps(body, ensure_ascii=True)
    return Response(content, status=status, mimetype=PROBLEM)
