"""OGC API - Features (Part 1: Core, GeoJSON, OpenAPI 3.0 in its 3.1 form) over the release.

Programs for maps such as QGIS open these addresses by themselves: they find the layers, ask for
the part that is in view and go through the pages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, TypedDict

from flask import request

from app.api import layer_queries
from app.api.answers import (
    LIMIT,
    OFFSET,
    Link,
    address,
    format_parameter,
    require_known,
    send_json,
    wanted,
)
from app.api.document import (
    CITY,
    CSV,
    GEOJSON,
    JSON,
    OPENAPI,
    Answer,
    Keywords,
    Operation,
    Parameter,
    describe,
)
from app.api.layer_queries import BBOX, DATETIME, FILTERS, LAYERS
from app.api.release_endpoints import (
    FORMS,
    TABLE,
    bp,
    collection_schema,
    current,
    feature_schema,
    give_features,
    shown_city,
)
from app.public import release_words

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from app.api.layer_queries import ReleaseLayer
    from geodata.releases.folder import ReleaseFolder

SPEC = "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/"
CONFORMS_TO = (f"{SPEC}core", f"{SPEC}geojson")
WGS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
GREGORIAN = "http://www.opengis.net/def/uom/ISO-8601/0/Gregorian"
JSON_ONLY = format_parameter("json")
COLLECTION = Parameter(
    name="collection",
    where="path",
    meaning="Name of a layer; a release need not have all of them.",
    schema={"type": "string", "enum": list(LAYERS)},
)


class Landing(TypedDict):
    """Where the interface begins."""

    title: str
    description: str
    links: list[Link]


class Conformance(TypedDict):
    """Which requirements are met."""

    conformsTo: list[str]


class Spatial(TypedDict):
    """Where features lie: west, south, east, north in degrees."""

    bbox: list[list[float]]
    crs: str


class Temporal(TypedDict):
    """When features were."""

    interval: list[list[str | None]]
    trs: str


class Extent(TypedDict, total=False):
    """Where and when features are."""

    spatial: Spatial
    temporal: Temporal


class Collection(TypedDict):
    """One layer."""

    id: str
    title: str
    description: str
    itemType: Annotated[str, Keywords(const="feature")]
    crs: list[str]
    extent: Extent
    links: list[Link]


class Collections(TypedDict):
    """The layers of the release."""

    collections: list[Collection]
    links: list[Link]


@bp.get("/")
@describe(
    Operation(
        summary="Where the interface begins",
        meaning="Ways to the description, to what is conformed to, and to the layers.",
        tag="features",
        parameters=(CITY, JSON_ONLY),
        answers={200: Answer(meaning="The ways on.", forms={JSON: Landing})},
        problems=(404,),
    )
)
def landing() -> ResponseReturnValue:
    """Tell the ways on."""
    require_known("city", "f")
    wanted("json")
    if request.args.get("city"):
        shown_city()
    document: Landing = {
        "title": "Safer Ground",
        "description": "Risk terrain zones, districts and alerts as a city published them.",
        "links": [
            _link("self", JSON, "api.landing", "This document"),
            _link("service-desc", OPENAPI, "api.openapi", "The interface, OpenAPI 3.1"),
            _link("service-doc", "text/html", "reference.page", "The interface, for people"),
            _link("conformance", JSON, "api.conformance", "What is conformed to"),
            _link("data", JSON, "api.collections", "The layers"),
        ],
    }
    return send_json(document, links=document["links"])


@bp.get("/conformance")
@describe(
    Operation(
        summary="What is conformed to",
        meaning="Classes of requirements of OGC API - Features that are met.",
        tag="features",
        parameters=(JSON_ONLY,),
        answers={200: Answer(meaning="The classes.", forms={JSON: Conformance})},
    )
)
def conformance() -> ResponseReturnValue:
    """Tell what is conformed to."""
    require_known("f")
    wanted("json")
    document: Conformance = {"conformsTo": list(CONFORMS_TO)}
    return send_json(document)


@bp.get("/collections")
@describe(
    Operation(
        summary="All layers",
        meaning="The layers of the release that is shown.",
        tag="features",
        parameters=(CITY, JSON_ONLY),
        answers={200: Answer(meaning="The layers.", forms={JSON: Collections})},
        problems=(404,),
    )
)
def collections() -> ResponseReturnValue:
    """List the layers of the release."""
    require_known("city", "f")
    wanted("json")
    _, release = current()
    document: Collections = {
        "collections": [_collection(release, layer) for layer in layer_queries.there(release)],
        "links": [_link("self", JSON, "api.collections", "This document")],
    }
    return send_json(document, modified=release_words.approved_at(release))


@bp.get("/collections/<collection>")
@describe(
    Operation(
        summary="One layer",
        meaning="Where and when the features of a layer are, and the way to them.",
        tag="features",
        parameters=(COLLECTION, CITY, JSON_ONLY),
        answers={200: Answer(meaning="The layer.", forms={JSON: Collection})},
        problems=(404,),
    )
)
def collection(collection: str) -> ResponseReturnValue:
    """Tell one layer."""
    require_known("city", "f")
    wanted("json")
    _, release = current()
    layer = layer_queries.require_layer(release, collection)
    return send_json(_collection(release, layer), modified=release_words.approved_at(release))


@bp.get("/collections/<collection>/items")
@describe(
    Operation(
        summary="Features of a layer",
        meaning="A page of features; a field that the layer does not have is refused.",
        tag="features",
        parameters=(
            COLLECTION,
            CITY,
            LIMIT,
            OFFSET,
            BBOX,
            DATETIME,
            *FILTERS.values(),
            format_parameter("geojson", "csv"),
        ),
        answers={
            200: Answer(
                meaning="A page of features.", forms={GEOJSON: collection_schema(None), CSV: TABLE}
            )
        },
        problems=(404,),
    )
)
def items(collection: str) -> ResponseReturnValue:
    """Give a page of features."""
    by = LAYERS[collection].filters if collection in LAYERS else ()
    require_known("city", "limit", "offset", "bbox", "datetime", *by, "f")
    return give_features(collection, wanted(*FORMS))


@bp.get("/collections/<collection>/items/<feature>")
@describe(
    Operation(
        summary="One feature",
        meaning=(
            "By its id. Zones and districts have ids of their own; alerts and complaints are known "
            "by their row in the release, which another release may count otherwise."
        ),
        tag="features",
        parameters=(
            COLLECTION,
            Parameter(
                name="feature",
                where="path",
                meaning="Id of a feature.",
                schema={"type": "string", "minLength": 1},
            ),
            CITY,
            format_parameter("geojson"),
        ),
        answers={200: Answer(meaning="The feature.", forms={GEOJSON: feature_schema(None)})},
        problems=(404,),
    )
)
def item(collection: str, feature: str) -> ResponseReturnValue:
    """Give one feature."""
    require_known("city", "f")
    wanted("geojson")
    _, release = current()
    layer = layer_queries.require_layer(release, collection)
    found = layer_queries.feature(release, layer, feature)
    links = [
        _link("self", GEOJSON, "api.item", "This feature", collection=layer.name, feature=feature),
        _link("collection", JSON, "api.collection", layer.title, collection=layer.name),
    ]
    modified = release_words.approved_at(release)
    return send_json({**found, "links": links}, form=GEOJSON, modified=modified, links=links)


def _collection(release: ReleaseFolder, layer: ReleaseLayer) -> Collection:
    extent: Extent = {}
    bounds, span = layer_queries.kept(release, layer).bounds, layer_queries.days(release, layer)
    if bounds is not None:
        extent["spatial"] = {"bbox": [list(bounds)], "crs": WGS84}
    if span is not None:
        first, last = span
        extent["temporal"] = {
            "interval": [[f"{first}T00:00:00Z", f"{last}T23:59:59Z"]],
            "trs": GREGORIAN,
        }
    here: dict[str, object] = {"collection": layer.name}
    csv = _link("items", CSV, "api.items", f"{layer.title}, table", **here, f="csv")
    return {
        "id": layer.name,
        "title": layer.title,
        "description": layer.about,
        "itemType": "feature",
        "crs": [WGS84],
        "extent": extent,
        "links": [
            _link("self", JSON, "api.collection", layer.title, **here),
            _link("items", GEOJSON, "api.items", layer.title, **here),
            csv,
        ],
    }


def _link(rel: str, form: str, endpoint: str, title: str, **values: Any) -> Link:
    return {"rel": rel, "type": form, "href": address(endpoint, **values), "title": title}
