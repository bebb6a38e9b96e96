"""Whether zones and alerts fall evenly: on the districts, and on the people who live there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import shapely

from geodata.measures import spans
from geodata.releases.dictionary import names
from geodata.releases.encoding import csv_bytes, json_bytes, number
from geodata.releases.measure_files import read_csv
from geodata.releases.rules import FEW_PEOPLE, LEAST_PEOPLE, PEOPLE_STEP
from geodata.repositories.cities import resident_areas
from spatial.areal import weigh_areas
from spatial.disclosure.linked import LEAST_WIDTH

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from geodata.releases.inputs import Material

    Counts = NDArray[np.int64]
    Files = Mapping[str, bytes]

DISTRICTS, RESIDENTS, CONTACT = "data/districts.csv", "data/residents.csv", "site/contact.json"
CITY, DISTRICT, ZONES, ALERTS = "city", "district", "zones", "alerts"
OF_AREAS = ("place", "cell", "uncounted_cell")  # rules whose rows stand for less than a district
LEAST_INCIDENTS = 100  # a share of fewer, rounded to hundredths, would tell single ones
HUNDREDTHS = 2
STEPS = (1, 2, 5, 10, 20)  # percent


def contact_file(material: Material) -> dict[str, bytes]:
    """Write who answers, under which license the release is given and who counted its residents.

    There is no such file where the city says nothing of these.
    """
    city = material.city
    document = {
        "contact": city.contact.as_json() if city.contact else None,
        "license": city.license.as_json() if city.license else None,
        "residents": city.residents.about if city.residents else "",
    }
    return {CONTACT: json_bytes(document)} if any(document.values()) else {}


def evenness_file(material: Material, files: Files) -> dict[str, bytes]:
    """Set the districts' shares of area, incidents, zones and alerts side by side.

    Alerts are those of the release itself, of its last twelve months. Incidents are those that the
    zones were drawn from; of a sensitive outcome, and of few, nothing is reported.
    """
    start, end = last_year(material)
    frame = material.city.districts
    codes = [str(code) for code in frame["code"]]
    area = shapely.area(frame.geometry.to_numpy()) * material.unit_m**2
    alerts = _per_district(_alerts(files, start, end), codes)
    zones, zone_area = _zones(material, codes)
    incidents = _incidents(material, codes)
    shares, _ = (incidents is not None and coarse_shares(incidents)) or (None, 0)
    rows = []
    for position, code in enumerate(codes):
        rows.append(
            {
                "district": code,
                "name": frame["name"].iloc[position],
                "area_m2": number(round(float(area[position]))),
                "area_share": _share(area, position),
                "incidents_share": None if shares is None else number(shares[position]),
                "zones": None if zones is None else int(zones[position]),
                "zones_area_m2": None if zones is None else number(round(zone_area[position])),
                "zones_share": _share(zone_area, position),
                "alerts": None if alerts is None else int(alerts[position]),
                "alerts_share": _share(alerts, position),
                "from": start.isoformat() if alerts is not None else "",
                "to": end.isoformat() if alerts is not None else "",
            }
        )
    return {DISTRICTS: csv_bytes(names(DISTRICTS), rows)}


def residents_file(material: Material, files: Files) -> dict[str, bytes]:
    """Estimate who lives in the city, its districts, its zones and near its alerts.

    People are spread evenly over the polygon that they were counted in. Near alerts is within an
    area that an alert of the last twelve months stands for; alerts that stand for a whole district
    are left out.
    """
    residents = material.city.residents
    counted = resident_areas(material.session, material.city.id)
    if residents is None or counted is None:
        return {}
    counts = np.column_stack([counted["people"], np.array(counted["groups"].tolist())])
    places = _places(material, files)
    people = weigh_areas(
        counts.astype(float), counted.geometry.to_numpy(), [shape for *_, shape in places]
    )
    rows = [
        row
        for (kind, code, _), found in zip(places, people, strict=True)
        for row in _describe(kind, code, ("", *residents.names), found)
    ]
    return {RESIDENTS: csv_bytes(names(RESIDENTS), rows)}


def coarse_shares(counts: Counts) -> tuple[list[float], int] | None:
    """Round districts' shares of incidents until none of them tells a count too closely.

    Parameters
    ----------
    counts
        Incidents by district; what they add up to is public.

    Returns
    -------
    Shares, and the whole percents they are rounded to: so many that every count could also be
    three more or three less, so that none narrows what is hidden of its months. Nothing where a
    fifth does not do that.
    """
    total = int(counts.sum())
    if len(counts) == 1:
        return [1.0], STEPS[0]
    for percent in STEPS:
        step = percent / 100
        rounded = step * np.rint(counts / total / step)
        low = np.ceil(np.maximum(total * (rounded - step / 2), 0))
        high = np.floor(np.minimum(total * (rounded + step / 2), total))
        least = np.maximum(low, total - (high.sum() - high))
        most = np.minimum(high, total - (low.sum() - low))
        enough = (counts + LEAST_WIDTH <= most) & (np.maximum(counts - LEAST_WIDTH, 0) >= least)
        if enough.all():
            return [round(float(share), HUNDREDTHS) for share in rounded], percent
    return None


def last_year(material: Material) -> tuple[dt.date, dt.date]:
    """Return the last twelve months as the measures do: first day, and day after the last."""
    first = material.ledger.first_day
    return spans.last_year(material.end if first is None else first, material.end)


def _describe(kind: str, code: str, groups: Sequence[str], people: Any) -> list[dict[str, object]]:
    """Round people to tens; of an area of few nothing is reported but that."""
    rounded = [int(PEOPLE_STEP * round(count / PEOPLE_STEP)) for count in people]
    hidden = people[0] < LEAST_PEOPLE or rounded[0] < LEAST_PEOPLE
    return [
        {
            "area": kind,
            "district": code,
            "group": group,
            "people": None if hidden else count,
            "share": None if hidden else number(round(count / rounded[0], HUNDREDTHS + 1)),
            "shown": FEW_PEOPLE if hidden else "",
        }
        for group, count in zip(groups, rounded, strict=True)
    ]


def _places(material: Material, files: Files) -> list[tuple[str, str, BaseGeometry]]:
    """Return the areas that people are estimated in: kind, district, shape."""
    city = material.city
    districts = dict(zip(map(str, city.districts["code"]), city.districts.geometry, strict=True))
    found = [(CITY, "", city.study_area), *((DISTRICT, *each) for each in districts.items())]
    if material.run is not None and len(material.run.zones):
        zones = material.run.zones
        found.append((ZONES, "", shapely.union_all(zones.geometry.to_numpy())))
        for code in districts:
            mine = zones.geometry[zones["district"] == code]
            if len(mine):
                found.append((ZONES, code, shapely.union_all(mine.to_numpy())))
    near = _near_alerts(material, _alerts(files, *last_year(material)))
    if near is not None:
        found.append((ALERTS, "", near.intersection(city.study_area)))
        found += [(ALERTS, code, near.intersection(shape)) for code, shape in districts.items()]
    return found


def _near_alerts(
    material: Material, rows: Sequence[Mapping[str, str]] | None
) -> BaseGeometry | None:
    """Join the areas that alerts stand for, each once."""
    sites = {row["site"]: row for row in rows or () if row["rule"] in OF_AREAS}
    if not sites:
        return None
    degrees = gpd.GeoSeries(
        gpd.points_from_xy(
            [float(row["longitude"]) for row in sites.values()],
            [float(row["latitude"]) for row in sites.values()],
        ),
        crs=4326,
    )
    radius = np.array([float(row["radius_m"]) for row in sites.values()]) / material.unit_m
    return shapely.union_all(shapely.buffer(degrees.to_crs(material.city.crs).to_numpy(), radius))


def _alerts(files: Files, start: dt.date, end: dt.date) -> list[dict[str, str]] | None:
    if "data/alerts.csv" not in files:
        return None
    rows = read_csv(files["data/alerts.csv"])
    return [row for row in rows if start.isoformat() <= row["day"] < end.isoformat()]


def _per_district(rows: Sequence[Mapping[str, str]] | None, codes: Sequence[str]) -> Any:
    if rows is None:
        return None
    return np.array([sum(row["district"] == code for row in rows) for code in codes])


def _zones(material: Material, codes: Sequence[str]) -> tuple[Any, Any]:
    """Return the number and the area (m²) of zones by district."""
    if material.run is None:
        return None, None
    zones = material.run.zones
    area = shapely.area(zones.geometry.to_numpy()) * material.unit_m**2
    mine = [(zones["district"] == code).to_numpy() for code in codes]
    return np.array([m.sum() for m in mine]), np.array([float(area[m].sum()) for m in mine])


def _incidents(material: Material, codes: Sequence[str]) -> Any:
    """Count by district the incidents that zones were drawn from; nothing where they are few."""
    run = material.run
    if run is None or run.outcome in material.city.sensitive_outcomes:
        return None
    counts, grid = run.cells["count"].to_numpy(), run.grid
    at = {code: position for position, code in enumerate(grid.district_ids)}
    found = [counts[grid.district == at[code]].sum() if code in at else 0 for code in codes]
    return np.array(found) if sum(found) >= LEAST_INCIDENTS else None


def _share(values: Any, position: int, decimals: int = HUNDREDTHS + 2) -> Any:
    if values is None or values.sum() == 0:
        return None
    return number(round(float(values[position] / values.sum()), decimals))
