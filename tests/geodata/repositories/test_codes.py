"""Codes of zones: the same place keeps its code from run to run, and no code is given twice."""

import datetime as dt

import geopandas as gpd
import pytest
import shapely
from earlier import before_measures, before_run_lists
from sqlalchemy import text

from geodata.db.engine import upgrade
from geodata.db.json_columns import ZoneStep
from geodata.db.tables import City
from geodata.repositories import cities, runs, runs_in_use, zone_codes, zone_versions
from geodata.repositories.zone_codes import Outlined, choose_codes
from geodata.repositories.zone_editing import COLUMNS, Changed

WHEN = dt.datetime(2026, 3, 1)
X, Y = 500_000, 4_000_000


def zones_at(run, *spots, district="D1", crs="EPSG:32617"):
    """Make zones of 200 by 200 m that begin so many metres east."""
    return gpd.GeoDataFrame(
        {
            "id": [f"{run[:8]}-d1-{rank}" for rank in range(1, len(spots) + 1)],
            "district": district,
            "rank": range(1, len(spots) + 1),
            "area": 40_000.0,
            "n_cells": 4,
            "expected": 1.0,
            "past": 1,
            "environment_share": 0.5,
            "factors": [() for _ in spots],
        },
        geometry=[shapely.box(X + east, Y, X + east + 200, Y + 200) for east in spots],
        crs=crs,
    )


@pytest.fixture
def keep(database, make_city_record, make_run):
    make_city_record(database, "town")

    def kept(run, *spots, day=0, **change):
        zones = zones_at(run, *spots)
        made = make_run(
            "town",
            run,
            zones=zones,
            created_at=WHEN + dt.timedelta(days=day),
            **change,
        )
        with database.session(write=True) as session:
            return list(runs.save_run(session, made).zones["code"])

    kept.database = database
    return kept


def test_a_zone_that_overlaps_one_of_the_run_before_has_its_code(keep):
    assert keep("a" * 12, 0, 300) == ["D1-1", "D1-2"]
    assert keep("b" * 12, 600, 320, 90, day=1) == ["D1-3", "D1-2", "D1-1"]
    with keep.database.session() as session:
        found = runs.get_run(session, "b" * 12)
        document = runs.find_document(session, "b" * 12)
    assert [zone.code for zone in found.result.zones] == list(found.zones["code"])
    assert document.zones == found.result.zones


def test_codes_come_from_the_run_in_use_not_from_a_trial(keep):
    keep("a" * 12, 0, 300)
    with keep.database.session(write=True) as session:
        runs_in_use.use_run(session, "a" * 12, "why", "ana", WHEN)
    assert keep("b" * 12, 700, day=1) == ["D1-3"]  # a trial
    assert keep("c" * 12, 710, 300, day=2) == ["D1-4", "D1-2"]  # no code of the trial again
    with keep.database.session(write=True) as session:
        runs_in_use.use_run(session, "b" * 12, "why", "ana", WHEN)
    assert keep("d" * 12, 710, 300, day=3) == ["D1-3", "D1-5"]


def test_outcomes_and_scopes_have_codes_of_their_own(keep):
    assert keep("a" * 12, 0, 300) == ["D1-1", "D1-2"]
    assert keep("b" * 12, 0, outcome="burglary") == ["D1-3"]
    assert keep("c" * 12, 0, scope="D1") == ["D1-4"]
    assert keep("d" * 12, 0, scope="D1", day=1) == ["D1-4"]


def test_a_district_never_takes_a_code_of_another():
    def zone(name, district, code=""):
        return Outlined(id=name, district=district, shape=shapely.box(0, 0, 1, 1), code=code)

    before = [zone("old", "East/1", "East-1-1")]
    assert choose_codes([zone("new", "West")], before, ["East-1-1"]) == {"new": "West-1"}
    assert choose_codes([zone("new", "East/1")], before, ["East-1-1"]) == {"new": "East-1-1"}
    told = choose_codes([zone("a", "East 1"), zone("b", "East-1")], [], ["East-1-1"])
    assert sorted(told.values()) == ["East-1-2", "East-1-3"]  # both are written alike


def test_a_zone_that_a_person_drew_anew_keeps_its_code_and_others_get_new_ones(keep):
    keep("a" * 12, 0, 300)
    with keep.database.session(write=True) as session:
        run = runs.get_run(session, "a" * 12)
        own = run.zones.assign(name="")[list(COLUMNS)]
        drawn = own.assign(
            id=["aaaaaaaa-d1-e1-1", "aaaaaaaa-d1-e1-2"],
            geometry=[
                shapely.box(X + 50, Y, X + 260, Y + 200),
                shapely.box(X, Y + 400, X + 200, Y + 600),
            ],
        )
        changed = Changed(action="redraw", zones=drawn, details=ZoneStep(before=(), after=()))
        zone_versions.add_edition(session, run, changed, "why", "ana", WHEN, after=0)
        edited = zone_versions.with_edition(session, run, 1)
        assert list(edited.zones["code"]) == ["D1-1", "D1-3"]
        zone_versions.use_edition(session, run, 1, "why", "ana", WHEN)
        runs_in_use.use_run(session, run.id, "why", "ana", WHEN)
    assert keep("b" * 12, 60, 300, day=1) == ["D1-1", "D1-4"]  # those of the zones in use


def test_an_id_keeps_the_code_that_it_has(keep):
    keep("a" * 12, 0)
    with keep.database.session(write=True) as session:
        city = cities.get_city(session, "town")
        again = [Outlined(id="aaaaaaaa-d1-1", district="D1", shape=shapely.box(0, 0, 1, 1))]
        zone_codes.give_codes(session, city.id, again, [])
        assert zone_codes.codes_of(session, city.id, ["aaaaaaaa-d1-1", "x"]) == {
            "aaaaaaaa-d1-1": "D1-1"
        }


def as_before(database):
    """Take a database back to the version before runs were put to use."""
    with database.engine.begin() as connection:
        before_run_lists(connection)
        before_measures(connection)
        for table in ("run_use", "run_name", "zone_code"):
            connection.execute(text(f"DROP TABLE {table}"))
            if connection.dialect.name == "postgresql":
                connection.execute(text(f"DROP FUNCTION {table}_is_fixed()"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0015'"))


def test_the_upgrade_keeps_in_use_what_was_shown_and_gives_codes(keep, database_url):
    database = keep.database
    keep("a" * 12, 0, 300)
    keep("c" * 12, 0, day=1, outcome="burglary")
    keep("d" * 12, 0, day=2, outcome="arson")
    keep("b" * 12, 320, 700, day=3)  # the newest with zones that may be shown
    keep("e" * 12, 0, day=4, scope="D1")
    keep("f" * 12, day=5)  # nobody patrols by a run without zones
    keep("9" * 12, 5000, day=6, outcome="arson")
    with database.session(write=True) as session:
        session.query(City).one().sensitive_outcomes = ["arson"]
        run = runs.get_run(session, "b" * 12)
        own = run.zones.assign(name="")[list(COLUMNS)]
        moved = own.assign(id=["bbbbbbbb-d1-e1", own["id"].iloc[1]])
        changed = Changed(action="redraw", zones=moved, details=ZoneStep(before=(), after=()))
        zone_versions.add_edition(session, run, changed, "why", "ana", WHEN, after=0)
    as_before(database)
    upgrade(database_url)
    with database.session() as session:
        city = cities.get_city(session, "town")
        assert runs_in_use.id_in_use(session, city) == "b" * 12
        listed = runs_in_use.list_uses(session, city.id)
        assert [(one.run, one.outcome) for one in listed] == [
            ("b" * 12, "robbery"),
            ("c" * 12, "burglary"),
        ]
        assert {one.reason for one in listed} == {"in use before the upgrade"}
        told = {
            letter: list(runs.get_run(session, letter * 12).zones["code"]) for letter in "abcdef9"
        }
        edited = zone_versions.with_edition(session, runs.get_run(session, "b" * 12), 1)
    assert told["a"] == ["D1-1", "D1-2"]
    assert (told["c"], told["d"]) == (["D1-3"], ["D1-4"])
    assert told["b"] == ["D1-2", "D1-5"] == list(edited.zones["code"])
    assert (told["e"], told["f"], told["9"]) == (["D1-6"], [], ["D1-7"])
