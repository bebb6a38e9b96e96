import datetime as dt
import itertools
import zoneinfo

import pytest
from patrolling import a_unit, plan_document

from geodata.db.tables import City
from geodata.demo.field_work import LATE_MIN, MISSED, SYNTHETIC, keep_work
from geodata.plan_document import PlanVisit
from geodata.repositories.actions import ActionQuery, list_actions
from geodata.repositories.cities import get_city
from geodata.repositories.patrol_plans import PlanRecord, save_plan
from geodata.repositories.runs import save_run
from geodata.repositories.visits import VisitQuery, list_visits

RUN = "feedfacecafe"
PLANNED = [f"{hour}:{minute:02}" for hour in range(15, 22) for minute in (0, 30)]


@pytest.fixture
def stored(sqlite_database, make_city_record, make_run):
    make_city_record(sqlite_database, "town")
    with sqlite_database.session() as session:
        save_run(session, make_run("town", RUN))
    return sqlite_database


@pytest.fixture
def synthetic(stored):
    with stored.session(write=True) as session:
        city = session.query(City).one()
        city.synthetic, city.today = True, dt.date(2026, 1, 5)
    for day in (4, 5):
        save_evening(stored, day)
    return stored


def save_evening(database, day):
    with database.session(write=True) as session:
        city = get_city(session, "town")
        zone = zoneinfo.ZoneInfo(city.timezone)
        start = dt.datetime(2026, 1, day, 15, tzinfo=zone)
        starts = [dt.datetime.fromisoformat(f"2026-01-{day:02}T{clock}") for clock in PLANNED]
        visits = [
            PlanVisit(zone="feedface-d1-1", start=at, end=at, start_ms=0, pinned=False)
            for at in starts
        ]
        save_plan(
            session,
            PlanRecord(
                id=f"{day:012}",
                city="town",
                run=RUN,
                district="D1",
                shift_start_ms=round(start.timestamp() * 1000),
                shift_end_ms=round((start.timestamp() + 8 * 3600) * 1000),
                seed=1,
                version=1,
                parent=None,
                document=plan_document(units=(a_unit("1", visits), a_unit("2", visits[1::2]))),
                created_at=dt.datetime(2026, 1, 3),
                created_by=None,
            ),
        )


def logged(database):
    with database.session() as session:
        city = get_city(session, "town")
        return list_visits(session, city.id, "D1", VisitQuery(), start=0, size=50)[1]


def test_nothing_is_invented_about_a_real_city(stored):
    with stored.session(write=True) as session, pytest.raises(ValueError, match="no synthetic"):
        keep_work(session, get_city(session, "town"), RUN)


def test_work_is_the_same_every_time_stored_once_and_says_what_it_is(synthetic):
    with synthetic.session(write=True) as session:
        city = get_city(session, "town")
        visits, actions = keep_work(session, city, RUN)
        assert actions == 2
        assert keep_work(session, city, RUN) == (0, 0)
        _, found = list_actions(session, city.id, ["D1"], ActionQuery(), start=0, size=50)
    assert {visit.facts.note for visit in logged(synthetic)} == {SYNTHETIC}
    assert len(logged(synthetic)) == visits
    assert [(a.facts.state, a.facts.due.isoformat()) for a in found] == [
        ("done", "2025-12-16"),
        ("under way", "2026-01-02"),
    ]


def test_visits_are_those_of_the_plans_that_are_over_but_for_a_few(synthetic):
    with synthetic.session(write=True) as session:
        city = get_city(session, "town")
        keep_work(session, city, RUN)
    zone = zoneinfo.ZoneInfo(city.timezone)
    made = logged(synthetic)
    planned = {"1": PLANNED, "2": PLANNED[1::2]}
    number = sum(map(len, planned.values()))
    assert (1 - 3 * MISSED) * number < len(made) < number
    for unit, clocks in planned.items():
        own = sorted((v.facts for v in made if v.facts.unit == unit), key=lambda v: v.start_ms)
        for before, after in itertools.pairwise(own):
            assert before.end_ms < after.start_ms, "a unit is at one place at a time"
        for visit in own:
            start = dt.datetime.fromtimestamp(visit.start_ms / 1000, zone)
            assert start.date() == dt.date(2026, 1, 4), "the shift of the day is still to come"
            late = [
                start.hour * 60 + start.minute - int(clock[:2]) * 60 - int(clock[3:])
                for clock in clocks
            ]
            assert any(LATE_MIN[0] <= minutes < LATE_MIN[1] for minutes in late)
