"""Names of a city's own streets, crossings and places, and where they are: what a search looks in.

Nothing of it comes from another service, and nothing from a row: streets, parks, water and
neighbourhoods are what the city draws under its map.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import shapely

from spatial.grid import area_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from geodata.publishing.folder import ReleaseFolder

    _Found = tuple[str, tuple[str, ...], Any]  # kind, names, point

GAZETTEER = "site/gazetteer.json"
PLACES = ("neighbourhood", "park", "water")
DECIMALS = 5  # of degrees: about a metre
APART_M = 300.0  # parts of one name that lie farther apart are streets of their own
TOUCH_M = 12.0  # a street that ends so near to another meets it
MANY_M = 40.0  # two crossings of the same streets that lie nearer are one


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """A named place, in degrees; ``names`` are two for a crossing and one for anything else."""

    kind: str
    names: tuple[str, ...]
    latitude: float
    longitude: float
    district: str

    @property
    def name(self) -> str:
        """The name in one line."""
        return " & ".join(self.names)


@dataclass(frozen=True, kw_only=True, eq=False)
class Gazetteer:
    """All named places of a city: streets, then crossings, then everything else."""

    spots: tuple[Spot, ...]

    def __len__(self) -> int:
        return len(self.spots)

    def of(self, *kinds: str) -> tuple[Spot, ...]:
        """Give the places of some kinds."""
        return tuple(spot for spot in self.spots if spot.kind in kinds)

    def document(self) -> bytes:
        """Write the gazetteer as JSON; names stand once, a place names them by their position."""
        names = sorted({name for spot in self.spots for name in spot.names})
        at = {name: i for i, name in enumerate(names)}
        kinds = list(dict.fromkeys(spot.kind for spot in self.spots))
        districts = sorted({spot.district for spot in self.spots})
        rows = [
            [
                kinds.index(spot.kind),
                [at[name] for name in spot.names],
                spot.latitude,
                spot.longitude,
                districts.index(spot.district),
            ]
            for spot in self.spots
        ]
        told = {"kinds": kinds, "districts": districts, "names": names, "spots": rows}
        return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


def read_document(content: bytes) -> Gazetteer:
    """Read what :meth:`Gazetteer.document` wrote."""
    told = json.loads(content)
    return Gazetteer(
        spots=tuple(
            Spot(
                kind=told["kinds"][kind],
                names=tuple(told["names"][name] for name in names),
                latitude=latitude,
                longitude=longitude,
                district=told["districts"][district],
            )
            for kind, names, latitude, longitude, district in told["spots"]
        )
    )


def read_gazetteer(release: ReleaseFolder) -> Gazetteer | None:
    """Give the gazetteer of a release, nothing where it has none.

    Raises
    ------
    ReleaseError
        If the file is not what was approved.
    """
    return read_document(release.read(GAZETTEER)) if GAZETTEER in release.files else None


def make_gazetteer(base: gpd.GeoDataFrame, districts: Mapping[str, Any]) -> Gazetteer:
    """Name the streets, crossings and places of a city.

    Streets that are drawn to cross, or that end within 12 m of one another, meet; a bridge over
    another street cannot be told from a crossing. A name that occurs in several parts of the
    city, 300 m apart or more, is a street in each of them.

    Parameters
    ----------
    base
        ``kind``, ``name`` and geometry of what is drawn under the map; rows without a name are
        left out.
    districts
        Polygons by code, in the same reference system.
    """
    names = base["name"].fillna("").astype(str).str.strip()
    named = base.assign(name=names)[names != ""]
    unit_m = float(base.crs.axis_info[0].unit_conversion_factor)
    streets, crossings = _streets(named[named["kind"] == "street"], unit_m)
    places = [
        (kind, (name,), shape.representative_point())
        for kind in PLACES
        for name, shape in _parts(named[named["kind"] == kind], APART_M / unit_m)
    ]
    return _placed([*streets, *crossings, *places], base.crs, districts)


def _streets(rows: gpd.GeoDataFrame, unit_m: float) -> tuple[list[_Found], list[_Found]]:
    """Find every street's middle, and every crossing of two streets with different names."""
    parts = list(_parts(rows, APART_M / unit_m))
    lines = np.array([line for _, line in parts], dtype=object)
    streets: list[_Found] = [
        ("street", (name,), shapely.shortest_line(line, line.centroid).interpolate(0))
        for name, line in parts
    ]
    if len(lines) == 0:
        return [], []
    first, second = shapely.STRtree(lines).query(
        lines, predicate="dwithin", distance=TOUCH_M / unit_m
    )
    crossings: list[_Found] = [
        ("crossing", (parts[i][0], parts[j][0]), at)
        for i, j in zip(first.tolist(), second.tolist(), strict=True)
        if parts[i][0] < parts[j][0]
        for at in _meetings(lines[i], lines[j], MANY_M / unit_m)
    ]
    return streets, crossings


def _parts(rows: gpd.GeoDataFrame, apart: float) -> Iterator[tuple[str, Any]]:
    """Join the shapes of each name, and take apart what lies too far apart to be one."""
    for name, group in rows.groupby("name", sort=True):
        shapes = np.asarray(group.geometry.array, dtype=object)
        whole = shapely.union_all(shapes)
        if len(shapes) == 1:
            yield str(name), whole
            continue
        around = shapely.union_all(shapely.buffer(shapes, apart / 2, quad_segs=2))
        for hull in shapely.get_parts(around):
            yield str(name), shapely.intersection(whole, hull)


def _meetings(one: Any, other: Any, near: float) -> list[Any]:
    """Give a point for each place where two streets meet."""
    shared = shapely.intersection(one, other)
    if shared.is_empty:
        return [shapely.shortest_line(one, other).interpolate(0.5, normalized=True)]
    around = shapely.union_all(shapely.buffer(shapely.get_parts(shared), near / 2, quad_segs=2))
    return [hull.centroid for hull in shapely.get_parts(around)]


def _placed(found: Sequence[_Found], crs: Any, districts: Mapping[str, Any]) -> Gazetteer:
    """Give the degrees and the district of what was found; what lies in no district is left out."""
    points = [at for _, _, at in found]
    codes, x, y = list(districts), shapely.get_x(points), shapely.get_y(points)
    inside = area_of(x, y, list(districts.values()))
    degrees = gpd.GeoSeries(points, crs=crs).to_crs(4326)
    lon, lat = np.round(degrees.x, DECIMALS).tolist(), np.round(degrees.y, DECIMALS).tolist()
    return Gazetteer(
        spots=tuple(
            Spot(
                kind=kind,
                names=names,
                latitude=lat[i],
                longitude=lon[i],
                district=codes[inside[i]],
            )
            for i, (kind, names, _) in enumerate(found)
            if inside[i] >= 0
        )
    )
