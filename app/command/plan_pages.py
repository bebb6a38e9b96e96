"""What pages about patrol plans show, as typed values: a plan, its timeline, what changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask_babel import gettext as _
from flask_babel import ngettext

from app.command.shifts import shift_words
from app.i18n import numbers
from app.i18n.language import N_, translated
from app.i18n.patrol_words import ELSEWHERE, gave_way, quality, warning
from app.usecases.patrol.planning import Clock

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Sequence

    from geodata.plan_document import PlanDocument, PlanZone
    from geodata.repositories.patrol_plans import PlanRecord

WIDE, LEFT, RIGHT, ROW, HEAD = 1000.0, 64.0, 12.0, 40.0, 26.0
BAR = 24.0
FIGURES: tuple[str, ...] = (
    N_("Units"),
    N_("Minutes of a visit"),
    N_("Break"),
    N_("Seed"),
    N_("Fixed visits"),
    N_("Zones left out"),
    N_("Visits"),
    N_("Minutes of travel"),
    N_("What gave way"),
)
FEW_HOURS = 13  # beyond so many hours every second one is named


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
class PlanPage:
    """One version of a plan; ``versions`` are all of its shift, the one stored last first.

    ``changes`` are what differs from the version ``against``: what, before, after; ``moved`` says
    how many visits stayed.
    """

    plan: PlanRecord
    versions: Sequence[PlanRecord]
    title: str
    asked: str
    zones: tuple[tuple[PlanZone, str], ...]  # and how it stands
    timeline: Timeline
    quality: tuple[str, ...]
    gave_way: tuple[str, ...]
    warnings: tuple[str, ...]
    against: PlanRecord | None
    changes: tuple[tuple[str, str, str], ...]
    moved: str


def plan_rows(found: Sequence[PlanRecord], now_ms: int) -> list[tuple[PlanRecord, int, str, str]]:
    """Return for each shift, the latest first, the version that stands.

    Returns
    -------
    The plan, how many versions there are, the shift and its state in words.
    """
    shifts: dict[tuple[int, int], list[PlanRecord]] = {}
    for plan in found:
        shifts.setdefault((plan.shift_start_ms, plan.shift_end_ms), []).append(plan)
    return [
        (one[0], len(one), shift_words(one[0].document.shift), _state(start, end, now_ms))
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
    document = plan.document
    return PlanPage(
        plan=plan,
        versions=shift or [plan],
        title=shift_words(document.shift),
        asked=_requested(document),
        zones=tuple(
            (zone, zone_state(zone, document.asked.gap_minutes)) for zone in document.zones
        ),
        timeline=timeline(plan),
        quality=tuple(quality(document)),
        gave_way=tuple(numbers.sentence(gave_way(found)) for found in document.gave_way),
        warnings=tuple(
            numbers.sentence(warning(found))
            for found in document.warnings
            if found.code not in ELSEWHERE
        ),
        against=against,
        changes=() if against is None else tuple(_changes(against, plan)),
        moved="" if against is None else _moved(against.document, document),
    )


def timeline(plan: PlanRecord) -> Timeline:
    """Lay the visits of each unit over the shift."""
    document, ranks = plan.document, plan.document.ranks
    clock = Clock.of(document.shift, document.timezone)
    scale = (WIDE - LEFT - RIGHT) / clock.minutes

    def bar(start_ms: int, minutes: int, name: str, title: str, kind: str) -> TimelineBar:
        left = LEFT + (start_ms - plan.shift_start_ms) / 60_000 * scale
        width = round(minutes * scale, 1)
        return TimelineBar(x=round(left, 1), width=width, name=name, title=title, kind=kind)

    tracks = []
    for row, unit in enumerate(document.units):
        bars = [
            bar(
                visit.start_ms,
                document.asked.minutes,
                str(ranks[visit.zone]),
                f"{_times(visit.start, visit.end)}, {_('zone %(rank)s', rank=ranks[visit.zone])}"
                + (f", {_('fixed')}" if visit.pinned else ""),
                "fixed" if visit.pinned else "stop",
            )
            for visit in unit.visits
        ]
        ways = (bars[0].x, bars[-1].x + bars[-1].width) if bars else None
        if unit.rest and unit.break_ms is not None:
            title = f"{_times(*unit.rest)}, {_('break')}"
            bars.append(bar(unit.break_ms, document.asked.break_minutes, _("break"), title, "rest"))
        name = _("Unit %(unit)s", unit=unit.unit)
        tracks.append(Track(name=name, y=HEAD + row * ROW, bars=tuple(bars), way=ways))
    return Timeline(
        width=WIDE,
        height=HEAD + ROW * len(tracks),
        bar=BAR,
        hours=tuple((round(LEFT + minute * scale, 1), name) for minute, name in _hours(clock)),
        tracks=tuple(tracks),
    )


def _changes(before: PlanRecord, after: PlanRecord) -> Iterator[tuple[str, str, str]]:
    """Return what differs between two versions of a plan: what, before, after."""
    for what, old, new in zip(FIGURES, _figures(before), _figures(after), strict=True):
        yield translated(what), old, new
    zones = {zone.zone: zone for zone in before.document.zones}
    for zone in after.document.zones:
        if zone.zone in zones:
            what = _("Zone %(rank)s", rank=zone.rank)
            yield what, _zone_words(zones[zone.zone]), _zone_words(zone)


def _moved(before: PlanDocument, after: PlanDocument) -> str:
    old, new = (
        {(unit.unit, visit.zone, visit.start) for unit in one.units for visit in unit.visits}
        for one in (before, after)
    )
    return _(
        "%(kept)s visits stayed where and when they were; %(new)s are new or moved, "
        "%(gone)s of the earlier ones are no more.",
        kept=len(old & new),
        new=len(new - old),
        gone=len(old - new),
    )


def _figures(plan: PlanRecord) -> list[str]:
    document, none = plan.document, _("none")
    wanted, ranks = document.asked, document.ranks
    dropped = [str(zone.rank) for zone in document.zones if zone.dropped]
    fixed = sorted(
        (visit.start, unit.unit, ranks[visit.zone])
        for unit in document.units
        for visit in unit.visits
        if visit.pinned
    )
    texts = [
        _("unit %(unit)s %(time)s zone %(rank)s", unit=unit, time=f"{start:%H:%M}", rank=rank)
        for start, unit, rank in fixed
    ]
    return [
        str(wanted.units),
        str(wanted.minutes),
        f"{wanted.break_minutes} min",
        str(plan.seed),
        ", ".join(texts) or none,
        ", ".join(dropped) or none,
        str(document.visits),
        str(document.travel_minutes),
        " ".join(numbers.sentence(gave_way(found)) for found in document.gave_way) or _("nothing"),
    ]


def _zone_words(zone: PlanZone) -> str:
    if zone.dropped:
        return _("left out")
    visits = ngettext("%(num)s visit", "%(num)s visits", zone.visits)
    return _("%(visits)s, gaps up to %(gap)s min", visits=visits, gap=zone.longest_gap_minutes)


def _requested(document: PlanDocument) -> str:
    wanted = document.asked
    rest = (
        _("a break of %(minutes)s", minutes=wanted.break_minutes)
        if wanted.break_minutes
        else _("no break")
    )
    return _(
        "%(units)s, visits of %(minutes)s minutes, %(rest)s, seed %(seed)s",
        units=ngettext("%(num)s unit", "%(num)s units", wanted.units),
        minutes=wanted.minutes,
        rest=rest,
        seed=document.seed,
    )


def zone_state(zone: PlanZone, gap_minutes: int) -> str:
    """Tell whether a zone gets what it should."""
    if zone.dropped:
        return _("left out")
    if zone.visits < zone.target:
        return _("fewer than its share")
    if zone.longest_gap_minutes > gap_minutes:
        return _("waits longer than %(gap)s min", gap=gap_minutes)
    return _("as it should be")


def _times(start: dt.datetime, end: dt.datetime) -> str:
    return numbers.interval(f"{start:%H:%M}", f"{end:%H:%M}")


def _hours(clock: Clock) -> list[tuple[int, str]]:
    """Return the minutes of a shift at which an hour begins, with its name."""
    full = [
        (minute, f"{clock.at(minute):%H:%M}")
        for minute in range(clock.minutes + 1)
        if clock.at(minute).minute == 0
    ]
    return full if len(full) <= FEW_HOURS else full[::2]


def _state(start: int, end: int, now_ms: int) -> str:
    if end <= now_ms:
        return _("over")
    return _("running") if start <= now_ms else _("to come")
