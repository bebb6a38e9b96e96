"""Cities: written by the importer, read by everyone.

Addresses of a city: a snapshot of bare coordinates.

People who live in polygons of a city: a snapshot, as a census counted them.
"""

from __future__ import annotations

import datetime as dt
import zoneinfo
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely
from sqlalchemy import delete, func, insert, select

from geodata.cityfile.description import Contact, License
from geodata.cityfile.measures import (
    DeclaredMeasure,
    measures_as_json,
    measures_of_json,
    usual_measures,
)
from geodata.db.tables import Address, Base, City, District, Incident, Residents
from geodata.documents import from_json
from geodata.errors import NotStoredError
from geodata.repositories.archiving import CITY, archived_keys
from geodata.repositories.recorded import read_frame

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry
    from sqlalchemy.orm import Session

    from geodata.cityfile.description import CityFile
    from geodata.repositories.import_log import ChangeLog


ACTIVITIES = (  # of a visit, where the city file names none
    "foot patrol",
    "parked and visible",
    "resident contact",
    "business check",
    "lighting check",
    "other",
)


IMPORT = "import its city file once more"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResidentGroups:
    """Named groups of the people counted in a city's polygons, and whose counts they are."""

    names: tuple[str, ...]
    about: str


@dataclass(frozen=True, kw_only=True, eq=False)
class CityRecord:
    """One city. ``districts`` has code, name and geometry, in the order of the city's file."""

    id: int
    slug: str
    name: str
    crs: str
    timezone: str
    cell_units: float
    block_units: float
    synthetic: bool
    today: dt.date | None
    study_area: BaseGeometry
    coverage: BaseGeometry | None
    districts: gpd.GeoDataFrame
    imported_at: dt.datetime
    outcomes: tuple[str, ...]
    period: tuple[dt.date, dt.date] | None
    sensitive_outcomes: tuple[str, ...] = ()
    contact: Contact | None = None
    license: License | None = None
    residents: ResidentGroups | None = None
    activities: tuple[str, ...] = ACTIVITIES
    measures: tuple[DeclaredMeasure, ...] = ()
    titles: Mapping[str, str] = field(default_factory=dict)
    units: str = ""

    def this_day(self) -> dt.date:
        """Return today in the city, or the day at which a synthetic city's calendar stands."""
        return self.today or dt.datetime.now(zoneinfo.ZoneInfo(self.timezone)).date()


@dataclass(frozen=True, kw_only=True)
class CitySummary:
    """One city in a list; ``first`` and ``last`` are days with an incident."""

    slug: str
    name: str
    synthetic: bool
    incidents: int
    outcomes: tuple[str, ...]
    first: dt.date | None
    last: dt.date | None


def save_city(
    session: Session,
    described: CityFile,
    study_area: BaseGeometry,
    districts: Mapping[str, tuple[str, BaseGeometry]],
    when: dt.datetime,
    *,
    coverage: BaseGeometry | None = None,
) -> int:
    """Create or renew a city and its districts; give its number.

    Parameters
    ----------
    session
        An open transaction.
    described
        The city file.
    study_area
        In the city's reference system.
    districts
        Name and shape by code, in order.
    when
        Time of the import, UTC.
    coverage
        Area of gunshot detection, in the city's reference system, if it is known.
    """
    city = session.scalar(select(City).where(City.slug == described.slug))
    if city is None:
        city = City(slug=described.slug)
        session.add(city)
    city.name, city.crs, city.timezone = described.name, described.crs, described.timezone
    city.cell_units, city.block_units = described.grid.cell_units, described.grid.block_units
    city.synthetic, city.today = described.synthetic, described.today
    city.study_area, city.coverage, city.imported_at = study_area, coverage, when
    city.sensitive_outcomes = list(described.sensitive_outcomes)
    city.contact = described.contact.as_json() if described.contact else None
    city.license = described.license.as_json() if described.license else None
    city.residents = _groups(described)
    city.activities = list(described.activities) if described.activities else None
    usual = described.measures == usual_measures()
    city.measures = None if usual else measures_as_json(described.measures)
    city.titles = dict(described.titles) or None
    city.units = described.units or None
    session.flush()
    session.execute(delete(District).where(District.city_id == city.id))
    session.execute(
        insert(District),
        [
            {"city_id": city.id, "code": code, "name": name, "position": position, "geom": shape}
            for position, (code, (name, shape)) in enumerate(districts.items())
        ],
    )
    return city.id


def find_areas(
    session: Session, slug: str
) -> tuple[BaseGeometry, list[tuple[str, str, BaseGeometry]], BaseGeometry | None] | None:
    """Return a stored city's study area, its districts (code, name, shape) and its coverage."""
    city = session.scalar(select(City).where(City.slug == slug))
    if city is None:
        return None
    rows = session.execute(
        select(District.code, District.name, District.geom)
        .where(District.city_id == city.id)
        .order_by(District.position)
    )
    return city.study_area, [(row[0], row[1], row[2]) for row in rows], city.coverage


def get_city(session: Session, slug: str) -> CityRecord:
    """Return one city.

    Raises
    ------
    NotStoredError
        If no city of that slug is stored.
    """
    city = session.scalar(select(City).where(City.slug == slug))
    if city is None:
        known = ", ".join(session.scalars(select(City.slug).order_by(City.slug))) or "none yet"
        msg = f"no city {slug!r} is stored (stored: {known}); import its city file first"
        raise NotStoredError(msg, city=slug, code="no_city")
    rows = session.scalars(
        select(District).where(District.city_id == city.id).order_by(District.position)
    ).all()
    _, outcomes, first, last = _incidents_of(session, city.id)
    return CityRecord(
        id=city.id,
        slug=city.slug,
        name=city.name,
        crs=city.crs,
        timezone=city.timezone,
        cell_units=city.cell_units,
        block_units=city.block_units,
        synthetic=city.synthetic,
        today=city.today,
        study_area=city.study_area,
        coverage=city.coverage,
        districts=gpd.GeoDataFrame(
            {"code": [row.code for row in rows], "name": [row.name for row in rows]},
            geometry=[row.geom for row in rows],
            crs=city.crs,
        ),
        imported_at=city.imported_at,
        outcomes=outcomes,
        period=(first, last) if first and last else None,
        sensitive_outcomes=tuple(city.sensitive_outcomes),
        contact=Contact(**city.contact) if city.contact else None,
        license=License(**city.license) if city.license else None,
        residents=from_json(ResidentGroups, city.residents, f"residents of {city.slug}", IMPORT)
        if city.residents
        else None,
        activities=tuple(city.activities) if city.activities else ACTIVITIES,
        measures=usual_measures() if city.measures is None else measures_of_json(city.measures),
        titles=dict(city.titles or {}),
        units=city.units or "",
    )


def list_cities(session: Session, *, archived: bool = False) -> list[CitySummary]:
    """List the cities by name, with the ``archived`` ones or without."""
    found = []
    query = select(City).order_by(City.name)
    if not archived:
        query = query.where(City.slug.not_in(archived_keys(CITY)))
    for city in session.scalars(query):
        number, outcomes, first, last = _incidents_of(session, city.id)
        found.append(
            CitySummary(
                slug=city.slug,
                name=city.name,
                synthetic=city.synthetic,
                incidents=number,
                outcomes=outcomes,
                first=first,
                last=last,
            )
        )
    return found


def _groups(described: CityFile) -> dict[str, object] | None:
    if described.residents is None:
        return None
    return {"names": list(described.residents.groups), "about": described.residents.about}


def _incidents_of(
    session: Session, city_id: int
) -> tuple[int, tuple[str, ...], dt.date | None, dt.date | None]:
    rows = session.execute(
        select(
            Incident.outcome,
            func.count(),
            func.min(Incident.occurred_on),
            func.max(Incident.occurred_on),
        )
        .where(Incident.city_id == city_id)
        .group_by(Incident.outcome)
        .order_by(Incident.outcome)
    ).all()
    if not rows:
        return 0, (), None, None
    return (
        sum(row[1] for row in rows),
        tuple(row[0] for row in rows),
        min(row[2] for row in rows),
        max(row[3] for row in rows),
    )


CHUNK = 50_000


def replace_addresses(
    session: Session, city_id: int, rows: pd.DataFrame | None, log: ChangeLog | None = None
) -> bool:
    """Make a city's addresses exactly these, ``x`` and ``y`` sorted; tell whether any changed."""
    there = address_points(session, city_id)
    wanted = np.empty((0, 2)) if rows is None else rows[["x", "y"]].to_numpy(dtype=float)
    before = np.empty((0, 2)) if there is None else there
    if np.array_equal(before, wanted):
        return False
    if log is not None:
        log.remove("address", ({"x": x, "y": y} for x, y in before.tolist()))
        log.add("address", ({"x": x, "y": y} for x, y in wanted.tolist()))
    session.execute(delete(Address).where(Address.city_id == city_id))
    for start in range(0, len(wanted), CHUNK):
        session.execute(
            insert(Address),
            [
                {"city_id": city_id, "x": x, "y": y}
                for x, y in wanted[start : start + CHUNK].tolist()
            ],
        )
    return True


def address_points(session: Session, city_id: int) -> NDArray[np.float64] | None:
    """Return the coordinates of a city's addresses, shape ``(addresses, 2)``; none: nothing."""
    table = Base.metadata.tables["address"]
    statement = select(table.c.x, table.c.y).where(table.c.city_id == city_id).order_by(table.c.id)
    found = read_frame(session, statement).to_numpy(dtype=float)
    return found if len(found) else None


def replace_residents(
    session: Session,
    city_id: int,
    rows: gpd.GeoDataFrame | None,
    log: ChangeLog | None = None,
) -> bool:
    """Make a city's residents exactly these; tell whether any changed.

    Parameters
    ----------
    session
        An open transaction.
    city_id
        The city's number.
    rows
        ``people``, ``groups`` (a list) and geometry in the city's reference system; or nothing.
    log
        Where the change is written down, so that it can be undone.
    """
    wanted = [] if rows is None else _describe(rows)
    there = resident_areas(session, city_id)
    before = [] if there is None else _describe(there)
    if _same(before, wanted):
        return False
    if log is not None:
        log.remove("residents", map(_row, before))
        log.add("residents", map(_row, wanted))
    session.execute(delete(Residents).where(Residents.city_id == city_id))
    if wanted:
        session.execute(
            insert(Residents),
            [{"city_id": city_id, **_row(one)} for one in wanted],
        )
    return True


def resident_areas(session: Session, city_id: int) -> gpd.GeoDataFrame | None:
    """Give ``people``, ``groups`` and geometry of every polygon; without any, nothing."""
    found = session.execute(
        select(Residents.people, Residents.groups, Residents.geom)
        .where(Residents.city_id == city_id)
        .order_by(Residents.id)
    ).all()
    if not found:
        return None
    return gpd.GeoDataFrame(
        {"people": [row[0] for row in found], "groups": [row[1] for row in found]},
        geometry=[row[2] for row in found],
    )


def _row(one: tuple[float, list[float], shapely.Geometry]) -> dict[str, object]:
    return dict(zip(("people", "groups", "geom"), one, strict=True))


def _describe(rows: gpd.GeoDataFrame) -> list[tuple[float, list[float], shapely.Geometry]]:
    return list(zip(rows["people"].tolist(), rows["groups"].tolist(), rows.geometry, strict=True))


def _same(
    one: list[tuple[float, list[float], shapely.Geometry]],
    other: list[tuple[float, list[float], shapely.Geometry]],
) -> bool:
    return [row[:2] for row in one] == [row[:2] for row in other] and bool(
        all(shapely.equals_exact(a[2], b[2]) for a, b in zip(one, other, strict=True))
    )
