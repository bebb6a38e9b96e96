"""Incidents as a release counts them: never a small one, and nothing else that tells one."""

import csv
import datetime as dt
import io

import numpy as np
import pandas as pd
import pytest
from gunfire import degrees
from ready import make_ready
from releasing import TODAY, Publisher, keep_run, town_run

from geodata.db.engine import open_database
from geodata.measures.outcomes import measures_of
from geodata.releases.build import make_draft
from geodata.releases.inputs import gather
from geodata.releases.outcome_counts import least_counts
from geodata.releases.sensitive import CountDisclosure, Hidden
from geodata.repositories.cities import get_city
from geodata.repositories.incidents import incident_points
from spatial.disclosure.linked import FEWER, HELD, SHOWN
from spatial.grid import area_of

ROBBERY = "incidents.robbery"


def rows_of(content):
    return list(csv.DictReader(io.StringIO(content.decode())))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A draft of a town with two years of robberies, few in some months; and its material."""
    folder = tmp_path_factory.mktemp("outcomes")
    url = f"sqlite:///{folder / 'saferground.sqlite'}"
    make_ready(url)
    database = open_database(url)
    town = Publisher(folder)
    rng = np.random.default_rng(4)
    days = [dt.date(2022, 6, 1) + dt.timedelta(days=int(n)) for n in rng.integers(0, 726, 260)]
    at = [degrees(4000 * rng.random() ** 2, 3990 * rng.random()) for _ in days]
    town.incidents = pd.DataFrame(
        {
            "id": [f"R{i}" for i in range(260)],
            "offense": ["ROBBERY" if i % 13 else "BURGLARY" for i in range(260)],
            "date": [f"{day.month}/{day.day}/{day.year}" for day in days],
            "lon": [lon for lon, _ in at],
            "lat": [lat for _, lat in at],
        }
    )
    town.city += '\n[publish]\nsensitive_outcomes = ["burglary"]\n'
    town.bring(database)
    keep_run(database, town_run())
    with database.session() as session:
        material = gather(session, get_city(session, "town"), TODAY, [])
        yield material, make_draft(material, None)
    database.close()


def true_count(material, row, outcome="robbery"):
    """Count the incidents of a row of measures, in another way than the ledger does."""
    start, end = (dt.date.fromisoformat(row[key]) for key in ("from", "to"))
    city = material.city
    points = incident_points(material.session, city.id, outcome, start, end).geometry
    shape = city.study_area
    if row["district"]:
        codes = [str(code) for code in city.districts["code"]]
        shape = city.districts.geometry.iloc[codes.index(row["district"])]
    return int((area_of(points.x.to_numpy(), points.y.to_numpy(), [shape]) == 0).sum())


def told(draft, name="data/measures_monthly.csv", measure=ROBBERY):
    return [row for row in rows_of(draft.files[name]) if row["measure"] == measure]


def test_incidents_are_counted_by_district_and_month_where_they_are_not_small(made):
    material, draft = made
    rows = [*told(draft), *told(draft, "data/measures.csv")]
    shown = [row for row in rows if row["shown"] == ""]
    assert len(rows) == 3 * 23 + 3 * 3
    assert 20 < len(shown) < len(rows)
    for row in shown:
        number = true_count(material, row)
        assert float(row["value"] or 0) == number
        assert number not in range(1, 5)
        assert float(row["low"]) <= number <= float(row["high"])
    for row in rows:
        if row["shown"]:
            assert not any(row[key] for key in ("value", "low", "high", "year_before", "n"))
    assert {row["shown"] for row in rows} > {"", "fewer than 5"}


def test_the_year_before_stands_beside_a_count_where_both_are_told(made):
    material, draft = made
    (year,) = [
        row
        for row in told(draft, "data/measures.csv")
        if (row["period"], row["district"]) == ("last 12 months", "")
    ]
    before = {
        "district": "",
        "from": year["from"].replace("2023", "2022"),
        "to": year["to"].replace("2024", "2023"),
    }
    assert year["from"] == "2023-05-01"
    assert year["year_before"] == ""  # the rows begin in June 2022
    (this,) = [
        row
        for row in told(draft, "data/measures.csv")
        if (row["period"], row["district"]) == ("this year", "")
    ]
    before |= {key: this[key].replace("2024", "2023") for key in ("from", "to")}
    assert float(this["year_before"]) == true_count(material, before)
    monthly = [row for row in told(draft) if row["year_before"]]
    assert monthly
    for row in monthly:
        earlier = {**row, "from": _year_less(row["from"]), "to": _year_less(row["to"])}
        assert float(row["year_before"]) == true_count(material, earlier)
        assert float(row["year_before"]) not in range(1, 5)


def _year_less(day):
    return f"{int(day[:4]) - 1}{day[4:]}"


def test_how_zones_did_stands_only_beside_incidents_that_are_told(made):
    _, draft = made
    counts = {(row["district"], row["from"], row["to"]): row for row in told(draft)}
    rates = [row for row in told(draft, measure="zones.hit_rate") if row["from"] >= "2024-04-01"]
    assert rates
    for row in rates:
        assert counts[row["district"], row["from"], row["to"]]["shown"] == ""
        assert int(row["n"]) not in range(1, 5)


def test_a_sensitive_outcome_is_no_measure_of_a_release(made):
    _, draft = made
    assert told(draft, "data/measures.csv", "incidents.burglary") == []
    assert {row["outcome"] for row in rows_of(draft.files["data/incidents_monthly.csv"])} == {
        "burglary"
    }
    ways = {one.id: one.disclosure for one in measures_of(["a", "b"], {}, ["b"])}
    assert ways == {
        "incidents.a": "count",
        "incidents.a.in_zones": "staff",
        "incidents.b": "staff",
        "incidents.b.in_zones": "staff",
    }


def test_what_lay_inside_zones_is_the_least_that_there_was():
    days = (dt.date(2024, 4, 3), dt.date(2024, 4, 20))
    month, year = (
        (dt.date(2024, 4, 1), dt.date(2024, 5, 1)),
        (dt.date(2024, 1, 1), dt.date(2025, 1, 1)),
    )

    def hits(label, value, place="D1"):
        result = CountDisclosure(label=int(label), value=value)
        return Hidden(told={("h", place, *days): result}, public=None, linked=None, position={})

    tables = [hits(SHOWN, 7), hits(HELD, None, "D2"), hits(FEWER, None, "D3"), hits(SHOWN, 6)]
    assert least_counts(ROBBERY, [month, year], tables) == {
        (ROBBERY, "D1", *month): 7,
        (ROBBERY, "D1", *year): 7,
        (ROBBERY, "D2", *month): 5,
        (ROBBERY, "D2", *year): 5,
    }
    assert least_counts(ROBBERY, [days], tables)[ROBBERY, "D1", *days] == 7
    assert least_counts(ROBBERY, [(days[0], dt.date(2024, 4, 10))], tables) == {}
