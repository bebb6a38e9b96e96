"""Visits of a week beside the incidents of the next, by zone: exploratory, and labelled so."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from app import words
from app.command.patrol import patrol_run
from geodata.measures.ledger import Ledger
from geodata.store import incidents
from spatial.errors import OutcomeError
from spatial.grid import area_of
from spatial.outcome.dose import dose_response

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray
    from shapely.geometry.base import BaseGeometry
    from sqlalchemy.orm import Session

    from app.command.place import Place
    from spatial.outcome.dose import DoseResponse

WEEK = dt.timedelta(weeks=1)
FEW_ZONES = 30  # below, clustered errors are too small


@dataclass(frozen=True, kw_only=True)
class DosePage:
    """What a week's visits go with in the week after; ``missing`` tells why nothing can be told."""

    outcome: str
    run: str
    weeks: str
    told: tuple[str, ...]
    missing: str
    rows: tuple[tuple[str, int, int], ...]


def dose_page(session: Session, place: Place) -> DosePage | None:
    """Regress incidents on the visits of the week before; nothing where no run is in use."""
    run = patrol_run(session, place)
    if run is None:
        return None
    zones = run.zones
    if place.code:
        zones = zones[zones["district"] == place.code]
    ledger = Ledger(session, place.city, place.city.this_day())
    days = incidents.outcome_period(session, place.city.id, run.outcome)
    first, last = _weeks(ledger, place, days)
    visits = ledger.visits
    points = incidents.incident_points(session, place.city.id, run.outcome, first, last)
    shapes = list(zones.geometry)
    dose = _table(
        visits["x"].to_numpy(),
        visits["y"].to_numpy(),
        visits["day"].to_numpy(),
        shapes,
        first,
        last,
    )
    after = _table(
        points.geometry.x.to_numpy(),
        points.geometry.y.to_numpy(),
        points["occurred_on"].to_list(),
        shapes,
        first,
        last,
    )
    try:
        answer, missing = dose_response(dose, after), ""
    except OutcomeError as error:
        answer, missing = None, words.sentence(str(error))
    names = [place.zone_name(zone) for zone in zones.itertuples()]
    return DosePage(
        outcome=words.plain(run.outcome),
        run=run.id,
        weeks=f"{words.day(first)} to {words.last_day(last)}" if last > first else "no whole week",
        told=() if answer is None else tuple(_told(answer, words.plain(run.outcome))),
        missing=missing,
        rows=tuple(
            (name, int(seen), int(had))
            for name, seen, had in zip(names, dose.sum(axis=1), after.sum(axis=1), strict=True)
        ),
    )


def _weeks(
    ledger: Ledger, place: Place, period: tuple[dt.date, dt.date] | None
) -> tuple[dt.date, dt.date]:
    """Give the first Monday and the last, excluded, of weeks that both records cover.

    ``period`` has the first and the last day of the run's outcome.
    """
    extent = ledger.extent("visits")
    if extent is None or period is None:
        return place.city.this_day(), place.city.this_day()
    first = max(extent[0], period[0])
    last = min(extent[1], period[1]) + dt.timedelta(days=1)
    start = first + dt.timedelta(days=-first.weekday() % 7)
    return start, start + max(0, (last - start).days // 7) * WEEK


def _table(
    x: ArrayLike,
    y: ArrayLike,
    days: ArrayLike,
    zones: Sequence[BaseGeometry],
    first: dt.date,
    last: dt.date,
) -> NDArray[np.int64]:
    """Count points by zone and week, shape ``(zones, weeks)``."""
    weeks = (last - first).days // 7
    zone = area_of(np.asarray(x, dtype=float), np.asarray(y, dtype=float), zones).astype(np.int64)
    day = np.asarray(days, dtype="datetime64[D]")
    week = (day - np.datetime64(first)).astype(np.int64) // 7
    kept = (zone >= 0) & (week >= 0) & (week < weeks)
    table = np.zeros((len(zones), weeks), dtype=np.int64)
    np.add.at(table, (zone[kept], week[kept]), 1)
    return table


def _told(found: DoseResponse, outcome: str) -> list[str]:
    low, high = f"{found.low:+.3f}", f"{found.high:+.3f}"
    side = (
        "The interval holds 0: neither more nor fewer is shown"
        if found.low <= 0 <= found.high
        else "The interval leaves out 0, which is still not the effect of a visit"
    )
    told = [
        f"For each visit more than usual in a week, {found.incidents_per_visit:+.3f} incidents of "
        f"{outcome} more (below 0: fewer) happened in that zone the week after; 95 % interval "
        f"{low} to {high}",
        f"{side}; patrols go where incidents are expected, so this is not what a visit does",
        f"From {found.zones} zones over {found.weeks} weeks, with each zone's own level and each "
        "week's taken out",
    ]
    if found.zones < FEW_ZONES:
        told.append(f"With fewer than {FEW_ZONES} zones the interval is too narrow as well")
    return [words.sentence(text) for text in told]
