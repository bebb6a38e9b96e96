"""What pages about patrol plans show, as typed values: a plan, its timeline, what changed."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.admin.layout import moment
from app.command.plan_parts import ranks_of
from app.command.shifts import shift_words
from app.i18n import numbers
from app.i18n.patrol_words import quality
from app.usecases.patrol.planning import Clock

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from geodata.repositories.patrol_plans import PlanRecord

    Document = Mapping[str, Any]

WIDE, LEFT, RIGHT, ROW, HEAD = 1000.0, 64.0, 12.0, 40.0, 26.0
BAR = 24.0
FIGURES: tuple[str, ...] = (
    "Units",
    "Minutes of a visit",
    "Break",
    "Seed",
    "Fixed visits",
    "Zones left out",
    "Visits",
    "Minutes of travel",
    "What gave way",
)
FEW_HOURS = 13  # beyond so many hours every second one is named


@dataclass(frozen=True, kw_only=True)
class PlanRow:
    """One shift in the list of plans: the version that stands."""

    id: str
    when: str
    version: int
    versions: int
    units: int
    visits: int
    travel: int
    gave_way: int
    made: str
    by: str
    state: str


@dataclass(frozen=True, kw_only=True)
class TimelineBar:
    """A visit or a break on the timeline; ``kind`` is stop, fixed or rest."""

    x: float
    width: float
    name: str
    title: str
    kind: str

    @property
    def middle(self) -> float:
        """Where its name stands."""
        return self.x + self.width / 2


@dataclass(frozen=True, kw_only=True)
class Track:
    """A unit on the timeline; ``way`` is from its first to its last visit."""

    name: str
    y: float
    bars: tuple[TimelineBar, ...]
    way: tuple[float, float] | None


@dataclass(frozen=True, kw_only=True)
class Timeline:
    """The visits of each unit over the shift."""

    width: float
    height: float
    bar: float
    hours: tuple[tuple[float, str], ...]
    tracks: tuple[Track, ...]


@dataclass(frozen=True, kw_only=True)
class VisitLine:
    """One entry of a unit's order; ``value`` names the visit in forms, empty for a break."""

    value: str
    start: str
    end: str
    what: str
    fixed: bool


@dataclass(frozen=True, kw_only=True)
class UnitOrder:
    """The order of one unit."""

    unit: str
    lines: tuple[VisitLine, ...]
    visits: int
    travel: int


@dataclass(frozen=True, kw_only=True)
class ZoneVisits:
    """Visits to a zone beside what it should have."""

    rank: int
    zone: str
    expected: str
    visits: int
    target: str
    gap: str
    state: str


@dataclass(frozen=True, kw_only=True)
class Version:
    """One version of the plan of a shift."""

    id: str
    version: int
    made: str
    by: str
    stands: bool


@dataclass(frozen=True, kw_only=True)
class PlanChange:
    """What one version has in the place of another's."""

    what: str
    before: str
    after: str

    @property
    def same(self) -> bool:
        """Whether nothing changed."""
        return self.before == self.after


@dataclass(frozen=True, kw_only=True)
class PlanComparison:
    """Two versions beside each other."""

    before: str
    after: str
    figures: tuple[PlanChange, ...]
    zones: tuple[PlanChange, ...]
    visits: str


@dataclass(frozen=True, kw_only=True)
class PlanPage:
    """One version of a plan."""

    id: str
    title: str
    version: int
    versions: tuple[Version, ...]
    stands: str
    run: str
    made: str
    by: str
    asked: str
    units: tuple[UnitOrder, ...]
    zones: tuple[ZoneVisits, ...]
    timeline: Timeline
    quality: tuple[str, ...]
    gave_way: tuple[str, ...]
    warnings: tuple[str, ...]
    comparison: PlanComparison | None


def plan_rows(found: Sequence[PlanRecord], now_ms: int) -> list[PlanRow]:
    """Return a line for each shift, of the version that stands; latest shift first."""
    shifts: dict[tuple[int, int], list[PlanRecord]] = {}
    for plan in found:
        shifts.setdefault((plan.shift_start_ms, plan.shift_end_ms), []).append(plan)
    return [
        PlanRow(
            id=one[0].id,
            when=shift_words(one[0].document["shift"]),
            version=one[0].version,
            versions=len(one),
            units=len(one[0].document["units"]),
            visits=one[0].document["visits"],
            travel=one[0].document["travel_minutes"],
            gave_way=len(one[0].document["gave_way"]),
            made=moment(one[0].created_at),
            by=one[0].created_by or "",
            state=_state(start, end, now_ms),
        )
        for (start, end), one in shifts.items()
    ]


def plan_page(
    plan: PlanRecord, shift: Sequence[PlanRecord], against: PlanRecord | None
) -> PlanPage:
    """Tell a plan.

    Parameters
    ----------
    plan
        The version that is shown.
    shift
        All versions of plans of the same district and shift, the one stored last first.
    against
        The version that it is set beside, if any.
    """
    document, ranks = plan.document, ranks_of(plan)
    return PlanPage(
        id=plan.id,
        title=shift_words(document["shift"]),
        version=plan.version,
        versions=tuple(
            Version(
                id=one.id,
                version=one.version,
                made=moment(one.created_at),
                by=one.created_by or "",
                stands=position == 0,
            )
            for position, one in enumerate(shift)
        ),
        stands=shift[0].id if shift else plan.id,
        run=plan.run,
        made=moment(plan.created_at),
        by=plan.created_by or "",
        asked=_requested(document),
        units=tuple(_order(unit, ranks) for unit in document["units"]),
        zones=tuple(_zone(zone, document["asked"]["gap_minutes"]) for zone in document["zones"]),
        timeline=timeline(plan),
        quality=tuple(quality(document)),
        gave_way=tuple(numbers.sentence(found["words"]) for found in document["gave_way"]),
        warnings=tuple(numbers.sentence(text) for text in _for_pages(document["warnings"])),
        comparison=None if against is None else compare(against, plan),
    )


def timeline(plan: PlanRecord) -> Timeline:
    """Lay the visits of each unit over the shift."""
    document, ranks = plan.document, ranks_of(plan)
    start, end = (dt.datetime.fromisoformat(text) for text in document["shift"])
    clock = Clock.of((start, end), document["timezone"])
    scale = (WIDE - LEFT - RIGHT) / clock.minutes

    def at(ms: int) -> float:
        return round(LEFT + (ms - plan.shift_start_ms) / 60_000 * scale, 1)

    minutes, rest = document["asked"]["minutes"], document["asked"]["break_minutes"]
    tracks = []
    for row, unit in enumerate(document["units"]):
        bars = [
            TimelineBar(
                x=at(visit["start_ms"]),
                width=round(minutes * scale, 1),
                name=str(ranks[visit["zone"]]),
                title=f"{visit['start'][11:]} to {visit['end'][11:]}, zone "
                f"{ranks[visit['zone']]}{', fixed' if visit['pinned'] else ''}",
                kind="fixed" if visit["pinned"] else "stop",
            )
            for visit in unit["visits"]
        ]
        ways = (bars[0].x, bars[-1].x + bars[-1].width) if bars else None
        if unit["break"]:
            message = f"{unit['break'][0][11:]} to {unit['break'][1][11:]}, break"
            width = round(rest * scale, 1)
            bars.append(
                TimelineBar(
                    x=at(unit["break_ms"]), width=width, name="break", title=message, kind="rest"
                )
            )
        tracks.append(
            Track(name=f"Unit {unit['unit']}", y=HEAD + row * ROW, bars=tuple(bars), way=ways)
        )
    return Timeline(
        width=WIDE,
        height=HEAD + ROW * len(tracks),
        bar=BAR,
        hours=tuple((round(LEFT + minute * scale, 1), name) for minute, name in _hours(clock)),
        tracks=tuple(tracks),
    )


def compare(before: PlanRecord, after: PlanRecord) -> PlanComparison:
    """Set two versions of a plan beside each other."""
    pair = (before.document, after.document)
    zones = [{zone["zone"]: zone for zone in document["zones"]} for document in pair]
    shared = [zone for zone in zones[1] if zone in zones[0]]
    made = [
        {
            (unit["unit"], visit["zone"], visit["start"])
            for unit in one["units"]
            for visit in unit["visits"]
        }
        for one in pair
    ]
    kept = len(made[0] & made[1])
    return PlanComparison(
        before=f"version {before.version}",
        after=f"version {after.version}",
        figures=tuple(
            PlanChange(what=what, before=old, after=new)
            for what, old, new in zip(
                FIGURES, *(_figures(one) for one in (before, after)), strict=True
            )
        ),
        zones=tuple(
            PlanChange(
                what=f"Zone {zones[1][zone]['rank']}",
                before=_told_zone(zones[0][zone]),
                after=_told_zone(zones[1][zone]),
            )
            for zone in shared
        ),
        visits=f"{kept} visits stayed where and when they were; {len(made[1]) - kept} are new or "
        f"moved, {len(made[0]) - kept} of the earlier ones are no more.",
    )


def _figures(plan: PlanRecord) -> list[str]:
    document = plan.document
    wanted, ranks = document["asked"], ranks_of(plan)
    dropped = [str(zone["rank"]) for zone in document["zones"] if zone["dropped"]]
    fixed = sorted(
        (visit["start"], f"unit {unit['unit']} {visit['start'][11:]} zone {ranks[visit['zone']]}")
        for unit in document["units"]
        for visit in unit["visits"]
        if visit["pinned"]
    )
    return [
        str(wanted["units"]),
        str(wanted["minutes"]),
        f"{wanted['break_minutes']} min",
        str(plan.seed),
        ", ".join(text for _, text in fixed) or "none",
        ", ".join(dropped) or "none",
        str(document["visits"]),
        str(document["travel_minutes"]),
        " ".join(numbers.sentence(found["words"]) for found in document["gave_way"]) or "nothing",
    ]


def _told_zone(zone: Document) -> str:
    visits = "1 visit" if zone["visits"] == 1 else f"{zone['visits']} visits"
    return (
        "left out" if zone["dropped"] else f"{visits}, gaps up to {zone['longest_gap_minutes']} min"
    )


def _requested(document: Document) -> str:
    wanted = document["asked"]
    rest = f"a break of {wanted['break_minutes']}" if wanted["break_minutes"] else "no break"
    units = "1 unit" if wanted["units"] == 1 else f"{wanted['units']} units"
    return f"{units}, visits of {wanted['minutes']} minutes, {rest}, seed {document['seed']}"


def _order(unit: Document, ranks: Mapping[str, int]) -> UnitOrder:
    lines = [
        VisitLine(
            value=f"{unit['unit']}|{visit['start']}",
            start=visit["start"],
            end=visit["end"][11:],
            what=f"zone {ranks[visit['zone']]}",
            fixed=visit["pinned"],
        )
        for visit in unit["visits"]
    ]
    if unit["break"]:
        start, end = unit["break"]
        lines.append(VisitLine(value="", start=start, end=end[11:], what="break", fixed=False))
    lines.sort(key=lambda line: line.start)
    return UnitOrder(
        unit=unit["unit"],
        lines=tuple(lines),
        visits=len(unit["visits"]),
        travel=unit["travel_minutes"],
    )


def _zone(zone: Document, gap_minutes: int) -> ZoneVisits:
    if zone["dropped"]:
        state = "left out"
    elif zone["visits"] < zone["target"]:
        state = "fewer than its share"
    elif zone["longest_gap_minutes"] > gap_minutes:
        state = f"waits longer than {gap_minutes} min"
    else:
        state = "as it should be"
    return ZoneVisits(
        rank=zone["rank"],
        zone=zone["zone"],
        expected=numbers.number(zone["expected"], 3),
        visits=zone["visits"],
        target="–" if zone["dropped"] else str(zone["target"]),
        gap=f"{zone['longest_gap_minutes']} min",
        state=state,
    )


def _for_pages(warnings: Iterable[str]) -> list[str]:
    """Leave out what the page tells elsewhere, and how commands are reported to do better."""
    return [
        text for text in warnings if not text.startswith(("Synthetic data", "the search was ended"))
    ]


def _hours(clock: Clock) -> list[tuple[int, str]]:
    """Return the minutes of a shift at which an hour begins, with its name."""
    full = [
        (minute, clock.at(minute)[11:])
        for minute in range(clock.minutes + 1)
        if clock.at(minute).endswith(":00")
    ]
    return full if len(full) <= FEW_HOURS else full[::2]


def _state(start: int, end: int, now_ms: int) -> str:
    if end <= now_ms:
        return "over"
    return "running" if start <= now_ms else "to come"
