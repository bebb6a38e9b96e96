"""What pages of visits show, as typed values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.staff.frame import moment
from geodata.store.visits import LONGEST_NOTE, LONGEST_UNIT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.command.patrol import Present
    from app.command.place import Place
    from geodata.store.visits import VersionRecord, VisitFacts, VisitRecord


@dataclass(frozen=True, kw_only=True)
class VisitRow:
    """One logged visit in a list."""

    uuid: str
    zone: str
    unit: str
    start: str
    end: str
    minutes: str
    activity: str
    note: str
    by: str
    corrected: bool
    withdrawn: bool


@dataclass(frozen=True, kw_only=True)
class VersionRow:
    """One version of a visit: what changed with it, in words."""

    when: str
    by: str
    told: str
    why: str


def visit_rows(place: Place, there: Present, found: Sequence[VisitRecord]) -> list[VisitRow]:
    """Write visits for a list."""
    return [
        VisitRow(
            uuid=one.uuid,
            zone=zone_name(there, one.facts.zone),
            unit=one.facts.unit,
            start=place.clock(one.facts.start_ms),
            end=place.clock(one.facts.end_ms) if one.facts.end_ms is not None else "",
            minutes=_minutes(one.facts),
            activity=one.facts.activity,
            note=one.facts.note,
            by=one.logged_by,
            corrected=one.version > 2 or (one.version == 2 and one.facts.end_ms is None),
            withdrawn=one.withdrawn,
        )
        for one in found
    ]


def version_rows(
    place: Place, there: Present, versions: Sequence[VersionRecord]
) -> list[VersionRow]:
    """Tell of each version what it said, or how it differs from the one before."""
    rows = []
    for before, one in zip([None, *versions], versions, strict=False):
        if before is None:
            told = "logged: " + "; ".join(
                f"{name} {value}" for name, value in _told(place, there, one.facts).items() if value
            )
        else:
            told = _difference(place, there, before, one)
        rows.append(
            VersionRow(
                when=moment(one.changed_at),
                by=one.changed_by,
                told=told,
                why=one.why or "",
            )
        )
    return rows


def zone_name(there: Present, code: str) -> str:
    """Call a zone by its rank, with its run where that is not in use; else by its id."""
    if code in there.names:
        return there.names[code]
    rank = there.rank(code)
    return f"Zone {rank}" if rank else code


def log_data(
    place: Place,
    there: Present,
    person: str,
    logged: Sequence[VisitRecord],
    **addresses: str,
) -> dict[str, Any]:
    """Give what the script of the log page works with; ``logged`` are visits kept here already."""
    plan = there.plan
    units = [] if plan is None else plan.document["units"]
    return {
        "city": place.city.slug,
        "district": place.code,
        "person": person,
        "run": there.run,
        "timezone": place.city.timezone,
        "ahead_ms": place.ahead_ms,
        "longest": {"unit": LONGEST_UNIT, "note": LONGEST_NOTE},
        "zones": [
            {"code": zone.code, "name": f"Zone {zone.rank}", "factors": list(zone.factors)}
            for zone in there.zones
        ],
        "activities": list(place.city.activities),
        "logged": [
            {"id": one.uuid, "unit": one.facts.unit, "zone": one.facts.zone}
            for one in logged
            if plan
            and not one.withdrawn
            and plan.shift_start_ms <= one.facts.start_ms < plan.shift_end_ms
        ],
        "plan": {
            unit["unit"]: [
                {
                    "zone": visit["zone"],
                    "start_ms": visit["start_ms"],
                    "clock": visit["start"][11:16],
                }
                for visit in unit["visits"]
            ]
            for unit in units
        },
        **addresses,
    }


def _told(place: Place, there: Present, facts: VisitFacts) -> dict[str, str]:
    return {
        "zone": zone_name(there, facts.zone),
        "unit": facts.unit,
        "start": place.clock(facts.start_ms),
        "end": "not yet" if facts.end_ms is None else place.clock(facts.end_ms),
        "activity": facts.activity,
        "note": facts.note,
    }


def _difference(place: Place, there: Present, before: VersionRecord, after: VersionRecord) -> str:
    old, new = (_told(place, there, one.facts) for one in (before, after))
    parts = [
        f"{name} {old[name] or 'nothing'} became {new[name] or 'nothing'}"
        for name in new
        if old[name] != new[name]
    ]
    if after.withdrawn != before.withdrawn:
        parts.append("withdrawn: it does not count" if after.withdrawn else "counts again")
    if not parts:
        parts.append("seconds changed")
    return ("ended: " if after.why is None else "") + "; ".join(parts)


def _minutes(facts: VisitFacts) -> str:
    if facts.end_ms is None:
        return ""
    return str(round((facts.end_ms - facts.start_ms) / 60_000))
