"""The public places of a city, and rows moved to them.

Zones as they are published: on the ground of their own district.

A cell belongs to the district that its center lies in, so the cells of a zone at a border reach
into the next district. Staff work with whole cells; a reader of a map takes an outline for ground,
so what is published is cut at the border.

What a release is made from, read once: rows, places, the shown run, earlier releases.

A release is about days up to ``last_day`` and says nothing of later ones. That day follows from
the newest row and from today, whichever is earlier, so that the same data give the same release on
whatever later day they are drafted.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.measures.ledger import MeasureData
from geodata.releases.rules import RULES
from geodata.repositories.cities import address_points
from geodata.repositories.initiatives import list_initiatives
from geodata.repositories.layers import base_shapes
from spatial.disclosure.places import coarsen_time, is_old_enough, make_public_places, snap
from spatial.spec import MaskingSpec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.orm import Session

    from geodata.releases.folder import ReleaseFolder
    from geodata.releases.sensitive import CountDisclosure, Where
    from geodata.repositories.cities import CityRecord
    from geodata.repositories.initiatives import InitiativeRecord
    from geodata.repositories.runs import RunRecord
    from spatial.disclosure.places import PublicPlaces


def public_places(session: Session, city: CityRecord) -> PublicPlaces:
    """Choose a city's public places from its streets and addresses.

    Where the city has no list of addresses, k counts nothing and only squares are used.
    """
    base = base_shapes(session, city.id)
    streets = base.geometry[base["kind"] == "street"].to_numpy()
    unit_m = float(city.districts.crs.axis_info[0].unit_conversion_factor)
    return make_public_places(
        streets,
        dict(zip(city.districts["code"], city.districts.geometry, strict=True)),
        address_points(session, city.id),
        MaskingSpec.for_unit(unit_m),
    )


def mask_rows(rows: pd.DataFrame, places: PublicPlaces, today: dt.date) -> pd.DataFrame:
    """Return rows as the public may see them.

    Parameters
    ----------
    rows
        ``x``, ``y``, ``district`` (a code, or missing), ``local`` (date and time by the city's
        clock) and whatever else is to be kept.
    places
        Of the city.
    today
        Rows younger than the delay are left out.

    Returns
    -------
    Without the exact columns; with ``day``, ``band`` (of four hours, -1 unknown), ``site``
    (position in ``places.sites``) and ``district``. Rows outside of every district are left out.
    """
    time = coarsen_time(rows["local"].to_numpy())
    found = snap(places, rows["x"], rows["y"], rows["district"].to_numpy(dtype=object))
    masked = rows.drop(columns=["x", "y", "local"]).assign(
        day=pd.to_datetime(time.day), band=time.band, site=found.site
    )
    keep = is_old_enough(time.day, today) & (found.district >= 0)
    return masked[np.asarray(keep)].reset_index(drop=True)


SLIVER = 0.01  # of a cell: below that a part is an artifact of two nearly equal lines


def in_districts(run: RunRecord, districts: gpd.GeoDataFrame) -> RunRecord:
    """Return a run whose zones are cut at the border of their district, with ``area`` anew.

    Parameters
    ----------
    run
        Its zones follow whole cells.
    districts
        ``code`` and geometry, in the reference system of the zones.
    """
    if len(run.zones) == 0:
        return run
    ground = dict(zip(districts["code"].astype(str), districts.geometry, strict=True))
    least = SLIVER * run.grid.cell_area
    shapes = [
        _cut(zone.geometry, ground.get(str(zone.district)), least)
        for zone in run.zones.itertuples()
    ]
    zones = run.zones.copy()
    zones["area"] = shapely.area(np.array(shapes, dtype=object))
    zones.geometry = gpd.GeoSeries(shapes, index=zones.index, crs=zones.crs)
    return dataclasses.replace(run, zones=zones)


def _cut(
    outline: shapely.Geometry, district: shapely.Geometry | None, least: float
) -> shapely.Geometry:
    """Return the parts of an outline in its district; the outline where the district is unknown."""
    if district is None or shapely.covers(district, outline):
        return outline
    parts = [
        part
        for part in shapely.get_parts(shapely.intersection(outline, district))
        if shapely.get_dimensions(part) == 2 and shapely.area(part) >= least
    ]
    if not parts:
        return outline
    return parts[0] if len(parts) == 1 else shapely.multipolygons(parts)


DAY = dt.timedelta(days=1)


@dataclass(frozen=True, kw_only=True, eq=False)
class Material:
    """One city as it is to be published.

    Parameters
    ----------
    ledger
        Rows of the city up to ``last_day``; its today lies the delay after that.
    last_day
        The last day that anything may be about.
    places
        The public places of the city.
    run
        The run whose zones are shown, if there is one, each cut at the border of its district.
    initiatives
        As they stand, in the city's order.
    earlier
        Releases of the city that were approved, newest first, withdrawn ones too.
    told
        What is reported of counts that are hidden where they are small, once that is decided.
    """

    session: Session
    city: CityRecord
    ledger: MeasureData
    last_day: dt.date
    places: PublicPlaces
    run: RunRecord | None
    initiatives: Sequence[InitiativeRecord]
    earlier: Sequence[ReleaseFolder]
    told: Mapping[Where, CountDisclosure] = field(default_factory=dict)

    @property
    def end(self) -> dt.date:
        """The day after the last."""
        return self.last_day + DAY

    @property
    def unit_m(self) -> float:
        """Metres in a unit of the city's reference system."""
        return 1.0 / self.ledger.metre_units

    @property
    def targets(self) -> Mapping[str, tuple[float, str]]:
        """The city's own targets with their source, by measure."""
        return {
            target.measure: (target.target, target.source)
            for record in self.initiatives
            for strategy in record.initiative.strategies
            for target in strategy.targets
        }


def last_public_day(session: Session, city: CityRecord, today: dt.date) -> dt.date:
    """Return the newest day that a release of a city may tell of, at least the delay before today.

    Where the data end earlier it is their last day.
    """
    newest = MeasureData(session, city, today).newest_day
    delay = dt.timedelta(days=RULES.delay_days)
    return today - delay if newest is None else min(today - delay, newest)


def gather(
    session: Session,
    city: CityRecord,
    today: dt.date,
    earlier: Sequence[ReleaseFolder],
    *,
    run: str | None = None,
) -> Material:
    """Read what a release of a city is made from.

    Parameters
    ----------
    session
        Open for as long as the material is used.
    city
        The city.
    today
        Its day.
    earlier
        Its approved releases, newest first.
    run
        Id of the run that is shown; the run in use if left out.
    """
    last_day = last_public_day(session, city, today)
    as_of = last_day + dt.timedelta(days=RULES.delay_days)
    ledger = MeasureData(session, city, as_of, run, until=last_day + DAY)
    return Material(
        session=session,
        city=city,
        ledger=ledger,
        last_day=last_day,
        places=public_places(session, city),
        run=None if ledger.run is None else in_districts(ledger.run, city.districts),
        initiatives=list_initiatives(session, city.slug),
        earlier=earlier,
    )
