"""Alerts and complaints row by row: public place, day, hours. Nothing tells which row it was."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
from sqlalchemy import select

from geodata.releases.activity import COMPLAINTS
from geodata.releases.dictionary import names
from geodata.releases.encoding import DECIMALS, csv_bytes, geojson_bytes, number
from geodata.releases.inputs import mask_rows
from geodata.releases.rules import RULES
from geodata.repositories.recorded import TABLES, read_frame

if TYPE_CHECKING:
    import pandas as pd
    from sqlalchemy.orm import Session

    from geodata.measures.ledger import MeasureData
    from geodata.releases.inputs import Material
    from spatial.disclosure.places import PublicPlaces

HOURS = RULES.band_hours


@dataclass(frozen=True, kw_only=True, eq=False)
class PublicSites:
    """The public sites of a city as files give them: degrees and metres."""

    longitude: np.ndarray[tuple[int], np.dtype[np.float64]]
    latitude: np.ndarray[tuple[int], np.dtype[np.float64]]
    radius_m: np.ndarray[tuple[int], np.dtype[np.float64]]
    code: np.ndarray[tuple[int], np.dtype[np.object_]]


def drawn_sites(material: Material) -> PublicSites:
    """Return every public site in degrees, with the code of its district; outside it is NaN."""
    sites = material.places.sites
    crs = material.city.districts.crs
    degrees = gpd.GeoSeries(gpd.points_from_xy(sites.x, sites.y), crs=crs).to_crs(4326)
    codes = np.array([*material.places.district_ids, ""], dtype=object)
    return PublicSites(
        longitude=np.round(degrees.x.to_numpy(), DECIMALS),
        latitude=np.round(degrees.y.to_numpy(), DECIMALS),
        radius_m=np.ceil(sites.radius_units * material.unit_m),
        code=codes[sites.district],
    )


def exact_alerts(session: Session, ledger: MeasureData) -> pd.DataFrame:
    """Return the exact alerts: ``x``, ``y``, ``district``, ``local`` and ``class``."""
    table = TABLES["alerts"]
    mine = (table.c.city_id == ledger.city.id) & ledger.old_enough("alerts")
    result = select(table.c["class"]).where(mine).order_by(table.c.id)
    rows = ledger.alerts[["x", "y", "district", "local"]]
    return rows.assign(**{"class": read_frame(session, result)["class"].to_numpy()})


def exact_complaints(ledger: MeasureData) -> pd.DataFrame:
    """Return the exact complaints: ``x``, ``y``, ``district``, ``local`` (a day) and ``value``."""
    points = ledger.occurrences
    points = points[points["measure"] == COMPLAINTS]
    return points.assign(local=points["day"])[["x", "y", "district", "local", "value"]]


def alert_rows(material: Material) -> pd.DataFrame:
    """Return the exact alerts that a release is about."""
    return exact_alerts(material.session, material.ledger)


def complaint_rows(material: Material) -> pd.DataFrame:
    """Return the exact complaints that a release is about."""
    return exact_complaints(material.ledger)


def alert_files(material: Material) -> dict[str, bytes]:
    """Write the alerts at their public places, if the city has any."""
    if not material.ledger.has("alerts"):
        return {}
    masked = mask_rows(alert_rows(material), material.places, material.ledger.today)
    first = masked["band"].astype(int) * HOURS
    hours = [f"{h:02d}-{h + HOURS:02d}" if h >= 0 else "" for h in first]
    return _files(
        "alerts", masked.assign(hours=hours, **{"class": masked["class"].fillna("")}), material
    )


def complaint_files(material: Material) -> dict[str, bytes]:
    """Write the dirt-bike complaints at their public places, if the city has any."""
    rows = complaint_rows(material)
    if len(rows) == 0:
        return {}
    masked = mask_rows(rows, material.places, material.ledger.today)
    return _files("complaints", masked.assign(number=masked["value"]), material)


def _files(name: str, masked: pd.DataFrame, material: Material) -> dict[str, bytes]:
    columns = names(f"data/{name}.csv")
    table = _describe(masked, material.places, drawn_sites(material))[columns]
    table = table.sort_values([c for c in columns if c not in ("longitude", "latitude")])
    records = [
        {str(key): number(v) if isinstance(v, float) else v for key, v in row.items()}
        for row in table.to_dict("records")
    ]
    at = gpd.GeoSeries(gpd.points_from_xy(table["longitude"], table["latitude"]), crs=4326)
    return {
        f"data/{name}.csv": csv_bytes(columns, records),
        f"data/{name}.geojson": geojson_bytes(at, records),
    }


def _describe(masked: pd.DataFrame, places: PublicPlaces, drawn: PublicSites) -> pd.DataFrame:
    """Say of each row where its public place is; their order tells nothing of the exact time."""
    site = masked["site"].to_numpy()
    return masked.assign(
        day=masked["day"].dt.strftime("%Y-%m-%d"),
        site=places.sites.name[site],
        rule=places.sites.rule[site],
        longitude=drawn.longitude[site],
        latitude=drawn.latitude[site],
        radius_m=drawn.radius_m[site].astype(int),
        district=drawn.code[site],
    )
