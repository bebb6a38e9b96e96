import dataclasses
import datetime as dt

import numpy as np
import pytest
import shapely
from run_documents import keep_earlier_run
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from geodata.errors import DataError, NotStoredError, StoreError
from geodata.repositories.runs import find_run, get_run, latest_run, list_runs, save_run


@pytest.fixture
def stored(database, make_city_record, make_run):
    make_city_record(database, "town")
    record = make_run("town", "aaaa00000001")
    with database.session() as session:
        save_run(session, record)
    return record


def test_a_run_comes_back_whole(database, stored):
    with database.session() as session:
        back = get_run(session, stored.id)
    for field in dataclasses.fields(stored):
        if field.name not in ("grid", "cells", "zones", "result"):
            assert getattr(back, field.name) == getattr(stored, field.name), field.name
    for name in ("rows", "cols", "district"):
        np.testing.assert_array_equal(getattr(back.grid, name), getattr(stored.grid, name))
    assert back.grid.bounds == stored.grid.bounds
    assert back.grid.district_ids == stored.grid.district_ids
    assert back.cells.equals(stored.cells)
    assert back.zones.crs == stored.zones.crs
    assert set(back.zones.columns) == {*stored.zones.columns, "code", "place_name"}
    codes = dict(zip(back.zones["id"], back.zones["code"], strict=True))
    assert back.result == stored.result.coded(codes)
    for name in stored.zones.columns:
        if name == "geometry":
            assert shapely.equals_exact(back.zones.geometry, stored.zones.geometry).all()
        else:
            assert list(back.zones[name]) == list(stored.zones[name])


def test_a_run_is_never_overwritten_nor_altered(database, stored):
    with pytest.raises(StoreError, match="never overwritten"), database.session() as session:
        save_run(session, stored)
    for table, column in (("run", "outcome"), ("zone", "district")):
        with pytest.raises(DBAPIError, match="never changed"), database.session() as session:
            session.execute(text(f"UPDATE {table} SET {column} = 'other'"))
    with database.session() as session:
        assert get_run(session, stored.id).outcome == stored.outcome


def test_runs_are_listed_newest_first(database, stored, make_run):
    later = make_run("town", "bbbb00000002", created_at=dt.datetime(2026, 5, 1), outcome="assault")
    district = make_run("town", "cccc00000003", created_at=dt.datetime(2026, 6, 1), scope="D1")
    with database.session() as session:
        save_run(session, later)
        save_run(session, district)
    with database.session() as session:
        listed = list_runs(session, "town")
        assert [run.id for run in listed] == [district.id, later.id, stored.id]
        assert listed[2].zones == len(stored.zones)
        assert listed[2].incidents == stored.result.incidents
        assert latest_run(session, "town").id == later.id
        assert latest_run(session, "town", outcome="robbery").id == stored.id
        assert latest_run(session, "town", scope="D1").id == district.id


def test_what_is_not_stored_is_told(database, make_run):
    with database.session() as session:
        assert find_run(session, "nope") is None
        assert latest_run(session, "town") is None
        with pytest.raises(NotStoredError, match="saferground runs"):
            get_run(session, "nope")
        with pytest.raises(NotStoredError, match="import it first"):
            save_run(session, make_run("nowhere", "dddd00000004"))


def test_a_run_of_an_earlier_version_is_listed_but_not_read(database, stored):
    with database.session() as session:
        keep_earlier_run(session, stored.id, "dddd00000004")
    with database.session() as session:
        readable = {run.id: run.readable for run in list_runs(session, "town")}
        with pytest.raises(DataError, match="earlier version"):
            get_run(session, "dddd00000004")
    assert readable == {stored.id: True, "dddd00000004": False}
