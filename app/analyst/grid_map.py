"""A map of the grid that a run would have: its cells, its districts, how long a block is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import shapely
from flask import url_for

from app.maps import palette
from app.maps.lattice import cell_lines
from app.maps.staff import Key, Layer, staff_map
from app.words import Units

if TYPE_CHECKING:
    from geodata.store.cities import CityRecord
    from spatial.grid import Grid

RINGS = 64  # corners of a circle for each quarter


def grid_map(
    city: CityRecord, grid: Grid, block_units: float, farthest_blocks: float
) -> dict[str, Any]:
    """Draw a grid, and at its middle one block and the farthest influence."""
    units = Units(city.crs)
    middle = city.study_area.representative_point()
    half = block_units / 2
    scale = gpd.GeoDataFrame(
        {"key": [0, 1]},
        geometry=[
            shapely.box(middle.x - half, middle.y - half, middle.x + half, middle.y + half),
            middle.buffer(block_units * farthest_blocks, quad_segs=RINGS),
        ],
        crs=city.crs,
    )
    frame = city.districts
    districts = gpd.GeoDataFrame({"label": frame["code"]}, geometry=frame.geometry, crs=city.crs)
    cell = units.length(grid.cell_units)
    layers = (
        Layer(
            name="cells",
            title=f"Cells of {cell}",
            shapes=cell_lines(grid, city.crs),
            keys=(Key(label=f"Cells of {cell}", colour=palette.LIMIT),),
            filled=False,
            weight=0.6,
        ),
        Layer(
            name="districts",
            title="Districts",
            shapes=districts,
            keys=(Key(label="Districts", colour=palette.DISTRICT),),
            filled=False,
        ),
        Layer(
            name="scale",
            title="How far influence is tried",
            shapes=scale,
            keys=(
                Key(label=f"One block, {units.length(block_units)}", colour=palette.ZONE),
                Key(
                    label="Farthest from a place at the middle, "
                    f"{units.length(block_units * farthest_blocks)}",
                    colour=palette.INK,
                ),
            ),
            filled=False,
        ),
    )
    return staff_map(layers, city.districts.geometry, base=url_for("ground.base", city=city.slug))
