"""A worker reads the files of folders named by cities, once they are whole, once each."""

import os

import pytest
from staffing import KEY
from town import Town

from app.config import Settings, SettingsError
from app.jobs.folder_watch import FolderWatch
from app.jobs.worker import Worker
from geodata.cityfile.description import read_city_file
from geodata.ingest.store import import_city
from geodata.repositories.import_log import list_imports
from geodata.repositories.job_queue import list_jobs


@pytest.fixture
def town(sqlite_database, tmp_path):
    made = Town(tmp_path)
    made.incidents["offense"] = "ROBBERY"
    made.save()
    import_city(sqlite_database, read_city_file(made.path))
    return made


@pytest.fixture
def base(tmp_path):
    folder = tmp_path / "arriving"
    (folder / "town").mkdir(parents=True)
    return folder


@pytest.fixture
def workers(sqlite_database, sqlite_url, tmp_path, base):
    settings = Settings(
        database_url=sqlite_url, instance=tmp_path, secret_key=KEY, watch=base, poll_seconds=0.01
    )
    made = [Worker(sqlite_database, settings) for _ in range(2)]
    yield made
    for one in made:
        one.close()


def look(database, workers):
    """Let each worker look once; give the jobs that were asked for."""
    for one in workers:
        one._watch_due = 0.0
        one._ask_what_arrived()
    with database.session() as session:
        return [(job.kind, job.city, job.asked_by) for job in list_jobs(session)]


def test_a_worker_reads_what_arrives_once_it_is_whole(town, sqlite_database, workers, base):
    assert look(sqlite_database, workers) == []
    new = town.incidents.copy()
    new["id"] = [f"N{i}" for i in range(len(new))]
    path = base / "town" / "incidents-20240309.csv"
    path.write_text("id\n")
    (base / "town" / "notes.txt").write_text("belongs to no source")
    (base / "elsewhere").mkdir()
    new.to_csv(base / "elsewhere" / path.name, index=False)
    assert look(sqlite_database, workers) == [], "it was never seen before"
    new.to_csv(path, index=False)
    os.utime(path, (0, 0))
    os.utime(base / "town" / "notes.txt", (0, 0))
    assert look(sqlite_database, workers) == [], "it changed between two looks"
    one = [("arrivals", "town", "folder")]
    assert look(sqlite_database, workers) == one
    assert look(sqlite_database, workers) == one
    assert workers[0].run_next()
    with sqlite_database.session() as session:
        (job,) = list_jobs(session)
        assert (job.state, job.message) == ("done", None)
        (report,) = job.result.sources
        assert (report.read, report.stored) == (len(new), len(new))
        assert list_imports(session, "town")[0].imported_by == "folder"
    assert not path.exists()
    assert sorted(p.name for p in (base / "town").iterdir()) == ["done", "notes.txt"]
    assert [p.name for p in (base / "elsewhere").iterdir()] == [path.name]
    look(sqlite_database, workers)
    assert look(sqlite_database, workers) == one, "what belongs to no source is asked for once"


def test_a_file_that_cannot_be_read_fails_its_job_and_is_put_aside(
    town, sqlite_database, workers, base
):
    path = base / "town" / "incidents-1.csv"
    path.write_text("id,when\n1,2\n")
    os.utime(path, (0, 0))
    look(sqlite_database, workers)
    look(sqlite_database, workers)
    assert workers[1].run_next()
    with sqlite_database.session() as session:
        (job,) = list_jobs(session)
    assert job.state == "failed"
    assert "incidents-1.csv" in job.message
    assert "there is no column" in job.message
    assert not path.exists()
    assert len(list((base / "town" / "failed").iterdir())) == 2


def test_links_and_hidden_files_are_left_alone(base, tmp_path):
    secret = tmp_path / "alerts.csv"
    secret.write_text("id\n1\n")
    (base / "town" / "alerts.csv").symlink_to(secret)
    (base / "town" / ".alerts.csv.part").write_text("half")
    watch = FolderWatch(base)
    assert [watch.ready(["town", "gone"]) for _ in range(3)] == [[], [], []]


def test_a_folder_that_is_not_there_stops_the_start(monkeypatch, tmp_path):
    monkeypatch.setenv("SAFERGROUND_WATCH", str(tmp_path / "none"))
    with pytest.raises(SettingsError, match="there is no folder"):
        Settings.from_env()
    monkeypatch.setenv("SAFERGROUND_WATCH", str(tmp_path))
    assert Settings.from_env().watch == tmp_path
