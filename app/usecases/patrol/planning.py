"""Plan the patrols of a shift, and keep every version of the plan."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import json
import zoneinfo
from typing import TYPE_CHECKING

import numpy as np
import shapely

from app.usecases.risk.fit import code_version, require_districts
from geodata.clock import utc_now
from geodata.errors import DataError
from geodata.plan_document import (
    STRAIGHT,
    STREETS,
    PinAsk,
    PlanDocument,
    PlanSettings,
    PlanUnit,
    PlanVisit,
    PlanZone,
    with_notes,
)
from geodata.repositories import audit, cities, incidents, layers, patrol_plans, zone_versions
from geodata.repositories.patrol_plans import PlanRecord
from spatial.grid import area_of
from spatial.patrol.allocation import LONGEST_SHIFT_MIN, PlanSpec
from spatial.patrol.demand import aoristic, expected_in_shift, shift_hours
from spatial.patrol.plan import plan_visits
from spatial.patrol.routing import Pin
from spatial.patrol.travel import TravelSpec, travel_minutes, travel_units
from spatial.streets import street_network

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import geopandas as gpd
    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

    from geodata.db.engine import Database
    from geodata.repositories.cities import CityRecord
    from geodata.repositories.runs import RunRecord
    from geodata.stored_documents import EditionUsed
    from spatial.patrol.plan import PatrolPlan, UnitPlan

    Progress = Callable[[str, int, int], None]
    Moment = tuple[dt.datetime, dt.datetime]

MONDAY = dt.datetime(1970, 1, 5)  # hours of the week are counted from the midnight of a Monday
BREAK_MIN, BREAK_FROM_MIN = 30, 6 * 60  # a break of the first in shifts of at least the second
AROUND_M = 1_500.0  # streets so far outside of a district may still be the shortest way
MEETING_M = 1.0  # street ends no farther apart meet


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PlanRequest:
    """What is asked of a plan.

    Parameters
    ----------
    city, district, run
        Whose zones.
    shift
        Start and end, local times without a zone.
    units, minutes, seed
        How many units, how long a visit, and what decides the draws.
    break_minutes
        Of each unit, 0 for none; left out: 30 in shifts of six hours or more.
    pins, dropped
        Visits that are fixed, and zones that get none.
    limit_s
        The search ends after this many seconds.
    travel
        Speed and detour.
    parent
        The plan that this one changes.
    """

    city: str
    district: str
    run: str
    shift: tuple[dt.datetime, dt.datetime]
    units: int
    minutes: int = 15
    seed: int = 1
    break_minutes: int | None = None
    pins: tuple[PinAsk, ...] = ()
    dropped: tuple[str, ...] = ()
    limit_s: float = 8.0
    travel: TravelSpec = dataclasses.field(default_factory=TravelSpec)
    parent: str | None = None

    def __post_init__(self) -> None:
        start, end = self.shift
        if end <= start:
            msg = (
                f"the shift ends at {end:%Y-%m-%dT%H:%M}, not after its start at "
                f"{start:%Y-%m-%dT%H:%M}; past midnight the end has the next day's date"
            )
            raise DataError(msg, code="shift_order")


@dataclasses.dataclass(frozen=True, slots=True)
class Clock:
    """Minutes of a shift and local times; minutes are real ones, also when clocks change."""

    start: dt.datetime
    minutes: int
    timezone: str

    @classmethod
    def of(cls, shift: tuple[dt.datetime, dt.datetime], timezone: str) -> Clock:
        """Lay a shift over the city's clock.

        Raises
        ------
        DataError
            If it is longer than 24 hours.
        """
        zone = zoneinfo.ZoneInfo(timezone)
        start, end = (moment.replace(tzinfo=zone).astimezone(dt.UTC) for moment in shift)
        minutes = int((end - start).total_seconds() // 60)
        if not 0 < minutes <= LONGEST_SHIFT_MIN:
            msg = f"the shift lasts {minutes / 60:g} hours; cut it into shifts of up to 24 hours"
            raise DataError(msg, code="shift_too_long")
        return cls(start, minutes, timezone)

    def at(self, minute: int) -> dt.datetime:
        """Return the local time of a minute of the shift, without its zone."""
        moment = self.start + dt.timedelta(minutes=minute)
        local = moment.astimezone(zoneinfo.ZoneInfo(self.timezone))
        return local.replace(tzinfo=None, fold=0)  # as a stored text has it

    def minute(self, moment: dt.datetime) -> int:
        """Return the minute of the shift of a local time."""
        aware = moment.replace(tzinfo=zoneinfo.ZoneInfo(self.timezone))
        return int((aware.astimezone(dt.UTC) - self.start).total_seconds() // 60)

    def ms(self, minute: int) -> int:
        """Return a minute of the shift in milliseconds since 1970 UTC."""
        return int(self.start.timestamp() * 1000) + minute * 60_000


def make_plan(
    database: Database,
    request: PlanRequest,
    *,
    save: bool = True,
    created_by: str | None = None,
    progress: Progress | None = None,
) -> PlanRecord:
    """Plan a shift, and store the plan unless the same one is stored already.

    A plan's id is a digest of everything that decides it: requested the same of the same data, the
    stored plan is given back. A plan that is stored stands in the audit, as of ``created_by``.

    Raises
    ------
    NotStoredError
        If the city, the run or the plan that is changed is not stored.
    DataError
        If the run is another city's, the district is not the city's or has no zone, a pin or a
        dropped zone is not the district's, or the shift is too long.
    DosageError
        If numbers are out of bounds or pins cannot be kept.
    """
    tell = progress or (lambda _stage, _done, _total: None)
    tell("reading", 0, 1)
    with database.session() as session:
        task = _Task.load(session, request)
        version = (
            1
            if request.parent is None
            else patrol_plans.get_plan(session, request.parent).version + 1
        )
        stored = patrol_plans.find_plan(session, task.id)
    if stored is not None:
        return stored
    tell("planning", 0, 1)
    found = plan_visits(task.expected, task.travel, task.spec, pins=task.pins, dropped=task.dropped)
    record = PlanRecord(
        id=task.id,
        city=request.city,
        run=request.run,
        district=request.district,
        shift_start_ms=task.clock.ms(0),
        shift_end_ms=task.clock.ms(task.clock.minutes),
        seed=request.seed,
        version=version,
        parent=request.parent,
        document=task.document(found, version),
        created_at=utc_now(),
        created_by=created_by,
    )
    if save:
        with database.session(write=True) as session:
            if patrol_plans.find_plan(session, record.id) is None:
                patrol_plans.save_plan(session, record)
                audit.record(session, created_by or "", "plan.store", record.id, _describe(record))
    return record


def _describe(plan: PlanRecord) -> dict[str, str | int | None]:
    """Say for the audit what a plan is for; no place of it."""
    start, end = (moment.isoformat(timespec="minutes") for moment in plan.document.shift)
    return {
        "city": plan.city,
        "run": plan.run,
        "district": plan.district,
        "from": start,
        "to": end,
        "version": plan.version,
        "parent": plan.parent,
    }


def request_of(plan: PlanRecord) -> PlanRequest:
    """Return what was requested a stored plan, as the start of another version of it."""
    wanted = plan.document.asked
    return PlanRequest(
        city=plan.city,
        district=plan.district,
        run=plan.run,
        shift=plan.document.shift,
        units=wanted.units,
        minutes=wanted.minutes,
        seed=plan.seed,
        break_minutes=wanted.break_minutes,
        pins=wanted.pins,
        dropped=wanted.dropped,
        limit_s=wanted.limit_seconds,
        travel=TravelSpec(speed_kmh=wanted.speed_kmh, detour=wanted.detour),
        parent=plan.id,
    )


def swapped(plan: PlanRecord, one: tuple[int, str], two: tuple[int, str]) -> tuple[PinAsk, ...]:
    """Exchange the zones of two visits of a plan, each named by unit and local time of day.

    Returns
    -------
    The two visits as pins.

    Raises
    ------
    DataError
        If the plan has no such visit.
    """
    first, second = (_visit_of(plan, unit, clock) for unit, clock in (one, two))
    return (
        PinAsk(unit=one[0], zone=second.zone, start=first.start),
        PinAsk(unit=two[0], zone=first.zone, start=second.start),
    )


def moment_of(shift: tuple[dt.datetime, dt.datetime], clock: str) -> dt.datetime:
    """Read a time of day within a shift, or a whole local moment.

    Raises
    ------
    DataError
        If it is neither.
    """
    try:
        if "T" in clock:
            return dt.datetime.fromisoformat(clock).replace(tzinfo=None)
        time = dt.time.fromisoformat(clock)
    except ValueError as error:
        msg = f"{clock!r} is no time; write 19:30 or 2026-01-05T19:30"
        raise DataError(msg, code="time_format") from error
    moment = dt.datetime.combine(shift[0].date(), time)
    return moment if moment >= shift[0] else moment + dt.timedelta(days=1)


def _visit_of(plan: PlanRecord, unit: int, clock: str) -> PlanVisit:
    wanted = moment_of(plan.document.shift, clock)
    units = plan.document.units
    visits = units[unit - 1].visits if 1 <= unit <= len(units) else ()
    for visit in visits:
        if visit.start == wanted:
            return visit
    known = ", ".join(f"{visit.start:%H:%M}" for visit in visits) or "none"
    msg = f"plan {plan.id} has no visit of unit {unit} at {clock}; its visits start at {known}"
    raise DataError(msg, code="unknown_visit")


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class _Task:
    """Everything that decides a plan, read and checked."""

    asked: PlanRequest
    city: CityRecord
    zones: gpd.GeoDataFrame
    edited: EditionUsed | None
    clock: Clock
    spec: PlanSpec
    expected: NDArray[np.float64]
    travel: NDArray[np.int64]
    by_streets: bool
    incidents: int
    without_time: int
    pins: tuple[Pin, ...]
    dropped: tuple[int, ...]

    @classmethod
    def load(cls, session: Session, request: PlanRequest) -> _Task:
        city = cities.get_city(session, request.city)
        run = zone_versions.get_run_in_use(session, request.run)
        _require(run, city, request.district)
        zones = run.zones[run.zones["district"] == request.district].reset_index(drop=True)
        clock = Clock.of(request.shift, city.timezone)
        spec = PlanSpec(
            shift_min=clock.minutes,
            units=request.units,
            visit_min=request.minutes,
            break_min=_break_min(request, clock.minutes),
            seed=request.seed,
            limit_s=request.limit_s,
        )
        moments = incidents.incident_moments(
            session, city.id, run.outcome, run.period_from, run.period_to
        )
        travel, by_streets = _travel(session, city, zones, request)
        pinned = [_position(zones, pin.zone) for pin in request.pins]
        dropped = tuple(sorted({_position(zones, zone) for zone in request.dropped}))
        if both := sorted(set(pinned) & set(dropped)):
            msg = f"{zones['id'].iloc[both[0]]} is both pinned and dropped; choose one"
            raise DataError(msg, code="pinned_and_dropped")
        return cls(
            asked=request,
            city=city,
            zones=zones,
            edited=run.edited,
            clock=clock,
            spec=spec,
            expected=_expected(run, moments, request)[run.zones["district"] == request.district],
            travel=travel,
            by_streets=by_streets,
            incidents=len(moments),
            without_time=int(moments["occurred_time"].isna().sum()),
            pins=tuple(
                Pin(unit=pin.unit - 1, zone=zone, start_min=clock.minute(pin.start))
                for pin, zone in zip(request.pins, pinned, strict=True)
            ),
            dropped=dropped,
        )

    @property
    def id(self) -> str:
        """Digest of everything that decides the plan."""
        decisive = {
            "asked": dataclasses.asdict(self.asked),
            "zones": list(self.zones["id"]),
            "expected": [round(float(value), 9) for value in self.expected],
            "travel": self.travel.tolist(),
            "code": code_version(),
        }
        result = json.dumps(decisive, sort_keys=True, default=str)
        return hashlib.sha256(result.encode()).hexdigest()[:12]

    def document(self, plan: PatrolPlan, version: int) -> PlanDocument:
        """Describe the plan, with what must be known of it."""
        wanted, names = self.asked, list(self.zones["id"])
        document = PlanDocument(
            plan=self.id,
            version=version,
            parent=wanted.parent,
            city=wanted.city,
            district=wanted.district,
            run=wanted.run,
            edited=self.edited,
            shift=wanted.shift,
            timezone=self.clock.timezone,
            units=tuple(
                self._unit(number, unit, names) for number, unit in enumerate(plan.units, start=1)
            ),
            zones=tuple(self._zones(plan, names)),
            seed=wanted.seed,
            asked=self._settings(),
            visits=plan.total.visits,
            travel_minutes=plan.total.travel_min,
            travel_by=STREETS if self.by_streets else STRAIGHT,
            worth=plan.total.worth,
            bound=plan.bound,
            gap=plan.gap,
            greedy=plan.greedy,
            capacity=plan.capacity,
            units_for_rule=plan.units_for_rule,
            finished=plan.finished,
            incidents=self.incidents,
            incidents_without_time=self.without_time,
            synthetic=self.city.synthetic,
        )
        gave_way: dict[str, tuple[str, ...]] = {
            one.kind: tuple(names[zone] for zone in one.zones) for one in plan.gave_way
        }
        return with_notes(document, gave_way)

    def _zones(self, plan: PatrolPlan, names: Sequence[str]) -> Iterator[PlanZone]:
        for position, zone in enumerate(plan.zones):
            yield PlanZone(
                zone=names[position],
                rank=int(self.zones["rank"].iloc[position]),
                visits=zone.visits,
                target=zone.target,
                longest_gap_minutes=zone.longest_gap_min,
                expected=zone.expected,
                dropped=position in self.dropped,
            )

    def _settings(self) -> PlanSettings:
        wanted, spec = self.asked, self.spec
        return PlanSettings(
            units=wanted.units,
            minutes=wanted.minutes,
            break_minutes=spec.break_min,
            gap_minutes=spec.gap_min,
            pins=wanted.pins,
            dropped=wanted.dropped,
            limit_seconds=wanted.limit_s,
            speed_kmh=wanted.travel.speed_kmh,
            detour=wanted.travel.detour,
        )

    def _unit(self, number: int, unit: UnitPlan, names: Sequence[str]) -> PlanUnit:
        at, rest = self.clock.at, unit.break_min
        return PlanUnit(
            unit=str(number),
            visits=tuple(
                PlanVisit(
                    zone=names[visit.zone],
                    start=at(visit.start_min),
                    end=at(visit.end_min),
                    start_ms=self.clock.ms(visit.start_min),
                    pinned=visit.pinned,
                )
                for visit in unit.visits
            ),
            travel_minutes=unit.travel_min,
            rest=None if rest is None else (at(rest), at(rest + self.spec.break_min)),
            break_ms=None if rest is None else self.clock.ms(rest),
        )


def _require(run: RunRecord, city: CityRecord, district: str) -> None:
    if run.city != city.slug:
        msg = (
            f"run {run.id} is of {run.city}, not of {city.slug}; list the runs of a city with: "
            f"saferground runs {city.slug}"
        )
        raise DataError(msg, code="run_of_another_city")
    require_districts(city, [district])
    with_zones = sorted(set(run.zones["district"]))
    if district not in with_zones:
        there = ", ".join(with_zones) or "no district: it has none"
        msg = f"run {run.id} has no zone in district {district}; its zones are in {there}"
        raise DataError(msg, code="no_zone_in_district")


def _position(zones: gpd.GeoDataFrame, zone: str) -> int:
    """Find a zone of the district by its id or by its rank."""
    for position, (code, rank) in enumerate(zip(zones["id"], zones["rank"], strict=True)):
        if zone in (code, str(rank)):
            return position
    msg = f"the district has no zone {zone!r} in this run; its zones are {', '.join(zones['id'])}"
    raise DataError(msg, code="unknown_zone")


def _break_min(request: PlanRequest, shift_min: int) -> int:
    if request.break_minutes is not None:
        return request.break_minutes
    return BREAK_MIN if shift_min >= BREAK_FROM_MIN else 0


def _expected(
    run: RunRecord, moments: gpd.GeoDataFrame, request: PlanRequest
) -> NDArray[np.float64]:
    """Expect incidents of every zone of the run in the shift."""
    weeks = (run.period_to - run.period_from).days / 7
    start = [
        (dt.datetime.combine(day, time or dt.time.min) - MONDAY) / dt.timedelta(hours=1)
        for day, time in zip(moments["occurred_on"], moments["occurred_time"], strict=True)
    ]
    earliest = np.array(start, dtype=np.float64)
    known = moments["occurred_time"].notna().to_numpy(dtype=bool)
    weights = aoristic(earliest, np.where(known, earliest, earliest + 24.0))
    place = area_of(
        moments.geometry.x.to_numpy(dtype=float),
        moments.geometry.y.to_numpy(dtype=float),
        list(run.zones.geometry),
    ).astype(np.int64)
    begin, end = request.shift
    covered = shift_hours(
        (begin - MONDAY) / dt.timedelta(hours=1), int((end - begin).total_seconds() // 60)
    )
    rate = run.zones["expected"].to_numpy(dtype=float) / weeks
    return expected_in_shift(rate, weights, place, covered)


def _travel(
    session: Session, city: CityRecord, zones: gpd.GeoDataFrame, request: PlanRequest
) -> tuple[NDArray[np.int64], bool]:
    """Return the minutes from zone to zone, and whether they are along streets."""
    metres = float(city.districts.crs.axis_info[0].unit_conversion_factor)
    base = layers.base_shapes(session, city.id)
    spots = shapely.get_coordinates(zones.geometry.representative_point().array)
    around = shapely.box(*zones.total_bounds).buffer(AROUND_M / metres)
    streets = base.geometry[(base["kind"] == "street") & base.intersects(around)]
    network = street_network(list(streets), MEETING_M / metres)
    length = travel_units(spots, network, request.travel.detour)
    return travel_minutes(length, metres, request.travel), network is not None
