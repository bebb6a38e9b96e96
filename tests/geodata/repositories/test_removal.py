"""Cities and runs are archived, restored, and removed where nothing stands on them."""

import datetime as dt

import pytest
from releasing import Publisher, keep_run, town_run
from sqlalchemy import func, select

from geodata.db.tables import Base
from geodata.errors import DataError, NotStoredError
from geodata.repositories import archiving, audit, removal, runs, runs_in_use
from geodata.repositories.cities import get_city, list_cities
from geodata.repositories.runs import RunFilter
from geodata.repositories.schedules import list_slugs, schedules

NOW = dt.datetime(2026, 3, 4, 10)
OLD, NEW = "a" * 12, "b" * 12


@pytest.fixture
def town(database, tmp_path):
    """A town with two runs, the first of which is in use."""
    made = Publisher(tmp_path, alerts=8)
    made.city += '[schedule]\nround = "Mon 05:00"\n'
    made.bring(database)
    keep_run(database, town_run(OLD), created_at=NOW - dt.timedelta(days=1))
    keep_run(database, town_run(NEW, move=600), created_at=NOW, used=False)
    return database


def rows(database):
    """Count the rows of every table that is not about people and jobs."""
    with database.session() as session:
        return {
            name: session.scalar(select(func.count()).select_from(table))
            for name, table in Base.metadata.tables.items()
        }


def listed(session, **which):
    return [run.id for run in runs.list_runs(session, "town", RunFilter(**which))]


def test_an_archived_run_is_left_out_of_lists_and_can_be_restored(town):
    with town.session(write=True) as session:
        removal.archive_run(session, NEW, "ana", NOW)
        removal.archive_run(session, NEW, "ben", NOW)
    with town.session(write=True) as session:
        assert (listed(session), listed(session, archived=True)) == ([OLD], [NEW])
        assert runs.latest_run(session, "town").id == OLD
        assert runs.get_run(session, NEW).id == NEW, "it is read as before"
        assert archiving.list_archived(session, archiving.RUN)[NEW].archived_by == "ana"
        with pytest.raises(DataError, match="archived; restore it"):
            runs_in_use.use_run(session, NEW, "a test", "ana", NOW)
        archiving.restore(session, archiving.RUN, NEW, "ana")
        assert listed(session) == [NEW, OLD]
        told = [one.action for one in audit.entries(session, audit.AuditFilter(person="ana"))]
    assert told[:2] == ["run.restore", "run.archive"]


def test_a_run_in_use_is_neither_archived_nor_removed(town):
    with town.session(write=True) as session:
        with pytest.raises(DataError, match="is in use"):
            removal.archive_run(session, OLD, "ana", NOW)
        with pytest.raises(DataError, match="archive it before it is removed"):
            removal.remove_run(session, NEW, "ana")
        runs_in_use.use_run(session, NEW, "a test", "ana", NOW)
        removal.archive_run(session, OLD, "ana", NOW)
        with pytest.raises(DataError, match="decisions that a run is in use"):
            removal.remove_run(session, OLD, "ana")


def test_a_removed_run_goes_with_all_that_belongs_to_it_and_nothing_else(town):
    before = rows(town)
    with town.session(write=True) as session:
        runs.name_run(session, NEW, "a trial", "", who="ana", when=NOW)
        removal.archive_run(session, NEW, "ana", NOW)
        content = removal.run_content(session, NEW)
        gone = removal.remove_run(session, NEW, "ana")
        assert {name: number for name, number in gone.items() if name != "run"} == content
        assert content["zone"] > 0
        assert content["run_name"] == 1
        with pytest.raises(NotStoredError):
            runs.get_run(session, NEW)
        (entry,) = audit.entries(session, audit.AuditFilter(action="run.remove"))
        assert entry.details["rows"] == gone
    after = rows(town)
    changed = {name for name in before if after[name] != before[name]}
    assert changed <= {*content, "run", "audit"} - {"run_name"}
    assert after["run"] == before["run"] - 1


def test_an_archived_city_is_left_out_and_its_schedule_rests(town):
    with town.session(write=True) as session:
        assert len(schedules(session, "round")) == 1
        removal.archive_city(session, "town", "root", NOW)
    with town.session(write=True) as session:
        assert list_cities(session) == []
        assert [city.slug for city in list_cities(session, archived=True)] == ["town"]
        assert (schedules(session, "round"), list_slugs(session)) == ({}, [])
        assert get_city(session, "town").slug == "town"
        archiving.restore(session, archiving.CITY, "town", "root")
        assert [city.slug for city in list_cities(session)] == ["town"]


def test_a_city_with_work_of_people_is_never_removed(town):
    with town.session(write=True) as session:
        with pytest.raises(DataError, match="archive it before"):
            removal.remove_city(session, "town", "root")
        removal.archive_city(session, "town", "root", NOW)
        with pytest.raises(DataError, match="decisions that a run is in use"):
            removal.remove_city(session, "town", "root")
        assert get_city(session, "town")


def test_a_removed_city_leaves_no_row_behind(database, tmp_path):
    before = rows(database)
    Publisher(tmp_path, alerts=8).bring(database)
    keep_run(database, town_run(OLD), used=False)
    stored = rows(database)
    with database.session(write=True) as session:
        removal.archive_city(session, "town", "root", NOW)
        removal.archive_run(session, OLD, "root", NOW)
        gone = removal.remove_city(session, "town", "root")
    after = rows(database)
    same = {name for name in after if name not in ("audit", "audit_head")}
    assert {name: after[name] for name in same} == {name: before[name] for name in same}
    assert gone == {name: stored[name] for name in same if stored[name] > before[name]}
