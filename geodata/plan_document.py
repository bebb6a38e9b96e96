"""The document of a patrol plan: what is worked out, stored, and read by pages, files and commands.

:func:`read_plan` reads it back. Version 1 stored sentences beside the figures they were made of; it
is read by leaving these sentences out and making codes of the figures.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from operator import itemgetter
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from geodata.documents import from_json
from geodata.stored_documents import EditionUsed, Minute, Note
from spatial.patrol.plan import Sum

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Mapping

    from geodata.stored_documents import Parameter

STREETS, STRAIGHT = "streets", "straight lines"
# What version 1 said of a synthetic city; nothing else in its document says so.
SYNTHETIC_1 = "Synthetic data: this city does not exist."


@dataclass(frozen=True, slots=True, kw_only=True)
class PinAsk:
    """A visit that is fixed: ``unit`` counts from 1, ``start`` is local."""

    unit: int
    zone: str
    start: Minute


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanVisit:
    """A visit of a unit: local start and end, and the start in milliseconds since 1970 UTC."""

    zone: str
    start: Minute
    end: Minute
    start_ms: int
    pinned: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanUnit:
    """The order of a unit and its break, local times; ``break_ms`` is its start since 1970 UTC."""

    unit: str
    visits: tuple[PlanVisit, ...]
    travel_minutes: int
    rest: Annotated[tuple[Minute, Minute] | None, Field(alias="break")]
    break_ms: int | None

    @property
    def lines(self) -> list[tuple[dt.datetime, dt.datetime, PlanVisit | None]]:
        """Start and end of each visit, and of the break, which has no visit; in order."""
        found: list[tuple[dt.datetime, dt.datetime, PlanVisit | None]] = [
            (visit.start, visit.end, visit) for visit in self.visits
        ]
        return sorted([*found, *([(*self.rest, None)] if self.rest else [])], key=itemgetter(0, 1))

    def key(self, visit: PlanVisit) -> str:
        """Return what names a visit in forms: its unit and its local start."""
        return f"{self.unit}|{visit.start:%Y-%m-%dT%H:%M}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanZone:
    """What a zone gets: visits beside its share, its longest wait, incidents expected there."""

    zone: str
    rank: int
    visits: int
    target: int
    longest_gap_minutes: int
    expected: float
    dropped: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanSettings:
    """What was requested of a plan, so that another version can start from it."""

    units: int
    minutes: int
    break_minutes: int
    gap_minutes: int
    pins: tuple[PinAsk, ...]
    dropped: tuple[str, ...]
    limit_seconds: float
    speed_kmh: float
    detour: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanDocument:
    """A plan of a shift: who goes where and when, what each zone gets, and what gave way.

    ``worth`` is at most ``bound``, ``gap`` the share between them; ``greedy`` is the rule alone.
    ``gave_way`` says what could not be had (``unvisited``, ``fewer``, ``gaps``) and where.
    """

    plan: str
    version: int
    parent: str | None
    city: str
    district: str
    run: str
    edited: EditionUsed | None = None  # plans of before zones were edited have none
    shift: tuple[Minute, Minute]
    timezone: str
    units: tuple[PlanUnit, ...]
    zones: tuple[PlanZone, ...]
    seed: int
    asked: PlanSettings
    visits: int
    travel_minutes: int
    travel_by: str
    worth: float
    bound: float
    gap: float
    greedy: Sum
    capacity: int
    units_for_rule: int
    finished: bool
    gave_way: tuple[Note, ...] = ()
    incidents: int
    incidents_without_time: int
    warnings: tuple[Note, ...] = ()
    synthetic: bool
    form: Literal[2] = 2

    @property
    def ranks(self) -> dict[str, int]:
        """The rank of each zone, by which it is called."""
        return {zone.zone: zone.rank for zone in self.zones}


def with_notes(document: PlanDocument, gave_way: Mapping[str, tuple[str, ...]]) -> PlanDocument:
    """Return a plan with what must be known of it; ``gave_way`` has zones by kind."""
    return replace(
        document,
        gave_way=tuple(Note(kind, _short(document, kind, gave_way[kind])) for kind in gave_way),
        warnings=tuple(_warnings(document)),
    )


def _short(document: PlanDocument, kind: str, zones: tuple[str, ...]) -> dict[str, Parameter]:
    """Return what could not be had in some zones, and what would help."""
    found = [zone for zone in document.zones if zone.zone in zones]
    where: dict[str, Parameter] = {
        "zones": zones,
        "ranks": tuple(str(document.ranks[zone]) for zone in zones),
        "of": len(document.zones),
    }
    if kind == "fewer":
        return where | {"missing": sum(zone.target - zone.visits for zone in found)}
    longest = max(zone.longest_gap_minutes for zone in found)
    return where | {
        "units": document.asked.units,
        "minutes": document.asked.minutes,
        "gap_minutes": document.asked.gap_minutes,
        "capacity": document.capacity,
        "units_for_rule": document.units_for_rule,
        **({"longest": longest} if kind == "gaps" else {}),
    }


def _warnings(document: PlanDocument) -> Iterator[Note]:
    if document.synthetic:
        yield Note("synthetic")
    if not document.finished:
        yield Note("search_ended", {"limit_seconds": document.asked.limit_seconds})
    if document.travel_by != STREETS:
        yield Note("straight_lines", {"detour": document.asked.detour})
    if document.incidents and document.incidents_without_time == document.incidents:
        yield Note("no_time_of_day")


def read_plan(stored: Mapping[str, Any]) -> PlanDocument:
    """Read a stored plan, of this version or of version 1.

    Raises
    ------
    DataError
        If another version wrote it.
    """
    earlier = "form" not in stored
    content = dict(stored)
    if earlier:
        content |= {"synthetic": SYNTHETIC_1 in stored.get("warnings", ())}
        content |= {"gave_way": (), "warnings": ()}
    remedy = "plan the shift again"
    document = from_json(PlanDocument, content, f"plan {stored.get('plan')}", remedy)
    if not earlier:
        return document
    return with_notes(
        document, {one["kind"]: tuple(one["zones"]) for one in stored.get("gave_way", ())}
    )
