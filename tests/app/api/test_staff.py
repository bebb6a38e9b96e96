"""What staff may ask with a token: as their roles allow, and written down."""

import csv
import io

import geopandas as gpd
import pytest

from geodata.exporting import cells_frame
from geodata.repositories import job_queue
from geodata.repositories.runs import get_run

RUN, LATER = "a" * 12, "b" * 12


@pytest.fixture
def record(town):
    with town.office.database.session() as session:
        return get_run(session, RUN)


@pytest.fixture
def officer(town):
    return town.office.program(town.tokens["officer"])


def frame(document):
    return gpd.GeoDataFrame.from_features(document["features"], crs=4326)


def last(town, action):
    return town.office.entries(action)[0]


def test_runs_are_listed_and_told_as_the_command_prints_them(analyst, record):
    told = analyst.get("/api/v1/cities/town/runs").get_json()
    assert {one["run"] for one in told["runs"]} == {RUN, LATER}
    assert [one["zones"] for one in told["runs"]] == [2, 2]
    assert told["numberMatched"] == 2
    rows = list(csv.DictReader(io.StringIO(analyst.get("/api/v1/cities/town/runs?f=csv").text)))
    assert {(row["run"], row["outcome"]) for row in rows} == {(RUN, "robbery"), (LATER, "burglary")}
    printed = {**record.result.as_json(), "warning_codes": []}
    assert analyst.get(f"/api/v1/runs/{RUN}").get_json() == printed
    assert analyst.get("/api/v1/runs/none").status_code == 404
    assert analyst.get("/api/v1/runs/%00%ff").status_code == 404
    assert analyst.get("/api/v1/cities/nowhere/runs").status_code == 404


def test_cells_are_those_of_the_run_and_reading_them_is_written_down(town, analyst, record):
    before = len(town.office.entries("run.export"))
    told = analyst.get(f"/api/v1/runs/{RUN}/cells?limit=10000").get_json()
    held = cells_frame(record)
    assert told["numberMatched"] == len(held)
    given = frame(told).to_crs(held.crs)
    assert given["count"].tolist() == held["count"].tolist()
    assert given.geometry.centroid.distance(held.geometry.centroid).max() < 0.1  # metres
    assert {one["type"] for one in (f["geometry"] for f in told["features"])} == {"Polygon"}
    entry = last(town, "run.export")
    assert len(town.office.entries("run.export")) == before + 1
    assert (entry.person, entry.object) == ("analyst", RUN)
    assert entry.details == {
        "city": "town", "what": "cells", "form": "geojson", "rows": len(held), "token": 3,
    }  # fmt: skip


def test_cells_come_in_pages_in_a_box_and_as_a_table(analyst, record):
    held = cells_frame(record)
    first = held.iloc[[0]].to_crs(4326).geometry.iloc[0].centroid
    box = f"{first.x - 1e-5},{first.y - 1e-5},{first.x + 1e-5},{first.y + 1e-5}"
    inside = analyst.get(f"/api/v1/runs/{RUN}/cells?bbox={box}").get_json()
    assert [one["id"] for one in inside["features"]] == [0]
    page = analyst.get(f"/api/v1/runs/{RUN}/cells?f=csv&limit=7&offset=7")
    rows = list(csv.DictReader(io.StringIO(page.text)))
    assert [int(row["cell"]) for row in rows] == list(range(7, 14))
    assert float(rows[0]["score"]) == pytest.approx(held["score"].iloc[7])
    assert 'rel="next"' in page.headers["Link"]
    assert analyst.get(f"/api/v1/runs/{RUN}/cells?limit=x").status_code == 400


def test_officers_are_given_their_own_districts(town, officer, analyst):
    for what in ("zones", "cells"):
        every = frame(analyst.get(f"/api/v1/runs/{RUN}/{what}?limit=10000").get_json())
        own = frame(officer.get(f"/api/v1/runs/{RUN}/{what}?limit=10000").get_json())
        assert set(every["district"]) == {"D1", "D2"}
        assert set(own["district"]) == {"D1"}
        assert len(own) == (every["district"] == "D1").sum()
    document = officer.get(f"/api/v1/runs/{LATER}").get_json()
    whole = analyst.get(f"/api/v1/runs/{LATER}").get_json()
    for part in ("zones", "districts"):
        assert [one["district"] for one in whole[part]] == ["D1", "D2"]
        assert [one["district"] for one in document[part]] == ["D1"]
    assert officer.get("/api/v1/cities/town/jobs").status_code == 403


def test_findings_are_told_by_kind(analyst):
    told = analyst.get(f"/api/v1/runs/{RUN}/findings").get_json()["findings"]
    assert [(one["kind"], one["key"]) for one in told] == [("validation", "2024-04")]
    document = told[0]["document"]
    assert (document["from"], document["incidents"], document["levels"]) == ("2024-04-01", 7, [])
    none = analyst.get(f"/api/v1/runs/{RUN}/findings?kind=backtest").get_json()
    assert none["findings"] == []
    assert analyst.get(f"/api/v1/runs/{RUN}/findings?kind=x").status_code == 400


def test_a_fit_is_asked_for_looked_at_and_cancelled(town, analyst):
    asked = {"kind": "fit", "arguments": {"city": "town", "outcome": "robbery", "seed": 4711}}
    made = analyst.post("/api/v1/jobs", json=asked)
    assert made.status_code == 202
    told = made.get_json()
    assert (told["state"], told["asked_by"]) == ("waiting", "analyst")
    assert last(town, "job.ask").object == str(told["job"])
    assert analyst.post("/api/v1/jobs", json=asked).get_json()["job"] == told["job"]
    assert analyst.get(made.headers["Location"]).get_json()["arguments"]["seed"] == 4711
    waiting = analyst.get("/api/v1/cities/town/jobs?open=yes&limit=10000").get_json()["jobs"]
    assert told["job"] in [one["job"] for one in waiting]
    gone = analyst.post(f"/api/v1/jobs/{told['job']}/cancel")
    assert gone.get_json()["state"] == "cancelled"
    assert last(town, "job.cancel").object == str(told["job"])
    again = analyst.post(f"/api/v1/jobs/{told['job']}/cancel")
    assert (again.status_code, again.mimetype) == (422, "application/problem+json")
    with town.office.database.session() as session:
        assert job_queue.get_job(session, told["job"]).state == "cancelled"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"kind": "import", "arguments": {"city_file": "/etc/passwd"}}, 400),
        ({"kind": "fit"}, 400),
        ([], 400),
        ({"kind": [], "arguments": {}}, 400),
        ({"kind": "fit", "arguments": {"city": "town", "outcome": "robbery", "colour": 1}}, 400),
        ({"kind": "fit", "arguments": {"city": "\ud800", "outcome": "robbery"}}, 400),
        ({"kind": "fit", "arguments": {"city": "a\0b", "outcome": "robbery"}}, 400),
        ({"kind": "fit", "arguments": {"city": "nowhere", "outcome": "robbery"}}, 404),
        ({"kind": "validate", "arguments": {"run": "x", "from": "2024-01-01", "to": "2024-02-01"}},
         404),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused(town, analyst, body, status):
    before = len(town.office.entries("job.ask"))
    answer = analyst.post("/api/v1/jobs", json=body)
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
    assert len(town.office.entries("job.ask")) == before


def test_a_body_that_is_no_json_or_too_long_is_refused(analyst):
    assert (
        analyst.post("/api/v1/jobs", data="{", content_type="application/json").status_code == 400
    )
    assert analyst.post("/api/v1/jobs", data={"kind": "fit"}).status_code == 415
    long = {"kind": "fit", "arguments": {"city": "x" * 300_000}}
    assert analyst.post("/api/v1/jobs", json=long).status_code == 413


def test_imports_are_told(analyst):
    told = analyst.get("/api/v1/cities/town/imports").get_json()
    assert told["numberMatched"] >= 1
    assert told["imports"][-1]["changes"]["incident"]["added"] > 0


def test_nothing_of_the_staff_is_kept_or_given_to_other_sites(analyst):
    answer = analyst.get(f"/api/v1/runs/{RUN}")
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert "ETag" not in answer.headers
