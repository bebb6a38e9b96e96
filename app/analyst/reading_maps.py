"""Maps of the pages about runs: surfaces, zones, districts, and where incidents were."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
from flask import url_for

from app import words
from app.analyst.reading_surfaces import SURFACES
from app.maps.palette import DISTRICT, INCIDENT, OTHER_ZONE, ZONE
from app.maps.shapes import district_label, zone_title
from app.maps.staff import Key, LateLayer, Layer, PictureLayer, staff_map
from app.maps.surface import FINE, web_bounds

if TYPE_CHECKING:
    from app.analyst.reading_room import Opened
    from geodata.store.cities import CityRecord
    from geodata.store.runs import RunRecord


def run_map(opened: Opened) -> dict[str, Any]:
    """Give the map of a run: one surface at a time, and over it districts, zones, incidents."""
    run, city = opened.run, opened.city
    at: dict[str, Any] = {"city": city.slug, "run": run.id}
    bounds = web_bounds(run.grid, run.zones.crs, FINE)
    pictures = [
        PictureLayer(
            name=surface.name,
            title=surface.title,
            address=url_for("reading.surface", name=surface.name, **at),
            bounds=bounds,
            keys=opened.paint(surface).keys,
            group="surface",
            shown=place == 0,
        )
        for place, surface in enumerate(SURFACES)
    ]
    title = "Zones in use, changed by a person" if run.edited else "Zones"
    layers: list[Layer | PictureLayer | LateLayer] = [
        *pictures,
        district_layer(city),
        *([_own_zones(opened)] if run.edited else []),
        zone_layer(run, city, title, link=True),
        LateLayer(
            name="incidents",
            title=f"{words.plain(run.outcome).capitalize()}: exact places",
            address=url_for("reading.points", **at),
            keys=(Key(label="Switching this on is noted in the audit", colour=INCIDENT),),
        ),
    ]
    return _on_base(city, layers, run.zones.crs)


def zones_map(opened: Opened, standing: RunRecord) -> dict[str, Any]:
    """Give the map on which zones are changed: those of the newest step over the run's own."""
    city = opened.city
    surface = SURFACES[0]
    layers: list[Layer | PictureLayer | LateLayer] = [
        PictureLayer(
            name=surface.name,
            title=surface.title,
            address=url_for("reading.surface", name=surface.name, city=city.slug, run=standing.id),
            bounds=web_bounds(standing.grid, standing.zones.crs, FINE),
            keys=opened.paint(surface).keys,
        ),
        district_layer(city),
        _own_zones(opened),
        zone_layer(standing, city, "Zones, as they stand"),
    ]
    return _on_base(city, layers, standing.zones.crs)


def comparison_map(one: RunRecord, two: RunRecord, city: CityRecord) -> dict[str, Any]:
    """Give the zones of two runs on one map."""
    layers: list[Layer | PictureLayer | LateLayer] = [
        district_layer(city),
        zone_layer(two, city, "Zones of the second run", name="two", colour=OTHER_ZONE, told=False),
        zone_layer(one, city, "Zones of the first run", name="one", told=False),
    ]
    return _on_base(city, layers, one.zones.crs)


def district_layer(city: CityRecord) -> Layer:
    """Draw the districts."""
    frame = city.districts
    names = dict(zip(frame["code"], frame["name"], strict=True))
    shapes = gpd.GeoDataFrame(
        {"label": [district_label(code, names) for code in frame["code"]]},
        geometry=list(frame.geometry),
        crs=frame.crs,
    )
    return Layer(
        name="districts",
        title="Districts",
        shapes=shapes,
        keys=(Key(label="Districts", colour=DISTRICT),),
        filled=False,
    )


def zone_layer(
    run: RunRecord,
    city: CityRecord,
    title: str,
    *,
    name: str = "zones",
    colour: str = ZONE,
    link: bool = False,
    told: bool = True,
) -> Layer:
    """Draw zones with what is known of them; their rank stands on them where it is ``told``."""
    names = dict(zip(city.districts["code"], city.districts["name"], strict=True))
    rows = list(run.zones.itertuples())
    shapes = gpd.GeoDataFrame(
        {
            "id": [row.id for row in rows],
            "label": [str(row.rank) if told else None for row in rows],
            "tip": [_tip(row, names) for row in rows],
        },
        geometry=list(run.zones.geometry),
        crs=run.zones.crs,
    )
    if link:
        shapes["href"] = [f"#{row.id}" for row in rows]
    return Layer(
        name=name,
        title=title,
        shapes=shapes,
        keys=(Key(label="1 expects most in its district" if told else title, colour=colour),),
        filled=False,
    )


def _own_zones(opened: Opened) -> Layer:
    own = opened.own.zones
    return Layer(
        name="own",
        title="Zones as the run cut them",
        shapes=gpd.GeoDataFrame(geometry=list(own.geometry), crs=own.crs),
        keys=(Key(label="Zones as the run cut them", colour=OTHER_ZONE),),
        filled=False,
        shown=False,
    )


def _tip(zone: Any, names: dict[str, str]) -> str:
    name = getattr(zone, "name", "")
    title = zone_title(zone, names)
    named = f"{name} ({title})" if name else title
    return (
        f"{named}: {words.number(zone.past)} past incidents, {words.about(zone.expected)} expected"
    )


def _on_base(
    city: CityRecord, layers: list[Layer | PictureLayer | LateLayer], crs: Any
) -> dict[str, Any]:
    within = gpd.GeoSeries([city.study_area], crs=crs)
    return staff_map(layers, within, base=url_for("ground.base", city=city.slug))
