"""Shifts of a district: which plan stands, what was done in those that are over, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.i18n import numbers
from geodata.measures.ledger import MeasureData
from geodata.measures.shifts import judge_shift
from geodata.repositories import patrol_plans

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from app.command.district import DistrictPage
    from geodata.measures.shifts import JudgedShift
    from geodata.repositories.patrol_plans import PlanRecord

SOON_MS = 2 * 60 * 60 * 1000  # a shift that begins so soon is the present one
LEAST_MIN, MOST_MIN = 10, 16  # of a dosage visit (Koper 1995, as cited by the Police Foundation)
NOT_LOGGED = "not known: the stored visits do not cover this shift"


@dataclass(frozen=True, kw_only=True)
class ShiftRow:
    """A shift that is over, beside its plan; ``share`` is of the zones that met it."""

    when: str
    plan: str
    known: bool
    planned: str
    done: str
    zones: str
    share: str
    in_dose: str
    minutes: str
    longest_gap: str
    note: str


def standing(session: Session, place: DistrictPage) -> list[PlanRecord]:
    """Return the plan that stands of each shift of a district, earliest shift first."""
    return patrol_plans.standing_plans(session, place.city.slug, district=place.code)


def plan_at(found: Sequence[PlanRecord], now_ms: int, ahead_ms: int) -> PlanRecord | None:
    """Choose the plan of the shift that is on, the last to begin where shifts overlap.

    Else it is that of the next shift, if it begins within ``ahead_ms``. Plans come as
    :func:`standing` gives them.
    """
    on = [plan for plan in found if plan.shift_start_ms <= now_ms < plan.shift_end_ms]
    soon = [plan for plan in found if 0 < plan.shift_start_ms - now_ms <= ahead_ms]
    return on[-1] if on else soon[0] if soon else None


def judged(session: Session, place: DistrictPage, over: Sequence[PlanRecord]) -> list[JudgedShift]:
    """Set the visits of some shifts of a district beside their plans."""
    if not over:
        return []
    ledger = MeasureData(session, place.city, place.city.this_day())
    visits = ledger.visits.sort_values("start_ms", kind="stable")
    extent = ledger.extent("visits")
    shapes = {run: patrol_plans.zone_shapes(session, run) for run in {plan.run for plan in over}}
    return [
        judge_shift(plan, shapes[plan.run], visits, extent, place.city.timezone) for plan in over
    ]


def shift_row(shift: JudgedShift) -> ShiftRow:
    """Write a shift that is over as a line."""
    plan, minutes = shift.plan, shift.visits["minutes"].dropna()
    waits = [zone.longest_gap_min for zone in shift.zones]
    known = shift.known
    return ShiftRow(
        when=shift_words(plan.document.shift),
        plan=plan.id,
        known=known,
        planned=f"{shift.planned}",
        done=f"{shift.done}" if known else "–",
        zones=f"{shift.met} of {len(shift.zones)}" if known else "–",
        share=numbers.share(shift.met / len(shift.zones)) if known and shift.zones else "–",
        in_dose=(
            f"{int(minutes.between(LEAST_MIN, MOST_MIN).sum())} of {len(minutes)}"
            if known and len(minutes)
            else "–"
        ),
        minutes=f"{minutes.sum():.0f}" if known and len(minutes) else "–",
        longest_gap=f"{max(waits):.0f} min" if known and waits else "–",
        note="" if known else NOT_LOGGED,
    )


def shift_words(shift: tuple[dt.datetime, dt.datetime]) -> str:
    """Write a shift in words.

    >>> import datetime as dt
    >>> shift_words((dt.datetime(2026, 1, 5, 18), dt.datetime(2026, 1, 6, 2)))
    'Monday, January 5, 18:00 to 02:00'
    """
    start, end = shift
    day = f"{numbers.weekday(start.date())}, {numbers.dated(start.date(), 'MMMMd')}"
    return f"{day}, {numbers.interval(f'{start:%H:%M}', f'{end:%H:%M}')}"
