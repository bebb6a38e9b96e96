"""The same map as a still picture (SVG), for pages without scripts, for print and as a locator."""

from __future__ import annotations

import base64
import logging
import math
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, ParamSpec
from xml.sax.saxutils import escape

import numpy as np
import shapely
from shapely.errors import ShapelyError

from app.i18n import numbers
from app.maps import palette
from app.maps.shapes import clipped, district_label
from app.maps.surface import flat_surface
from spatial.zones.name_words import FOOT_M

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import geopandas as gpd
    from shapely.geometry.base import BaseGeometry

    from app.maps.basemap import Ground
    from geodata.repositories.runs import RunRecord

P = ParamSpec("P")
log = logging.getLogger(__name__)
WIDTH = 1200
BADGE, DOT = 11.0, 4.5  # radii of a zone's number and of what stands for it without room
NAME_WIDTH = 13.0  # of a letter of a district's name
BLANK = (
    f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} 800" width="{WIDTH}" '
    'height="800"><rect width="100%" height="100%" fill="#eef0f2"/></svg>'
).encode()
NEAR_M = 1_200.0  # how much of the surroundings a zone's picture shows
SCALES_M = (100, 200, 500, 1000, 2000, 5000, 10000)
SCALES_FT = (500, 1000, 2000, 5280, 10560, 26400)


@dataclass(frozen=True, kw_only=True, eq=False)
class Scene:
    """What a picture is drawn from, all in the city's reference system ``crs``.

    ``surface`` is a picture of the risk classes, a pixel a cell, that lies within ``bounds``.
    """

    crs: str
    limit: BaseGeometry
    districts: gpd.GeoDataFrame
    base: gpd.GeoDataFrame
    zones: gpd.GeoDataFrame
    surface: bytes
    bounds: tuple[float, float, float, float]


def scene_of(ground: Ground, run: RunRecord) -> Scene:
    """Take what is drawn from a city and a run."""
    return Scene(
        crs=ground.city.crs,
        limit=ground.city.study_area,
        districts=ground.city.districts,
        base=ground.base,
        zones=run.zones,
        surface=flat_surface(run),
        bounds=run.grid.bounds,
    )


def or_blank(draw: Callable[P, bytes]) -> Callable[P, bytes]:
    """Return a drawing function that gives an empty picture where shapes cannot be drawn.

    A picture is an addition to a page that says the same in words and in a table: it is no reason
    to do without the page, or without a release. The log says which picture it was.
    """

    @wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> bytes:
        try:
            return draw(*args, **kwargs)
        except (ShapelyError, ValueError, ArithmeticError):
            log.exception("%s: a picture cannot be drawn and stays empty", draw.__name__)
            return BLANK

    return drawn


@or_blank
def overview_svg(ground: Ground, run: RunRecord) -> bytes:
    """Draw the whole city, shaded by what zones were cut to: the zones themselves."""
    scene = scene_of(ground, run)
    return _Drawing(scene, scene.limit.buffer(0).bounds, streets=1).draw(None, terrain=False)


@or_blank
def zone_svg(ground: Ground, run: RunRecord, zone_id: str) -> bytes:
    """Draw one zone and what lies around it."""
    shape = run.zones.geometry[run.zones["id"] == zone_id].iloc[0]
    near = NEAR_M / numbers.Units(ground.city.crs).metres
    x, y = shape.centroid.x, shape.centroid.y
    half = max(near, *(np.subtract(shape.bounds[2:], shape.bounds[:2]) * 0.8))
    bounds = (x - half * 1.4, y - half, x + half * 1.4, y + half)
    return _Drawing(scene_of(ground, run), bounds, streets=3).draw(zone_id)


@or_blank
def area_svg(scene: Scene, shape: BaseGeometry) -> bytes:
    """Draw an area that somebody drew and what lies around it."""
    west, south, east, north = shape.bounds
    x, y = (west + east) / 2, (south + north) / 2
    half = max(east - west, north - south) * 0.75
    bounds = (x - half * 1.4, y - half, x + half * 1.4, y + half)
    return _Drawing(scene, bounds, streets=3).draw(None, around=shape)


class _Drawing:
    """One picture; coordinates are the city's, turned so that north is up."""

    def __init__(
        self, scene: Scene, bounds: tuple[float, float, float, float], *, streets: int
    ) -> None:
        self.scene, self.streets = scene, streets
        west, south, east, north = bounds
        pad = 0.02 * max(east - west, north - south)
        self.bounds = (west - pad, south - pad, east + pad, north + pad)
        self.scale = WIDTH / (self.bounds[2] - self.bounds[0])
        self.height = (self.bounds[3] - self.bounds[1]) * self.scale
        self.window = shapely.box(*self.bounds)
        self.parts: list[str] = []

    def draw(
        self, zone_id: str | None, around: BaseGeometry | None = None, *, terrain: bool = True
    ) -> bytes:
        """Draw from the ground up; one zone stands out if it is named, so does an area.

        Zones are filled where the ``terrain`` does not lie under them.
        """
        self._shape(self.scene.limit, f'fill="{palette.GROUND}"')
        for kind, colour in (("park", palette.PARK), ("water", palette.WATER)):
            self._shapes(self._base(kind), f'fill="{colour}"')
        if terrain:
            self._surface()
        for rank, width in ((3, 0.8), (2, 1.4), (1, 2.6)):
            if rank <= self.streets:
                rows = self._base("street")
                style = f'fill="none" stroke="{palette.STREET[rank]}" stroke-width="{width}"'
                self._shapes(rows[rows["rank"] == rank], style)
        rail = f'fill="none" stroke="{palette.RAIL}" stroke-width="1.6" stroke-dasharray="7 4"'
        self._shapes(self._base("rail"), rail)
        border = f'fill="none" stroke="{palette.DISTRICT}" stroke-width="1.8"'
        for shape in self.scene.districts.geometry:
            self._shape(shape.boundary, border)
        self._zones(zone_id, "none" if terrain else palette.ZONE)
        if around is not None:
            edge = f'fill="none" stroke="{palette.INK}" stroke-dasharray="10 5"'
            self._shape(around, f'{edge} stroke-width="3.5"')
        elif zone_id is None:
            self._district_names()
        self._scale_bar()
        return self._document()

    def _base(self, kind: str) -> gpd.GeoDataFrame:
        rows = self.scene.base
        return rows[(rows["kind"] == kind) & rows.intersects(self.window)]

    def _shapes(self, rows: gpd.GeoDataFrame, style: str) -> None:
        path = "".join(self._path(shape) for shape in rows.geometry)
        if path:
            self.parts.append(f'<path d="{path}" {style}/>')

    def _shape(self, shape: BaseGeometry, style: str) -> None:
        self.parts.append(f'<path d="{self._path(shape)}" {style}/>')

    def _path(self, shape: BaseGeometry) -> str:
        cut = clipped(shape, self.window, 0.6 / self.scale)
        return "".join(self._lines(part) for part in _rings(cut))

    def _lines(self, ring: BaseGeometry) -> str:
        west, _, _, north = self.bounds
        xy = (shapely.get_coordinates(ring) - (west, north)) * (self.scale, -self.scale)
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in xy)
        return f"M{points}{'Z' if ring.is_ring else ''}"

    def _surface(self) -> None:
        west, south, east, north = self.scene.bounds
        x, y = (west - self.bounds[0]) * self.scale, (self.bounds[3] - north) * self.scale
        data = base64.b64encode(self.scene.surface).decode()
        self.parts.append(
            f'<image x="{x:.2f}" y="{y:.2f}" width="{(east - west) * self.scale:.2f}" '
            f'height="{(north - south) * self.scale:.2f}" image-rendering="pixelated" '
            f'preserveAspectRatio="none" href="data:image/png;base64,{data}"/>'
        )

    def _zones(self, zone_id: str | None, fill: str) -> None:
        for zone in self.scene.zones.itertuples():
            if not zone.geometry.intersects(self.window):
                continue
            chosen = zone.id == zone_id
            wide, thin = (9, 4.5) if chosen else (5.5, 2.5)
            self._shape(
                zone.geometry, f'fill="none" stroke="{palette.CASING}" stroke-width="{wide}"'
            )
            line = f'stroke="{palette.ZONE}" stroke-width="{thin}"'
            self._shape(zone.geometry, f'fill="{fill}" fill-opacity="0.3" {line}')
        if zone_id is None:
            self._badges()

    def _badges(self) -> None:
        """Draw the numbers of zones, by their ranks, and a dot for each that has no room.

        No number covers another one or the name of a district.
        """
        names = self._names_at()
        badges: list[tuple[float, float, str]] = []
        dots: list[tuple[float, float]] = []
        for zone in self.scene.zones.sort_values("rank", kind="stable").itertuples():
            if not zone.geometry.intersects(self.window):
                continue
            spot = zone.geometry.representative_point()
            px, py = self._pixel(spot.x, spot.y)
            on_badge = any(math.dist((px, py), other[:2]) < 2 * BADGE + 3 for other in badges)
            on_name = any(
                abs(px - x) < NAME_WIDTH * len(name) / 2 + BADGE
                and -5 - BADGE < y - py < 16 + BADGE
                for x, y, name in names
            )
            if on_badge or on_name:
                dots.append((px, py))
            else:
                badges.append((px, py, str(zone.rank)))
        for px, py in dots:
            self._disc(px, py, DOT)
        for px, py, rank in badges:
            self._disc(px, py, BADGE)
            self.parts.append(
                f'<text x="{px:.1f}" y="{py + 4.8:.1f}" font-size="14" font-weight="700" '
                f'fill="#fff" text-anchor="middle">{escape(rank)}</text>'
            )

    def _disc(self, px: float, py: float, radius: float) -> None:
        self.parts.append(
            f'<circle cx="{px:.1f}" cy="{py:.1f}" r="{radius:g}" fill="{palette.ZONE}" '
            f'stroke="{palette.CASING}" stroke-width="2"/>'
        )

    def _names_at(self) -> list[tuple[float, float, str]]:
        """Return where the names of districts stand, in pixels; none of a city that is one."""
        frame = self.scene.districts
        if len(frame) < 2:
            return []
        names = dict(zip(frame["code"], frame["name"], strict=True))
        found = []
        for code, shape in zip(frame["code"], frame.geometry, strict=True):
            largest = max(shapely.get_parts(shape), key=lambda part: part.area)
            spot = largest.representative_point()
            found.append((*self._pixel(spot.x, spot.y), district_label(code, names)))
        return found

    def _district_names(self) -> None:
        for px, py, name in self._names_at():
            self.parts.append(
                f'<text x="{px:.1f}" y="{py:.1f}" font-size="21" font-weight="650" '
                f'letter-spacing="1" fill="{palette.INK}" stroke="#fff" stroke-width="5" '
                f'stroke-linejoin="round" paint-order="stroke" text-anchor="middle">'
                f"{escape(name)}</text>"
            )

    def _scale_bar(self) -> None:
        units = numbers.Units(self.scene.crs)
        steps, unit = (SCALES_FT, FOOT_M) if units.us else (SCALES_M, 1.0)
        reach = WIDTH * 0.22 / self.scale * units.metres / unit
        length = max([step for step in steps if step <= reach], default=steps[0])
        x, y, wide = 24, self.height - 26, length * self.scale * unit / units.metres
        self.parts.append(
            f'<path d="M{x},{y - 6}V{y}H{x + wide:.1f}V{y - 6}" fill="none" '
            f'stroke="{palette.INK}" stroke-width="2"/>'
            f'<text x="{x + wide + 9:.1f}" y="{y + 1}" font-size="16" fill="{palette.INK}">'
            f"{_distance(length, feet=units.us)}</text>"
        )

    def _pixel(self, x: float, y: float) -> tuple[float, float]:
        return (x - self.bounds[0]) * self.scale, (self.bounds[3] - y) * self.scale

    def _document(self) -> bytes:
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {self.height:.0f}" '
            f'width="{WIDTH}" height="{self.height:.0f}" font-family="Public Sans, Helvetica, '
            f'Arial, sans-serif"><rect width="100%" height="100%" fill="#eef0f2"/>'
            f"{''.join(self.parts)}</svg>"
        ).encode()


def _rings(shape: BaseGeometry) -> Iterable[BaseGeometry]:
    for part in shapely.get_parts(shapely.get_parts(shape)):
        if shapely.get_dimensions(part) == 2:
            yield from shapely.get_rings(part)
        elif shapely.get_dimensions(part) == 1:
            yield part


def _distance(length: float, *, feet: bool) -> str:
    if feet:
        return f"{length / 5280:g} mi" if length >= 5280 else f"{length:g} ft"
    return f"{length / 1000:g} km" if length >= 1000 else f"{length:g} m"
