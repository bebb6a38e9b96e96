"""Who may read which run, by pages and by tokens: every address, every role, every kind of run.

One run is of an outcome that the city calls sensitive, one of a district that is not the officer's,
one of the whole city, of which officers and commanders read their own district alone.
"""

import io
import json
import re

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
from attacking import PART, lift_limits
from PIL import Image
from ready import make_ready
from sqlalchemy import select
from staffing import Office
from town import Town

from app.auth.permissions import RULES
from app.usecases.risk.fit import FitRequest, fit
from app.workbench.results_maps import SURFACES
from app.workbench.results_pages import FILES
from app.workbench.source_pages import source_rows
from geodata.cityfile.description import read_city_file
from geodata.db.tables import City
from geodata.ingest.store import import_city
from geodata.repositories import zone_versions
from geodata.repositories.job_queue import add_job
from geodata.repositories.run_analyses import keep_finding
from geodata.repositories.zone_editing import Rename, change_zones
from geodata.roles import ROLES

READS_SENSITIVE = {"analyst", "publisher"}  # by hand, as the table of the documents says it
LIMITED = {"officer", "commander"}
NOT_AT_ALL = {"administrator"}
NAMED = "Heron weir"
WHOLE, SENSITIVE, ELSEWHERE = "whole city", "sensitive", "another district"
OTHERS = {  # values of further parts of an address
    "charts": ("capture", "factors"),
    "surfaces": tuple(surface.name for surface in SURFACES),
    "kind": ("validate",),
    "number": ("1",),
    "step": ("1",),
}


def may_read(role, kind):
    if role in NOT_AT_ALL or (kind == SENSITIVE and role not in READS_SENSITIVE):
        return False
    return not (kind == ELSEWHERE and role in LIMITED)


class Place:
    def __init__(self, folder):
        url = f"sqlite:///{folder}/objects.sqlite"
        make_ready(url)
        self.office = Office(url, folder)
        town = Town(folder, n=900).crowd(600)
        town.incidents.loc[::2, "offense"] = "BURGLARY"
        town.save()
        import_city(self.office.database, read_city_file(town.path))
        database = self.office.database
        self.runs = {}
        for kind, outcome, districts in (
            (SENSITIVE, "burglary", ()),
            (ELSEWHERE, "robbery", ("D2",)),
            (WHOLE, "robbery", ()),
        ):
            asked = FitRequest(city="town", outcome=outcome, districts=districts)
            self.runs[kind] = fit(database, asked, who="ana")[0]
        with database.session(write=True) as session:
            session.scalar(select(City)).sensitive_outcomes = ["burglary"]
            for run in self.runs.values():
                zones = [{"id": zone, "stability": 0.5} for zone in run.zones["id"]]
                told = {"run": run.id, "replicates": 9, "seed": 1, "blocks": 4, "top_share": 0.02}
                told |= {"families": {}, "factors": [], "zones": zones}
                keep_finding(session, run.id, "certainty", "9/1", told)
        self._rename_elsewhere()
        self.jobs = {}
        for number, (kind, run) in enumerate(self.runs.items()):
            with database.session(write=True) as session:
                job = add_job(
                    session,
                    kind="validate",
                    city="town",
                    asked_by="ana",
                    arguments={"run": run.id, "from": "2024-01-01", "to": "2024-02-01"},
                    digest=str(number) * 64,
                )
            self.jobs[kind] = job.id
        self.browsers, self.tokens = {}, {}
        for role in ROLES:
            self.office.add(role, role, districts=["town/D1"] if role in LIMITED else [])
            self.browsers[role] = self.office.client(role).client
            self.tokens[role] = self.office.program(self.office.token(role, "read", "jobs"))

    def _rename_elsewhere(self):
        """Let somebody have called a zone of D2 by a name, in a step that is not in use."""
        run = self.runs[WHOLE]
        zone = next(iter(sorted(self.zones_of("D2"))))
        changed = change_zones(run, Rename(zone=zone, name=NAMED), 1)
        with self.office.database.session(write=True) as session:
            zone_versions.add_edition(
                session, run, changed, f"called {NAMED}", who="ana", when=self.office.now, after=0
            )

    def get(self, role, endpoint, address, method="GET"):
        client = (self.tokens if RULES[endpoint].token else self.browsers)[role]
        return client.open(address, method=method, buffered=True)

    def zones_of(self, district, kind=WHOLE):
        zones = self.runs[kind].zones
        return set(zones.loc[zones["district"] == district, "id"])


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    made = Place(tmp_path_factory.mktemp("objects"))
    assert len(made.zones_of("D1")) > 0
    assert len(made.zones_of("D2")) > 0
    yield made
    made.office.close()


@pytest.fixture(autouse=True)
def unlimited(monkeypatch):
    lift_limits(monkeypatch)


def addresses(place, kind):
    """Give every address about one run: endpoint, method, address."""
    for rule in place.office.app.url_map.iter_rules():
        names = PART.findall(rule.rule)
        if "run" not in names or rule.endpoint.startswith("outcome."):
            continue
        for method in sorted(rule.methods & {"GET", "POST"}):
            for values in filled(rule, names):
                values |= {"city": "town", "run": place.runs[kind].id}
                yield rule.endpoint, method, PART.sub(lambda m, v=values: v[m[1]], rule.rule)


def filled(rule, names):
    rest = [name for name in names if name not in ("city", "run")]
    if rest == ["what", "ending"]:
        return [{"what": what, "ending": ending} for what, ending, _ in FILES]
    if rest == ["name"]:
        part = next(one for one in ("charts", "surfaces") if f"/{one}/" in rule.rule)
        return [{"name": value} for value in OTHERS[part]]
    (one,) = rest or [None]
    return [{one: value} for value in OTHERS[one]] if one else [{}]


@pytest.mark.parametrize("kind", [WHOLE, SENSITIVE, ELSEWHERE])
@pytest.mark.parametrize("role", ROLES)
def test_every_address_of_a_run_asks_the_same(place, role, kind):
    tried = set()
    for endpoint, method, address in addresses(place, kind):
        allowed = may_read(role, kind) and role in RULES[endpoint].roles
        status = place.get(role, endpoint, address, method).status_code
        if not allowed:
            # a form without its token is refused before anything is looked up
            assert status == 403 or (method == "POST" and status == 400), (role, address, status)
        elif method == "GET":
            assert status in (200, 404), (role, address, status)
            assert status == 200 or "/charts/" in address, (role, address)
        tried.add(endpoint)
    assert len([name for name in tried if name.startswith("staff_api.")]) == 4
    assert len([name for name in tried if name.startswith("reading.")]) > 8


@pytest.mark.parametrize("role", sorted(LIMITED))
def test_every_text_about_a_run_is_of_ones_own_district(place, role):
    others, own = place.zones_of("D2"), place.zones_of("D1")
    told = 0
    for endpoint, method, address in addresses(place, WHOLE):
        if method != "GET" or role not in RULES[endpoint].roles:
            continue
        text = place.get(role, endpoint, address).data.decode("utf-8", "replace")
        assert [name for name in (*others, NAMED) if name in text] == [], address
        told += any(zone in text for zone in own)
    assert told > 6, "zones of one's own have to be there for this to say anything"


def frame_of(place, role, name):
    address = f"/analyst/town/runs/{place.runs[WHOLE].id}/files/{name}"
    return io.BytesIO(place.get(role, "reading.export", address).data)


@pytest.mark.parametrize("role", sorted(LIMITED))
def test_every_file_of_a_run_is_of_ones_own_district(place, role, tmp_path):
    run = place.runs[WHOLE]
    held = {row: index for index, row in enumerate(run.grid.district_ids)}
    mine = run.grid.district == held["D1"]
    for name in ("cells.csv", "zones.csv"):
        assert set(pd.read_csv(frame_of(place, role, name))["district"]) == {"D1"}, name
    for name in ("cells.gpkg", "zones.gpkg"):
        (tmp_path / name).write_bytes(frame_of(place, role, name).getvalue())
        assert set(gpd.read_file(tmp_path / name)["district"]) == {"D1"}, name
    cells = pd.read_csv(frame_of(place, role, "cells.csv"))
    assert cells["cell"].tolist() == np.flatnonzero(mine).tolist()
    assert cells["count"].tolist() == run.cells["count"][mine].tolist()
    with rasterio.open(frame_of(place, role, "surface.tif")) as drawn:
        seen = np.isfinite(drawn.read(1))[::-1]
    assert seen[run.grid.rows[mine], run.grid.cols[mine]].all()
    assert not seen[run.grid.rows[~mine], run.grid.cols[~mine]].any()
    everything = pd.read_csv(frame_of(place, "viewer", "cells.csv"))
    assert everything["cell"].tolist() == list(range(len(run.grid)))


@pytest.mark.parametrize("role", sorted(LIMITED))
@pytest.mark.parametrize("name", [surface.name for surface in SURFACES])
def test_a_surface_is_painted_in_ones_own_district_alone(place, role, name):
    address = f"/analyst/town/runs/{place.runs[WHOLE].id}/surfaces/{name}.png"

    def painted(who):
        sent = place.get(who, "reading.surface", address).data
        return np.array(Image.open(io.BytesIO(sent)).convert("RGBA"))

    mine, whole = painted(role), painted("viewer")
    assert mine.shape == whole.shape
    seen = mine[:, :, 3] > 0
    width = mine.shape[1]
    assert not seen[:, width // 2 + 3 :].any()  # D2 is the eastern half of the town
    assert (mine[seen] == whole[seen]).all(), "the classes are those of the whole run"


@pytest.mark.parametrize("role", sorted(LIMITED))
def test_tokens_read_of_ones_own_district_alone(place, role):
    run = place.runs[WHOLE].id
    for what in ("zones", "cells"):
        told = place.tokens[role].get(f"/api/v1/runs/{run}/{what}?limit=10000").get_json()
        assert {one["properties"]["district"] for one in told["features"]} == {"D1"}
    document = place.tokens[role].get(f"/api/v1/runs/{run}").get_json()
    assert {one["district"] for one in document["zones"]} == {"D1"}
    (found,) = place.tokens[role].get(f"/api/v1/runs/{run}/findings").get_json()["findings"]
    assert {one["id"] for one in found["document"]["zones"]} == place.zones_of("D1")


@pytest.mark.parametrize("role", sorted(set(ROLES) - NOT_AT_ALL))
def test_lists_name_the_runs_that_one_may_read(place, role):
    named = {kind for kind in place.runs if may_read(role, kind)}
    for endpoint, address in (
        ("runs.listed", "/analyst/town/runs"),
        ("reading.compare", "/analyst/town/compare"),
        ("analyst.city", "/analyst/town/"),
        ("staff_api.runs", "/api/v1/cities/town/runs"),
    ):
        text = place.get(role, endpoint, address).text
        found = {kind for kind, run in place.runs.items() if run.id in text}
        alone = endpoint == "reading.compare" and len(named) < 2  # nothing to compare with
        assert found == (set() if alone else named), (address, found)
        assert ("burglary" in text.lower()) == (role in READS_SENSITIVE), address


@pytest.mark.parametrize("role", sorted(set(ROLES) - NOT_AT_ALL))
def test_two_runs_are_compared_only_where_both_may_be_read(place, role):
    for kind in (SENSITIVE, ELSEWHERE):
        for one, two in ((WHOLE, kind), (kind, WHOLE)):
            asked = f"?one={place.runs[one].id}&two={place.runs[two].id}"
            found = place.get(role, "reading.compare_map", f"/analyst/town/compare/map.json{asked}")
            assert found.status_code == (200 if may_read(role, kind) else 403)
            page = place.get(role, "reading.compare", f"/analyst/town/compare{asked}")
            assert page.status_code == (200 if may_read(role, kind) else 400)
            if role in LIMITED:
                assert not any(zone in page.text + found.text for zone in place.zones_of("D2"))


@pytest.mark.parametrize("role", ["analyst", "commander", "publisher"])
def test_work_about_a_sensitive_run_is_kept_from_those_who_may_not_read_it(place, role):
    for kind, job in place.jobs.items():
        allowed = may_read(role, kind)
        for ending in ("", ".json"):
            answer = place.browsers[role].get(f"/analyst/town/jobs/{job}{ending}")
            assert answer.status_code == (200 if allowed else 403), (role, kind)
        listed = place.browsers[role].get("/analyst/town/jobs").text
        assert (f"jobs/{job}" in listed) == allowed


def test_exact_places_are_of_ones_own_district(place):
    run = place.runs[WHOLE].id
    sent = place.browsers["officer"].get(f"/analyst/town/runs/{run}/points.json")
    every = place.browsers["viewer"].get(f"/analyst/town/runs/{run}/points.json")
    own = [json.dumps(one["geometry"]) for one in sent.get_json()["shapes"]["features"]]
    whole = [json.dumps(one["geometry"]) for one in every.get_json()["shapes"]["features"]]
    assert 0 < len(own) < len(whole)
    assert set(own) <= set(whole)


def test_a_source_of_sensitive_incidents_alone_is_left_out():
    content = {
        "incidents": [
            {"source": "both.csv", "outcome_field": "o", "outcomes": {"A": "assault", "R": "r"}},
            {"source": "assaults.csv", "outcome": "assault"},
            {"source": "coded.csv", "outcome_field": "o", "outcomes": {"A": "assault"}},
        ]
    }
    told = [row.source for row in source_rows(content, [], ["assault"])]
    assert told == ["both.csv"]
    assert len(source_rows(content, [])) == 3


def test_the_page_says_whose_incidents_its_zones_hold(place):
    run = place.runs[WHOLE]
    page = place.browsers["officer"].get(f"/analyst/town/runs/{run.id}").text
    assert re.search(r"of the incidents of your districts", page)
    mine = run.grid.district == run.grid.district_ids.index("D1")
    zones = run.zones[run.zones["district"] == "D1"]
    share = zones["past"].sum() / run.cells["count"][mine].sum()
    assert 0 < share <= 1
    assert f"{share:.0%}"[:-1] in page
