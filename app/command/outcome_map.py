"""The map of an evaluation: the treated area, its surroundings, the areas it is compared with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import shapely
from flask import url_for

from app.maps import palette
from app.maps.staff import Key, Layer, staff_map
from app.outcome.study import city_grid

if TYPE_CHECKING:
    import pandas as pd

    from geodata.store.cities import CityRecord
    from geodata.store.findings import FindingRecord
    from geodata.store.runs import RunRecord
    from spatial.grid import Grid

TREATED, AROUND, OF_RING = "treated", "displacement", "displacement control"
CONTROLS = ("#2f5d8a", "#5a7d3c", "#7a4f8f", "#0b7a75", "#8a5a2b", "#4a4a9e", "#7d7a3c", "#a03a6b")
OF_AROUND = "#8b8579"


def outcome_map(city: CityRecord, run: RunRecord, finding: FindingRecord) -> dict[str, Any]:
    """Put the map together; the layer of each area is named as the tables name it."""
    if finding.cells is None:
        return staff_map([], city.districts.geometry, base=url_for("ground.base", city=city.slug))
    grid = city_grid(run, city)
    areas = {str(name): _outline(grid, cells) for name, cells in finding.cells.groupby("area")}
    ordered = sorted(areas, key=_height, reverse=True)
    layers = [_layer(city, name, areas[name]) for name in ordered]
    shown = gpd.GeoSeries(
        [shape for name, shape in areas.items() if not name.startswith(OF_RING)],
        crs=city.crs,
    )
    base = url_for("ground.base", city=city.slug)
    return staff_map(layers, shown, base=base, highest_first=True)


def _layer(city: CityRecord, name: str, shape: Any) -> Layer:
    title, colour = _style(name)
    shown = not name.startswith(OF_RING)
    return Layer(
        name=name.replace(" ", "-"),
        title=title,
        shapes=gpd.GeoDataFrame(
            {"key": [0], "label": [title if name.startswith("control") else ""], "tip": [title]},
            geometry=[shape],
            crs=city.crs,
        ),
        keys=(Key(label=title, colour=colour),),
        shown=shown,
    )


def _style(name: str) -> tuple[str, str]:
    if name == TREATED:
        return "Treated", palette.ZONE
    if name == AROUND:
        return "Around the zones", "#d6c58a"
    if name.startswith("displacement"):
        return name.capitalize(), OF_AROUND
    number = int(name.rsplit(" ", 1)[-1])
    return name.capitalize(), CONTROLS[(number - 1) % len(CONTROLS)]


def _height(name: str) -> tuple[int, int]:
    """Order areas from the highest layer to the lowest, as the legend tells them."""
    kinds = (TREATED, "control", AROUND, OF_RING)
    kind, _, number = name.rpartition(" ") if name[-1].isdigit() else (name, "", "0")
    return kinds.index(kind), int(number)


def _outline(grid: Grid, cells: pd.DataFrame) -> Any:
    """Join the cells of an area."""
    size = grid.cell_units
    west = grid.x0 + cells["col"].to_numpy(dtype=float) * size
    south = grid.y0 + cells["row"].to_numpy(dtype=float) * size
    return shapely.union_all(shapely.box(west, south, west + size, south + size))
