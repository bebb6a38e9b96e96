"""A city's sources are added, corrected, undone and removed, all from pages."""

import dataclasses
import datetime as dt
import io
import json
import os
import re
import time
import zipfile

import geopandas as gpd
import pytest
import shapely
from services import Service
from sqlalchemy import update
from town import CRS as TOWN
from town import SOUTH, WEST

from app.auth import permissions
from app.extensions import furnish
from app.jobs.worker import KEEP_UPLOADS_SECONDS, Worker
from geodata.cityfile.description import read_city_file
from geodata.db.tables import ImportVersion
from geodata.repositories import job_queue
from geodata.repositories.import_log import city_file_of
from geodata.repositories.layers import factor_layers
from geodata.uploads import intake

STOPS = "name,kind,x,y\n" + "".join(
    f"s{i},{'bus' if i % 3 else 'rail'},{600_100 + 37 * i},{4_000_100 + 29 * i}\n"
    for i in range(60)
)


def factors(bench):
    with bench.office.database.session() as session:
        layers = factor_layers(session, bench.city().id)
    return {factor.name: len(shapes) for factor, shapes in layers.items()}


def test_a_file_is_described_checked_added_and_undone(bench):
    address = bench.hand_in(STOPS, "Bus & rail stops (new).csv").location
    page = bench.browser.get(address).text
    assert "Bus &amp; rail stops (new).csv" in page
    assert "<strong>60</strong> of 60 rows fall into a district" in page
    fields = bench.form(address)
    assert (fields["kind"], fields["crs"]) == ("factors", "EPSG:32617")
    assert [fields[f"column-{i}"] for i in range(4)] == ["", "name", "x", "y"]
    assert (fields["means-name-0"], fields["means-name-1"]) == ("bus", "rail")
    changed = {"means-name-0": "bus_stops", "means-name-1": ""}
    sent = bench.send(address, max_blocks="many", check="y", **changed)
    assert sent.status_code == 422
    assert "whole number of blocks from 1 to 10" in sent.text
    for kept in ('value="many"', 'value="bus_stops"'):
        assert kept in sent.text
    drawn = bench.browser.get(f"{address}/places.json").json
    assert [layer["name"] for layer in drawn["layers"]] == ["districts", "places"]
    assert len(drawn["layers"][1]["shapes"]["features"]) == 60
    (result,) = bench.commit(address, max_blocks="2")
    assert [one.source for one in result.sources][-1] == "Bus-rail-stops-new.csv"
    told = bench.toml()
    assert told["factors"][1] == {
        "source": "Bus-rail-stops-new.csv",
        "x": "x",
        "y": "y",
        "crs": "EPSG:32617",
        "name": "bus_stops",
        "operation": "both",
        "max_blocks": 2,
        "step": "half",
        "where": {"kind": ["bus"]},
    }
    taken = {"districts.geojson", "incidents.csv", "bars.geojson", "Bus-rail-stops-new.csv"}
    assert set(told["files"]) == taken
    folder = bench.office.settings.cities / "town"
    assert read_city_file(folder / "city.toml").factors[1].factor.max_blocks == 2
    assert factors(bench) == {"bars": 15, "bus_stops": 40}
    page = bench.browser.get("/analyst/town/sources").text
    assert "20 of a kind that was not named" in page
    assert "Handed in, not added" not in page
    assert bench.versions()[0].imported_by == "ann"
    newest = bench.versions()[0].id
    unsure = bench.browser.send(f"/analyst/town/imports/{newest}/undo")
    assert unsure.status_code == 422
    assert "tick the box" in unsure.text
    assert factors(bench) == {"bars": 15, "bus_stops": 40}
    assert bench.undo().status_code == 303
    assert factors(bench) == {"bars": 15}
    assert not (folder / "city.toml").exists(), "what stands came from elsewhere again"
    assert {"source.upload", "source.view", "source.add", "data.undo"} <= set(
        bench.office.actions()
    )
    (told,) = bench.office.entries("source.upload")
    assert (told.person, told.details["file"]) == ("ann", "Bus & rail stops (new).csv")


def test_pages_never_parse_what_is_handed_in(bench, monkeypatch, tmp_path):
    """Every reader of this process is taken away: a child process has read the file before."""

    def taken_away(*_, **__):
        msg = "a page parses a file that was handed in"
        raise AssertionError(msg)

    for name in ("pyogrio.read_dataframe", "pyogrio.list_layers", "pandas.read_csv",
                 "geopandas.read_parquet", "zipfile.ZipFile", "sqlite3.connect"):  # fmt: skip
        monkeypatch.setattr(name, taken_away)
    monkeypatch.setattr("geodata.readers.files.read_rows", taken_away)
    address = bench.hand_in(STOPS, "stops.csv").location
    assert "of 60 rows fall into a district" in bench.browser.get(address).text
    assert bench.browser.get(f"{address}/places.json").status_code == 200
    named = {"means-name-0": "bus_stops", "means-name-1": ""}
    checked = bench.send(address, check="y", **named)
    assert checked.status_code == 303, checked.text
    assert "20" in bench.browser.get(f"{address}/check").text
    outline = next(tmp_path.rglob("districts.geojson")).read_bytes()
    begun = bench.hand_in(outline, "d.geojson", page="/analyst/new-city")
    assert begun.status_code == 303
    assert bench.browser.get(begun.location).status_code == 200


def test_a_source_is_removed_with_its_rows_and_comes_back(bench):
    address = bench.hand_in(STOPS, "stops.csv").location
    bench.commit(address, **{"means-name-0": "bus_stops", "means-name-1": "rail_stops"})
    before, told = bench.city(), bench.toml()
    page = "/analyst/town/sources/remove?section=incidents&number=1"
    assert "incidents.csv" in bench.browser.get(page).text
    version = bench.versions()[0].id
    fields = {"section": "incidents", "number": "1", "source": "incidents.csv", "version": version}
    unsure = bench.browser.send("/analyst/town/sources/remove", page=page, **fields)
    assert unsure.status_code == 422
    stale = {**fields, "version": version - 1, "sure": "y"}
    answer = bench.browser.send("/analyst/town/sources/remove", page=page, **stale)
    assert answer.status_code == 422
    assert "changed meanwhile" in answer.text
    answer = bench.browser.send("/analyst/town/sources/remove", page=page, **fields, sure="y")
    assert answer.status_code == 303
    bench.work()
    assert bench.city().outcomes == ()
    assert "incidents" not in bench.toml()
    assert "incidents.csv" not in bench.toml()["files"]
    assert bench.versions()[0].summary["incident"]["removed"] > 50
    bench.undo()
    assert bench.city().outcomes == before.outcomes
    assert bench.toml() == told
    gone = "/analyst/town/sources/remove?section=districts"
    assert bench.browser.get(gone).status_code == 404, "a city has an area"


def test_what_comes_in_between_is_never_lost(bench):
    first = bench.hand_in(STOPS, "a.csv").location
    second = bench.hand_in(STOPS.replace("bus", "tram"), "b.csv").location
    assert bench.send(first, check="y").status_code == 303
    assert bench.send(second, check="y").status_code == 303
    assert bench.browser.send(f"{first}/commit", page=f"{first}/check").status_code == 303
    waits = bench.browser.send(f"{second}/commit", page=f"{second}/check")
    assert waits.status_code == 422
    assert "an import of this city is under way" in waits.text
    with bench.office.database.session() as session:
        (job,) = job_queue.list_jobs(session, "town")
    asked = bench.office.settings.cities / "town" / "asked"
    (only,) = asked.iterdir()
    other = asked / "other.toml"
    other.write_text(only.read_text().replace('"bus"', '"coach"'))
    arguments = {**job.arguments, "city_file": str(other)}
    with bench.office.database.session(write=True) as session:
        job_queue.add_job(
            session,
            kind="import",
            city="town",
            asked_by="ann",
            arguments=arguments,
            digest="another",
        )
    done, failed = bench.work()
    assert done.city == "town"
    assert "were changed meanwhile" in failed
    assert factors(bench) == {"bars": 15, "bus": 40, "rail": 20}
    page = bench.browser.get("/analyst/town/sources").text
    assert "The newest import failed" in page


def test_rows_that_would_be_left_out_are_told_page_by_page(bench):
    rows = bench.town.incidents.assign(id=[f"n{i}" for i in range(120)])
    rows.loc[3:62, "date"] = "soon"
    address = bench.hand_in(rows.to_csv(index=False), "more.csv").location
    undated = bench.send(address, kind="incidents", check="y")
    assert undated.status_code == 422
    assert "no column is “date”" in undated.text
    fields = bench.form(address)
    assert [fields[f"column-{i}"] for i in range(5)] == ["id", "outcome", "", "x", "y"]
    nothing = bench.send(address, check="y", **{"column-2": "date"})
    assert nothing.status_code == 422
    assert "name at least one of the values" in nothing.text
    words = {f"means-outcome-{i}": "any" for i in range(3)}
    checked = bench.send(address, check="y", **words)
    page = bench.browser.get(checked.location).text
    assert "60 bad date" in page
    assert page.count("<td>bad date</td>") == 25
    last = bench.browser.get(f"{checked.location}?page=3").text
    assert last.count("<td>bad date</td>") == 10
    assert '<th scope="row" class="n">64</th>' in last
    assert bench.browser.get(f"{checked.location}?page=x").status_code == 400
    bench.commit(address, **words)
    assert "any" in bench.city().outcomes


def test_a_wrong_system_is_told_at_its_field_and_at_one_click_put_right(bench):
    xy = bench.town.incidents.assign(lon=range(600_100, 600_220), lat=range(4_000_100, 4_000_220))
    address = bench.hand_in(xy.to_csv(index=False), "feet.csv").location
    page = bench.browser.get(address).text
    assert "are called degrees, but values such as 600100, 4000100 are none" in page
    assert "<strong>0</strong> of 120 rows" in page
    assert "<strong>120 elsewhere</strong>" in page
    words = {f"means-outcome-{i}": "any" for i in range(3)}
    wrong = bench.send(address, check="y", **words)
    assert wrong.status_code == 422
    at_field = wrong.text[wrong.text.index("Coordinates are in") :]
    assert "no row can be placed" in at_field[: at_field.index("</fieldset>")]
    right = bench.send(address, take_crs="EPSG:32617", **words)
    assert "<strong>120</strong> of 120 rows" in right.text
    assert "are called degrees" not in right.text
    assert bench.form(address)["crs"] == "EPSG:32617"
    typed = bench.send(address, crs="other", crs_other="EPSG:nowhere", check="y")
    assert typed.status_code == 422
    assert "is no known system" in typed.text
    assert 'value="EPSG:nowhere"' in typed.text


def bomb():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.shp", b"\0" * 60_000_000)
    return packed.getvalue()


def climbing():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("../../x.geojson", "{}")
    return packed.getvalue()


@pytest.mark.parametrize(
    ("content", "name", "told"),
    [
        (b"", "empty.csv", "the file is empty"),
        (b"<html>no</html>", "page.csv", "is a web page"),
        (b"\x7fELF" + b"\0" * 600, "../../bin/sh", "sh: is of no kind that is known"),
        (b"{}", "a.geojson", "not GeoJSON"),
        (climbing(), "a.zip", "leads out of the archive"),
        (bomb(), "b.zip", "unpacks to 60 MB"),
    ],
)
def test_what_cannot_be_trusted_is_told_at_the_field_and_not_kept(bench, content, name, told):
    answer = bench.hand_in(content, name)
    assert answer.status_code == 422
    assert told in answer.text
    assert list(bench.office.settings.uploads.glob("*")) == []


def test_only_a_file_may_be_longer_than_a_form(bench, monkeypatch):
    long = "name,kind,x,y\n" + "a,b,600500,4000500\n" * 20_000
    assert len(long) > 256 * 1024
    assert bench.hand_in(long, "long.csv").status_code == 303
    field = bench.browser.send("/analyst/town/sources/add", by_address="y", address="x" * 300_000)
    assert field.status_code == 413
    elsewhere = bench.browser.post("/account/password", {"password": "x" * 300_000})
    assert elsewhere.status_code == 413
    bench.office.add("vic", "viewer")
    refused = bench.hand_in(long, "long.csv", browser=bench.office.client("vic"))
    assert refused.status_code == 403
    monkeypatch.setitem(permissions.BODIES, "uploads.add", 100_000)
    answer = bench.hand_in(long, "long.csv")
    assert answer.status_code == 413
    assert "larger than can be taken" in answer.text
    nothing = bench.browser.send("/analyst/town/sources/add")
    assert nothing.status_code == 422
    assert "choose a file first" in nothing.text


def boxes(bench, name):
    """Give a GeoPackage of two layers of areas."""
    path = bench.town.folder / name
    shapes = gpd.GeoSeries([shapely.box(WEST, SOUTH, WEST + 900, SOUTH + 900)], crs=TOWN)
    for layer in ("first", "second"):
        gpd.GeoDataFrame({"called": [layer]}, geometry=shapes).to_file(path, layer=layer)
    return path.read_bytes()


def test_every_kind_of_source_is_tried_and_added(bench):
    two = boxes(bench, "two.gpkg")
    address = bench.hand_in(two, "two.gpkg").location
    assert bench.form(address)["layer"] == "first"
    bench.send(address, kind="base", base_kind="park", look="y")
    bench.commit(address, layer="second", **{"column-0": "name"})
    address = bench.hand_in(two, "coverage.gpkg").location
    bench.send(address, kind="coverage", look="y")
    bench.commit(address)
    address = bench.hand_in("lon,lat\n-79.87,36.15\n-79.88,36.14\n", "homes.csv").location
    bench.send(address, kind="addresses", look="y")
    bench.commit(address)
    alerts = "id,triggered,rounds,class,disposition,lon,lat\n" + "".join(
        f"a{i},2024-02-{1 + i:02d}T10:00:00Z,{i},Fog,GOA,-79.87,36.15\n" for i in range(20)
    )
    address = bench.hand_in(alerts, "alerts.csv").location
    assert bench.form(address)["kind"] == "alerts"
    words = {"means-class-0": "single", "means-disposition-0": "unfounded"}
    assert bench.send(address, check="y", **words, **{"column-6": ""}).status_code == 422
    bench.commit(address, **words, **{"column-6": "y"})
    counts = "measure,from,to,district,value\ndirtbike.arrests,2024-01-01,2024-02-01,D1,3\n"
    address = bench.hand_in(counts, "counts.csv").location
    assert bench.form(address)["kind"] == "counts"
    bench.commit(address)
    told = bench.toml()
    assert told["base"] == [
        {"source": "two.gpkg", "layer": "second", "kind": "park", "name": "called"}
    ]
    assert told["alerts"][0]["dispositions"] == {"GOA": "unfounded"}
    changes = {}
    for one in bench.versions():
        changes |= {table: counts["added"] for table, counts in one.summary.items()}
    assert {name: changes[name] for name in ("base_shape", "address", "alert", "tally")} == {
        "base_shape": 1,
        "address": 2,
        "alert": 20,
        "tally": 1,
    }
    assert bench.city().coverage.area == pytest.approx(900**2, rel=1e-3)
    page = "/analyst/town/sources/remove?section=base&number=1"
    fields = {"section": "base", "number": "1", "source": "two.gpkg", "sure": "y"}
    version = bench.versions()[0].id
    bench.browser.send("/analyst/town/sources/remove", page=page, version=version, **fields)
    bench.work()
    assert bench.versions()[0].summary == {"base_shape": {"added": 0, "changed": 0, "removed": 1}}


def test_incidents_without_coordinates_are_placed_by_the_addresses_of_the_city(bench):
    homes = "no,street,lon,lat\n" + "".join(
        f"{100 + 2 * i},N Elm St,-79.87,{36.15 + i / 10_000:.4f}\n" for i in range(20)
    )
    robberies = "case,date,location\n" + "".join(
        f"r{i},2024-05-{1 + i:02d},{100 + 2 * i} North Elm Street\n" for i in range(18)
    )
    robberies += "r18,2024-05-19,9 Zinnia Ct\nr19,2024-05-20,11 Zinnia Ct\n"
    address = bench.hand_in(robberies, "robberies.csv").location
    fields = {"kind": "incidents", "outcome": "robbery"}
    bench.send(address, look="y", **fields)
    assert bench.form(address)["column-2"] == "address"
    sent = bench.send(address, check="y", **fields)
    assert sent.status_code == 422
    assert "address needs [addresses]" in sent.text
    listed = bench.hand_in(homes, "homes.csv").location
    bench.send(listed, kind="addresses", look="y")
    bench.commit(listed, **{"column-0": "number", "column-1": "street"})
    checked = bench.send(address, check="y", **fields)
    page = bench.browser.get(checked.location).text
    assert "2 address: street not known" in page
    assert "placed by their address: 18 of 20 rows" in page
    assert "ZINNIA COURT: street not known, 2 rows" in page
    (result,) = bench.commit(address, **fields)
    (account,) = [one for one in result.sources if one.source == "robberies.csv"]
    assert account.addresses["matched"] == {"parts": 18}
    assert account.stored == 18
    assert bench.toml()["incidents"][1]["address"] == "location"


HOSTILE = (
    "<script>alert(1)</script>", "{{ 7*7 }}{% raise %}", "=cmd|'/c calc'!A1", "`${alert(1)}`",
    "\u202etxt.exe", '"><img src=x onerror=alert(1)>',
)  # fmt: skip


def test_hostile_names_and_values_are_text_and_nothing_else(bench):
    script, template, formula, literal, turned, image = HOSTILE
    head = ",".join(
        '"' + one.replace('"', '""') + '"' for one in (script, template, image, "x", "y")
    )
    cells = (script, template, formula, literal, turned, image)
    rows = "".join(
        f'"{cells[i % 6].replace(chr(34), chr(34) * 2)}",{i},{literal},{600_100 + 30 * i},4000500\n'
        for i in range(30)
    )
    name = f"../{script.replace('/', '')}{turned}{literal}.csv"
    address = bench.hand_in(f"{head}\n{rows}", name).location
    sent = bench.send(address, **{"column-0": "name"}, kind="factors", look="y")
    pages = [sent.text]
    words = {f"means-name-{i}": f"factor-{i}" for i in range(6)}
    checked = bench.send(address, check="y", **words)
    assert checked.status_code == 303, checked.text
    pages.append(bench.browser.get(checked.location).text)
    bench.commit(address, **words)
    pages.append(bench.browser.get("/analyst/town/sources").text)
    for page in pages:
        assert "<script>alert" not in page
        assert "<img" not in page
        assert "{{ 7*7 }}" in page or "49" not in page
        assert page.rstrip().endswith("</html>")
    assert "&lt;script&gt;alert(1)" in pages[0]
    section = bench.toml()["factors"][-1]
    assert set(section["where"]) == {script}
    assert section["source"].isascii()
    assert not set(section["source"]) & set("<>`$(){}/")
    assert sum(factors(bench).values()) == 15 + 30
    spoilt = bench.send(
        bench.hand_in(STOPS, "s.csv").location, **{"means-name-0": script}, check="y"
    )
    assert spoilt.status_code == 422
    assert "is no name" in spoilt.text
    assert "<script>alert" not in spoilt.text


def test_an_address_is_fetched_by_a_job_and_named_in_the_city_file(bench, tmp_path):
    page = "/analyst/town/sources/add"
    for address, told in (
        ("", "type an address"),
        ("ftp://x.org/a", "is no address"),
        ("http://127.0.0.1/a.csv", "lies in a private network"),
        ("http://[::1/a", "is no address that can be read"),
        ("http://a:b@x.org/a", "user and a password"),
    ):
        answer = bench.browser.send(page, by_address="y", address=address)
        assert answer.status_code == 422, address
        assert told in answer.text, address
    service = Service()
    allowed = dataclasses.replace(bench.office.settings, allow_private_sources=True)
    room = bench.office.app.extensions["saferground.workroom"]
    furnish(bench.office.app, dataclasses.replace(room, settings=allowed))
    bench.office.settings = allowed
    try:
        service.plain("/stops.csv", STOPS.encode())
        address = service.url("/stops.csv") + "?token=abcdef"
        asked = bench.browser.send(page, by_address="y", address=address)
        assert asked.status_code == 303
        waits = bench.browser.get(asked.location).text
        assert "no worker is there" in waits
        assert "abcdef" not in waits
        bench.work()
        described = bench.browser.get(asked.location)
        assert described.status_code == 303
        assert "abcdef" not in bench.browser.get(described.location).text
        bench.commit(described.location)
    finally:
        service.close()
    assert bench.toml()["factors"][-1]["source"] == address
    assert factors(bench) == {"bars": 15, "bus": 40, "rail": 20}
    listed = bench.browser.get("/analyst/town/sources").text
    assert "fetched anew at each import" in listed
    assert "abcdef" not in listed
    told = json.dumps([entry.details for entry in bench.office.entries("source.fetch")])
    assert "abcdef" not in told
    lost = bench.browser.send(page, by_address="y", address=service.url("/stops.csv"))
    bench.work()
    answer = bench.browser.get(lost.location).text
    assert "The address was not fetched" in answer
    elsewhere = lost.location.replace("/town/", "/other/")
    assert bench.browser.get(elsewhere).status_code == 404


def test_a_city_whose_files_are_lost_or_unknown_says_what_to_do(bench):
    address = bench.hand_in(STOPS, "stops.csv").location
    assert bench.send(address, check="y").status_code == 303
    (bench.town.folder / "bars.geojson").unlink()
    answer = bench.browser.send(f"{address}/commit", page=f"{address}/check")
    assert answer.status_code == 422
    assert "bars.geojson: not in" in answer.text
    assert "Put the files back" in answer.text
    with bench.office.database.session(write=True) as session:
        session.execute(update(ImportVersion).values(city_file=None))
    page = bench.browser.get("/analyst/town/sources").text
    assert "imported by an earlier version" in page
    assert "saferground import CITY.toml" in page
    assert "Add a source" not in page
    assert bench.browser.get("/analyst/town/sources/add").status_code == 404


def test_files_of_one_city_are_not_seen_from_another_and_are_forgotten(bench):
    address = bench.hand_in(STOPS, "stops.csv").location
    number = address.rpartition("/")[2]
    for wrong in (
        address.replace(number, "..%2f..%2fx"),
        address.replace(number, "nothing1"),
        f"/analyst/new-city/{number}",
    ):
        assert bench.browser.get(wrong).status_code == 404, wrong
    bench.office.add("vic", "viewer")
    viewer = bench.office.client("vic")
    listed = viewer.get("/analyst/town/sources").text
    assert "stops.csv" not in listed
    assert "Remove" not in listed
    page = bench.browser.get("/analyst/town/sources").text
    assert "stops.csv" in page
    asked = bench.browser.get(f"{address}/forget")
    assert "stops.csv" in asked.text
    unsure = bench.browser.send(f"{address}/forget")
    assert unsure.status_code == 422
    assert "tick the box" in unsure.text
    assert bench.browser.get(address).status_code == 200
    gone = bench.browser.send(f"{address}/forget", sure="y")
    assert gone.status_code == 303
    assert list(bench.office.settings.uploads.glob("*")) == []
    assert bench.browser.get(address).status_code == 404


def heads(page, region):
    """Give what stands at the head of each row of a table, in its order."""
    part = page.partition(f'aria-label="{region}"')[2].partition("</table>")[0]
    rows = re.findall(r'<th scope="row">(.*?)</th>', part, re.S)
    return [re.sub(r"<[^>]+>", " ", row).split() for row in rows]


def test_sources_are_sorted_narrowed_and_paged(bench, monkeypatch):
    address = bench.hand_in(STOPS, "stops.csv").location
    bench.commit(address, **{"means-name-0": "bus_stops", "means-name-1": "rail_stops"})
    page = "/analyst/town/sources"

    def told(query=""):
        answer = bench.browser.get(f"{page}{query}")
        assert answer.status_code == 200
        return [" ".join(row) for row in heads(answer.text, "Sources")]

    factors = [f"Factor of the environment {name}" for name in ("bars", "bus_stops", "rail_stops")]
    assert told() == [
        "Police districts",
        "Incidents robbery, burglary",
        *factors,
    ]  # as the city has them
    assert told("?order=kind") == [*factors, "Incidents robbery, burglary", "Police districts"]
    assert told("?order=read")[0] == "Incidents robbery, burglary"
    assert told("?order=left-out")[0] == factors[2]  # 40 of its 60 rows are the other kind
    assert told("?kind=factors&order=source") == factors
    assert 'aria-sort="ascending"' in bench.browser.get(f"{page}?order=kind").text
    monkeypatch.setattr("app.workbench.source_pages.PAGE", 2)
    assert told("?kind=factors&page=2") == factors[2:]
    assert "Page 2 of 2" in bench.browser.get(f"{page}?kind=factors&page=2").text
    for wrong in ("?order=nothing", "?kind=nothing", "?page=x"):
        assert bench.browser.get(f"{page}{wrong}").status_code == 400


def test_files_that_wait_are_sorted_narrowed_and_paged(bench, monkeypatch):
    bench.office.add("bob", "analyst")
    bob = bench.office.client("bob")
    page = "/analyst/town/sources/waiting"
    assert "No file waits" in bench.browser.get(page).text
    for number in range(6):
        bench.hand_in(STOPS + "\n" * number, f"{'cabdef'[number]}.csv")
    bench.hand_in(STOPS, "z.csv", browser=bob)

    def told(query=""):
        answer = bench.browser.get(f"{page}{query}")
        assert answer.status_code == 200
        return "".join(row[0][0] for row in heads(answer.text, "Handed in, not added"))

    assert told() == "zfedbac"  # the newest first
    assert told("?order=name") == "abcdefz"
    assert told("?order=size")[:2] == "fe"
    assert told("?who=bob") == "z"
    assert told("?order=who&who=ann") == "zfedbac"[1:]
    sources = bench.browser.get("/analyst/town/sources").text
    assert len(heads(sources, "Handed in, not added")) == 5
    assert f'href="{page}"' in sources
    monkeypatch.setattr("app.workbench.source_pages.PAGE", 4)
    assert told("?order=name&page=2") == "efz"
    assert bench.browser.get(f"{page}?who=eve").status_code == 400


def test_a_worker_forgets_files_that_nobody_came_back_to(bench):
    old = bench.hand_in(STOPS, "old.csv").location.rpartition("/")[2]
    young = bench.hand_in(STOPS, "young.csv").location.rpartition("/")[2]
    folder = bench.office.settings.uploads
    then = time.time() - KEEP_UPLOADS_SECONDS - 60
    for path in folder.glob(f"upload-{old}*"):
        os.utime(path, (then, then))
    worker = Worker(bench.office.database, bench.office.settings)
    worker._tidy(0.0)
    assert [one.upload.id for one in intake.waiting(folder, "town")] == [young]
    for path in folder.glob("upload-*"):
        os.utime(path, (then, then))
    worker._tidy(0.0)
    left = [path.suffix for path in folder.glob("upload-*")]
    assert sorted(left) == [".csv", ".json", ".rows"], "not at every beat"


def test_imports_are_listed_with_what_they_changed_and_only_the_newest_is_undone(bench):
    bench.commit(bench.hand_in(STOPS, "stops.csv").location)
    first, second = sorted(one.id for one in bench.versions())
    page = bench.browser.get("/analyst/town/imports").text
    assert "shapes of factors: 60 added" in page
    assert f"Undo import {second}" in page
    assert f"Undo import {first}" not in page
    answer = bench.browser.get(f"/analyst/town/imports/{first}/undo").text
    assert "first import of Town" in answer
    refused = bench.browser.post(
        f"/analyst/town/imports/{first}/undo",
        {"csrf_token": bench.browser.token("/account/password"), "sure": "y"},
    )
    assert refused.status_code == 422
    assert "undo the newest first" in refused.text
    assert bench.browser.get("/analyst/town/imports/999/undo").status_code == 404
    with bench.office.database.session() as session:
        assert city_file_of(session, "town").number == second
    assert bench.versions()[0].imported_at.date() == dt.datetime.now(dt.UTC).date()


def incidents_file(bench):
    return (bench.office.settings.cities.parent.parent / "town" / "incidents.csv").read_text()


def test_a_newer_file_is_read_as_its_source_and_takes_the_place_of_the_older(bench):
    text = incidents_file(bench)
    head, first, *rest = text.splitlines()
    row = first.split(",")
    row[head.split(",").index("id")] = "brand-new"
    page = "/analyst/town/sources/newer?source=incidents.1"
    assert "A newer file of" in bench.browser.get(page).text
    data = "\n".join([head, *rest, ",".join(row)])
    checked = bench.hand_in(data, "incidents 2024-02.csv", page=page)
    assert checked.status_code == 303
    shown = bench.browser.get(checked.location).text
    assert "Would be kept" in shown
    assert bench.browser.send(checked.location).status_code == 303
    (result,) = bench.work()
    (report,) = [one for one in result.sources if one.kind == "incidents"]
    assert (report.source, report.stored) == ("incidents.csv", 1)
    assert bench.toml()["files"]["incidents.csv"].startswith("files/incidents-2024-02-")
    assert "source.renew" in bench.office.actions()
    gone = bench.browser.get("/analyst/town/sources/newer?source=incidents.9")
    assert gone.status_code == 404


def test_of_several_files_each_has_its_line_and_a_bad_one_stops_no_other(bench):
    sent = [
        (io.BytesIO(incidents_file(bench).encode()), "incidents_2024-02-01.csv"),
        (io.BytesIO(b"%PDF-1.4 no table"), "report.csv"),
        (io.BytesIO(STOPS.encode()), "stops.csv"),
        (io.BytesIO(b"a,b\n1,2\n"), "bars.geojson"),
    ]
    data = {"csrf_token": bench.browser.token("/account/password"), "file": sent}
    answer = bench.browser.post(
        "/analyst/town/sources/add", data, content_type="multipart/form-data"
    )
    assert answer.status_code == 303
    page = bench.browser.get(answer.location).text
    assert "incidents_2024-02-01.csv: a newer file of incidents.csv; 120 rows read" in page
    assert "Not taken: report.csv: is a PDF" in page
    assert "stops.csv: handed in" in page
    assert re.search(r"bars\.geojson: a newer file of bars\.geojson; bars\.geojson: a table", page)
    assert len(intake.waiting(bench.office.settings.uploads, "town")) == 3


def test_incidents_are_placed_by_street_segments_that_a_page_describes(bench):
    lines = [
        {
            "type": "Feature",
            "properties": {"lf": 101 + 100 * i, "lt": 199 + 100 * i, "rf": 100 + 100 * i,
                           "rt": 198 + 100 * i, "pre": "N", "street": "Elm", "kind": "St"},
            "geometry": {"type": "LineString", "coordinates": [
                [-79.87, 36.15 + i / 1000], [-79.87, 36.151 + i / 1000]]},
        }
        for i in range(3)
    ]  # fmt: skip
    content = json.dumps({"type": "FeatureCollection", "features": lines})
    listed = bench.hand_in(content, "centerlines.geojson").location
    columns = ["left_from", "left_to", "right_from", "right_to", "street", "street", "street"]
    fields = {f"column-{i}": role for i, role in enumerate(columns)}
    bench.send(listed, kind="addresses", look="y")
    bench.commit(listed, **fields)
    assert bench.toml()["addresses"] == {
        "source": "centerlines.geojson", "left": ["lf", "lt"], "right": ["rf", "rt"],
        "street": ["pre", "street", "kind"],
    }  # fmt: skip
    robberies = "case,date,location\n" + "".join(
        f"r{i},2024-05-{1 + i:02d},{150 + 10 * i} North Elm Street\n" for i in range(20)
    )
    address = bench.hand_in(robberies, "robberies.csv").location
    bench.send(address, look="y", kind="incidents", outcome="robbery")
    (result,) = bench.commit(address, kind="incidents", outcome="robbery")
    (account,) = [one for one in result.sources if one.source == "robberies.csv"]
    assert sum(account.addresses["matched"].values()) == account.stored == 20
