"""The layers of a release as features: which there are, what of them an address asks for."""

from __future__ import annotations

import datetime as dt
import json
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from werkzeug.datastructures import MultiDict

from app import forms
from app.api.document import Parameter
from app.public import open_data
from geodata.errors import BrokenReleaseError, NotStoredError
from geodata.releases.dictionary import FILES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from app.api.document import Schema
    from geodata.releases.dictionary import Column
    from geodata.releases.folder import ReleaseFolder

KEPT = 16
WORLD_EAST, WORLD_WEST = 180.0, -180.0
FAR = 1e6  # beyond it nothing lies, and products of what is asked would overflow
INSTANT = re.compile(r"(\d{4}-\d{2}-\d{2})(T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2}))?")
OPEN_ENDS = ("", "..")
TYPES: Mapping[str, Schema] = {
    "text": {"type": "string"},
    "date": {"type": "string", "format": "date"},
    "month": {"type": "string"},
    "number": {"type": ["number", "null"]},
    "whole number": {"type": ["integer", "null"]},
    "list": {"type": "array"},
    "object": {"type": ["object", "null"]},
}
BBOX = Parameter(
    name="bbox",
    meaning=(
        "West, south, east and north in degrees (WGS 84): only features that touch this box. A "
        "west greater than the east crosses the antimeridian. Of six numbers the third and the "
        "sixth, heights, say nothing."
    ),
    schema={
        "type": "array",
        "items": {"type": "number"},
        "oneOf": [{"minItems": 4, "maxItems": 4}, {"minItems": 6, "maxItems": 6}],
    },
)
DATETIME = Parameter(
    name="datetime",
    meaning=(
        "A day or a time (RFC 3339), or two with a slash between, two dots for an open end: only "
        "features of these days. Times are read as their days. Features without a day "
        "are always given."
    ),
    schema={"type": "string", "examples": ["2025-01-01", "2025-01-01/2025-03-31", "2025-01-01/.."]},
)
FILTERS = {
    "district": Parameter(
        name="district",
        meaning="Code of a police district; may be given more than once.",
        schema={"type": "string"},
    ),
    "class": Parameter(
        name="class",
        meaning="Class, as the features tell it; may be given more than once.",
        schema={"type": "string"},
    ),
    "from": Parameter(
        name="from", meaning="First day.", schema={"type": "string", "format": "date"}
    ),
    "through": Parameter(
        name="through", meaning="Last day.", schema={"type": "string", "format": "date"}
    ),
    "to": Parameter(
        name="to", meaning="Day after the last.", schema={"type": "string", "format": "date"}
    ),
}


@dataclass(frozen=True, kw_only=True)
class ReleaseLayer:
    """One layer of a release.

    ``key`` is the property that identifies a feature; without one it is known by its row, counted
    from 1 in the file of its release.
    """

    name: str
    title: str
    about: str
    key: str | None
    geometry: str
    dated: bool = False

    @property
    def file(self) -> str:
        """Its file in a release."""
        return f"{open_data.DATA}{self.name}.geojson"

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns that the list of what may be published names."""
        return FILES[self.file].columns

    @property
    def filters(self) -> tuple[str, ...]:
        """Fields of an address that choose features."""
        by = open_data.FILTERABLE.get(self.name)
        return by.fields if by else ()

    def properties(self) -> Schema:
        """Describe the properties of its features."""
        document = {
            column.name: {
                **TYPES[column.type],
                "description": column.meaning + (f"; {column.unit}" if column.unit else ""),
            }
            for column in self.columns
        }
        return {"type": "object", "properties": document, "required": list(document)}


LAYERS = {
    one.name: one
    for one in (
        ReleaseLayer(
            name="zones",
            title="Risk terrain zones",
            about="Outlines of zones with their class and the reasons for them.",
            key="id",
            geometry="Polygon or MultiPolygon",
        ),
        ReleaseLayer(
            name="districts",
            title="Police districts",
            about="Outlines of the police districts.",
            key="code",
            geometry="Polygon or MultiPolygon",
        ),
        ReleaseLayer(
            name="alerts",
            title="Gunshot alerts",
            about=(
                "Alerts at public places: a point stands for the area of radius_m around it and "
                "for four hours of a day, never for the exact place or time."
            ),
            key=None,
            geometry="Point",
            dated=True,
        ),
        ReleaseLayer(
            name="complaints",
            title="Dirt-bike complaints",
            about=(
                "Complaints at public places: a point stands for the area of radius_m around it "
                "and for a day, never for the exact place."
            ),
            key=None,
            geometry="Point",
            dated=True,
        ),
    )
}


@dataclass(frozen=True, eq=False)
class Held:
    """The features of a layer of one release, with what they are searched by."""

    features: tuple[dict[str, Any], ...]
    shapes: Any  # (n,) geometries in degrees
    bounds: tuple[float, float, float, float] | None


def there(release: ReleaseFolder) -> list[ReleaseLayer]:
    """Give the layers that a release has."""
    return [layer for layer in LAYERS.values() if layer.file in release.files]


def require_layer(release: ReleaseFolder, name: str) -> ReleaseLayer:
    """Give a layer of a release.

    Raises
    ------
    NotStoredError
        If it has none of that name.
    """
    names = [layer.name for layer in there(release)]
    if name not in names:
        msg = (
            f"release {release.id} has no layer {name[:40]!r}; it has {', '.join(names) or 'none'}"
        )
        raise NotStoredError(msg, code="no_layer")
    return LAYERS[name]


@lru_cache(maxsize=KEPT)
def kept(release: ReleaseFolder, layer: ReleaseLayer) -> Held:
    """Read a layer once: a release never changes."""
    found = open_data.document(release, layer.file).get("features", [])
    shapes = shapely.from_geojson([json.dumps(one["geometry"]) for one in found])
    features = tuple(
        {
            "type": "Feature",
            "id": one["properties"][layer.key] if layer.key else row,
            "geometry": one["geometry"],
            "properties": one["properties"],
        }
        for row, one in enumerate(found, start=1)
    )
    bounds = None
    if len(found):
        west, south, east, north = (float(value) for value in shapely.total_bounds(shapes))
        bounds = (west, south, east, north)
    return Held(features=features, shapes=shapes, bounds=bounds)


def feature(release: ReleaseFolder, layer: ReleaseLayer, identity: str) -> dict[str, Any]:
    """Give one feature of a layer.

    Raises
    ------
    NotStoredError
        If there is none of that id.
    """
    for one in kept(release, layer).features:
        if str(one["id"]) == identity:
            return one
    msg = f"release {release.id} has no feature {identity[:40]!r} in {layer.name}"
    raise NotStoredError(msg, code="no_feature")


def choose(args: MultiDict[str, str], release: ReleaseFolder, layer: ReleaseLayer) -> list[int]:
    """Give the places in the layer of the features that an address asks for.

    Raises
    ------
    SpecError
        If a field cannot be read or names what is not there.
    """
    layered = kept(release, layer)
    by = MultiDict([pair for pair in args.items(multi=True) if pair[0] in layer.filters])
    choice = open_data.choose(by, release, layer.file)
    first, last = _span(args.get("datetime"))
    within = inside(args.get("bbox"), layered.shapes)
    found = []
    for place, one in enumerate(layered.features):
        properties = one["properties"]
        if layer.dated and not first <= str(properties["day"]) <= last:
            continue
        if within[place] and choice.keeps(properties):
            found.append(place)
    return found


def rows(
    release: ReleaseFolder, layer: ReleaseLayer, places: Sequence[int]
) -> list[Mapping[str, Any]]:
    """Give features as rows of a table: those of the release's own table, where it has one.

    Raises
    ------
    BrokenReleaseError
        If table and features tell different rows.
    """
    layered = kept(release, layer)
    name = layer.file.replace(".geojson", ".csv")
    same = name in FILES and FILES[name].columns == layer.columns and name in release.files
    if not same:
        return [layered.features[place]["properties"] for place in places]
    result = open_data.table(release, name)
    if len(result) != len(layered.features):
        msg = f"release {release.id}: {name} and {layer.file} tell different rows; draft it anew"
        raise BrokenReleaseError(msg, code="rows_differ")
    return [result[place] for place in places]


def days(release: ReleaseFolder, layer: ReleaseLayer) -> tuple[str, str] | None:
    """Give the first and the last day of a layer's features."""
    lines = [one["properties"]["day"] for one in kept(release, layer).features if layer.dated]
    return (min(lines), max(lines)) if lines else None


def inside(text: str | None, shapes: Any) -> Any:
    """Tell which shapes touch a box.

    Raises
    ------
    AddressError
        If the text is no box.
    """
    if text is None:
        return np.ones(len(shapes), dtype=bool)
    count = 6 if text.count(",") == 5 else 4
    read = forms.numbers(text, "bbox", count)
    read = read if count == 4 else (*read[:2], *read[3:5])
    if read[1] > read[3]:
        msg = f"bbox {text[:80]!r}: the south lies above the north; give west,south,east,north"
        raise forms.AddressError(msg)
    west, south, east, north = (float(np.clip(value, -FAR, FAR)) for value in read)
    if west <= east:
        return shapely.intersects(shapes, shapely.box(west, south, east, north))
    before = shapely.box(min(west, WORLD_EAST), south, WORLD_EAST, north)
    beyond = shapely.box(WORLD_WEST, south, max(east, WORLD_WEST), north)
    return shapely.intersects(shapes, before) | shapely.intersects(shapes, beyond)


def _span(text: str | None) -> tuple[str, str]:
    """Read an instant or an interval as its first and its last day.

    Raises
    ------
    AddressError
        If it is neither.
    """
    if text is None:
        return dt.date.min.isoformat(), dt.date.max.isoformat()
    start, slash, end = text.partition("/")
    if not slash:
        day = _day(text, text)
        return day, day
    first = dt.date.min.isoformat() if start in OPEN_ENDS else _day(start, text)
    last = dt.date.max.isoformat() if end in OPEN_ENDS else _day(end, text)
    if first > last or (start in OPEN_ENDS and end in OPEN_ENDS):
        raise _no_time(text)
    return first, last


def _day(text: str, whole: str) -> str:
    found = INSTANT.fullmatch(text)
    if found is None or not text.isascii():
        raise _no_time(whole)
    try:
        if found[2]:
            dt.datetime.fromisoformat(text)
        return dt.date.fromisoformat(found[1]).isoformat()
    except ValueError as error:
        raise _no_time(whole) from error


def _no_time(text: str) -> forms.AddressError:
    msg = (
        f"datetime {text[:80]!r} is no time; write it as 2025-01-01, 2025-01-01T00:00:00Z or "
        "2025-01-01/2025-03-31, with .. for an open end"
    )
    return forms.AddressError(msg)
