"""The published release: the city, its releases, its layers whole and as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, NotRequired, TypedDict

from flask import Blueprint, request

from app.api import layer_queries
from app.api.answers import (
    LIMIT,
    OFFSET,
    Link,
    address,
    format_parameter,
    page,
    require_known,
    send_json,
    send_table,
    wanted,
)
from app.api.document import (
    CITY,
    CSV,
    GEOJSON,
    JSON,
    Answer,
    Day,
    Keywords,
    Moment,
    Operation,
    Parameter,
    Reference,
    describe,
)
from app.api.layer_queries import BBOX, DATETIME, FILTERS, LAYERS, ReleaseLayer
from app.public import open_data, release_words
from app.public.decorators import site
from geodata.documents import to_json
from geodata.errors import NotStoredError

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from app.api.document import Schema
    from app.public.published_city import PublicCityView
    from geodata.releases.folder import ReleaseFolder

bp = Blueprint("api", __name__, url_prefix="/api/v1")
FORMS = ("geojson", "csv")
TABLE: dict[str, object] = {"type": "string"}
RELEASE_COLUMNS = ("id", "state", "through", "approved_at", "withdrawn_at", "why", "rules")


class Days(TypedDict):
    """Days that something is told of, first and last included."""

    first: Day
    last: Day


class Named(TypedDict):
    """A city that is shown here."""

    slug: str
    name: str


class ReleaseFile(TypedDict):
    """One file of a release."""

    name: str
    title: str
    bytes: int
    sha256: str
    href: Reference


class Release(TypedDict):
    """A set of files that was approved and never changes after."""

    id: str
    state: Annotated[str, Keywords(enum=["approved", "withdrawn"])]
    current: Annotated[bool, "Whether these pages show it."]
    through: Annotated[Day, "Last day that it is about."]
    approved_at: Moment
    withdrawn_at: Moment | None
    why: Annotated[str | None, "Why it was withdrawn."]
    rules: Annotated[int, "Version of the rules of publishing."]
    href: Reference


class WholeRelease(Release):
    """A release with all that it holds; a withdrawn one gives no files."""

    city: Named
    synthetic: Annotated[bool, "Whether the city and all its data are made up."]
    run: Annotated[dict[str, object] | None, "The run whose zones it shows."]
    rule_texts: dict[str, str]
    files: list[ReleaseFile]
    links: list[Link]


class Releases(TypedDict):
    """Releases of a city, newest first."""

    city: str
    releases: list[Release]
    numberMatched: int
    numberReturned: int
    links: list[Link]


class District(TypedDict):
    """A police district."""

    code: str
    name: str


class City(TypedDict):
    """A city as its release tells it."""

    slug: str
    name: str
    synthetic: Annotated[bool, "Whether the city and all its data are made up."]
    timezone: str
    crs: Annotated[str, "Reference system in which the city is worked on; answers are in WGS 84."]
    today: Annotated[Day | None, "Where the calendar of a synthetic city stands."]
    through: Annotated[Day | None, "Nothing is told of days after it."]
    stale: bool
    districts: list[District]
    sections: Annotated[dict[str, Days], "Kinds of rows and the days that they are of."]
    release: Annotated[str | None, "Id of the release that is shown."]
    others: Annotated[list[Named], "Other cities here."]
    links: NotRequired[list[Link]]


def current() -> tuple[PublicCityView, ReleaseFolder]:
    """Give the city that is asked for and the release that is shown of it.

    Raises
    ------
    NotStoredError
        If there is none.
    """
    view = shown_city()
    return view, site().release(view)


def shown_city() -> PublicCityView:
    """Give the city that is asked for.

    Raises
    ------
    NotStoredError
        If there is none.
    """
    published = site().shown(request.args.get("city"))
    if published is None:
        msg = "nothing is published yet; draft a release and approve it first"
        raise NotStoredError(msg, code="nothing_published")
    return published


@bp.get("/city")
@describe(
    Operation(
        summary="The city",
        meaning="What is published of a city: its districts, the days that are told, its release.",
        tag="release",
        parameters=(CITY,),
        answers={200: Answer(meaning="The city.", forms={JSON: City})},
        problems=(404,),
    )
)
def city() -> ResponseReturnValue:
    """Tell what is published of a city."""
    require_known("city")
    view = shown_city()
    result = view.city
    release = site().release(view)
    document: City = {
        "slug": result.slug,
        "name": result.name,
        "synthetic": result.synthetic,
        "timezone": result.timezone,
        "crs": result.crs,
        "today": result.today.isoformat() if result.today else None,
        "through": view.through.isoformat(),
        "stale": view.stale,
        "districts": [
            {"code": str(row.code), "name": str(row.name)}
            for row in result.districts[["code", "name"]].itertuples(index=False)
        ],
        "sections": {
            name: {"first": first.isoformat(), "last": last.isoformat()}
            for name, (first, last) in view.extents.items()
        },
        "release": view.release.id,
        "others": [{"slug": one.slug, "name": one.name} for one in view.others],
    }
    return send_json(document, modified=release_words.approved_at(release))


@bp.get("/releases")
@describe(
    Operation(
        summary="All releases",
        meaning="Releases of a city that were ever approved, newest first; withdrawn ones say why.",
        tag="release",
        parameters=(CITY, format_parameter("json", "csv"), LIMIT, OFFSET),
        answers={200: Answer(meaning="A page of releases.", forms={JSON: Releases, CSV: TABLE})},
        problems=(404,),
    )
)
def releases() -> ResponseReturnValue:
    """List the releases of a city."""
    require_known("city", "f", "limit", "offset")
    form, requested = wanted("json", "csv"), page()
    visible, newest = current()
    every = site().releases(visible)
    lines = [_release(one, newest) for one in requested.of(every)]
    links = requested.links(len(every), CSV if form == "csv" else JSON, ("json", "csv"))
    modified = max(
        release_words.withdrawn_at(one) or release_words.approved_at(one) for one in every
    )
    if form == "csv":
        return send_table(RELEASE_COLUMNS, lines, modified=modified, links=links)
    document: Releases = {
        "city": visible.city.slug,
        "releases": lines,
        "numberMatched": len(every),
        "numberReturned": len(lines),
        "links": links,
    }
    return send_json(document, modified=modified, links=links)


@bp.get("/releases/<release>")
@describe(
    Operation(
        summary="One release",
        meaning="What a release says of itself, with the digest of every file that it gives.",
        tag="release",
        parameters=(
            Parameter(
                name="release", where="path", meaning="Id of a release.", schema={"type": "string"}
            ),
            CITY,
        ),
        answers={200: Answer(meaning="The release.", forms={JSON: WholeRelease})},
        problems=(404,),
    )
)
def release(release: str) -> ResponseReturnValue:
    """Tell one release."""
    require_known("city")
    visible, newest = current()
    for one in site().releases(visible):
        if one.id == release:
            modified = release_words.withdrawn_at(one) or release_words.approved_at(one)
            return send_json(_whole(one, newest), modified=modified)
    msg = f"{visible.city.slug} has no release {release[:40]!r}"
    raise NotStoredError(msg, code="no_release")


def feature_schema(layer: ReleaseLayer | None) -> Schema:
    """Describe a feature of a layer, or of any."""
    return {
        "type": "object",
        "properties": {
            "type": {"const": "Feature"},
            "id": {"type": ["string", "integer"]},
            "geometry": {
                "type": "object",
                "properties": {
                    "type": {"enum": ["Point", "Polygon", "MultiPolygon"]},
                    "coordinates": {"type": "array"},
                },
                "required": ["type", "coordinates"],
            },
            "properties": layer.properties() if layer else {"type": "object"},
        },
        "required": ["type", "id", "geometry", "properties"],
    }


def collection_schema(layer: ReleaseLayer | None) -> Schema:
    """Describe a page of features."""
    return {
        "type": "object",
        "properties": {
            "type": {"const": "FeatureCollection"},
            "numberMatched": {"type": "integer"},
            "numberReturned": {"type": "integer"},
            "links": {"type": "array", "items": {"$ref": "#/components/schemas/Link"}},
            "features": {"type": "array", "items": feature_schema(layer)},
        },
        "required": ["type", "numberMatched", "numberReturned", "links", "features"],
    }


def give_features(name: str, form: str, others: tuple[str, ...] = FORMS) -> ResponseReturnValue:
    """Give a page of the features of a layer; ``others`` are the forms that this address has."""
    _, release = current()
    layer = layer_queries.require_layer(release, name)
    requested = page()
    places = layer_queries.choose(request.args, release, layer)
    wanted_places = requested.of(places)
    modified = release_words.approved_at(release)
    mime = CSV if form == "csv" else GEOJSON
    links = requested.links(len(places), mime, others)
    if form == "csv":
        columns = [column.name for column in layer.columns]
        rows = layer_queries.rows(release, layer, wanted_places)
        return send_table(columns, rows, modified=modified, links=links)
    every = layer_queries.kept(release, layer).features
    document = {
        "type": "FeatureCollection",
        "numberMatched": len(places),
        "numberReturned": len(wanted_places),
        "links": links,
        "features": [every[place] for place in wanted_places],
    }
    return send_json(document, form=mime, modified=modified, links=links)


def _add_layer(layer: ReleaseLayer) -> None:
    """Add the two addresses of a layer: as features, and as a table."""
    fields = ("city", "limit", "offset", "bbox", "datetime", *layer.filters)
    common = (CITY, LIMIT, OFFSET, BBOX, DATETIME, *(FILTERS[name] for name in layer.filters))

    @describe(
        Operation(
            summary=layer.title,
            meaning=f"{layer.about} As GeoJSON (RFC 7946), or as a table.",
            tag="release",
            parameters=(*common, format_parameter("geojson", "csv")),
            answers={
                200: Answer(
                    meaning="A page of features.",
                    forms={GEOJSON: collection_schema(layer), CSV: TABLE},
                )
            },
            problems=(404,),
        )
    )
    def features() -> ResponseReturnValue:
        require_known(*fields, "f")
        return give_features(layer.name, wanted(*FORMS))

    @describe(
        Operation(
            summary=f"{layer.title}, as a table",
            meaning=f"{layer.about} As a table.",
            tag="release",
            parameters=common,
            answers={200: Answer(meaning="A page of rows.", forms={CSV: TABLE})},
            problems=(404,),
        )
    )
    def rows() -> ResponseReturnValue:
        require_known(*fields)
        return give_features(layer.name, "csv", ())

    bp.add_url_rule(f"/{layer.name}", layer.name, features)
    bp.add_url_rule(f"/{layer.name}.csv", f"{layer.name}_csv", rows)


for one in LAYERS.values():
    _add_layer(one)


def _release(one: ReleaseFolder, newest: ReleaseFolder) -> Release:
    withdrawn = release_words.withdrawn_at(one)
    return {
        "id": one.id,
        "state": one.state,
        "current": one.id == newest.id,
        "through": one.manifest.through.isoformat(),
        "approved_at": _moment(release_words.approved_at(one)),
        "withdrawn_at": _moment(withdrawn) if withdrawn else None,
        "why": release_words.why_withdrawn(one) or None,
        "rules": one.manifest.rules.version,
        "href": address("api.release", release=one.id),
    }


def _whole(one: ReleaseFolder, newest: ReleaseFolder) -> WholeRelease:
    manifest = one.manifest
    page_url = address("data.release", identity=one.id)
    return {
        **_release(one, newest),
        "city": to_json(manifest.city),
        "synthetic": manifest.synthetic,
        "run": to_json(manifest.run) if manifest.run else None,
        "rule_texts": dict(manifest.rules.texts),
        "files": [] if one.state == "withdrawn" else _files(one),
        "links": [{"rel": "alternate", "type": "text/html", "href": page_url}],
    }


def _files(one: ReleaseFolder) -> list[ReleaseFile]:
    return [
        {
            "name": entry.name.removeprefix(open_data.DATA),
            "title": entry.title,
            "bytes": entry.bytes,
            "sha256": entry.sha256,
            "href": address(
                "data.release_file",
                identity=one.id,
                name=entry.name.removeprefix(open_data.DATA),
            ),
        }
        for entry in one.manifest.files
        if entry.name.startswith(open_data.DATA)
    ]


def _moment(when: Any) -> str:
    return f"{when:%Y-%m-%dT%H:%M:%SZ}"
