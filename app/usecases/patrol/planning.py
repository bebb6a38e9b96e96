"""Plan the patrols of a shift, and keep every version of the plan."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import json
import zoneinfo
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from app.i18n import patrol_words as planning_words
from app.usecases.risk.fit import code_version, require_districts
from geodata.clock import utc_now
from geodata.errors import DataError
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
    from collections.abc import Callable, Sequence

    import geopandas as gpd
    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

    from geodata.db.engine import Database
    from geodata.repositories.cities import CityRecord
    from geodata.repositories.runs import Edited, RunRecord
    from spatial.patrol.plan import PatrolPlan, UnitPlan

    Progress = Callable[[str, int, int], None]
    Moment = tuple[dt.datetime, dt.datetime]

MONDAY = dt.datetime(1970, 1, 5)  # hours of the week are counted from the midnight of a Monday
BREAK_MIN, BREAK_FROM_MIN = 30, 6 * 60  # a break of the first in shifts of at least the second
AROUND_M = 1_500.0  # streets so far outside of a district may still be the shortest way
MEETING_M = 1.0  # street ends no farther apart meet
UNKNOWN = "unknown"  # who stored a plan, where nobody is named
SYNTHETIC = "Synthetic data: this city does not exist."


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PinAsk:
    """A visit that is fixed: ``unit`` counts from 1, ``start`` is local."""

    unit: int
    zone: str
    start: dt.datetime


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
            raise DataError(msg)


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
            raise DataError(msg)
        return cls(start, minutes, timezone)

    def at(self, minute: int) -> str:
        """Return the local time of a minute of the shift."""
        moment = self.start + dt.timedelta(minutes=minute)
        local = moment.astimezone(zoneinfo.ZoneInfo(self.timezone))
        return local.replace(tzinfo=None).isoformat(timespec="minutes")

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


def _describe(plan: PlanRecord) -> dict[str, Any]:
    """Say for the audit what a plan is for; no place of it."""
    start, end = plan.document["shift"]
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
    wanted = plan.document["asked"]
    return PlanRequest(
        city=plan.city,
        district=plan.district,
        run=plan.run,
        shift=_moments(plan.document["shift"]),
        units=wanted["units"],
        minutes=wanted["minutes"],
        seed=plan.seed,
        break_minutes=wanted["break_minutes"],
        pins=tuple(
            PinAsk(
                unit=pin["unit"],
                zone=pin["zone"],
                start=dt.datetime.fromisoformat(pin["start"]),
            )
            for pin in wanted["pins"]
        ),
        dropped=tuple(wanted["dropped"]),
        limit_s=wanted["limit_seconds"],
        travel=TravelSpec(speed_kmh=wanted["speed_kmh"], detour=wanted["detour"]),
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
        PinAsk(unit=one[0], zone=second["zone"], start=dt.datetime.fromisoformat(first["start"])),
        PinAsk(unit=two[0], zone=first["zone"], start=dt.datetime.fromisoformat(second["start"])),
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
        raise DataError(msg) from error
    moment = dt.datetime.combine(shift[0].date(), time)
    return moment if moment >= shift[0] else moment + dt.timedelta(days=1)


def _visit_of(plan: PlanRecord, unit: int, clock: str) -> dict[str, Any]:
    wanted = moment_of(_moments(plan.document["shift"]), clock).isoformat(timespec="minutes")
    units = plan.document["units"]
    visits = units[unit - 1]["visits"] if 1 <= unit <= len(units) else []
    for visit in visits:
        if visit["start"] == wanted:
            return dict(visit)
    known = ", ".join(visit["start"][11:] for visit in visits) or "none"
    msg = f"plan {plan.id} has no visit of unit {unit} at {clock}; its visits start at {known}"
    raise DataError(msg)


def _moments(texts: Sequence[str]) -> tuple[dt.datetime, dt.datetime]:
    start, end = (dt.datetime.fromisoformat(text) for text in texts)
    return start, end


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class _Task:
    """Everything that decides a plan, read and checked."""

    asked: PlanRequest
    city: CityRecord
    zones: gpd.GeoDataFrame
    edited: Edited | None
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
            raise DataError(msg)
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

    def document(self, plan: PatrolPlan, version: int) -> dict[str, Any]:
        """Describe the plan as ``plan`` prints it."""
        wanted = self.asked
        names = list(self.zones["id"])
        return {
            "plan": self.id,
            "version": version,
            "parent": wanted.parent,
            "city": wanted.city,
            "district": wanted.district,
            "run": wanted.run,
            "edited": self.edited.as_json() if self.edited else None,
            "shift": [moment.isoformat(timespec="minutes") for moment in wanted.shift],
            "timezone": self.clock.timezone,
            "units": [
                self._unit(number, unit, names) for number, unit in enumerate(plan.units, start=1)
            ],
            "zones": self._zones(plan, names),
            "seed": wanted.seed,
            "asked": self._asked(),
            "visits": plan.total.visits,
            "travel_minutes": plan.total.travel_min,
            "travel_by": "streets" if self.by_streets else "straight lines",
            "worth": plan.total.worth,
            "bound": plan.bound,
            "gap": plan.gap,
            "greedy": dataclasses.asdict(plan.greedy),
            "capacity": plan.capacity,
            "units_for_rule": plan.units_for_rule,
            "finished": plan.finished,
            "gave_way": self._gave_way(plan, names),
            "incidents": self.incidents,
            "incidents_without_time": self.without_time,
            "warnings": self._warnings(plan),
        }

    def _zones(self, plan: PatrolPlan, names: Sequence[str]) -> list[dict[str, Any]]:
        return [
            {
                "zone": names[position],
                "rank": int(self.zones["rank"].iloc[position]),
                "visits": zone.visits,
                "target": zone.target,
                "longest_gap_minutes": zone.longest_gap_min,
                "expected": zone.expected,
                "dropped": position in self.dropped,
            }
            for position, zone in enumerate(plan.zones)
        ]

    def _gave_way(self, plan: PatrolPlan, names: Sequence[str]) -> list[dict[str, Any]]:
        ranks = self.zones["rank"].tolist()
        return [
            {
                "kind": found.kind,
                "zones": [names[zone] for zone in found.zones],
                "words": planning_words.gave_way(found, plan, self.spec, ranks),
            }
            for found in plan.gave_way
        ]

    def _asked(self) -> dict[str, Any]:
        """Tell what was requested, so that another version can start from it."""
        wanted, spec = self.asked, self.spec
        return {
            "units": wanted.units,
            "minutes": wanted.minutes,
            "break_minutes": spec.break_min,
            "gap_minutes": spec.gap_min,
            "pins": [
                {
                    "unit": pin.unit,
                    "zone": pin.zone,
                    "start": pin.start.isoformat(timespec="minutes"),
                }
                for pin in wanted.pins
            ],
            "dropped": list(wanted.dropped),
            "limit_seconds": wanted.limit_s,
            "speed_kmh": wanted.travel.speed_kmh,
            "detour": wanted.travel.detour,
        }

    def _unit(self, number: int, unit: UnitPlan, names: Sequence[str]) -> dict[str, Any]:
        at = self.clock.at
        rest = unit.break_min
        return {
            "unit": str(number),
            "visits": [
                {
                    "zone": names[visit.zone],
                    "start": at(visit.start_min),
                    "end": at(visit.end_min),
                    "start_ms": self.clock.ms(visit.start_min),
                    "pinned": visit.pinned,
                }
                for visit in unit.visits
            ],
            "travel_minutes": unit.travel_min,
            "break": None if rest is None else [at(rest), at(rest + self.spec.break_min)],
            "break_ms": None if rest is None else self.clock.ms(rest),
        }

    def _warnings(self, plan: PatrolPlan) -> list[str]:
        found = [SYNTHETIC] if self.city.synthetic else []
        if not plan.finished:
            found.append(
                f"the search was ended after {self.asked.limit_s:g} seconds; another run may give "
                "another plan: allow more with --limit"
            )
        if not self.by_streets:
            found.append(
                "no street joins the zones: travel is taken along straight lines times "
                f"{self.asked.travel.detour:g}"
            )
        if self.incidents and self.without_time == self.incidents:
            found.append("no incident has a time of day: every hour of a day is taken to be alike")
        return found


def _require(run: RunRecord, city: CityRecord, district: str) -> None:
    if run.city != city.slug:
        msg = (
            f"run {run.id} is of {run.city}, not of {city.slug}; list the runs of a city with: "
            f"saferground runs {city.slug}"
        )
        raise DataError(msg)
    require_districts(city, [district])
    with_zones = sorted(set(run.zones["district"]))
    if district not in with_zones:
        there = ", ".join(with_zones) or "no district: it has none"
        msg = f"run {run.id} has no zone in district {district}; its zones are in {there}"
        raise DataError(msg)


def _position(zones: gpd.GeoDataFrame, zone: str) -> int:
    """Find a zone of the district by its id or by its rank."""
    for position, (code, rank) in enumerate(zip(zones["id"], zones["rank"], strict=True)):
        if zone in (code, str(rank)):
            return position
    msg = f"the district has no zone {zone!r} in this run; its zones are {', '.join(zones['id'])}"
    raise DataError(msg)


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
