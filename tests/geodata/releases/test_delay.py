"""Nothing of a release depends on rows younger than its delay."""

import datetime as dt
import json

import pandas as pd
import pytest
from releasing import LAST, TODAY, Publisher, degrees, keep_run, town_run
from run_documents import validation

from app.site_documents import site_files
from geodata.analysis_documents import ZoneScore
from geodata.releases.build import make_draft
from geodata.releases.inputs import gather
from geodata.repositories.cities import get_city
from geodata.repositories.run_analyses import keep_analysis

LAST_INDEX = (LAST - dt.date(2024, 3, 1)).days
NIGHT = 12 * 3600.0 - 60  # a minute before midnight, in seconds after noon
AFTER = (LAST + dt.timedelta(days=1)).isoformat()


def until_the_delay(folder):
    """The town with no row after the last day that may be told, one of them a minute before."""
    town = Publisher(folder)
    town.alert_rows = [row for row in town.alert_rows if row["triggered"] < AFTER]
    town.complaints = [row for row in town.complaints if row[0] < AFTER]
    town.totals = [row for row in town.totals if row[2] <= AFTER]
    town.incidents["date"] = pd.to_datetime(town.incidents["date"]).dt.strftime("%Y-%m-%d")
    town.incidents = town.incidents[town.incidents["date"] < AFTER]
    town.incidents.loc[town.incidents.index[-1], "date"] = LAST.isoformat()
    town.alert(
        day=LAST_INDEX, at=NIGHT, result="confirmed", guns=0, number="E1", type="Single", arrests=0
    )
    return town


def plant(town):
    """Add rows of the days after, which link to the last one, correct it, and add to everything."""
    for day in (1, 3, 6):
        town.alert(
            day=LAST_INDEX + day,
            result="confirmed",
            guns=4,
            arrests=3,
            number="E1" if day == 1 else f"E{day}",
            type="Multiple",
            published=20.0,
        )
        town.call(day=LAST_INDEX + day, at=-43_000.0, arrived=300.0, number="E1")
        town.complaints.append((f"2024-06-0{day}", 2, *degrees(500.0, 500.0)))
    town.verify(day=LAST_INDEX + 2, alert=town.alert_rows[0]["id"])
    town.totals.append(("dirtbike.arrests", "2024-05-01", "2024-06-01", "D1", 40))
    newer = town.incidents.tail(9).copy()
    newer["id"] = [f"new-{number}" for number in range(len(newer))]
    newer["date"] = "2024-05-30"
    town.incidents = pd.concat([town.incidents, newer], ignore_index=True)


def keep_validation(database, until):
    zones = ZoneScore(
        hits=7,
        area_share=0.02,
        hit_rate=7 / 9,
        hit_rate_low=0.4,
        hit_rate_high=0.9,
        pai=38.9,
        by_zone={"x": 7},
    )
    document = validation("a" * 12, dt.date(2024, 4, 1), until, incidents=9, zones=zones)
    with database.session(write=True) as session:
        keep_analysis(session, str(until), document)


@pytest.fixture
def draft(sqlite_database):
    def make():
        with sqlite_database.session() as session:
            material = gather(session, get_city(session, "town"), TODAY, [])
            return make_draft(material, None, site_files).files

    return make


def test_a_release_has_the_same_bytes_with_and_without_younger_rows(
    tmp_path, sqlite_database, draft
):
    town = until_the_delay(tmp_path)
    town.bring(sqlite_database)
    keep_run(sqlite_database)
    before = draft()
    plant(town)
    town.bring(sqlite_database)
    newer = town_run("b" * 12, move=400.0)
    keep_run(
        sqlite_database,
        newer,
        used=False,
        period_to=LAST + dt.timedelta(days=3),
        created_at=newer.created_at + dt.timedelta(days=1),
    )
    keep_validation(sqlite_database, dt.date(2024, 5, 30))
    after = draft()
    assert before.keys() == after.keys()
    assert before["site/sources.json"] == after["site/sources.json"]
    assert [name for name in before if before[name] != after[name]] == []


def test_a_finding_of_old_enough_days_is_published_without_hits_by_zone(
    tmp_path, sqlite_database, draft
):
    until_the_delay(tmp_path).bring(sqlite_database)
    keep_run(sqlite_database)
    keep_validation(sqlite_database, dt.date(2024, 5, 28))
    (found,) = json.loads(draft()["site/run.json"])["validations"]
    assert found["to"] == "2024-05-28"
    assert "by_zone" not in found["zones"]
    assert found["zones"]["hits"] is None  # the rows say otherwise: what does not agree is left out
