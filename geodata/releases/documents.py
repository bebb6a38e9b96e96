"""Files of a release that are neither places, zones nor measures.

The map files of a release as layers of one GeoPackage, the same bytes every time.
"""

from __future__ import annotations

import datetime as dt
import json
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pyogrio
import shapely
from shapely import MultiLineString, MultiPoint, MultiPolygon

from geodata.measures.registry import steps
from geodata.releases.dictionary import names
from geodata.releases.encoding import csv_bytes, json_bytes
from geodata.releases.measure_files import LABELS, read_csv
from geodata.releases.rules import OUTSIDE, SHOWN_WORDS
from geodata.releases.sensitive import CITY, CountDisclosure, Hidden, SensitiveCounts, hide
from geodata.repositories.incidents import incident_points
from spatial.disclosure.linked import SHOWN
from spatial.grid import area_of
from spatial.measures.scopes import Scope

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from shapely.geometry.base import BaseGeometry

    from geodata.releases.inputs import Material
    from geodata.releases.sensitive import Where


INCIDENTS = "data/incidents_monthly.csv"


def initiative_files(material: Material) -> dict[str, bytes]:
    """Write the initiatives as they stand, if the city has any."""
    if not material.initiatives:
        return {}
    stated = [record.initiative.as_json() for record in material.initiatives]
    document = {"city": material.city.slug, "initiatives": stated}
    return {"data/initiatives.json": json_bytes(document)}


def incident_files(
    material: Material, earlier: Mapping[Where, CountDisclosure]
) -> tuple[dict[str, bytes], list[Hidden]]:
    """Count sensitive incidents by district and whole month, small counts hidden.

    Returns
    -------
    The file, if there are any, and the tables that its counts were hidden in.
    """
    rows: list[dict[str, object]] = []
    tables = []
    for outcome in material.city.sensitive_outcomes:
        table = _table(material, outcome)
        if table is None:
            continue
        whole = (table.months[0].start, table.months[-1].end)
        hidden = hide(table, [whole], earlier)
        tables.append(hidden)
        spans = [(f"{month.start:%Y-%m}", month.start, month.end) for month in table.months]
        for name, start, end in [*spans, ("", *whole)]:
            for place in (CITY, *table.places[:-1]):
                rows.append(_row(outcome, place, name, hidden.told[outcome, place, start, end]))
    return ({INCIDENTS: csv_bytes(names(INCIDENTS), rows)} if rows else {}), tables


def told_incidents(content: bytes) -> Iterator[tuple[Where, CountDisclosure]]:
    """Read what a file says of sensitive incidents; a row without a month is all of them."""
    rows = read_csv(content)
    months: dict[str, set[str]] = {}
    for row in rows:
        if row["month"]:
            months.setdefault(row["outcome"], set()).add(row["month"])
    for row in rows:
        own = [row["month"]] if row["month"] else sorted(months.get(row["outcome"], ()))
        if not own:
            continue
        label = LABELS[row["shown"]]
        count = int(row["number"]) if label == SHOWN else None
        where = row["outcome"], row["district"], _first(own[0]), _after(own[-1])
        yield where, CountDisclosure(label=label, value=count)


def _row(outcome: str, place: str, month: str, disclosure: CountDisclosure) -> dict[str, object]:
    return {
        "outcome": outcome,
        "month": month,
        "district": place,
        "number": disclosure.value,
        "shown": SHOWN_WORDS[disclosure.label],
    }


def _table(material: Material, outcome: str) -> SensitiveCounts | None:
    city = material.city
    end = material.end.replace(day=1)
    points = incident_points(material.session, city.id, outcome, dt.date.min, end)
    if len(points) == 0:
        return None
    first = min(points["occurred_on"]).replace(day=1)
    months = steps(Scope(start=first, end=end), "month")
    shapes = list(city.districts.geometry)
    x, y = points.geometry.x.to_numpy(), points.geometry.y.to_numpy()
    place = area_of(x, y, shapes).astype(np.int64)
    place[place < 0] = len(shapes)
    days = points["occurred_on"]
    month = np.array([(day.year - first.year) * 12 + day.month - first.month for day in days])
    counts = np.zeros((1, len(shapes) + 1, len(months)), dtype=np.int64)
    np.add.at(counts[0], (place, month), 1)
    return SensitiveCounts(
        measures=(outcome,),
        places=(*map(str, city.districts["code"]), OUTSIDE),
        months=tuple(months),
        counts=counts,
    )


def _first(month: str) -> dt.date:
    return dt.date.fromisoformat(f"{month}-01")


def _after(month: str) -> dt.date:
    return (_first(month) + dt.timedelta(days=31)).replace(day=1)


PACKAGE = "data/release.gpkg"
LAYERS = ("districts", "zones", "alerts", "complaints")
STAMP = "OGR_CURRENT_DATE"  # GDAL writes it as the time of the last change


def package_file(files: Mapping[str, bytes], day: dt.date) -> dict[str, bytes]:
    """Write the GeoJSON files of a release as one GeoPackage.

    Parameters
    ----------
    files
        Of the release.
    day
        What the file gives as the time of its last change.
    """
    layers = package_layers(files)
    if not layers:
        return {}
    with tempfile.TemporaryDirectory() as folder, _stamped(day):
        path = Path(folder) / "release.gpkg"
        for position, (name, frame) in enumerate(layers.items()):
            frame.to_file(path, layer=name, driver="GPKG", engine="pyogrio", append=position > 0)
        return {PACKAGE: path.read_bytes()}


def package_layers(files: Mapping[str, bytes]) -> dict[str, gpd.GeoDataFrame]:
    """Return the GeoJSON files of a release as the layers of a GeoPackage, one frame a layer.

    Lists become JSON text, which a layer has none of. A layer has one type of geometry: where
    some features have one part and others more, all of them become multi-part.
    """
    found = {}
    for name in LAYERS:
        content = files.get(f"data/{name}.geojson")
        if content is None:
            continue
        features = json.loads(content)["features"]
        if not features:
            continue
        frame = gpd.GeoDataFrame.from_features(features, crs=4326)
        if frame.geom_type.nunique() > 1:
            frame.geometry = [_multi(shape) for shape in frame.geometry]
        for column in ("reasons",):
            if column in frame:
                frame[column] = [json.dumps(value) for value in frame[column]]
        found[name] = frame
    return found


def _multi(shape: BaseGeometry) -> BaseGeometry:
    """Return a shape as the multi-part type of its own dimension."""
    of_parts = (MultiPoint, MultiLineString, MultiPolygon)
    return of_parts[int(shapely.get_dimensions(shape))](list(shapely.get_parts(shape)))


def read_package(content: bytes) -> dict[str, gpd.GeoDataFrame]:
    """Read every layer of a GeoPackage."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "release.gpkg"
        path.write_bytes(content)
        return {name: gpd.read_file(path, layer=name) for name, _ in pyogrio.list_layers(path)}


@contextmanager
def _stamped(day: dt.date) -> Iterator[None]:
    before = pyogrio.get_gdal_config_option(STAMP)
    pyogrio.set_gdal_config_options({STAMP: f"{day.isoformat()}T00:00:00.000Z"})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({STAMP: before})
