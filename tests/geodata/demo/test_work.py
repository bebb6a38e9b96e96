import datetime as dt
import itertools

import pytest

from geodata.demo.work import SYNTHETIC, keep_work
from geodata.store.actions import ActionQuery, list_actions
from geodata.store.cities import get_city
from geodata.store.runs import save_run
from geodata.store.visits import VisitQuery, list_visits
from geodata.tables.core import City


@pytest.fixture
def stored(sqlite_database, make_city_record, make_run):
    make_city_record(sqlite_database, "town")
    with sqlite_database.session() as session:
        save_run(session, make_run("town", "feedfacecafe"))
    return sqlite_database


def test_nothing_is_invented_about_a_real_city(stored):
    with stored.session(write=True) as session, pytest.raises(ValueError, match="no synthetic"):
        keep_work(session, get_city(session, "town"), "feedfacecafe")


def test_work_is_the_same_every_time_stored_once_and_says_what_it_is(stored):
    with stored.session(write=True) as session:
        city = session.query(City).one()
        city.synthetic, city.today = True, dt.date(2026, 1, 5)
    with stored.session(write=True) as session:
        city = get_city(session, "town")
        assert keep_work(session, city, "feedfacecafe") == (10, 2)
        assert keep_work(session, city, "feedfacecafe") == (0, 0)
        _, visits = list_visits(session, city.id, "D1", VisitQuery(), start=0, size=50)
        _, actions = list_actions(session, city.id, ["D1"], ActionQuery(), start=0, size=50)
    assert {visit.facts.note for visit in visits} == {SYNTHETIC}
    assert [(a.facts.state, a.facts.due.isoformat()) for a in actions] == [
        ("done", "2025-12-16"),
        ("under way", "2026-01-02"),
    ]
    ordered = sorted(visits, key=lambda visit: visit.facts.start_ms)
    for before, after in itertools.pairwise(ordered):
        assert before.facts.end_ms <= after.facts.start_ms
