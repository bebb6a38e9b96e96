"""Work in the zones of the demonstration city: visits that officers logged, actions on places.

The people are invented, as the city is, and every note says so. All follows from the zones of a
run, the plans of its shifts and a seed, so the same of them gives the same work, stored once.
"""

from __future__ import annotations

import datetime as dt
import uuid
import zoneinfo
from typing import TYPE_CHECKING

import numpy as np

from geodata.store.actions import (
    ANY_FACTOR,
    DONE,
    OPEN,
    UNDER_WAY,
    ActionFacts,
    ActionQuery,
    add_action,
    add_comment,
    change_action,
    get_action,
    list_actions,
)
from geodata.store.plans import standing_plans
from geodata.store.visits import VisitFacts, log_visit
from geodata.store.zones import district_zones

if TYPE_CHECKING:
    from numpy.random import Generator
    from sqlalchemy.orm import Session

    from geodata.store.cities import CityRecord
    from geodata.store.plans import PlanRecord
    from geodata.store.zones import ZoneRecord

SEED = 20260105
OFFICER, COMMANDER = "demonstration-officer", "demonstration-commander"
SPACE = uuid.UUID("5b0f1d3e-6f0a-4c67-9a39-2f5f0f6c7f11")  # ids of these visits are named in it
MINUTE = 60_000
MISSED = 0.15  # the share of planned visits that nobody makes
LATE_MIN, VISIT_MIN = (-2, 9), (9, 18)  # minutes after the planned start; minutes of a visit
SYNTHETIC = "Synthetic."
WORK = {  # what a factor's name holds: kind, what, owner
    "vacant": ("boarding-up", "Board up the open house and clear the ground", "Code enforcement"),
    "bus": ("lighting", "Repair the lamp at the stop and cut the hedge behind it", "Transit"),
    "bars": ("business check", "Agree on closing times and door staff", "Business manager"),
    "store": ("business check", "Keep the shop window clear so that one sees in", "Property owner"),
}
OTHERWISE = ("landscaping", "Cut back what hides the path", "Parks")


def keep_work(session: Session, city: CityRecord, run: str) -> tuple[int, int]:
    """Store the work of every district of a synthetic city; give numbers of visits and actions.

    Visits are those of stored plans for shifts that were over when the city's day began.

    Raises
    ------
    ValueError
        If the city is no synthetic one.
    """
    if not city.synthetic or city.today is None:
        msg = f"{city.slug} is no synthetic city; nothing is invented about it"
        raise ValueError(msg)
    rng = np.random.default_rng(SEED)
    codes = list(city.districts["code"])
    midnight = dt.datetime.combine(city.today, dt.time(), zoneinfo.ZoneInfo(city.timezone))
    morning = round(midnight.timestamp() * 1000)
    there, _ = list_actions(session, city.id, codes, ActionQuery(), start=0, size=1)
    visits = actions = 0
    for code in codes:
        found = district_zones(session, run, code)
        if not found:
            continue
        for plan in standing_plans(session, city.slug, district=code):
            if plan.shift_end_ms <= morning:
                visits += _visits(session, city, plan, rng)
        if not there:
            actions += _actions(session, city, code, run, found, city.today)
    return visits, actions


def _visits(session: Session, city: CityRecord, plan: PlanRecord, rng: Generator) -> int:
    """Log the visits of a shift as officers do who keep a plan, but for a few visits."""
    zone, stored = zoneinfo.ZoneInfo(city.timezone), 0
    for unit in plan.document["units"]:
        free = plan.shift_start_ms
        for number, visit in enumerate(unit["visits"]):
            made, late = rng.random() >= MISSED, int(rng.integers(*LATE_MIN)) * MINUTE
            minutes = int(rng.integers(*VISIT_MIN))
            activity = city.activities[int(rng.integers(len(city.activities) - 1))]
            planned = dt.datetime.fromisoformat(visit["start"]).replace(tzinfo=zone)
            start = max(round(planned.timestamp() * 1000) + late, free)
            if not made or start + minutes * MINUTE > plan.shift_end_ms:
                continue
            free = start + (minutes + 1) * MINUTE
            taken = log_visit(
                session,
                city,
                plan.district,
                plan.run,
                str(uuid.uuid5(SPACE, f"{plan.id} {unit['unit']} {number}")),
                VisitFacts(
                    zone=visit["zone"],
                    unit=str(unit["unit"]),
                    start_ms=start,
                    end_ms=start + minutes * MINUTE,
                    activity=activity,
                    note=SYNTHETIC,
                ),
                who=OFFICER,
                when=dt.datetime.fromtimestamp(free / 1000, dt.UTC).replace(tzinfo=None),
                now_ms=free,
            )
            stored += taken == "new"
    return stored


def _actions(
    session: Session,
    city: CityRecord,
    district: str,
    run: str,
    found: list[ZoneRecord],
    today: dt.date,
) -> int:
    """Make an action for each of the first zones: some done, some late, some ahead."""
    when = dt.datetime.combine(today - dt.timedelta(days=40), dt.time(9))
    states = ((DONE, -20), (UNDER_WAY, -3), (OPEN, 9), (OPEN, 24))
    made = 0
    for zone, (state, days) in zip(found, states, strict=False):
        factor = zone.factors[made % len(zone.factors)] if zone.factors else ANY_FACTOR
        kind, what, owner = next((told for key, told in WORK.items() if key in factor), OTHERWISE)
        facts = ActionFacts(
            zone=zone.code,
            factor=factor,
            kind=kind,
            what=what,
            owner=owner,
            due=today + dt.timedelta(days=days),
        )
        number = add_action(
            session,
            city,
            district,
            run,
            facts,
            who=COMMANDER,
            when=when,
            today=when.date(),
        )
        if state != OPEN:
            _go_on(session, city, number, state, when + dt.timedelta(days=15))
        made += 1
    return made


def _go_on(session: Session, city: CityRecord, number: int, state: str, when: dt.datetime) -> None:
    before = get_action(session, city.id, number)
    add_comment(
        session, city, number, f"{SYNTHETIC} The owner agreed to a day.", who=OFFICER, when=when
    )
    facts = {name: getattr(before.facts, name) for name in ActionFacts.__dataclass_fields__}
    change_action(
        session,
        city,
        number,
        ActionFacts(**{**facts, "state": state, "cost": 350 if state == DONE else None}),
        version=before.version,
        who=COMMANDER,
        when=when,
        today=when.date(),
    )
