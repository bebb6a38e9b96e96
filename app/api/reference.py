"""The OpenAPI document as a page for people, as typed values.

The interface described: as OpenAPI for programs, and as a page for people.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import Blueprint, current_app, render_template, request

from app.api import document as openapi
from app.api.answers import require_known, send_json
from app.api.document import OPENAPI, Answer, Operation, describe
from app.api.release_endpoints import bp
from app.public import pages
from app.public.decorators import site

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask.typing import ResponseReturnValue


@dataclass(frozen=True, kw_only=True)
class DescribedField:
    """One field of an address: its name, what it may be, what it means."""

    name: str
    kind: str
    meaning: str
    in_path: bool


@dataclass(frozen=True, kw_only=True)
class DescribedAddress:
    """One address and what it gives; ``href`` is it itself where it can be opened as it is."""

    id: str
    method: str
    path: str
    summary: str
    meaning: str
    fields: tuple[DescribedField, ...]
    forms: tuple[str, ...]
    href: str


@dataclass(frozen=True, kw_only=True)
class DescribedSection:
    """Addresses of one kind."""

    id: str
    meaning: str
    addresses: tuple[DescribedAddress, ...]


@dataclass(frozen=True, kw_only=True)
class ReferencePage:
    """All that the page tells."""

    root: str
    version: str
    sections: tuple[DescribedSection, ...]


def reference_page(document: Mapping[str, Any]) -> ReferencePage:
    """Put the page together."""
    root = document["servers"][0]["url"]
    every = [
        (tag, _address(root, path, method, result))
        for path, methods in document["paths"].items()
        for method, result in methods.items()
        for tag in result["tags"]
    ]
    sections = tuple(
        DescribedSection(
            id=tag["name"],
            meaning=tag["description"],
            addresses=tuple(one for name, one in every if name == tag["name"]),
        )
        for tag in document["tags"]
    )
    return ReferencePage(
        root=root,
        version=document["info"]["version"],
        sections=tuple(section for section in sections if section.addresses),
    )


def _address(root: str, path: str, method: str, body: Mapping[str, Any]) -> DescribedAddress:
    open_to_all = method == "get" and "{" not in path and not body["security"]
    return DescribedAddress(
        id=body["operationId"].replace(".", "-"),
        method=method.upper(),
        path=f"{root}{path}",
        summary=body["summary"],
        meaning=body["description"],
        fields=tuple(_field(one) for one in body["parameters"]),
        forms=tuple(
            form.partition(";")[0]
            for status, answer in body["responses"].items()
            if status < "400"
            for form in answer.get("content", ())
        ),
        href=f"{root}{path}" if open_to_all else "",
    )


def _field(body: Mapping[str, Any]) -> DescribedField:
    return DescribedField(
        name=body["name"],
        kind=_kind(body["schema"]),
        meaning=body["description"],
        in_path=body["in"] == "path",
    )


def _kind(schema: Mapping[str, Any]) -> str:
    """Tell what a field may be, in a few words.

    >>> _kind({"type": "string", "enum": ["json", "csv"], "default": "json"})
    'json or csv; json if left out'
    """
    if "enum" in schema and len(schema["enum"]) <= 6:
        text = " or ".join(str(one) for one in schema["enum"])
    elif schema.get("type") == "array":
        text = f"{schema['items']['type']}s with commas between"
    else:
        text = str(schema.get("format") or schema.get("type", ""))
    return f"{text}; {schema['default']} if left out" if "default" in schema else text


page_bp = Blueprint("reference", __name__, url_prefix="/api")


@bp.get("/openapi.json", endpoint="openapi")
@describe(
    Operation(
        summary="The interface",
        meaning="This document, made from the code that answers.",
        tag="about",
        answers={200: Answer(meaning="The document.", forms={OPENAPI: {"type": "object"}})},
    )
)
def openapi_() -> ResponseReturnValue:
    """Describe the interface."""
    require_known()
    return send_json(document(), form=OPENAPI)


@page_bp.get("/")
def page() -> ResponseReturnValue:
    """Describe the interface for people."""
    published = site().shown(request.args.get("city"))
    frame = pages.frame(published) if published is not None else None
    return render_template("public/reference.html", frame=frame, page=reference_page(document()))


def document() -> dict[str, Any]:
    """Give the document of the application that answers, made once."""
    kept: dict[str, Any] | None = current_app.extensions.get("saferground.openapi")
    if kept is None:
        kept = openapi.document(current_app)
        current_app.extensions["saferground.openapi"] = kept
    return kept
