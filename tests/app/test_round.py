"""One round by command: sources, fit, scores and a draft; a step that fails ends it."""

import datetime as dt
import json
import os
from contextlib import closing

import pytest
from town import Town

from app.config import Settings
from app.site_documents import site_files
from app.usecases.weekly_round import make_round
from geodata.db.engine import open_database
from geodata.errors import CancelledError
from geodata.repositories import audit


@pytest.fixture
def town(tmp_path, run):
    made = Town(tmp_path)
    made.incidents["offense"] = "ROBBERY"
    made.save()
    run("init")
    run("import", made.path)
    fitted = json.loads(run("fit", "town", "--outcome", "robbery", "--json").stdout)
    run("use", fitted["run"], "--as", "ana", "--why", "the first")
    made.run = fitted["run"]
    return made


def steps(document):
    return {step["step"]: step["state"] for step in document["steps"]}


def test_a_round_reads_fits_scores_and_drafts_and_approves_nothing(town, run):
    later = town.incidents.copy()
    last = max(dt.datetime.strptime(day, "%m/%d/%Y") for day in later["date"])
    later["id"] = [f"L{i}" for i in range(len(later))]
    later["date"] = (last + dt.timedelta(days=9)).strftime("%m/%d/%Y")
    town.incidents = later
    town.save()
    made = json.loads(run("round", "town", "--as", "ana", "--json").stdout)
    assert steps(made) == {"sources": "done", "fit": "done", "validate": "done", "draft": "done"}
    assert made["state"] == "done"
    assert made["runs"] != [town.run]
    releases = json.loads(run("publish", "list", "town", "--json").stdout)["releases"]
    assert [(one["release"], one["state"]) for one in releases] == [(made["release"], "drafted")]
    listed = json.loads(run("runs", "town", "--json").stdout)["runs"]
    assert [one["run"] for one in listed if one["in_use"]] == [town.run]
    new = next(one for one in listed if one["run"] == made["runs"][0])
    assert new["to"] > next(one for one in listed if one["run"] == town.run)["to"]


@pytest.mark.parametrize("stage", ["reading", "writing"])
def test_a_round_that_is_cancelled_has_not_failed(town, run, tmp_path, stage):
    settings = Settings(
        database_url=f"sqlite:///{tmp_path}/instance/saferground.sqlite",
        instance=tmp_path / "instance",
    )
    stages = set()

    def cancelled(name, done, total):
        stages.add(name)
        if name == stage:
            raise CancelledError(name)

    with closing(open_database(settings.database_url)) as database:
        with pytest.raises(CancelledError):
            make_round(
                database,
                settings,
                "town",
                "ana",
                pages=site_files,
                progress=cancelled,
                everything=True,
            )
        assert stage in stages
        with database.session() as session:
            entries = list(audit.entries(session, audit.AuditFilter(action="city.round")))
    assert entries == []


def test_a_round_goes_on_without_a_broken_source_and_names_it(town, run):
    (town.folder / "incidents.csv").write_text("id,when\n1,2\n")
    done = run("round", "town", "--as", "ana", "--json", status=1)
    made = json.loads(done.stdout)
    assert steps(made)["draft"] == "done"
    assert made["state"] == "done without some sources"
    (broken,) = made["broken"]
    assert (broken["kind"], broken["source"]) == ("incidents", "incidents.csv")
    assert "there is no column" in broken["fault"]
    assert "incidents.csv: " in made["steps"][0]["about"]
    assert made["release"]
    again = json.loads(run("round", "town", "--as", "ana", "--json", status=1).stdout)
    assert "1 unchanged" in again["steps"][0]["about"]


def test_a_round_goes_on_with_the_districts_that_are_stored(town, run):
    (town.folder / "districts.geojson").write_text("id,when\n1,2\n")
    done = run("round", "town", "--as", "ana", "--json", status=1)
    made = json.loads(done.stdout)
    assert steps(made)["draft"] == "done"
    assert made["state"] == "done without some sources"
    (broken,) = made["broken"]
    assert (broken["kind"], broken["source"]) == ("districts", "districts.geojson")
    assert "there is no column" in broken["fault"]
    assert "districts.geojson: " in made["steps"][0]["about"]
    assert made["release"]


def test_files_of_a_folder_are_read_by_command(town, run, tmp_path):
    folder = tmp_path / "arriving"
    folder.mkdir()
    new = town.incidents.copy()
    new["id"] = [f"N{i}" for i in range(len(new))]
    path = folder / "incidents-20240309.csv"
    new.to_csv(path, index=False)
    os.utime(path, (0, 0))
    made = json.loads(run("watch", "town", "--folder", folder, "--once", "--json").stdout)
    (found,) = made["files"]
    assert (found["file"], found["fault"]) == (path.name, None)
    assert found["sources"][0]["stored"] == len(new)
    assert not path.exists()
