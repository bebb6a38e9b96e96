"""Workers keep the schedules of cities: each due time once, whoever looks first."""

import datetime as dt

import pytest
from staffing import KEY
from town import Town

from app.config import Settings
from app.jobs import worker as module
from app.jobs.worker import Worker
from geodata.cityfile.description import read_city_file
from geodata.ingest.store import import_city
from geodata.repositories.job_queue import list_jobs

MONDAY = dt.datetime(2026, 3, 2, 10)  # 05:00 in New York


@pytest.fixture
def workers(database, database_url, tmp_path):
    town = Town(tmp_path)
    town.city += '[schedule]\nround = "Mon 05:00"\n'
    town.save()
    import_city(database, read_city_file(town.path))
    settings = Settings(database_url=database_url, instance=tmp_path, secret_key=KEY)
    return [Worker(database, settings) for _ in range(2)]


def rounds(database, workers, monkeypatch, now):
    """Let each worker look once at a moment; give the jobs that there are then."""
    monkeypatch.setattr(module, "utc_now", lambda: now)
    for one in workers:
        one._schedule_due = 0.0
        one._ask_what_is_due()
    with database.session() as session:
        return [(job.kind, job.city, job.asked_by) for job in list_jobs(session)]


def test_two_workers_ask_for_a_round_once_and_catch_a_missed_one_up_once(
    database, workers, monkeypatch
):
    days = dt.timedelta(days=1)
    assert rounds(database, workers, monkeypatch, MONDAY) == [], "it is seen for the first time"
    assert rounds(database, workers, monkeypatch, MONDAY + 6 * days) == []
    one = [("round", "town", "schedule")]
    assert rounds(database, workers, monkeypatch, MONDAY + 7 * days) == one
    assert rounds(database, workers, monkeypatch, MONDAY + 8 * days) == one
    with database.session(write=True) as session:
        for job in list_jobs(session):
            job.state = "done"
    later = MONDAY + 25 * days  # two Mondays at which nobody looked
    assert rounds(database, workers, monkeypatch, later) == one * 2
    assert rounds(database, workers, monkeypatch, later) == one * 2
