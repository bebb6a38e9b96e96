"""The interface described: as OpenAPI for programs, and as a page for people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import Blueprint, current_app, render_template, request

from app.api import document as openapi
from app.api.answers import require_known, send_json
from app.api.document import OPENAPI, Answer, Operation, describe
from app.api.release_endpoints import bp
from app.public import pages
from app.public.decorators import site

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Flask
    from flask.typing import ResponseReturnValue


@dataclass(frozen=True, kw_only=True)
class DescribedAddress:
    """One address, its method and what its view says of itself."""

    id: str
    method: str
    path: str
    operation: Operation

    @property
    def meaning(self) -> str:
        """What it gives, and who may ask."""
        return openapi.meaning_of(self.operation)

    @property
    def forms(self) -> tuple[str, ...]:
        """The media types of its answers."""
        return tuple(
            form.partition(";")[0]
            for status, answer in self.operation.answers.items()
            if status < 400
            for form in answer.forms
        )

    @property
    def opens(self) -> bool:
        """Whether it can be opened as it is."""
        return self.method == "GET" and "{" not in self.path and not self.operation.scope


def described_addresses(app: Flask) -> dict[str, list[DescribedAddress]]:
    """Return every address by its tag, in the order of tags and paths; no tag without one."""
    found: dict[str, list[DescribedAddress]] = {tag: [] for tag in openapi.TAGS}
    every = sorted(openapi.operations(app), key=lambda one: openapi.path_of(one[0]))
    for rule, method, operation in every:
        address = DescribedAddress(
            id=rule.endpoint.replace(".", "-"),
            method=method,
            path=f"{openapi.ROOT}{openapi.path_of(rule)}",
            operation=operation,
        )
        found[operation.tag].append(address)
    return {tag: addresses for tag, addresses in found.items() if addresses}


def field_kind(schema: Mapping[str, object]) -> str:
    """Return what a field may be, in a few words.

    >>> field_kind({"type": "string", "enum": ["json", "csv"], "default": "json"})
    'json or csv; json if left out'
    """
    words, items = schema.get("enum"), schema.get("items")
    if isinstance(words, list) and len(words) <= 6:
        text = " or ".join(str(one) for one in words)
    elif schema.get("type") == "array" and isinstance(items, dict):
        text = f"{items['type']}s with commas between"
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
    return render_template(
        "public/reference.html",
        frame=frame,
        sections=described_addresses(current_app),
        meanings=openapi.TAGS,
        field_kind=field_kind,
    )


def document() -> dict[str, object]:
    """Give the document of the application that answers, made once."""
    kept: dict[str, object] | None = current_app.extensions.get("saferground.openapi")
    if kept is None:
        kept = openapi.document(current_app)
        current_app.extensions["saferground.openapi"] = kept
    return kept
