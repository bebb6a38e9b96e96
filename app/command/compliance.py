"""Was the plan kept: measures of dosage, shift by shift, and where and when officers stopped."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from app.command.district import district_zones, patrol_run
from app.command.shifts import judged, shift_row, standing
from app.i18n import numbers
from geodata.errors import DataError
from geodata.measures.ledger import MeasureData
from geodata.measures.registry import work_out
from spatial.grid import area_of
from spatial.measures.scopes import Scope

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd
    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

    from app.command.district import DistrictPage
    from app.command.shifts import ShiftRow
    from geodata.measures.record import MeasureValue

    Counts = NDArray[np.int64]

MEASURES = (
    "dosage.plan_met",
    "dosage.visits",
    "dosage.minutes",
    "dosage.share_10_16",
    "dosage.gap_minutes.p50",
)
ENFORCING = ("arrests", "citations")  # what dated points and alerts tell of enforcement
USUAL = dt.timedelta(days=28)
LONGEST = dt.timedelta(days=2 * 366)
CLASSES = 4
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
BANDS = tuple((start, start + 4) for start in range(0, 24, 4))


@dataclass(frozen=True, kw_only=True)
class DosageRow:
    """One measure of dosage with its definition."""

    title: str
    value: str
    interval: str
    rows: str
    missing: str
    target: str
    status: str
    definition: str
    caveat: str


@dataclass(frozen=True, kw_only=True)
class HeatCell:
    """One hour of one weekday: its class from 0, and what it says."""

    x: int
    y: int
    shade: int
    told: str


@dataclass(frozen=True, kw_only=True)
class Heat:
    """Visits to one zone by hour of the week; ``rows`` are weekdays with counts by four hours."""

    name: str
    total: int
    cells: tuple[HeatCell, ...]
    rows: tuple[tuple[str, tuple[int, ...], int], ...]


@dataclass(frozen=True, kw_only=True)
class Compliance:
    """Compliance of a district in a period."""

    first: dt.date
    last: dt.date
    through: str
    measures: tuple[DosageRow, ...]
    shifts: tuple[ShiftRow, ...]
    heat: tuple[Heat, ...]
    key: tuple[tuple[int, str], ...]
    bands: tuple[str, ...]
    enforcement_heads: tuple[str, ...]
    enforcement: tuple[tuple[str, tuple[str, ...]], ...]
    run: str


def compliance(
    session: Session, place: DistrictPage, first: dt.date | None, last: dt.date | None
) -> Compliance:
    """Gather compliance from a first to a last day; by default of the last four weeks logged.

    Raises
    ------
    DataError
        If the last day is before the first, or the period is longer than two years.
    """
    ledger = MeasureData(session, place.city, place.city.this_day())
    extent = ledger.extent("visits")
    last = last or min(place.city.this_day(), extent[1] if extent else place.city.this_day())
    first = first or last - USUAL + dt.timedelta(days=1)
    if not first <= last <= first + LONGEST:
        msg = f"from {first} to {last} cannot be shown; give days in order, two years at most"
        raise DataError(msg, code="period_range")
    scope = Scope(start=first, end=last + dt.timedelta(days=1), district=place.code)
    run = patrol_run(session, place)
    zones = district_zones(run, place.code)
    cells, key = _heat(ledger, scope, zones)
    heads, rows = _enforcement(ledger, scope, zones)
    start, end = (
        place.ms(dt.datetime.combine(day, dt.time.min)) for day in (scope.start, scope.end)
    )
    over = [plan for plan in standing(session, place) if start <= plan.shift_start_ms < end]
    return Compliance(
        first=first,
        last=last,
        through=numbers.day(extent[1]) if extent else "",
        measures=tuple(_measure(value) for value in work_out(ledger, scope, MEASURES)),
        shifts=tuple(shift_row(shift) for shift in reversed(judged(session, place, over))),
        heat=cells,
        key=key,
        bands=tuple(f"{one:02}–{other:02}" for one, other in BANDS),
        enforcement_heads=heads,
        enforcement=rows,
        run=run.id if run else "",
    )


def _measure(value: MeasureValue) -> DosageRow:
    measure, figure = value.measure, value.figure
    return DosageRow(
        title=measure.title,
        value=numbers.amount(figure.value, measure.unit),
        interval=numbers.between(figure.low, figure.high, measure.unit),
        rows=f"{figure.n:,}",
        missing=f"{figure.missing:,}",
        target="" if value.target is None else numbers.amount(value.target, measure.unit),
        status=value.status or "",
        definition=measure.definition,
        caveat=measure.caveat,
    )


def _heat(
    ledger: MeasureData, scope: Scope, zones: gpd.GeoDataFrame | None
) -> tuple[tuple[Heat, ...], tuple[tuple[int, str], ...]]:
    """Count visits of each zone by hour of the week."""
    if zones is None or zones.empty:
        return (), ()
    visits = ledger.rows("visits", scope)
    zone = _within(visits, zones)
    inside = zone >= 0
    local = visits["local"].to_numpy()[inside]
    hour = (local.astype("datetime64[h]").astype(np.int64) - 4 * 24) % 168  # 1970 began a Thursday
    hour = (hour + 168) % 168
    counts = np.zeros((len(zones), 168), dtype=np.int64)
    np.add.at(counts, (zone[inside], hour), 1)
    edges = _edges(int(counts.max()))
    return (
        tuple(
            _of_zone(f"Zone {rank}", row, edges)
            for rank, row in zip(zones["rank"], counts, strict=True)
        ),
        _key(edges),
    )


def _of_zone(name: str, counts: Counts, edges: list[int]) -> Heat:
    table = counts.reshape(7, 24)
    return Heat(
        name=name,
        total=int(counts.sum()),
        cells=tuple(
            HeatCell(
                x=hour,
                y=day,
                shade=_shade(int(table[day, hour]), edges),
                told=f"{DAYS[day]} {hour:02}:00: {_visits(int(table[day, hour]))}",
            )
            for day in range(7)
            for hour in range(24)
        ),
        rows=tuple(
            (
                DAYS[day],
                tuple(int(table[day, one:other].sum()) for one, other in BANDS),
                int(table[day].sum()),
            )
            for day in range(7)
        ),
    )


def _edges(most: int) -> list[int]:
    """Return the highest count of each class above 0; fewer classes where counts are few.

    >>> _edges(2), _edges(9)
    ([1, 2], [2, 4, 6, 9])
    """
    if most <= CLASSES:
        return list(range(1, most + 1))
    return [most * step // CLASSES for step in range(1, CLASSES)] + [most]


def _shade(count: int, edges: list[int]) -> int:
    if count == 0:
        return 0
    position = next(i for i, edge in enumerate(edges) if count <= edge)
    return CLASSES - len(edges) + position + 1


def _key(edges: list[int]) -> tuple[tuple[int, str], ...]:
    low, found = 1, [(0, "none")]
    for edge in edges:
        text = f"{low}" if low == edge else f"{low} to {edge}"
        found.append((_shade(edge, edges), text))
        low = edge + 1
    return tuple(found)


def _visits(number: int) -> str:
    return "1 visit" if number == 1 else f"{number} visits"


def _within(rows: pd.DataFrame, zones: gpd.GeoDataFrame) -> Counts:
    return area_of(
        rows["x"].to_numpy(dtype=float), rows["y"].to_numpy(dtype=float), list(zones.geometry)
    ).astype(np.int64)


def _enforcement(
    ledger: MeasureData, scope: Scope, zones: gpd.GeoDataFrame | None
) -> tuple[tuple[str, ...], tuple[tuple[str, tuple[str, ...]], ...]]:
    """Count arrests and citations in each zone, of the sources that tell of any with a place."""
    if zones is None or zones.empty:
        return (), ()
    heads, columns = [], []
    points = ledger.occurrences
    for measure in sorted(set(points["measure"])):
        kind = measure.rsplit(".", 1)[-1]
        if kind in ENFORCING:
            mine = ledger.rows("occurrences", scope)
            mine = mine[mine["measure"] == measure]
            heads.append(f"{kind.capitalize()} ({measure})")
            columns.append(_summed(mine, "value", zones))
    alerts = ledger.alerts
    if alerts["arrests"].notna().any():
        heads.append("Arrests after alerts")
        columns.append(_summed(ledger.rows("alerts", scope), "arrests", zones))
    rows = tuple(
        (f"Zone {rank}", tuple(f"{column[position]:.0f}" for column in columns))
        for position, rank in enumerate(zones["rank"])
    )
    return tuple(heads), rows if heads else ()


def _summed(rows: pd.DataFrame, name: str, zones: gpd.GeoDataFrame) -> NDArray[np.float64]:
    """Add a column up by zone."""
    zone = _within(rows, zones)
    value = rows[name].fillna(0.0).to_numpy(dtype=float)
    inside = zone >= 0
    found = np.bincount(zone[inside], value[inside], minlength=len(zones))
    return np.asarray(found, dtype=np.float64)
