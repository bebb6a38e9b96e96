"""Cities and runs archived and removed by pages and by command."""

import json
import shutil

import pytest
from ready import make_ready
from releasing import Publisher, keep_run, town_run
from staffing import Office, keep_city

from app.site_documents import site_files
from geodata.db.engine import open_database
from geodata.releases.build import approve_release, draft_release
from geodata.releases.folder import ReleaseFolder

CITIES, PAGE = "/admin/cities/", "/admin/cities/town"
USED, TRIAL = "a" * 12, "b" * 12
RUN = f"/analyst/town/runs/{TRIAL}"


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    """A town with a release, a run in use and a trial of a run; and a city that has nothing."""
    folder = tmp_path_factory.mktemp("archiving")
    url = f"sqlite:///{folder / 'saferground.sqlite'}"
    make_ready(url)
    database = open_database(url)
    Publisher(folder, alerts=8).bring(database)
    keep_run(database, town_run(USED))
    keep_run(database, town_run(TRIAL, move=600), used=False)
    made = draft_release(database, folder / "releases", "town", "ana", pages=site_files)
    approve_release(database, folder / "releases", made.id, "ben")
    keep_city(database, "trial")
    database.close()
    return folder


@pytest.fixture
def office(town, tmp_path):
    shutil.copytree(town, tmp_path / "town")
    made = Office(f"sqlite:///{tmp_path / 'town' / 'saferground.sqlite'}", tmp_path / "town")
    made.add("root", "administrator")
    made.add("ana", "analyst")
    made.add("cora", "commander", districts=["town/D1", "trial/D1"])
    yield made
    made.close()


def test_an_analyst_archives_a_run_and_an_administrator_removes_it(office):
    ana, root = office.client("ana"), office.client("root")
    assert ana.send(f"{RUN}/archive", page=RUN, to="archived").status_code == 303
    assert "This run is archived." in ana.get(RUN).text
    listed = ana.get("/analyst/town/runs").text
    assert TRIAL not in listed
    assert "1 archived run<" in listed
    assert TRIAL in ana.get("/analyst/town/runs?archived=1").text
    ana.send(f"{RUN}/archive", page=RUN, to="listed")
    assert TRIAL in ana.get("/analyst/town/runs").text
    assert TRIAL not in root.get(PAGE).text
    ana.send(f"{RUN}/archive", page=RUN, to="archived")
    assert "It can be removed." in root.get(PAGE).text
    wrong = root.send(f"{PAGE}/remove", page=PAGE, name=USED)
    assert wrong.status_code == 422
    assert "nothing was removed" in wrong.text
    assert root.send(f"{PAGE}/remove", page=PAGE, name=TRIAL).location == PAGE
    assert ana.get(RUN).status_code == 404
    (entry,) = office.entries("run.remove")
    assert (entry.person, entry.object) == ("root", TRIAL)
    assert entry.details["rows"]["zone"] > 0


def test_a_run_in_use_cannot_be_archived(office):
    ana, page = office.client("ana"), f"/analyst/town/runs/{USED}"
    assert "Archive the run" not in ana.get(page).text
    ana.send(f"{page}/archive", page="/analyst/town/runs", to="archived")
    assert "is in use; put another run to use" in ana.get(page).text
    assert USED in ana.get("/analyst/town/runs").text


def test_an_archived_city_leaves_the_lists_and_keeps_its_release(office):
    ana, root, cora = (office.client(name) for name in ("ana", "root", "cora"))
    before = ReleaseFolder.current(office.settings.releases, "town").id
    refused = root.send(f"{PAGE}/state", page=PAGE, to="archived")
    assert refused.status_code == 422
    assert "tick the box" in refused.text
    assert root.send(f"{PAGE}/state", page=PAGE, to="archived", sure="y").location == PAGE
    assert 'href="/analyst/town/"' not in ana.get("/analyst/").text
    assert ana.get("/analyst/town/").status_code == 200, "it is read by its address"
    assert "/trial/" in cora.get("/command/").location, "the one district that is left"
    assert "archived 20" in root.get(CITIES).text
    assert ReleaseFolder.current(office.settings.releases, "town").id == before
    assert before in office.client().get("/data/").text, "residents see what they saw"
    kept = root.send(f"{PAGE}/remove", page=PAGE, name="town")
    assert kept.status_code == 422
    assert "it has 1 releases" in kept.text
    root.send(f"{PAGE}/state", page=PAGE, to="listed")
    assert 'href="/analyst/town/"' in ana.get("/analyst/").text


def test_a_city_that_has_nothing_is_removed_with_its_folder(office):
    root, page = office.client("root"), "/admin/cities/trial"
    folder = office.settings.cities / "trial"
    folder.mkdir(parents=True)
    refused = root.send(f"{page}/remove", page="/admin/people", name="trial")
    assert refused.status_code == 422, "it is not archived"
    root.send(f"{page}/state", page=page, to="archived", sure="y")
    assert root.send(f"{page}/remove", page=page, name="trial").location == CITIES
    assert root.get(page).status_code == 404
    assert not folder.exists()
    assert office.person("cora").districts == ("town/D1",)
    assert "/town/" in office.client("cora").get("/command/").location
    (entry,) = office.entries("city.remove")
    assert entry.details["rows"]["district"] == 2


def test_cities_and_runs_are_archived_and_removed_by_command(run, town, tmp_path, monkeypatch):
    shutil.copytree(town, tmp_path / "kept")
    monkeypatch.setenv("SAFERGROUND_INSTANCE", str(tmp_path / "kept"))
    assert "archive it before" in run("run", "remove", TRIAL, "--confirm", TRIAL, status=1).stderr
    run("run", "archive", TRIAL, "--as", "ana")
    listed = json.loads(run("runs", "town", "--json").stdout)["runs"]
    assert [one["run"] for one in listed] == [USED]
    run("run", "restore", TRIAL)
    run("run", "archive", TRIAL)
    run("run", "remove", TRIAL, "--confirm", "another", status=2)
    gone = json.loads(run("run", "remove", TRIAL, "--confirm", TRIAL, "--json").stdout)
    assert gone["removed"]["run"] == 1
    run("city", "archive", "trial")
    cities = json.loads(run("cities", "--json").stdout)["cities"]
    assert [one["city"] for one in cities] == ["town"]
    assert len(json.loads(run("cities", "--all", "--json").stdout)["cities"]) == 2
    run("city", "restore", "trial")
    run("city", "archive", "trial")
    assert "is removed: " in run("city", "remove", "trial", "--confirm", "trial").stderr
    run("city", "archive", "town")
    refused = run("city", "remove", "town", "--confirm", "town", status=1)
    assert "releases" in refused.stderr
