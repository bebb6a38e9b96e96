"""A city with a pilot that nobody foresaw, unarmed crisis response, is described by its file."""

import csv
import datetime as dt
import io
import json

import pandas as pd
import pytest
from gunfire import degrees
from releasing import EXTRA, Publisher

from app import create_app
from app.config import Settings
from geodata.cityfile.description import read_city_file
from geodata.errors import CityFileError

PILOT = """
[[measures]]
id = "crisis.answered"
title = "Calls that the crisis team answered"
unit = "calls"
better = "up"
sensitive = false
counts = "answered"
parts = true
key = 1
[measures.group]
title = "Crisis response"
about = "Unarmed teams that answer calls about people in distress."

[[measures]]
id = "crisis.diverted"
title = "Calls diverted from patrol"
unit = "calls"
better = "up"
sensitive = false
counts = "diverted"
definition = "Calls that would have been a patrol's and that the team answered alone."
target = 20
target_source = "plan of the pilot"

[[measures]]
id = "crisis.repeat"
title = "Repeat calls"
unit = "calls"
better = "down"
sensitive = false
counts = "repeat"

[[measures]]
id = "crisis.injured"
title = "Calls that ended with an injury"
unit = "people"
better = "down"
sensitive = true

[[occurrences]]
source = "calls_of_the_team.csv"
[occurrences.fields]
date = "day"
measure = "what"
kind = "about"
x = "x"
y = "y"
[[counts]]
source = "totals_of_the_team.csv"
[counts.fields]
measure = "what"
from = "from"
to = "to"
district = "district"
value = "n"
"""
INITIATIVE = """
city = "town"
[[initiatives]]
slug = "crisis-response"
number = "2.20"
title = "Answer distress without weapons"
goal = "Safer together"
status = "In Progress"
owner = "Community Safety Department"
updated = 2024-05-20
[initiatives.narrative]
why = "Distress is no crime."
doing = "Two teams drive by day."
next = "A team at night."
analysis = "Calls, and what became of them."
[[initiatives.strategies]]
slug = "team"
title = "Crisis team"
summary = "Unarmed."
status = "In Progress"
measures = ["crisis.answered", "crisis.diverted", "crisis.repeat", "crisis.injured"]
"""


@pytest.fixture
def town(tmp_path):
    made = Publisher(tmp_path, alerts=8)
    made.city = made.city.replace(EXTRA, PILOT)
    rows, totals = [], []
    for number in range(60):
        day = dt.date(2024, 3, 1) + dt.timedelta(days=number)
        x, y = degrees(500 if number % 3 else 3500, 1000)
        about = "welfare check" if number % 2 else "mental health"
        rows.append([day, "answered", about, x, y])
        if number % 2:
            rows.append([day, "diverted", about, x, y])
    for month in (3, 4, 5):
        first, after = f"2024-0{month}-01", f"2024-0{month + 1}-01"
        totals.append(["repeat", first, after, "D1", month])
        totals += [["crisis.injured", first, after, code, n] for code, n in (("D1", 2), ("D2", 30))]
    for name, table, columns in (
        ("calls_of_the_team", rows, "day what about x y"),
        ("totals_of_the_team", totals, "what from to district n"),
    ):
        frame = pd.DataFrame(table, columns=columns.split())
        frame.to_csv(tmp_path / f"{name}.csv", index=False)
    (tmp_path / "pilot.toml").write_text(INITIATIVE)
    made.save()
    return made


@pytest.fixture
def pages(run, town, tmp_path):
    run("init")
    run("import", town.path)
    run("initiatives", "import", tmp_path / "pilot.toml")
    drafted = json.loads(run("publish", "draft", "town", "--as", "ana", "--json").stdout)
    run("publish", "approve", drafted["release"], "--as", "ben")
    run("publish", "verify", drafted["release"])
    nowhere = Settings(
        database_url="sqlite:////nowhere/at/all.sqlite", instance=tmp_path / "instance"
    )
    return create_app(nowhere).test_client()


def test_the_command_tells_the_measures_of_the_file_and_no_others(run, town):
    run("init")
    run("import", town.path)
    found = json.loads(run("measures", "town", "--json").stdout)["measures"]
    by_id = {one["id"]: one for one in found}
    assert [one for one in by_id if one.startswith(("crisis", "dirtbike"))] == [
        "crisis.answered",
        "crisis.diverted",
        "crisis.repeat",
        "crisis.injured",
    ]
    answered, diverted = by_id["crisis.answered"], by_id["crisis.diverted"]
    assert (answered["value"], answered["n"], answered["unit"]) == (60, 60, "calls")
    assert (diverted["value"], diverted["target"]) == (30, 20)
    assert diverted["target_source"] == "plan of the pilot"
    assert (by_id["crisis.repeat"]["value"], by_id["crisis.injured"]["value"]) == (12, 96)
    d2 = json.loads(run("measures", "town", "--district", "D2", "--json").stdout)["measures"]
    assert {one["id"]: one["value"] for one in d2}["crisis.answered"] == 20


def test_a_row_that_counts_towards_nothing_declared_is_left_out(run, town, tmp_path):
    totals = tmp_path / "totals_of_the_team.csv"
    totals.write_text(totals.read_text() + "dirtbike.arrests,2024-03-01,2024-04-01,D1,3\n")
    run("init")
    sources = json.loads(run("import", town.path, "--json").stdout)["sources"]
    (left_out,) = [one["left_out"] for one in sources if one["source"] == totals.name]
    assert left_out == {"not a measure that takes figures": 1}


def test_the_public_page_of_the_initiative_has_its_figures(pages):
    text = pages.get("/initiatives/crisis-response").text
    assert "Calls that the crisis team answered" in text
    assert "Calls diverted from patrol" in text
    assert "Repeat calls" in text
    assert "Crisis response" in pages.get("/measures/").text
    assert "irt bike" not in pages.get("/measures/").text
    assert "Calls that the crisis team answered" in pages.get("/initiatives/").text  # a key figure
    detail = pages.get("/measures/crisis.answered?period=all").text
    assert "Welfare check" in detail
    assert "Mental health" in detail
    answer = pages.get("/api/v1/measures/crisis.diverted").json
    assert (answer["measure"]["value"], answer["measure"]["unit"]) == (30, "calls")
    assert pages.get("/measures/dirtbike.arrests").status_code == 404


def test_a_small_count_that_the_city_calls_sensitive_is_withheld(pages):
    table = pages.get("/data/measures_monthly.csv").text
    rows = [row for row in csv.DictReader(io.StringIO(table)) if row["measure"] == "crisis.injured"]
    assert rows
    months = ("2024-03", "2024-04", "2024-05")
    small = [row for row in rows if row["district"] == "D1" and row["month"] in months]
    assert {row["value"] for row in small} == {""}
    assert all(row["shown"] for row in small)
    assert "fewer than 5" in {row["shown"] for row in small}


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("sensitive = true\n", "", "[[measures]] 4: sensitive is missing; true withholds small"),
        ('unit = "people"', 'unit = ""', "[[measures]] 4: unit: string should have at least 1"),
        ('id = "crisis.repeat"', 'id = "crisis.diverted"', "'crisis.diverted' is declared twice"),
        ('id = "crisis.repeat"', 'id = "alerts.repeat"', "alerts is a group of the product"),
        ('id = "crisis.repeat"', 'id = "Repeat"', "use small letters with a dot"),
        ('counts = "repeat"', 'counts = "diverted"', "is counted by crisis.diverted already"),
        ("target = 20\n", "", "target and target_source belong together"),
        ("parts = true", "part = true", "unknown key 'part'; did you mean parts?"),
    ],
)
def test_a_fault_of_a_declaration_is_named_with_its_place(town, old, new, fault):
    town.change(old, new)
    with pytest.raises(CityFileError) as raised:
        read_city_file(town.path)
    assert fault in str(raised.value)
    assert len(raised.value.faults) == 1
