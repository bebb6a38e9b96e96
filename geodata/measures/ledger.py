"""The rows that measures are worked out from, read once each and cut to a scope.

Clocks that are out of order are left out here, once for all measures: a publication before its
trigger is no publication time. Local days decide what belongs to a scope.
"""

from __future__ import annotations

import datetime as dt
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from sqlalchemy import func, select, true

from geodata.measures.shifts import judge_shift
from geodata.readers.dates import local_days
from geodata.repositories import actions, runs_in_use, zone_versions
from geodata.repositories import patrol_plans as plan_store
from geodata.repositories.incidents import incident_points
from geodata.repositories.recorded import TABLES, read_frame
from spatial.grid import area_of
from spatial.gunshots import (
    Events,
    LinkSpec,
    Reports,
    covered,
    link_events,
    number_codes,
)
from spatial.measures.days import NOWHERE, WHOLE, DayIndex
from spatial.measures.gunfire import (
    ACCURATE_M,
    describe_events,
    locate_verified,
    minutes_between,
    once_an_event,
    timed_alerts,
    timed_calls,
)
from spatial.measures.scopes import Scopes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry
    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

    from geodata.repositories.cities import CityRecord
    from geodata.repositories.runs import RunRecord
    from spatial.measures.days import Slices
    from spatial.measures.scopes import Scope

    Floats = NDArray[np.float64]

LINK_METRES = 400.0
CLOCKS = {
    "alerts": "triggered_ms",
    "calls": "received_ms",
    "verified": "occurred_ms",
    "visits": "start_ms",
}
WHEN = {**CLOCKS, "occurrences": "date", "counts": "to"}  # when rows happened, or were over
OUTCOMES = ("guns", "arrests", "casings", "victims")
UNUSED = ("id", "city_id", "source", "class", "rounds", "unit", "activity")
DAY = np.timedelta64(1, "D")


class MeasureData:
    """Rows of one city. Sections are read when a measure first asks for them.

    Parameters
    ----------
    session
        Open for as long as the ledger is used.
    city
        The city.
    today
        The day that ages are reported from.
    run
        Id of the run whose zones count; the run in use if left out.
    until
        The first day that nothing may be reported of: rows of it and later are left out before
        anything is worked out, and so is a run that was drawn from such days.
    """

    def __init__(
        self,
        session: Session,
        city: CityRecord,
        today: dt.date,
        run: str | None = None,
        *,
        until: dt.date | None = None,
    ) -> None:
        self._session, self.city, self.today = session, city, today
        self._run_id = run
        self.until = until or dt.date.max
        self._indexes: dict[str, DayIndex] = {}
        self._slices: dict[str, Slices] = {}
        self._cut_for: Scopes | None = None
        self._incidents: tuple[object, tuple[DayIndex, NDArray[np.bool_]]] | None = None

    def slices(self, section: str, scopes: Scopes) -> Slices:
        """Return the rows of each of some scopes; ``row`` are positions in the section's table.

        The slices of the scopes that were requested last are kept, for the measures that share
        them.
        """
        if scopes is not self._cut_for:
            self._cut_for, self._slices = scopes, {}
        if section not in self._slices:
            if section not in self._indexes:
                self._indexes[section] = self._index(self.table(section))
            self._slices[section] = self.cut(self._indexes[section], scopes)
        return self._slices[section]

    def cut(self, rows: DayIndex | pd.DataFrame, scopes: Scopes) -> Slices:
        """Return the rows of each of some scopes of a frame with ``day`` and ``district``."""
        index = self._index(rows) if isinstance(rows, pd.DataFrame) else rows
        districts = self._district_places([scope.district for scope in scopes])
        whole = np.array([scope.district is None for scope in scopes], dtype=bool)
        return index.cut(np.where(whole, WHOLE, districts), scopes.start, scopes.end)

    def rows(self, section: str, scope: Scope) -> pd.DataFrame:
        """Return the rows of a section that lie in a scope, in the order of its table."""
        found = self.slices(section, Scopes([scope]))
        return self.table(section).iloc[np.sort(found.row[found.low[0] : found.high[0]])]

    def table(self, section: str) -> pd.DataFrame:
        """Return a section, ``events`` or ``plans``, with ``day`` and ``district``."""
        frame: pd.DataFrame = getattr(self, section)
        return frame

    def _index(self, frame: pd.DataFrame) -> DayIndex:
        day = frame["day"].to_numpy(dtype="datetime64[D]").astype(np.int64)
        return DayIndex.of_table(self._district_places(frame["district"]), day)

    def _district_places(self, codes: pd.Series | list[str | None]) -> NDArray[np.int64]:
        """Return the place of each district in indexes of days; nowhere for what is none."""
        position = pd.Index(self.city.districts["code"]).get_indexer(pd.Index(codes, dtype=object))
        return np.where(position < 0, NOWHERE, position + 1)

    def has(self, section: str) -> bool:
        """Return whether any row of a section was ever stored."""
        return self.extent(section) is not None

    def extent(self, section: str) -> tuple[dt.date, dt.date] | None:
        """Return the first and the last local day that a section has rows of."""
        return self._extents.get(section)

    @property
    def extents(self) -> Mapping[str, tuple[dt.date, dt.date]]:
        """The first and the last local day of each section that has rows, and of incidents."""
        return self._extents

    @property
    def first_day(self) -> dt.date | None:
        """The first day that any row is about."""
        return min((first for first, _ in self._extents.values()), default=None)

    @property
    def newest_day(self) -> dt.date | None:
        """The last day that any row is about."""
        return max((last for _, last in self._extents.values()), default=None)

    @cached_property
    def metre_units(self) -> float:
        """Units of the city's reference system in a metre."""
        return 1.0 / float(self.city.districts.crs.axis_info[0].unit_conversion_factor)

    @cached_property
    def alerts(self) -> pd.DataFrame:
        """Alerts with the seconds and minutes between their clocks, and whether they are covered.

        ``holiday`` marks the 48 hours around the midnight that ends New Year's Eve and 4 July.
        """
        frame = timed_alerts(self._read("alerts", "triggered_ms"))
        frame["covered"] = self._covered(frame)
        for name in OUTCOMES:
            frame[name] = once_an_event(frame[name], frame["call"])
        return frame

    @cached_property
    def calls(self) -> pd.DataFrame:
        """911 calls with the minutes from received to arrived."""
        frame = timed_calls(self._read("calls", "received_ms"))
        frame["covered"] = self._covered(frame)
        return frame

    @cached_property
    def verified(self) -> pd.DataFrame:
        """Verified gunfire and what became of it.

        ``state`` is accurate, mislocated, not detected, or unknown where its alert is not stored.
        An alert with a verified place of its own counts too, where no row names it.
        """
        read = self._read("verified", "occurred_ms")
        frame = locate_verified(read, self.alerts, ACCURATE_M * self.metre_units)
        frame["counts"] = self._covered(frame) != 0  # where coverage is not known, all of it counts
        return frame

    @cached_property
    def linked(self) -> Events:
        """All alerts and calls, linked."""
        alerts, calls = self.reports
        return link_events(alerts, calls, LinkSpec(reach_units=LINK_METRES * self.metre_units))

    @cached_property
    def reports(self) -> tuple[Reports, Reports]:
        """Alerts and calls as the linking takes them."""
        alerts, calls = self.alerts, self.calls
        numbers = number_codes(alerts["call"].tolist(), calls["event"].tolist())
        return (
            Reports(ms=alerts["triggered_ms"].to_numpy(), **_xy(alerts), number=numbers[0]),
            Reports(ms=calls["received_ms"].to_numpy(), **_xy(calls), number=numbers[1]),
        )

    @cached_property
    def events(self) -> pd.DataFrame:
        """Linked events: day and district of the first alert, else of the first call."""
        return self.describe_events(self.linked)

    def describe_events(self, linked: Events) -> pd.DataFrame:
        """Return one row an event: kind, day, district, coverage, and whether it was confirmed."""
        frame = describe_events(linked, self.alerts, self.calls)
        frame["day"] = local_days(linked.first_ms, self.city.timezone).normalize()
        return frame

    @cached_property
    def visits(self) -> pd.DataFrame:
        """Visits with their minutes and the zone of the run in use that they lie in.

        ``zone`` is the zone's position in the run, -1 outside of all zones.
        """
        frame = self._read("visits", "start_ms")
        frame["minutes"] = minutes_between(frame["end_ms"], frame["start_ms"])
        zones = [] if self.run is None else list(self.run.zones.geometry)
        frame["zone"] = area_of(frame["x"].to_numpy(), frame["y"].to_numpy(), zones)
        return frame

    @cached_property
    def plans(self) -> pd.DataFrame:
        """Planned zone-shifts: ``planned`` and ``done`` visits, and whether it is ``known``.

        Of several versions of the plan of a shift the one stored last counts. What was done is not
        known of a shift that does not lie wholly in the days that visits were logged of; ``day`` is
        the local day on which the shift began.
        """
        visits = self.visits.sort_values("start_ms", kind="stable")
        extent = self.extent("visits")
        rows: list[tuple[int, str, int, int, bool]] = []
        shapes: dict[str, dict[str, BaseGeometry]] = {}
        for plan in plan_store.standing_plans(self._session, self.city.slug):
            if plan.run not in shapes:
                shapes[plan.run] = plan_store.zone_shapes(self._session, plan.run)
            judged = judge_shift(plan, shapes[plan.run], visits, extent, self.city.timezone)
            start, known = plan.shift_start_ms, judged.known
            rows += [(start, plan.district, z.planned, z.done, known) for z in judged.zones]
        frame = pd.DataFrame(rows, columns=["start_ms", "district", "planned", "done", "known"])
        local = local_days(frame["start_ms"].to_numpy(dtype=float), self.city.timezone)
        return frame.astype({"known": bool}).assign(day=local.normalize())

    @cached_property
    def actions(self) -> pd.DataFrame:
        """Actions that were done: district, ``day`` they were closed, ``days`` from made to closed.

        ``days`` is counted in the city's own days.
        """
        rows = actions.done_actions(self._session, self.city.id, self.until)
        frame = pd.DataFrame(rows, columns=["district", "created_at", "day"])
        made = pd.to_datetime(frame["created_at"]).dt.tz_localize("UTC")
        frame["day"] = pd.to_datetime(frame["day"])
        local = made.dt.tz_convert(self.city.timezone).dt.tz_localize(None).dt.normalize()
        frame["days"] = (frame["day"] - local) / DAY
        return frame

    @cached_property
    def occurrences(self) -> pd.DataFrame:
        """Dated points that count towards measures."""
        frame = self._read("occurrences")
        frame["day"] = pd.to_datetime(frame["date"])
        return frame

    @cached_property
    def counts(self) -> pd.DataFrame:
        """Totals; ``day`` is their first day and ``last`` their last."""
        frame = self._read("counts")
        frame["day"] = pd.to_datetime(frame["from"])
        frame["last"] = pd.to_datetime(frame["to"]) - DAY
        return frame

    @cached_property
    def run(self) -> RunRecord | None:
        """The run whose zones count, with its zones in use; nothing where no run is in use."""
        found = (
            runs_in_use.run_in_use(self._session, self.city)
            if self._run_id is None
            else zone_versions.get_run_in_use(self._session, self._run_id)
        )
        return None if found is None or found.period_to > self.until else found

    @cached_property
    def later(self) -> tuple[DayIndex, NDArray[np.bool_]]:
        """Incidents of the outcome of the run after its period, and which lie in its zones."""
        run = self.run
        if run is None:
            return DayIndex.of_table(*np.zeros((2, 0), dtype=np.int64)), np.zeros(0, dtype=bool)
        return self.incidents(run.outcome, run.period_to)

    def incidents(
        self, outcome: str, start: dt.date = dt.date.min
    ) -> tuple[DayIndex, NDArray[np.bool_]]:
        """Return the incidents of an outcome from a day on, and which lie in zones of the run.

        One entry for each incident in the study area and one for each in a district, where only
        the zones of the district count. The last that were requested are kept.
        """
        if self._incidents is None or self._incidents[0] != (outcome, start):
            self._incidents = (outcome, start), self._placed(outcome, start)
        return self._incidents[1]

    def _placed(self, outcome: str, start: dt.date) -> tuple[DayIndex, NDArray[np.bool_]]:
        city = self.city
        points = incident_points(self._session, city.id, outcome, start, max(self.until, start))
        x, y = points.geometry.x.to_numpy(), points.geometry.y.to_numpy()
        days = np.array(list(points["occurred_on"]), dtype="datetime64[D]").astype(np.int64)
        row, place, hit = [], [], []
        zones = None if self.run is None else self.run.zones
        codes = (None, *city.districts["code"])
        shapes = (city.study_area, *city.districts.geometry)
        for number, (code, shape) in enumerate(zip(codes, shapes, strict=True)):
            inside = np.flatnonzero(area_of(x, y, [shape]) == 0)
            row.append(inside)
            place.append(np.full(len(inside), number, dtype=np.int64))
            own = zones if zones is None or code is None else zones[zones["district"] == code]
            drawn = [] if own is None else list(own.geometry)
            hit.append(area_of(x[inside], y[inside], drawn) >= 0)
        entry = np.concatenate(row)
        index = DayIndex(np.arange(len(entry)), np.concatenate(place), days[entry])
        return index, np.concatenate(hit)

    def _read(self, section: str, clock: str | None = None) -> pd.DataFrame:
        table = TABLES[section]
        wanted = [c for c in table.columns if c.name not in UNUSED]
        mine = table.c.city_id + 0 == self.city.id  # all rows of few cities: no index is faster
        mine &= self.old_enough(section)
        frame = read_frame(self._session, select(*wanted).where(mine).order_by(table.c.id))
        if clock is not None:
            local = local_days(frame[clock].to_numpy(), self.city.timezone)
            frame["local"], frame["day"] = local, local.normalize()
        return frame

    @cached_property
    def _extents(self) -> dict[str, tuple[dt.date, dt.date]]:
        found = {}
        for section, table in TABLES.items():
            first = table.c["from" if section == "counts" else WHEN[section]]
            mine = (table.c.city_id == self.city.id) & self.old_enough(section)
            low, high = self._session.execute(
                select(func.min(first), func.max(table.c[WHEN[section]])).where(mine)
            ).one()
            if low is None:
                continue
            if section in CLOCKS:
                days = local_days(np.array([low, high], dtype=float), self.city.timezone)
                low, high = (day.date() for day in days)
            elif section == "counts":
                high -= dt.timedelta(days=1)
            found[section] = (low, high)
        if self.city.period is not None and self.city.period[0] < self.until:
            first_day, last_day = self.city.period
            found["incidents"] = (first_day, min(last_day, self.until - dt.timedelta(days=1)))
        return found

    def old_enough(self, section: str) -> ColumnElement[bool]:
        """Choose the rows of a section that are about no day that may not be reported of."""
        column = TABLES[section].c[WHEN[section]]
        if self.until == dt.date.max:
            return true()
        if section in CLOCKS:
            return column < pd.Timestamp(self.until, tz=self.city.timezone).timestamp() * 1000
        return column <= self.until if section == "counts" else column < self.until

    def _covered(self, frame: pd.DataFrame) -> Floats:
        return covered(frame["x"].to_numpy(), frame["y"].to_numpy(), self.city.coverage)


def _xy(frame: pd.DataFrame) -> dict[str, Floats]:
    return {"x": frame["x"].to_numpy(), "y": frame["y"].to_numpy()}
