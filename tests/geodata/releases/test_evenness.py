"""What a release tells of districts and people: right, rounded, and refused where it is finer."""

import dataclasses
import datetime as dt
import json
import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from published import TO_THE_PUBLIC, write_people
from releasing import TODAY, Publisher, keep_run, town_run

from geodata.db.engine import open_database, upgrade
from geodata.errors import ReleaseError
from geodata.releases.build import make_draft, require_rules
from geodata.releases.checks import check_files
from geodata.releases.encoding import csv_bytes
from geodata.releases.equity import coarse_shares, evenness_file
from geodata.releases.inputs import gather
from geodata.releases.measure_files import read_csv
from geodata.repositories.cities import get_city


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("even")
    url = f"sqlite:///{folder / 'town.sqlite'}"
    upgrade(url)
    database = open_database(url)
    write_people(folder)
    town = Publisher(folder)
    town.city += TO_THE_PUBLIC
    town.bring(database)
    keep_run(database, town_run())
    with database.session() as session:
        material = gather(session, get_city(session, "town"), TODAY, [])
        yield material, make_draft(material, None)
    database.close()


def people(draft):
    return {
        (row["area"], row["district"], row["group"]): row
        for row in read_csv(draft.files["data/residents.csv"])
    }


def test_people_are_spread_by_area_and_rounded(made):
    rows = people(made[1])
    assert rows["city", "", ""]["people"] == "7040"
    assert rows["district", "D1", ""]["people"] == "5000"
    assert rows["district", "D2", ""]["people"] == "2040"
    assert rows["district", "D1", "Older <65+>"]["share"] == "0.22"
    # the zone of D1 is 400 m by 400 m of 2 km by 2 km with 4000 people
    assert rows["zones", "D1", ""]["people"] == "160"
    assert rows["zones", "D1", "Children"]["people"] == "30"


def test_of_an_area_of_few_people_nothing_is_told(made):
    rows = people(made[1])
    few = rows["zones", "D2", ""]  # 80 people
    assert (few["people"], few["share"], few["shown"]) == ("", "", "fewer than 100")
    assert rows["zones", "D2", "Children"]["shown"] == "fewer than 100"


def test_people_near_alerts_live_within_areas_of_the_last_year(made):
    rows = people(made[1])
    near, whole = (int(rows[kind, "", ""]["people"]) for kind in ("alerts", "city"))
    assert 0 < near < whole
    assert near == pytest.approx(
        sum(int(rows["alerts", code, ""]["people"] or 0) for code in ("D1", "D2")), abs=120
    )


def test_shares_of_incidents_are_rounded_and_few_are_not_told(made):
    material, draft = made
    rows = read_csv(draft.files["data/districts.csv"])
    counts = material.run.cells["count"]
    assert counts.sum() >= 100
    for row in rows:
        assert float(row["incidents_share"]) == round(float(row["incidents_share"]), 2)
    few = dataclasses.replace(material.run, cells=material.run.cells.assign(count=0))
    few.cells.loc[0:98, "count"] = 1
    told = evenness_file(dataclasses.replace(material, run=few), draft.files)
    assert {row["incidents_share"] for row in read_csv(told["data/districts.csv"])} == {""}
    sensitive = dataclasses.replace(material.city, sensitive_outcomes=("robbery",))
    told = evenness_file(dataclasses.replace(material, city=sensitive), draft.files)
    assert {row["incidents_share"] for row in read_csv(told["data/districts.csv"])} == {""}


def test_a_city_without_alerts_or_zones_tells_areas_only(made):
    material, _ = made
    told = evenness_file(dataclasses.replace(material, run=None), {})
    for row in read_csv(told["data/districts.csv"]):
        assert row["area_share"] == "0.5"
        assert (row["zones"], row["alerts"], row["from"]) == ("", "", "")


def test_contact_and_license_are_in_the_release(made):

    said = json.loads(made[1].files["site/contact.json"])
    assert said["contact"]["name"] == "Town clerk <records>"
    assert said["license"]["url"].endswith("/by/4.0/")
    assert said["residents"] == "counted in 2020"


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("zones,D1,,160,1,", "zones,D1,,163,1,", "are not rounded"),
        ("zones,D2,,,,fewer than 100", "zones,D2,,80,1,", "too few to be told"),
        ("zones,D2,,,,fewer than 100", "zones,D2,,80,,fewer than 100", "hidden and given"),
        ("zones,D2,,,,fewer than 100", "zones,D2,,,,few", "no word of the rule"),
    ],
)
def test_finer_people_refuse_the_release(made, old, new, fault):
    material, draft = made
    content = draft.files["data/residents.csv"].decode()
    assert old in content
    files = {**draft.files, "data/residents.csv": content.replace(old, new).encode()}
    assert [rule for rule, _ in check_files(files, draft.manifest)] == ["residents"]
    with pytest.raises(ReleaseError, match=fault):
        require_rules(material, dataclasses.replace(draft, files=files))


def test_finer_shares_of_incidents_refuse_the_release(made):
    _, draft = made
    rows = read_csv(draft.files["data/districts.csv"])
    rows[0]["incidents_share"] += "37"
    files = {**draft.files, "data/districts.csv": csv_bytes(list(rows[0]), rows)}
    assert ("residents", "data/districts.csv line 2: incidents_share is not rounded") in (
        check_files(files, draft.manifest)
    )


def test_two_drafts_say_the_same(made):
    material, draft = made
    assert make_draft(material, None).id == draft.id
    assert material.last_day == dt.date(2024, 5, 27)


@given(st.lists(st.integers(0, 900), min_size=1, max_size=6).filter(lambda c: sum(c) >= 100))
@example([100, 0])
@example([98, 2, 3])
def test_shares_of_incidents_leave_every_count_three_more_and_three_less(counts):
    """The reader knows how many there are in all, and how shares are rounded."""
    found = coarse_shares(np.array(counts))
    if found is None or len(counts) == 1:
        return
    shares, percent = found
    total, half = sum(counts), percent / 200
    low = [max(math.ceil(total * (share - half) - 1e-9), 0) for share in shares]
    high = [min(math.floor(total * (share + half) + 1e-9), total) for share in shares]
    for own, number in enumerate(counts):
        others = [other for other in range(len(counts)) if other != own]
        least = max(low[own], total - sum(high[other] for other in others))
        most = min(high[own], total - sum(low[other] for other in others))
        assert least <= max(number - 3, 0)
        assert most >= number + 3
