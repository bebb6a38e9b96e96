"""The public interface tells what the release holds, and nothing else."""

import csv
import io
import json

import pytest

from app import create_app
from app.api import answers
from app.api.layer_queries import LAYERS
from app.config import Settings
from app.public import open_data


def table(answer):
    assert answer.mimetype == "text/csv"
    return list(csv.DictReader(io.StringIO(answer.text)))


def released(town, name):
    return json.loads(town.published.current.read(f"data/{name}.geojson"))["features"]


def links(answer):
    return {one["rel"]: one["href"] for one in answer.get_json()["links"]}


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_is_what_the_release_holds(town, client, name):
    told, held = client.get(f"/api/v1/{name}").get_json(), released(town, name)
    assert told["type"] == "FeatureCollection"
    assert told["numberMatched"] == told["numberReturned"] == len(held) > 0
    assert [one["geometry"] for one in told["features"]] == [one["geometry"] for one in held]
    assert [one["properties"] for one in told["features"]] == [one["properties"] for one in held]
    assert "crs" not in told  # RFC 7946
    assert len({one["id"] for one in told["features"]}) == len(held)


@pytest.mark.parametrize("name", ["zones", "alerts", "complaints"])
def test_a_table_is_the_table_of_the_release(town, client, name):
    whole = town.published.current.read(f"data/{name}.csv").decode()
    by_address = client.get(f"/api/v1/{name}.csv")
    assert by_address.text == whole
    assert client.get(f"/api/v1/{name}?f=csv").text == whole
    assert client.get(f"/api/v1/{name}", headers={"Accept": "text/csv"}).text == whole
    assert client.get(f"/api/v1/{name}", headers={"Accept": "*/*"}).mimetype.endswith("geo+json")


def test_pages_lead_through_all_rows_and_back(town, client):
    seen, address = [], "/api/v1/alerts?limit=20"
    while address:
        answer = client.get(address)
        seen += [one["id"] for one in answer.get_json()["features"]]
        last, address = address, links(answer).get("next")
    assert seen == list(range(1, len(released(town, "alerts")) + 1))
    back = client.get(links(client.get(last))["prev"]).get_json()["features"]
    assert [one["id"] for one in back] == seen[-20 - len(seen) % 20 :][:20]
    rows = client.get("/api/v1/alerts.csv?limit=20&offset=20")
    assert len(table(rows)) == 20
    assert 'rel="next"' in rows.headers["Link"]
    assert 'rel="prev"' in rows.headers["Link"]
    assert client.get("/api/v1/alerts?limit=99999999").status_code == 200  # as many as there may be
    assert client.get("/api/v1/alerts?offset=99999").get_json()["features"] == []


def test_a_box_gives_what_touches_it(town, client):
    held = released(town, "alerts")
    at = held[0]["geometry"]["coordinates"]
    around = ",".join(str(v) for v in (at[0] - 1e-5, at[1] - 1e-5, at[0] + 1e-5, at[1] + 1e-5))
    here = [n for n, one in enumerate(held, 1) if one["geometry"]["coordinates"] == at]
    told = client.get(f"/api/v1/alerts?bbox={around}").get_json()
    assert [one["id"] for one in told["features"]] == here
    heights = around.split(",")
    heights = ",".join([*heights[:2], "0", *heights[2:], "9"])
    assert client.get(f"/api/v1/alerts?bbox={heights}").get_json()["numberMatched"] == len(here)
    over = f"/api/v1/alerts?bbox=179,-90,{at[0] + 1},90"  # from the antimeridian eastward
    assert client.get(over).get_json()["numberMatched"] == len(held)
    for huge in ("-1e308,-1e308,1e308,1e308", "1e308,-1e308,-60,1e308"):
        assert client.get(f"/api/v1/alerts?bbox={huge}").get_json()["numberMatched"] == len(held)
    assert client.get("/api/v1/alerts?bbox=0,0,1,1").get_json()["numberMatched"] == 0


def test_days_choose_alerts_and_no_zones(town, client):
    held = [one["properties"]["day"] for one in released(town, "alerts")]
    for asked, wanted in {
        "2024-03-02": [day for day in held if day == "2024-03-02"],
        "2024-03-02T23:00:00Z": [day for day in held if day == "2024-03-02"],
        "2024-03-02/2024-03-10": [day for day in held if "2024-03-02" <= day <= "2024-03-10"],
        "../2024-03-10": [day for day in held if day <= "2024-03-10"],
        "2024-03-10/": [day for day in held if day >= "2024-03-10"],
    }.items():
        told = client.get("/api/v1/alerts", query_string={"datetime": asked}).get_json()
        assert [one["properties"]["day"] for one in told["features"]] == wanted
        assert 0 < len(wanted) < len(held)
    zones = client.get("/api/v1/zones?datetime=1999-01-01").get_json()
    assert zones["numberMatched"] == len(released(town, "zones"))


def test_rows_are_chosen_as_in_the_files(town, client):
    query = "district=D1&class=single&class=multiple&from=2024-03-05&through=2024-04-30"
    told = client.get(f"/api/v1/alerts.csv?{query}")
    assert told.text == client.get(f"/data/alerts.csv?{query}").text
    assert 0 < len(table(told)) < len(released(town, "alerts"))


@pytest.mark.parametrize(
    "query",
    [
        "limit=0", "limit=x", "limit=", "limit=1e3", "limit=-1", "offset=-1", "offset=١", "f=xml",
        "bbox=1,2,3", "bbox=1,2,3,x", "bbox=0,9,1,8", "bbox=nan,0,1,1", "bbox=0,0,inf,1",
        "datetime=soon", "datetime=2024-02-30", "datetime=../..", "datetime=2024-03-02/2024-03-01",
        "datetime=2024-03-02T25:00:00Z", "district=D9", "class=none", "from=soon", "colour=red",
        "from=2024-04-01&to=2024-03-01", "limit=" + "9" * 5000,
    ],
)  # fmt: skip
def test_what_cannot_be_is_told_as_a_problem(client, query):
    for address in ("/api/v1/alerts", "/api/v1/alerts.csv", "/api/v1/collections/alerts/items"):
        if query == "f=xml" and address.endswith(".csv"):
            continue
        answer = client.get(f"{address}?{query}")
        assert answer.status_code == 400, (address, query)
        told = answer.get_json()
        assert answer.mimetype == "application/problem+json"
        assert (told["status"], told["instance"]) == (400, address)
        assert told["detail"] == told["error"] != told["title"]


def test_caches_are_told_and_a_copy_is_good_while_nothing_changed(client):
    for address in ("/api/v1/zones", "/api/v1/zones.csv", "/api/v1/measures", "/api/v1/city",
                    "/api/v1/releases", "/api/v1/openapi.json"):  # fmt: skip
        first = client.get(address)
        assert first.cache_control.no_cache, address
        assert "Accept" in first.vary
        assert "Set-Cookie" not in first.headers
        again = client.get(address, headers={"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b"")
        assert client.get(address, headers={"If-None-Match": '"x"'}).status_code == 200
        if "openapi" not in address:
            since = {"If-Modified-Since": first.headers["Last-Modified"]}
            assert client.get(address, headers=since).status_code == 304
    other = client.get("/api/v1/zones", headers={"Accept": "text/csv"}).headers["ETag"]
    assert other != client.get("/api/v1/zones").headers["ETag"]


def test_releases_are_told_and_a_withdrawn_one_gives_no_files(town, client):
    told = client.get("/api/v1/releases").get_json()["releases"]
    published = town.published
    ids = [published.current.id, published.withdrawn.id, published.early.id]
    assert [one["id"] for one in told] == ids
    assert [one["state"] for one in told] == ["approved", "withdrawn", "approved"]
    assert [one["current"] for one in told] == [True, False, False]
    assert told[1]["why"] == "The <b>district</b> borders were old & wrong"
    gone = client.get(f"/api/v1/releases/{published.withdrawn.id}").get_json()
    assert gone["files"] == []
    there = client.get(f"/api/v1/releases/{published.current.id}").get_json()
    names = [name for name in published.current.files if name.startswith(open_data.DATA)]
    assert ["data/" + one["name"] for one in there["files"]] == names
    for one in there["files"][:3]:
        assert open_data.digest(client.get(one["href"]).data) == one["sha256"]
    for text in (str(there), str(told)):
        assert "ana" not in text.split("'")  # who drafted and approved it is nobody's business
        assert "ben" not in text.split("'")
    assert client.get("/api/v1/releases/none").status_code == 404


def test_measures_as_a_table_are_the_measures(client):
    told = client.get("/api/v1/measures?period=all").get_json()["measures"]
    rows = table(client.get("/api/v1/measures?period=all&f=csv"))
    assert [row["id"] for row in rows] == [one["id"] for one in told]
    for row, one in zip(rows, told, strict=True):
        assert row["value"] == ("" if one["value"] is None else str(one["value"]))
        assert row["withheld"] == (one["withheld"] or "")


def test_without_a_release_there_is_nothing_and_it_is_told_so(tmp_path):
    bare = create_app(Settings(database_url="sqlite://", instance=tmp_path)).test_client()
    for path in ("city", "zones", "alerts.csv", "releases", "collections", "measures"):
        answer = bare.get(f"/api/v1/{path}")
        assert (answer.status_code, answer.mimetype) == (404, "application/problem+json")
    assert bare.get("/api/v1/").status_code == 200
    assert bare.get("/api/").status_code == 200
    document = bare.get("/api/v1/openapi.json").get_json()
    assert "/zones" in document["paths"]
    assert not [path for path in document["paths"] if path.startswith(("/runs", "/jobs"))]


def test_an_address_that_does_not_take_a_method_says_which_it_takes(client):
    answer = client.post("/api/v1/zones")
    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]
    assert answer.mimetype == "application/problem+json"


def test_another_city_is_asked_for_by_its_slug(client):
    told = client.get("/api/v1/zones?city=town&limit=1")
    assert "city=town" in links(told)["next"]
    assert client.get("/api/v1/zones?city=nowhere").status_code == 404


def test_tables_hold_no_formula():
    told = {"name": "=1+1", "value": -1.5, "about": ["=1"], "n": "-7"}
    assert answers.table(list(told), [told]).decode().splitlines()[1] == '\'=1+1,-1.5,"[""=1""]",-7'
