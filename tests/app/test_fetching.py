"""Sources by address from the command line: private ones only where the administrator allows."""

import json

import pytest
from services import Service
from town import Town

from app.config import Settings
from app.usecases.city_files import fetching_for


@pytest.fixture
def service():
    made = Service()
    yield made
    made.close()


def test_addresses_are_fetched_undone_and_told(run, service, tmp_path, monkeypatch):
    town = Town(tmp_path)
    run("init")
    run("import", town.path)
    (before,) = json.loads(run("cities", "--json").stdout)["cities"]
    town.incidents["offense"] = "ROBBERY"
    town.save()
    service.plain("/incidents.csv", (tmp_path / "incidents.csv").read_bytes())
    town.change('source = "incidents.csv"', f'source = "{service.url("/incidents.csv")}"')
    refused = run("import", town.path, status=1)
    assert "lies in a private network" in refused.stderr
    assert service.asked == []
    monkeypatch.setenv("SAFERGROUND_ALLOW_PRIVATE_SOURCES", "1")
    brought = json.loads(run("import", town.path, "--json").stdout)
    (incidents,) = [s for s in brought["sources"] if s["kind"] == "incidents"]
    assert incidents["source"] == service.url("/incidents.csv")
    assert incidents["notes"][0].startswith("fetched ")
    listed = json.loads(run("imports", "town", "--json").stdout)["imports"]
    assert len(listed) == 2
    added = listed[0]["changes"]["incident"]["added"]
    assert added == incidents["stored"] > 0
    assert f"{added} added" in run("imports", "town").stdout
    undone = json.loads(run("imports", "undo", listed[0]["import"], "--as", "ann", "--json").stdout)
    assert undone["undone_by"] == "ann"
    assert json.loads(run("cities", "--json").stdout)["cities"] == [before]
    again = run("imports", "undo", listed[0]["import"], status=1)
    assert "was undone already" in again.stderr


def test_settings_come_from_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("SAFERGROUND_INSTANCE", str(tmp_path))
    monkeypatch.setenv("SAFERGROUND_SOCRATA_TOKEN", "tok")
    monkeypatch.delenv("SAFERGROUND_ALLOW_PRIVATE_SOURCES", raising=False)
    heard = []
    fetching = fetching_for(Settings.from_env(), lambda *told: heard.append(told))
    assert (fetching.folder, fetching.socrata_token) == (tmp_path / "sources", "tok")
    assert fetching.web.allow_private is False
    fetching.web.told(3_500_000)
    assert heard == [("downloading", 3, 0)]
    monkeypatch.setenv("SAFERGROUND_ALLOW_PRIVATE_SOURCES", "1")
    assert fetching_for(Settings.from_env()).web.allow_private is True
