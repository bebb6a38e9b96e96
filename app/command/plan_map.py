"""The map of a patrol plan: the zones by rank, and the order of each unit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import shapely
from flask import url_for

from app.command.plan_forms import ranks_of
from app.maps import palette
from app.maps.staff import Key, Layer, staff_map

if TYPE_CHECKING:
    from app.command.place import Place
    from app.dosage.sheet import Sheet

ORDER = "#1c4a86"
SHOWN = "order"  # of the layers of this group one is shown at a time


def plan_map(sheet: Sheet, place: Place) -> dict[str, Any]:
    """Put the map together; a unit's layer names each zone by its places in the unit's order."""
    own = place.city.districts[place.city.districts["code"] == place.code]
    district = gpd.GeoDataFrame({"key": [0]}, geometry=own.geometry.to_list(), crs=sheet.city.crs)
    layers = [
        Layer(
            name="district",
            title=place.name,
            shapes=district,
            keys=(Key(label=place.name, colour=palette.DISTRICT),),
            filled=False,
        ),
        _zones(sheet),
        *(_unit(sheet, unit) for unit in sheet.plan.document["units"]),
    ]
    return staff_map(
        layers, sheet.zones.geometry, base=url_for("ground.base", city=sheet.city.slug)
    )


def _zones(sheet: Sheet) -> Layer:
    zones = sheet.zones
    visits = {zone["zone"]: zone["visits"] for zone in sheet.plan.document["zones"]}
    shapes = gpd.GeoDataFrame(
        {
            "key": 0,
            "label": [str(rank) for rank in zones["rank"]],
            "tip": [
                f"zone {rank}: {visits.get(zone, 0)} visits"
                for zone, rank in zip(zones["id"], zones["rank"], strict=True)
            ],
        },
        geometry=zones.geometry.to_list(),
        crs=sheet.city.crs,
    )
    key = Key(label="a zone, with its number", colour=palette.ZONE)
    return Layer(name="zones", title="All zones", shapes=shapes, keys=(key,), group=SHOWN)


def _unit(sheet: Sheet, unit: dict[str, Any]) -> Layer:
    spots = dict(zip(sheet.zones["id"], sheet.zones.geometry, strict=True))
    ranks = ranks_of(sheet.plan)
    places: dict[str, list[int]] = {}
    for number, visit in enumerate(unit["visits"], start=1):
        places.setdefault(visit["zone"], []).append(number)
    way = [spots[visit["zone"]].representative_point() for visit in unit["visits"]]
    shapes: list[Any] = [spots[zone] for zone in places]
    labels: list[str] = [
        f"{', '.join(str(number) for number in numbers)}" for numbers in places.values()
    ]
    tips: list[str] = [f"zone {ranks[zone]}" for zone in places]
    if len({(spot.x, spot.y) for spot in way}) > 1:
        shapes.append(shapely.LineString(way))
        labels.append("")
        tips.append("")
    name = f"Unit {unit['unit']}"
    return Layer(
        name=f"unit-{unit['unit']}",
        title=f"{name}, order of its visits",
        shapes=gpd.GeoDataFrame(
            {"key": 0, "label": labels, "tip": tips}, geometry=shapes, crs=sheet.city.crs
        ),
        keys=(Key(label="the numbers tell when; lines join one stop to the next", colour=ORDER),),
        filled=False,
        group=SHOWN,
        shown=False,
    )
