"""A city is set up and its sources are added, corrected, undone and removed, all from pages."""

import io
import re
import tomllib
import zipfile

import pandas as pd
import pytest
from staffing import Office
from town import Town

from app.city_files import follow
from app.job_kinds import Tools, read_task
from geodata.cityfile import read_city_file
from geodata.database import open_database, upgrade
from geodata.importing import import_city
from geodata.store import jobs
from geodata.store.cities import get_city
from geodata.store.imports import city_file_of, list_imports
from geodata.store.layers import factor_layers


class Workbench:
    """An analyst's browser, and work that is done when it is asked for."""

    def __init__(self, url, folder):
        self.office = Office(url, folder / "instance")
        self.office.add("ann", "analyst")
        self.office.add("vic", "viewer")
        self.folder = folder
        self.browser = self.office.client("ann")

    def hand_in(self, content, name, city="town", page=None):
        page = page or f"/analyst/{city}/sources/add"
        content = content.encode() if isinstance(content, str) else content
        data = {
            "csrf_token": self.browser.token("/account/password"),
            "file": (io.BytesIO(content), name),
        }
        return self.browser.post(page, data, content_type="multipart/form-data")

    def form(self, address):
        """Give the fields of the form that describes a file, as the page has them."""
        page = self.browser.get(address).text
        main = page[page.index('class="form describe"') :]
        fields = {}
        for tag in re.findall(r"<input[^>]*>", main):
            told = dict(re.findall(r'(\w+)="([^"]*)"', tag))
            kind = told.get("type", "text")
            if "name" in told and (kind not in ("radio", "checkbox") or " checked" in tag):
                fields[told["name"]] = told.get("value", "")
        for name, body in re.findall(r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', main, re.S):
            chosen = re.search(r'<option(?: value="([^"]*)")? selected', body)
            first = re.search(r'<option value="([^"]*)"', body)
            fields[name] = (chosen or first)[1] or ""
        return fields

    def send(self, address, **changed):
        fields = {**self.form(address), **changed}
        return self.browser.post(address, fields)

    def work(self):
        """Do the work that waits, as a worker would."""
        database, done = self.office.database, []
        with database.session(write=True) as session:
            taken = jobs.take_job(session, "test:1:x")
        while taken is not None:
            job, ticket = taken
            tools = Tools(database=database, settings=self.office.settings, who=job.asked_by)
            result = read_task(job.kind, job.arguments).work(tools, lambda *_: None)
            far = jobs.HowFar(stage="the rest", done=1, total=1, timings={})
            with database.session(write=True) as session:
                jobs.end_job(session, ticket, jobs.DONE, message=None, result=result, far=far)
            done.append(result)
            with database.session(write=True) as session:
                taken = jobs.take_job(session, "test:1:x")
        return done

    def commit(self, address):
        """Check and add a described file, and import it."""
        checked = self.send(address, check="y")
        assert checked.status_code == 303, checked.text
        page = self.browser.get(checked.location)
        assert page.status_code == 200
        added = self.browser.send(f"{address}/commit", page=checked.location)
        assert added.status_code == 303, added.text
        return self.work()

    def toml(self, city="town"):
        return tomllib.loads((self.office.settings.cities / city / "city.toml").read_text())

    def city(self, slug="town"):
        with self.office.database.session() as session:
            return get_city(session, slug)

    def versions(self, slug="town"):
        with self.office.database.session() as session:
            return list_imports(session, slug)


@pytest.fixture
def bench(tmp_path):
    url = f"sqlite:///{tmp_path}/x.sqlite"
    upgrade(url)
    (tmp_path / "town").mkdir()
    (tmp_path / "instance").mkdir()
    made = Workbench(url, tmp_path)
    made.town = Town(tmp_path / "town")
    import_city(made.office.database, read_city_file(made.town.path), who="root")
    yield made
    made.office.close()


STOPS = "name,kind,x,y\n" + "".join(
    f"s{i},{'bus' if i % 3 else 'rail'},{600_100 + 37 * i},{4_000_100 + 29 * i}\n"
    for i in range(60)
)


def test_a_file_is_described_checked_added_and_undone(bench):
    added = bench.hand_in(STOPS, "Bus & rail stops (new).csv")
    assert added.status_code == 303
    address = added.location
    page = bench.browser.get(address).text
    assert "Bus &amp; rail stops (new).csv" in page
    assert "60</strong> of 60 rows fall into a district" in page
    fields = bench.form(address)
    assert (fields["kind"], fields["crs"]) == ("factors", "EPSG:32617")
    assert [fields[f"column-{i}"] for i in range(4)] == ["", "name", "x", "y"]
    bare = bench.send(address, check="y")
    assert bare.status_code == 422
    assert "name at least one of the values" in bare.text
    results = bench.commit_with = None
    sent = bench.send(address, **{"means-name-0": "bus_stops"}, max_blocks="many", check="y")
    assert sent.status_code == 422
    assert "whole number of blocks from 1 to 10" in sent.text
    assert 'value="many"' in sent.text
    assert 'value="bus_stops"' in sent.text
    bench.send(address, max_blocks="2", look="y")
    (result,) = bench.commit(address)
    assert results is None
    assert [s["source"] for s in result["sources"]][-1] == "Bus-rail-stops-new.csv"
    (before,) = bench.versions()[1:]
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
    assert set(told["files"]) == {
        "districts.geojson", "incidents.csv", "bars.geojson", "Bus-rail-stops-new.csv"
    }  # fmt: skip
    again = read_city_file(bench.office.settings.cities / "town" / "city.toml")
    assert again.factors[1].factor.max_blocks == 2
    with bench.office.database.session() as session:
        layers = factor_layers(session, bench.city().id)
    assert {f.name: len(shapes) for f, shapes in layers.items()} == {"bars": 15, "bus_stops": 40}
    page = bench.browser.get("/analyst/town/sources").text
    assert "20 of a kind that was not named" in page
    newest = bench.versions()[0]
    assert newest.imported_by == "ann"
    undo = f"/analyst/town/imports/{newest.id}/undo"
    unsure = bench.browser.send(undo)
    assert unsure.status_code == 422
    assert "tick the box" in unsure.text
    done = bench.browser.send(undo, sure="y")
    assert done.status_code == 303
    with bench.office.database.session() as session:
        layers = factor_layers(session, bench.city().id)
        assert city_file_of(session, "town").number == before.id
    assert [f.name for f in layers] == ["bars"]
    assert not (bench.office.settings.cities / "town" / "city.toml").exists()
    actions = bench.office.actions()
    wanted = ["source.upload", "source.view", "source.add", "data.import", "data.undo"]
    assert [a for a in dict.fromkeys(actions) if a in wanted[1:]] == wanted[1:]
    assert wanted[0] in actions
