"""Runs that are read, changed by hand and compared, as analysts and others meet them."""

import datetime as dt
import io
import json
import re

import numpy as np
import pytest
import shapely
from PIL import Image
from pyproj import Transformer
from ready import make_ready
from staffing import Office, keep_city
from town import CRS, Town

from app.maps.palette import RESIDUAL
from app.maps.surface import warped_classes
from app.usecases.risk.fit import FitRequest, fit
from app.workbench.results_maps import BY_NAME, expected_by_factors, residuals_around
from app.workbench.zone_edits import read_shape
from geodata.cityfile.description import read_city_file
from geodata.db.engine import open_database
from geodata.db.tables import City
from geodata.errors import DataError
from geodata.ingest.store import import_city
from geodata.repositories import job_queue, runs, zone_versions
from spatial.spec import ZoneSpec

PEOPLE = ("analyst", "viewer", "officer")


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """A town with two runs and an office, made once; tests change copies of it."""
    folder = tmp_path_factory.mktemp("reading")
    url = f"sqlite:///{folder}/town.sqlite"
    make_ready(url)
    database = open_database(url)
    import_city(database, read_city_file(Town(folder, n=700).crowd(400).path))
    half = (dt.date(2024, 1, 1), dt.date(2024, 8, 1))
    ids = []
    for share in (0.02, 0.04):
        asked = FitRequest(
            city="town",
            outcome="robbery",
            start=half[0],
            end=half[1],
            zones=ZoneSpec(area_share=share),
        )
        ids += [run.id for run in fit(database, asked)]
    office = Office(url, folder)
    for role in PEOPLE:
        office.add(role, role, **({"districts": ["town/D1"]} if role == "officer" else {}))
    with database.session() as session:
        found = [runs.get_run(session, run) for run in ids]
    office.close()
    database.close()
    return folder / "town.sqlite", found, office.secrets


@pytest.fixture
def office(fitted, tmp_path):
    there, _, secrets = fitted
    copy = tmp_path / "town.sqlite"
    copy.write_bytes(there.read_bytes())
    made = Office(f"sqlite:///{copy}", tmp_path)
    made.secrets = dict(secrets)
    yield made
    made.close()


@pytest.fixture(scope="module")
def calm(fitted, tmp_path_factory):
    """Browsers of people who read or are refused: nothing is changed by what they do."""
    there, _, secrets = fitted
    folder = tmp_path_factory.mktemp("calm")
    (folder / "town.sqlite").write_bytes(there.read_bytes())
    made = Office(f"sqlite:///{folder}/town.sqlite", folder)
    made.secrets = dict(secrets)
    made.browsers = {name: made.client(name) for name in PEOPLE}
    yield made
    made.close()


@pytest.fixture
def run(fitted):
    return fitted[1][0]


def path(run, more=""):
    return f"/analyst/town/runs/{run.id}{more}"


def shape_json(shape):
    back = Transformer.from_crs(CRS, 4326, always_xy=True)
    turned = shapely.transform(shape, lambda xy: np.column_stack(back.transform(*xy.T)))
    return shapely.to_geojson(turned)


def take(browser, run, status=303, **data):
    """Take a step on the page of the zones."""
    page = path(run, "/zones")
    after = re.search(r'name="after" value="(\d+)"', browser.get(page).text)[1]
    answer = browser.send(page, **{"after": after, "reason": "seen on site", **data})
    assert answer.status_code == status, answer.text
    return answer


def across(shape):
    west, south, east, north = shape.bounds
    x = (west + east) / 2 + 1
    return shapely.LineString([(x, south - 9), (x, north + 9)])


def test_the_page_of_a_run_tells_it_in_words_and_tables(calm, run):
    text = calm.browsers["viewer"].get(path(run)).text
    model = run.result.model
    assert f"{run.result.incidents:,} incidents" in text
    assert f"Of {run.result.candidates} candidates" in text
    for factor in model.factors:
        assert f"<strong>{factor.rrv:.2f}</strong>" in text
        assert f"{factor.coefficient:.4f}" in text
    for zone in run.zones["id"]:
        assert f'id="{zone}"' in text
    assert "not scored on a later period yet" in text
    assert "Ask for more" not in text  # a viewer asks for nothing
    assert "Ask for more" in calm.browsers["analyst"].get(path(run)).text


def test_zones_are_filtered_and_sorted(calm, run):
    browser = calm.browsers["viewer"]
    district = run.zones["district"].iloc[0]
    text = browser.get(path(run, f"?district={district}&sort=past")).text
    shown = re.findall(r'<tr id="([^"]+)"', text)
    own = run.zones[run.zones["district"] == district]
    assert shown == own.sort_values("past", ascending=False, kind="stable")["id"].tolist()
    assert browser.get(path(run, "?district=D9")).status_code == 400
    assert browser.get(path(run, "?sort=evil")).status_code == 400


def test_the_map_has_one_surface_at_a_time_and_no_exact_place(calm, run):
    browser = calm.browsers["viewer"]
    told = browser.get(path(run, "/map.json")).get_json()
    pictures = [layer for layer in told["layers"] if "picture" in layer]
    assert len(pictures) == 5
    assert {layer["group"] for layer in pictures} == {"surface"}
    assert [layer["shown"] for layer in pictures] == [True, False, False, False, False]
    for layer in pictures:
        drawn = browser.get(layer["picture"])
        assert drawn.mimetype == "image/png"
        assert Image.open(io.BytesIO(drawn.data)).size[0] > 50
        for key in layer["keys"]:
            assert re.search(r"\d", key["label"])
    (zones,) = [layer for layer in told["layers"] if layer["name"] == "zones"]
    assert {one["properties"]["href"] for one in zones["shapes"]["features"]} == {
        f"#{zone}" for zone in run.zones["id"]
    }
    (late,) = [layer for layer in told["layers"] if layer["name"] == "incidents"]
    assert "shapes" not in late
    assert not late["shown"]
    assert calm.entries("run.points") == []


def test_exact_places_are_noted_and_kept_to_own_districts(office, run):
    points = path(run, "/points.json")
    every = office.client("viewer").get(points).get_json()["shapes"]["features"]
    assert len(every) == run.result.incidents
    mine = office.client("officer").get(points).get_json()["shapes"]["features"]
    assert 0 < len(mine) < len(every)
    told = office.entries("run.points")
    assert [(one.person, one.details["points"]) for one in told] == [
        ("officer", len(mine)),
        ("viewer", len(every)),
    ]
    assert told[0].details["districts"] == ["D1"]


def test_residuals_are_observed_minus_expected(run):
    expected = expected_by_factors(run)
    count = run.cells["count"].to_numpy()
    assert expected.sum() == pytest.approx(count.sum(), rel=0.02)
    found = residuals_around(run)
    cell = int(np.argmax(found))
    near = (abs(run.grid.rows - run.grid.rows[cell]) <= 2) & (
        abs(run.grid.cols - run.grid.cols[cell]) <= 2
    )
    assert found[cell] == pytest.approx((count - expected)[near].sum())
    painted = BY_NAME["residuals"].paint(run)
    assert (found[painted.classes == 4] > 0).all()
    assert (found[painted.classes == 1] < 0).all()
    assert {1, 4} <= set(painted.classes.tolist())


def test_classes_are_painted_where_their_cells_lie(run):
    classes = np.zeros(len(run.grid), dtype=int)
    south = run.grid.rows < run.grid.n_rows // 2
    classes[south] = 4
    drawn = warped_classes(run.grid, run.zones.crs, classes, RESIDUAL)
    picture = np.array(Image.open(io.BytesIO(drawn.png)).convert("RGBA"))
    height, width = picture.shape[:2]
    assert tuple(picture[int(height * 0.8), width // 2]) == RESIDUAL[4]
    assert picture[int(height * 0.2), width // 2, 3] == 0


def test_the_environment_and_history_add_up_to_the_combined_risk(run):
    cells = run.cells
    total = cells["environment"] + cells["history"]
    assert total.to_numpy() == pytest.approx(cells["combined"].to_numpy())


FILES = {
    "zones.geojson": b'{"type": "FeatureCollection"',
    "zones.csv": b"id,",
    "zones.gpkg": b"SQLite format 3",
    "cells.csv": b"cell,",
    "factors.csv": b"model,",
    "surface.tif": b"II",
    "report.html": b"<!doctype html>",
    "report.pdf": b"%PDF",
}


def test_a_run_is_taken_along_and_that_is_noted(office, run):
    browser = office.client("viewer")
    for what, start in FILES.items():
        answer = browser.get(path(run, f"/files/{what}"))
        assert answer.status_code == 200
        assert answer.data.startswith(start), what
        assert f"{run.id}-{what}" in answer.headers["Content-Disposition"]
    told = office.entries("run.export")[::-1]
    assert [one.details["file"] for one in told] == [f"{run.id}-{what}" for what in FILES]
    assert {(one.person, one.object) for one in told} == {("viewer", run.id)}


def test_there_is_nothing_else_to_take(calm, run):
    browser = calm.browsers["viewer"]
    for what in ("zones.exe", "report.csv", "evil.geojson"):
        assert browser.get(path(run, f"/files/{what}")).status_code == 404
    assert browser.get(path(run, "/charts/evil.svg")).status_code == 404
    assert browser.get(path(run, "/surfaces/evil.png")).status_code == 404
    assert browser.get("/analyst/town/runs/nope").status_code == 404
    assert browser.get(f"/analyst/nowhere/runs/{run.id}").status_code == 404
    assert browser.get(path(run, "/charts/factors.svg")).mimetype == "image/svg+xml"


def ask(browser, run, kind, **data):
    fields = {f"{kind}-{name}": value for name, value in data.items()}
    fields[f"{kind}-csrf_token"] = browser.token(path(run))
    return browser.post(path(run, f"/ask/{kind}"), fields)


ASKED = {
    "validate": {"start": "2024-08-01", "end": "2025-01-01"},
    "backtest": {"origins": "3"},
    "certainty": {"replicates": "20", "seed": "7"},
    "sensitivity": {},
}


def test_more_work_is_asked_for(office, run):
    browser = office.client("analyst")
    for kind, data in ASKED.items():
        answer = ask(browser, run, kind, **data)
        assert answer.status_code == 303, answer.text
        with office.database.session() as session:
            job = job_queue.list_jobs(session, "town")[0]
        assert answer.location.endswith(f"/analyst/town/jobs/{job.id}")
        assert (job.kind, job.asked_by, job.arguments["run"]) == (kind, "analyst", run.id)


@pytest.mark.parametrize(
    ("kind", "data", "told"),
    [
        ("validate", {"start": "2024-07-31", "end": "2025-01-01"}, "the run has seen"),
        ("validate", {"start": "2024-09-01", "end": "2024-09-01"}, "not after the first day"),
        ("validate", {"start": "1/9/2024", "end": "x"}, "write a day as"),
        ("backtest", {"origins": "99"}, "whole number from 1"),
        ("certainty", {"replicates": "-3", "seed": "1"}, "whole number from 2"),
        ("certainty", {"replicates": "9" * 40, "seed": "1"}, "whole number from 2"),
    ],
)
def test_work_that_cannot_be_is_told_at_the_field(calm, run, kind, data, told):
    answer = ask(calm.browsers["analyst"], run, kind, **data)
    assert answer.status_code == 422
    assert told in answer.text
    for value in data.values():
        assert f'value="{value}"' in answer.text
    with calm.database.session() as session:
        assert job_queue.list_jobs(session, "town") == []


def test_an_analyst_changes_zones_and_puts_them_to_use(office, run):
    browser = office.client("analyst")
    zone = run.zones.sort_values("n_cells").iloc[-1]
    line = shape_json(across(zone.geometry))
    take(browser, run, action="split", zones=[zone.id], shape=line)
    text = browser.get(path(run, "/zones")).text
    assert "Step 1:" in text
    assert "It is not in use yet." in text
    assert f"{zone.id} split into" in text
    parts = re.findall(r'name="zones" value="([^"]*-e1-\d)"', text)
    assert len(parts) >= 2
    assert zone.id in browser.get(path(run)).text  # the run shows what is in use
    used = browser.send(path(run, "/zones/use"), path(run, "/zones"), number="1", reason="agreed")
    assert used.status_code == 303
    page = browser.get(path(run)).text
    assert parts[0] in page
    assert "Zones were changed by a person" in page
    answer = browser.get(path(run, "/files/zones.csv"))
    assert "edited_on" in answer.text.splitlines()[0]
    assert "analyst" not in answer.text
    assert "changed the zones" in browser.get(path(run, "/files/report.html")).text
    take(browser, run, action="merge", zones=parts)
    other = run.zones["id"][run.zones["id"] != zone.id].iloc[0]
    take(browser, run, action="rename", zones=[other], name="Main & <5th>")
    assert "Main &amp; &lt;5th&gt;" in browser.get(path(run, "/zones")).text
    back = browser.send(
        path(run, "/zones/back"), path(run, "/zones"), number="0", after="3", reason="a slip"
    )
    assert back.status_code == 303
    text = browser.get(path(run, "/zones")).text
    assert "back to the run&#39;s own zones" in text
    assert [
        action for action in office.actions() if action.startswith(("zones.", "run.export"))
    ] == [
        "zones.split",
        "zones.use",
        "run.export",
        "run.export",
        "zones.merge",
        "zones.rename",
        "zones.back",
    ]
    with office.database.session() as session:
        assert len(zone_versions.list_editions(session, run.id)) == 4
        assert runs.get_run(session, run.id).zones["id"].tolist() == run.zones["id"].tolist()


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({"action": "merge", "zones": ["first"]}, "at least two zones"),
        ({"action": "drop", "zones": []}, "the one zone"),
        ({"action": "drop", "zones": ["first"], "reason": ""}, "say why"),
        ({"action": "evil", "zones": ["first"]}, "choose what to do"),
        ({"action": "drop", "zones": ["nobody"]}, "there is no zone"),
        ({"action": "drop", "zones": ["first"], "after": "7"}, "changed meanwhile"),
        ({"action": "split", "zones": ["first"], "shape": ""}, "nothing is drawn"),
        ({"action": "split", "zones": ["first"], "shape": "[" * 50_000}, "no GeoJSON"),
        (
            {
                "action": "split",
                "zones": ["first"],
                "shape": '{"type":"LineString","coordinates":[[-79.6,36.1],[-79.5,36.1]]}',
            },
            "does not cross",
        ),
        (
            {
                "action": "redraw",
                "zones": ["first"],
                "shape": '{"type":"Polygon","coordinates":'
                "[[[-79.6,36.1],[-79.5,36.1],[-79.5,36.2],[-79.6,36.1]]]}",
            },
            "no centre",
        ),
        ({"action": "rename", "zones": ["first"], "name": "x" * 61}, "up to 60"),
    ],
)
def test_a_step_that_cannot_be_is_told_at_the_field_and_kept(calm, run, data, told):
    browser = calm.browsers["analyst"]
    first = run.zones["id"].iloc[0]
    data = {**data, "zones": [first if zone == "first" else zone for zone in data["zones"]]}
    text = take(browser, run, status=422, **data).text
    assert told in text
    assert "Not taken" in text
    if data.get("reason") != "":
        assert 'value="seen on site"' in text
    if first in data["zones"]:
        assert re.search(rf'value="{first}"[^>]* checked', text)
    with calm.database.session() as session:
        assert zone_versions.list_editions(session, run.id) == []


def test_readers_see_the_steps_and_change_nothing(calm, run):
    for name in ("viewer", "officer"):
        browser = calm.browsers[name]
        text = browser.get(path(run, "/zones")).text
        assert "Nobody has changed these zones" in text
        assert 'name="action"' not in text
        token = browser.token("/account/password")
        first = run.zones["id"].iloc[0]
        for where, more in (
            ("/zones", {"action": "drop", "zones": [first]}),
            ("/zones/use", {"number": "1"}),
            ("/zones/back", {"number": "0"}),
            ("/ask/sensitivity", {}),
        ):
            answer = browser.post(
                path(run, where), {"csrf_token": token, "reason": "why", "after": "0", **more}
            )
            assert answer.status_code == 403, where
    with calm.database.session() as session:
        assert zone_versions.list_editions(session, run.id) == []


def test_runs_of_sensitive_kinds_are_for_analysts(office, run):
    with office.database.session(write=True) as session:
        session.query(City).one().sensitive_outcomes = ["robbery"]
    viewer, analyst = office.client("viewer"), office.client("analyst")
    for more in ("", "/map.json", "/points.json", "/zones", "/files/cells.csv"):
        assert viewer.get(path(run, more)).status_code == 403, more
        assert analyst.get(path(run, more)).status_code == 200, more
    assert run.id not in viewer.get("/analyst/town/compare").text


def test_two_runs_are_compared(calm, fitted):
    one, two = fitted[1]
    browser = calm.browsers["viewer"]
    assert "Choose two runs" in browser.get("/analyst/town/compare").text
    text = browser.get(f"/analyst/town/compare?one={one.id}&two={two.id}").text
    assert re.search(r"zones area share</th><td>0.02</td><td>0.04</td>", text)
    assert "Rank correlation" in text
    assert re.search(r"Risk terrain alone</th><td class=\"n\">1.000</td>", text)  # same fit
    both = one.zones.geometry.union_all().intersection(two.zones.geometry.union_all()).area
    share = both / one.zones.geometry.area.sum()
    assert f"{round(100 * share)} % of the first" in text
    told = browser.get(f"/analyst/town/compare/map.json?one={one.id}&two={two.id}").get_json()
    assert [layer["name"] for layer in told["layers"]] == ["districts", "two", "one"]
    assert "same run twice" in browser.get(f"/analyst/town/compare?one={one.id}&two={one.id}").text
    assert browser.get("/analyst/town/compare?one=nope&two=x").status_code == 400
    assert browser.get("/analyst/town/compare/map.json?one=nope&two=x").status_code == 404


def test_one_run_has_nothing_to_be_compared_with(sqlite_url, tmp_path):
    make_ready(sqlite_url)
    made = Office(sqlite_url, tmp_path)
    keep_city(made.database, "town")
    made.add("ana", "analyst")
    text = made.client("ana").get("/analyst/town/compare").text
    assert "There is no run yet" in text
    made.close()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "nothing is drawn"),
        ("{}", "not a None"),
        ("[1]", "no GeoJSON geometry"),
        ('{"type":"Point","coordinates":[0,0]}', "takes a Polygon"),
        ('{"type":"Polygon","coordinates":[]}', "no coordinates"),
        ('{"type":"Polygon","coordinates":[[[-79.6,36.1],[-79.5,36.1]]]}', "cannot be made"),
        ('{"type":"Polygon","coordinates":[[[0,0],["x",1],[1,0],[0,0]]]}', "pairs of degrees"),
        ('{"type":"Polygon","coordinates":[[[0,0],[NaN,1],[1,0],[0,0]]]}', "pairs of degrees"),
        ('{"type":"Polygon","coordinates":[[[0,0],[true,1],[1,0],[0,0]]]}', "pairs of degrees"),
        ('{"type":"Polygon","coordinates":[[[0,0],[500,1],[1,0],[0,0]]]}', "pairs of degrees"),
        ('{"type":"Polygon","coordinates":[[[0,0],[1,1],[1,0],[0,0]]]}', "cannot be used"),
        ('{"type":"FeatureCollection","features":[]}', "several"),
        (json.dumps({"type": "Polygon", "coordinates": [[[0, 0]] * 2001]}), "2 to 2,000"),
    ],
)
def test_shapes_that_cannot_be_read_are_told(text, told):
    with pytest.raises(DataError, match=re.escape(told)):
        read_shape(text, "Polygon", CRS)


def test_a_shape_comes_back_where_it_was_drawn():
    shape = shapely.box(600_100, 4_000_100, 600_300, 4_000_200)
    feature = {"type": "Feature", "geometry": json.loads(shape_json(shape)), "properties": {}}
    for text in (shape_json(shape), json.dumps(feature)):
        assert read_shape(text, "Polygon", CRS).hausdorff_distance(shape) < 0.01
