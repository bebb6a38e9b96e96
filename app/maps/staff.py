"""Maps of the staff's pages: layers with their legends, as the one script of such maps reads them.

A page draws ``templates/staff/_map.html`` with the address of a view that answers
``jsonify(staff_map(...))``; ``static/staff-map.js`` does the rest.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

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
class Layer:
    """Shapes with a legend.

    Parameters
    ----------
    name, title
        For the script, and for people.
    shapes
        In any reference system. Column ``key`` is the place of each shape in ``keys``; ``tip`` is
        what is said of it; ``href``, an address of this site, is where it leads; ``label`` stands
        on it. All but the shapes may be absent; other columns are not sent.
    keys
        The legend; one at least.
    filled
        Areas are filled, else drawn as lines.
    group
        Of the layers of a group one is shown at a time; without a group a layer stands alone.
    shown
        Whether it is shown at first.
    beside
        Labels stand beside small shapes instead of on them.
    """

    name: str
    title: str
    shapes: gpd.GeoDataFrame
    keys: tuple[Key, ...]
    filled: bool = True
    group: str = ""
    shown: bool = True
    beside: bool = False

    def as_json(self) -> dict[str, Any]:
        """Give the layer as the script reads it."""
        return {
            "name": self.name,
            "title": self.title,
            "keys": [{"label": key.label, "colour": key.colour} for key in self.keys],
            "beside": self.beside,
            "filled": self.filled,
            "group": self.group,
            "shown": self.shown,
            "shapes": _features(self.shapes),
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

    def as_json(self) -> dict[str, Any]:
        """Give the layer as the script reads it."""
        return {
            "name": self.name,
            "title": self.title,
            "keys": [{"label": key.label, "colour": key.colour} for key in self.keys],
            "group": self.group,
            "shown": self.shown,
            "picture": self.address,
            "bounds": list(self.bounds),
        }


def staff_map(
    layers: Sequence[Layer | PictureLayer],
    within: gpd.GeoSeries,
    *,
    base: str = "",
) -> dict[str, Any]:
    """Put a map together.

    Parameters
    ----------
    layers
        The lowest first.
    within
        Shapes of any reference system that the first view holds, such as a city's districts.
    base
        Address of what lies under the map (``ground.base`` of the city), nothing for none.
    """
    west, south, east, north = (float(v) for v in np.round(within.to_crs(WGS84).total_bounds, 6))
    return {
        "bounds": [south, west, north, east],
        "base": base,
        "layers": [layer.as_json() for layer in layers],
    }


def _features(shapes: gpd.GeoDataFrame) -> dict[str, Any]:
    turned = shapes.geometry.to_crs(WGS84)
    rounded = shapely.set_precision(turned.to_numpy(), 10.0**-DECIMALS, mode="pointwise")
    named = [name for name in ("key", "tip", "href", "label") if name in shapes.columns]
    columns = [shapes[name].tolist() for name in named]
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "geometry": json.loads(shape),
                "properties": _told(dict(zip(named, values, strict=True))),
            }
            for shape, *values in zip(shapely.to_geojson(rounded), *columns, strict=True)
        ],
    }


def _told(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
