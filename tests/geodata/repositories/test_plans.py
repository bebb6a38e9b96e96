import dataclasses
import datetime as dt

import pytest
from patrolling import a_zone, plan_document
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from geodata.errors import NotStoredError, StoreError
from geodata.repositories.patrol_plans import (
    PlanRecord,
    find_plan,
    get_plan,
    list_plans,
    save_plan,
    standing_plans,
    zone_shapes,
)
from geodata.repositories.runs import save_run

HOUR = 3_600_000


def a_plan(**change):
    return PlanRecord(
        **{
            "id": "aaaaaaaaaaaa",
            "city": "town",
            "run": "feedfacecafe",
            "district": "D1",
            "shift_start_ms": 1_770_000_000_000,
            "shift_end_ms": 1_770_000_000_000 + 8 * HOUR,
            "seed": 3,
            "version": 1,
            "parent": None,
            "document": plan_document(zones=(a_zone("feedface-d1-1", 1, 2),)),
            "created_at": dt.datetime(2026, 1, 1, 12, 0),
            "created_by": "ada",
            **change,
        }
    )


@pytest.fixture
def stored(database, make_city_record, make_run):
    make_city_record(database, "town")
    with database.session() as session:
        save_run(session, make_run("town", "feedfacecafe"))
        save_plan(session, a_plan())
    return database


def test_a_plan_comes_back_whole(stored):
    with stored.session() as session:
        back = get_plan(session, "aaaaaaaaaaaa")
        assert find_plan(session, "nope") is None
    for field in dataclasses.fields(PlanRecord):
        assert getattr(back, field.name) == getattr(a_plan(), field.name), field.name


def test_a_plan_is_never_overwritten_nor_altered(stored):
    with pytest.raises(StoreError, match="never overwritten"), stored.session() as session:
        save_plan(session, a_plan())
    with pytest.raises(DBAPIError, match="never changed"), stored.session() as session:
        session.execute(text("UPDATE plan SET seed = 9"))


@pytest.mark.parametrize("change", [{"city": "x"}, {"run": "x"}, {"parent": "x"}])
def test_what_a_plan_is_about_must_be_stored(stored, change):
    with pytest.raises(NotStoredError), stored.session() as session:
        save_plan(session, a_plan(id="b", **change))
    with pytest.raises(NotStoredError, match="no plan 'b'"), stored.session() as session:
        get_plan(session, "b")


def test_of_a_shift_the_plan_stored_last_stands(stored):
    later = dt.datetime(2026, 1, 1, 13, 0)
    with stored.session() as session:
        save_plan(session, a_plan(id="b", version=2, parent="aaaaaaaaaaaa", created_at=later))
        save_plan(session, a_plan(id="c", district="D2"))
        save_plan(session, a_plan(id="d", shift_start_ms=0, shift_end_ms=HOUR))
    with stored.session() as session:
        assert [p.id for p in standing_plans(session, "town")] == ["d", "c", "b"]
        assert [p.id for p in list_plans(session, "town", district="D1")] == [
            "b",
            "aaaaaaaaaaaa",
            "d",
        ]
        assert list(zone_shapes(session, "feedfacecafe")) == ["feedface-d1-1", "feedface-d1-2"]
