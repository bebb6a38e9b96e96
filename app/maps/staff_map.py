"""Maps of the staff's pages: layers with their legends, as the one script of such maps reads them.

A page draws ``templates/staff/_map.html`` with the address of a view that answers
``jsonify(staff_map(...))``; ``static/staff-map.js`` does the rest.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import geopandas as gpd

DECIMALS = 6
WGS84 = 4326


@dataclass(frozen=True, kw_only=True)
class Key:
    """One line of a legend: a colour of :mod:`app.maps.palette` and what it stands for."""

    label: str
    colour: str


@dataclass(frozen=True, kw_only=True, eq=False)
class MapLayer:
    """Shapes with a legend.

    Parameters
    ----------
    name, title
        For the script, and for people.
    shapes
        In any reference system. Column ``key`` is the place of each shape in ``keys``; ``tip`` is
        what is stated of it; ``href``, an address of this site, is where it leads; ``label`` stands
        on it; ``id`` names it for scripts. All but the shapes may be absent; other columns are
        not sent.
    keys
        The legend; one at least.
    filled
        Areas are filled, else drawn as lines.
    weight
        Width of lines in pixels; as is usual for the layer if it is left out.
    group
        Of the layers of a group one is shown at a time; without a group a layer stands alone.
    shown
        Whether it is shown at first.
    """

    name: str
    title: str
    shapes: gpd.GeoDataFrame
    keys: tuple[Key, ...]
    filled: bool = True
    weight: float | None = None
    group: str = ""
    shown: bool = True

    def as_json(self) -> dict[str, object]:
        """Return the layer as the script reads it."""
        return {
            "name": self.name,
            "title": self.title,
            "keys": [{"label": key.label, "colour": key.colour} for key in self.keys],
            "filled": self.filled,
            "weight": self.weight,
            "group": self.group,
            "shown": self.shown,
            "shapes": features(self.shapes),
        }


@dataclass(frozen=True, kw_only=True)
class PictureLayer:
    """A picture with a legend; ``bounds`` are south, west, north and east in degrees."""

    name: str
    title: str
    address: str
    bounds: tuple[float, float, float, float]
    keys: tuple[Key, ...]
    group: str = ""
    shown: bool = True

    def as_json(self) -> dict[str, object]:
        """Return the layer as the script reads it."""
        return {
            "name": self.name,
            "title": self.title,
            "keys": [{"label": key.label, "colour": key.colour} for key in self.keys],
            "group": self.group,
            "shown": self.shown,
            "picture": self.address,
            "bounds": list(self.bounds),
        }


@dataclass(frozen=True, kw_only=True)
class LateLayer:
    """Shapes that are fetched when somebody switches them on, such as exact places.

    ``address`` is that of a view that answers ``jsonify(shapes=features(...))``.
    """

    name: str
    title: str
    address: str
    keys: tuple[Key, ...]

    def as_json(self) -> dict[str, object]:
        """Return the layer as the script reads it."""
        return {
            "name": self.name,
            "title": self.title,
            "keys": [{"label": key.label, "colour": key.colour} for key in self.keys],
            "filled": True,
            "group": "",
            "shown": False,
            "address": self.address,
        }


def staff_map(
    layers: Sequence[MapLayer | PictureLayer | LateLayer],
    within: gpd.GeoSeries,
    *,
    base: str = "",
    highest_first: bool = False,
) -> dict[str, object]:
    """Put a map together.

    Parameters
    ----------
    layers
        The lowest first.
    within
        Shapes of any reference system that the first view holds, such as a city's districts.
    base
        Address of what lies under the map (``ground.base`` of the city), nothing for none.
    highest_first
        The legend begins with the highest layer instead of the lowest.
    """
    west, south, east, north = (float(v) for v in np.round(within.to_crs(WGS84).total_bounds, 6))
    return {
        "bounds": [south, west, north, east],
        "base": base,
        "highest_first": highest_first,
        "layers": [layer.as_json() for layer in layers],
    }


def features(shapes: gpd.GeoDataFrame) -> dict[str, object]:
    """Return shapes with what the script reads of them, in degrees."""
    turned = shapes.geometry.to_crs(WGS84)
    rounded = shapely.set_precision(turned.to_numpy(), 10.0**-DECIMALS, mode="pointwise")
    named = [name for name in ("key", "tip", "href", "label", "id") if name in shapes.columns]
    columns = [shapes[name].tolist() for name in named]
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "geometry": json.loads(shape),
                "properties": _describe(dict(zip(named, values, strict=True))),
            }
            for shape, *values in zip(shapely.to_geojson(rounded), *columns, strict=True)
        ],
    }


def _describe(values: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in values.items() if value is not None}
