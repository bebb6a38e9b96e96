"""The map of where the places of a file fall in a city's districts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np

from app.maps.palette import DISTRICT, INK, ZONE
from app.maps.staff import Key, Layer, staff_map

if TYPE_CHECKING:
    from geodata.gathering.areas import Areas
    from geodata.quarantine.sightings import Sighting
    from geodata.store.cities import CityRecord


def places_map(city: CityRecord, sighting: Sighting | None, base: str) -> dict[str, Any]:
    """Draw the districts, and over them the places in and near them."""
    layers = [districts_layer(city.districts)]
    if sighting is not None and len(sighting.shapes):
        shapes = sighting.shapes.copy()
        shapes["key"] = np.where(shapes.pop("inside"), 0, 1)
        whole = sighting.inside + sighting.near
        few = f" ({len(shapes):,} of {whole:,}, taken evenly)" if len(shapes) < whole else ""
        layers.append(
            Layer(
                name="places",
                title=f"Places of the file{few}",
                shapes=shapes,
                keys=(
                    Key(label=f"in a district: {sighting.inside:,}", colour=ZONE),
                    Key(label=f"near, in none: {sighting.near:,}", colour=INK),
                ),
            )
        )
    return staff_map(layers, city.districts.geometry, base=base)


def districts_layer(districts: gpd.GeoDataFrame) -> Layer:
    """Draw districts by their outline, with their names where there are few."""
    drawn = districts[["geometry"]].copy()
    drawn["key"] = 0
    if len(districts) <= 30:
        drawn["label"] = districts["code"].astype(str)
    return Layer(
        name="districts",
        title="Districts",
        shapes=drawn,
        keys=(Key(label="Districts", colour=DISTRICT),),
        filled=False,
    )


def outline_map(areas: Areas | None) -> dict[str, Any]:
    """Draw the districts of a city that is not stored yet; nothing where they cannot be laid."""
    if areas is None:
        return {"bounds": [-60, -150, 70, 150], "base": "", "layers": []}
    districts = gpd.GeoDataFrame(
        {"code": list(areas.districts)},
        geometry=[shape for _, shape in areas.districts.values()],
        crs=areas.frame.crs,
    )
    return staff_map([districts_layer(districts)], districts.geometry)
