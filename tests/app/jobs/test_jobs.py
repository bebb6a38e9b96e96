"""Jobs as they are asked for, told about, cancelled and asked again; no worker process yet."""

import datetime as dt
import threading
import time

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from town import Town

from app.config import Settings
from app.jobs import jobs as work
from app.jobs.kinds import KINDS, Tools, read_task
from app.jobs.process import RELEASE, JobProgress, Order, carry_out
from app.jobs.worker import RunningJob, Worker
from app.usecases.arguments import digest_arguments
from geodata.cityfile.description import read_city_file
from geodata.db.json_columns import JobResult
from geodata.db.staff_tables import Job
from geodata.errors import CityFileError, DataError, NotStoredError
from geodata.ingest.store import import_city
from geodata.repositories import audit, job_queue
from geodata.repositories.job_queue import Progress
from spatial.errors import SpecError

FIT = {"city": "town", "outcome": "robbery"}


@pytest.fixture
def settings(database, database_url, tmp_path):
    made = Town(tmp_path, n=700).crowd(400)
    import_city(database, read_city_file(made.path))
    return Settings(database_url=database_url, instance=tmp_path / "instance")


@pytest.fixture
def ask(database, settings):
    def asked(kind="fit", arguments=FIT, who="ann"):
        return work.ask(database, kind, arguments, who)

    return asked


@pytest.fixture
def take(database):
    def taken(worker="w1"):
        with database.session(write=True) as session:
            return job_queue.lease_job(session, worker)

    return taken


def change(database, write):
    with database.session(write=True) as session:
        return write(session)


def now_of(database):
    with database.session() as session:
        return job_queue.database_now(session)


def test_what_is_asked_waits(ask, database):
    job = ask()
    assert (job.state, job.city, job.asked_by, job.arguments) == ("waiting", "town", "ann", FIT)
    assert abs(now_of(database) - job.asked_at) < dt.timedelta(minutes=1)


def test_the_same_work_is_asked_for_once_while_it_is_open(ask, take, database):
    first = ask()
    again = ask(arguments={"outcome": "robbery", "city": "town"}, who="bob")
    other = ask(arguments={**FIT, "seed": 2})
    assert again.id == first.id
    assert other.id != first.id
    job = take()
    assert ask().id == job.id == first.id
    assert change(database, lambda s: job_queue.end_job(s, job, job_queue.DONE))
    assert ask().id not in (first.id, other.id)


@pytest.mark.parametrize(
    ("kind", "arguments", "error", "told"),
    [
        ("dance", {}, SpecError, "choose of import, fetch, fit"),
        ("fit", {"city": "town"}, SpecError, "outcome is missing"),
        ("fit", {**FIT, "sede": 2}, SpecError, "unknown key 'sede'; did you mean seed"),
        ("fit", {**FIT, "seed": True}, SpecError, "seed must be a whole number"),
        ("fit", {**FIT, "seed": -1}, SpecError, "seed must be a whole number"),
        ("fit", {**FIT, "from": "1/1/2024"}, SpecError, "write it as 2013-01-31"),
        ("fit", {**FIT, "sharing": "none"}, SpecError, "one of own, shared"),
        ("fit", {**FIT, "districts": "D1"}, SpecError, "must be a list of texts"),
        ("fit", {**FIT, "area_share": "x"}, SpecError, "area_share must be a number"),
        ("fit", {**FIT, "area_share": 0.9}, SpecError, "area_share"),
        ("fit", {**FIT, "protective": 1}, SpecError, "true or false"),
        ("fit", {**FIT, "city": "atlantis"}, NotStoredError, "no city 'atlantis'"),
        (
            "validate",
            {"run": "nope", "from": "2024-01-01", "to": "2024-02-01"},
            NotStoredError,
            "no run 'nope'",
        ),
        ("evaluate", {"before": ["a"]}, SpecError, "before must be"),
        ("import", {"city_file": "/none.toml"}, CityFileError, "no such file"),
    ],
)
def test_what_cannot_be_is_refused_before_it_waits(ask, database, kind, arguments, error, told):
    with pytest.raises(error, match=told):
        ask(kind, arguments)
    assert work.statuses(database) == []


def test_a_fault_of_arguments_is_told_with_all_others():
    with pytest.raises(SpecError) as caught:
        read_task("certainty", {"replicates": "many", "sede": 1})
    for part in ("run is missing", "replicates must be", "unknown key 'sede'"):
        assert part in str(caught.value)


def test_the_longest_waiting_is_taken_first_and_once(ask, take):
    first, second = ask(), ask(arguments={**FIT, "seed": 2})
    job, other = take("w1"), take("w2")
    assert (job.id, other.id) == (first.id, second.id)
    assert (job.worker, job.attempt, job.state) == ("w1", 1, "running")
    assert take("w3") is None


def test_workers_at_once_lease_each_job_once(ask, database):
    asked = {ask(arguments={**FIT, "seed": seed}).id for seed in range(24)}
    taken, ready = [], threading.Barrier(4)

    def grab(name):
        ready.wait()
        while True:
            with database.session(write=True) as session:
                found = job_queue.lease_job(session, name)
            if found is None:
                return
            taken.append(found.id)

    threads = [threading.Thread(target=grab, args=(f"w{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == sorted(asked)


def test_only_who_has_the_lease_can_write_of_a_job(ask, take, database):
    ask()
    job = take()
    far = Progress(stage="elastic net", done=3, total=10, timings={"risk factors": 2.0})
    assert change(database, lambda s: job_queue.heartbeat(s, job, far)) == ""
    told = work.status(database, job.id).as_json()
    assert (told["stage"], told["done"], told["total"]) == ("elastic net", 3, 10)
    for wrong in ({"worker": "w2"}, {"attempt": 2}):
        false = Job(**{"id": job.id, "worker": job.worker, "attempt": job.attempt, **wrong})
        assert change(database, lambda s, f=false: job_queue.heartbeat(s, f, far)) is None
        assert not change(database, lambda s, f=false: job_queue.end_job(s, f, job_queue.DONE))
        assert not change(database, lambda s, f=false: job_queue.release_job(s, f))
        assert change(database, lambda s, f=false: job_queue.expire_lease(s, f)) is None
    assert work.status(database, job.id).job.state == "running"


def test_cancel_what_waits_at_once_and_what_runs_at_its_next_sign(ask, take, database):
    waiting = ask()
    assert work.cancel(database, waiting.id, "bob").state == "cancelled"
    assert work.status(database, waiting.id).job.message == "cancelled by bob"
    ask()
    running = take()
    assert work.cancel(database, running.id, "bob").state == "running"
    assert change(database, lambda s: job_queue.heartbeat(s, running, Progress())) == "bob"
    change(database, lambda s: job_queue.release_job(s, running))
    assert work.status(database, running.id).job.state == "cancelled"
    with pytest.raises(DataError, match="has ended"):
        work.cancel(database, running.id, "bob")
    with pytest.raises(NotStoredError, match="no job 999"):
        work.cancel(database, 999, "bob")


def test_ask_again_for_what_failed(ask, take, database):
    job = ask()
    with pytest.raises(DataError, match="has not ended"):
        work.retry(database, job.id, "bob")
    first = take()
    change(database, lambda s: job_queue.end_job(s, first, job_queue.FAILED, message="too few"))
    again = work.retry(database, job.id, "bob")
    assert (again.retry_of, again.asked_by, again.arguments) == (job.id, "bob", job.arguments)
    second = take()
    change(
        database,
        lambda s: job_queue.end_job(s, second, job_queue.DONE, result=JobResult(runs=("x",))),
    )
    with pytest.raises(DataError, match="was done"):
        work.retry(database, again.id, "bob")


def test_a_dead_worker_costs_a_second_try_and_no_third(ask, take, database):
    ask()
    for state in ("waiting", "failed"):
        job = take()
        expired = change(database, lambda s, j=job: job_queue.expire_lease(s, j))
        assert expired.state == state
        assert change(database, lambda s, j=job: job_queue.heartbeat(s, j, Progress())) is None
    assert "2 workers ended" in expired.message
    assert take() is None


def test_the_lease_of_a_worker_with_a_newer_heartbeat_does_not_expire(ask, take, database):
    ask()
    job = take()
    seen, later = job.heartbeat_at, now_of(database) + dt.timedelta(seconds=1)
    with database.session(write=True) as session:
        session.get(Job, job.id).heartbeat_at = later
    assert change(database, lambda s: job_queue.expire_lease(s, job, silent_since=seen)) is None
    assert work.status(database, job.id).job.state == "running"


def test_the_silent_are_found_by_our_own_clock_alone(ask, take, database, settings, monkeypatch):
    ask()
    job = take("elsewhere/1:77:abc")
    clock = [100.0]
    monkeypatch.setattr("app.jobs.worker.time.monotonic", lambda: clock[0])
    worker = Worker(database, settings)
    assert worker._silent([job]) == []
    clock[0] += 59
    assert worker._silent([job]) == []
    job.heartbeat_at -= dt.timedelta(hours=3)
    assert worker._silent([job]) == []
    clock[0] += 59
    assert worker._silent([job]) == []
    clock[0] += 1
    assert worker._silent([job]) == [job]
    job.worker = worker.name
    assert worker._silent([job]) == []


def test_a_process_of_this_machine_that_is_no_more_is_dead_at_once(database, settings, ask, take):
    ask()
    worker = Worker(database, settings)
    place = worker.name.partition(":")[0]
    gone = take(f"{place}:{2**22 + 1}:abc")  # more than any process number
    assert worker._silent([gone]) == [gone]


def test_state_is_one_of_five(database, ask):
    job = ask()
    with pytest.raises(IntegrityError), database.session(write=True) as session:
        session.get(Job, job.id).state = "lost"
        session.flush()


def test_workers_are_alive_until_they_leave_or_fall_silent(database, settings):
    assert not work.worker_alive(database)
    change(database, lambda s: job_queue.register_worker(s, "w1"))
    assert work.worker_alive(database)
    change(database, lambda s: job_queue.unregister_worker(s, "w1"))
    assert not work.worker_alive(database)
    change(database, lambda s: job_queue.register_worker(s, "w2"))
    from geodata.db.staff_tables import Worker as Row

    with database.session(write=True) as session:
        row = session.scalars(select(Row).where(Row.id == "w2")).one()
        row.heartbeat_at -= dt.timedelta(seconds=job_queue.ALIVE_SECONDS + 1)
    assert not work.worker_alive(database)
    change(database, lambda s: job_queue.heartbeat_worker(s, "w2"))
    assert work.worker_alive(database)


def a_job(**change):
    fields = {"id": 1, "kind": "fit", "state": "running", "done": 0, "total": 0, "timings": {}}
    fields |= {"started_at": dt.datetime(2026, 1, 1, 12), "arguments": {}}
    return Job(**{**fields, **change})


def after(seconds):
    return dt.datetime(2026, 1, 1, 12) + dt.timedelta(seconds=seconds)


USUAL = [{"a": 10.0, "b": 30.0}, {"a": 10.0, "b": 28.0, "c": 2.0}, {"a": 12.0, "b": 60.0}]


@pytest.mark.parametrize(
    ("job", "seconds", "share", "remaining"),
    [
        ({"stage": None}, 1, 0.0, 40.0),
        ({"stage": "a", "done": 1, "total": 10}, 1, 1 / 40, 39.0),
        ({"stage": "a", "done": 5, "total": 10}, 10, 5 / 40, 70.0),  # twice as slow as usual
        ({"stage": "b", "done": 1, "total": 2, "timings": {"a": 9, "b": 4}}, 25, 25 / 40, 15.0),
        ({"stage": "b", "done": 9, "total": 2, "timings": {"a": 9}}, 40, 1.0, 0.0),
        ({"stage": "x", "done": 1, "total": 4}, 25, 0.25, None),
    ],
)
def test_the_time_that_remains_comes_from_the_stages_of_earlier_jobs(
    job, seconds, share, remaining
):
    found = work.estimate(a_job(**job), USUAL, after(seconds))
    assert found.share == pytest.approx(share)
    assert found.remaining_s == (None if remaining is None else pytest.approx(remaining))


def test_without_an_earlier_job_the_time_is_not_known():
    found = work.estimate(a_job(stage="a", done=1, total=2), [], after(3))
    assert (found.share, found.remaining_s) == (0.5, None)
    assert "no such job was done here yet" in found.method
    for state, share, left in (("waiting", 0.0, None), ("done", 1.0, 0.0), ("failed", 0.0, 0.0)):
        found = work.estimate(a_job(state=state), USUAL, after(3))
        assert (found.share, found.remaining_s) == (share, left)


def test_stages_are_timed_and_the_word_to_stop_is_heard(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr("app.jobs.worker.time.monotonic", lambda: clock[0])
    running = RunningJob(a_job())
    for seconds, stage, done in ((3, "a", 1), (4, "a", 2), (2, "b", 1)):
        clock[0] += seconds
        running.note(JobProgress(stage, done, 2))
    progress = running.progress
    assert (progress.stage, progress.done, progress.total) == ("b", 1, 2)
    assert progress.timings == {"a": 7.0, "b": 2.0}
    assert running.stop_word(stopping=False) is None
    running.cancelled_by = "bob"
    assert running.stop_word(stopping=False) == "cancelled by bob"
    assert running.stop_word(stopping=True) == RELEASE
    running.lost = True
    assert running.stop_word(stopping=False) == RELEASE


def do_all(database, settings):
    """Have a worker do what waits."""
    worker = Worker(database, settings)
    while worker.run_next():
        pass
    worker.close()


def test_a_worker_does_what_is_asked_and_tells_how_it_ended(ask, database, settings):
    fitted, faulty = ask(), ask(arguments={**FIT, "outcome": "arson"})
    do_all(database, settings)
    done, failed = work.status(database, fitted.id), work.status(database, faulty.id)
    assert done.job.state == "done"
    (run,) = done.job.result.runs
    assert done.job.timings["elastic net"] > 0
    assert failed.job.state == "failed"
    assert "its outcomes are robbery" in failed.job.message
    from geodata.repositories.runs import get_run

    with database.session() as session:
        assert get_run(session, run).city == "town"


def test_an_import_by_a_worker_is_of_who_asked_for_it(ask, database, settings, tmp_path):
    folder = tmp_path / "again"
    folder.mkdir()
    ask("import", {"city_file": str(Town(folder, n=700).path)}, "bob")
    do_all(database, settings)
    with database.session() as session:
        found = list(audit.entries(session, audit.AuditFilter(action="data"), newest_first=False))
    assert [(entry.person, entry.action) for entry in found][-1] == ("bob", "data.import")
    assert len(found) == 2


def test_a_fault_of_ours_is_told_without_its_trace(database, settings, monkeypatch, caplog):
    def broken(*_arguments, **_options):
        msg = "secret /home/path"
        raise KeyError(msg)

    monkeypatch.setattr("app.usecases.risk.fit.fit", broken)
    tools = Tools(database=database, settings=settings, who="ann")
    end = carry_out(Order(77, "fit", FIT, "ann"), tools, None)
    assert end.state == "failed"
    assert "secret" not in end.message
    assert "job 77" in end.message
    assert "secret /home/path" in caplog.text


def test_every_kind_has_a_title_and_is_in_the_documents():
    from pathlib import Path

    text = (Path(__file__).parents[3] / "docs" / "jobs.md").read_text()
    for kind, told in KINDS.items():
        assert told.title
        assert f"`{kind}`" in text


def test_a_worker_does_not_wait_for_a_locked_database(sqlite_database, sqlite_url, tmp_path):
    """And counts nobody's silence while the living could not write either."""
    worker = Worker(sqlite_database, Settings(database_url=sqlite_url, instance=tmp_path))
    running = RunningJob(a_job(worker="w1", attempt=1))
    worker._heartbeats[1, 1] = (None, 0.0)
    with sqlite_database.session(write=True) as session:
        job_queue.count_waiting(session)  # the lock is taken with the first statement
        began = time.monotonic()
        worker._heartbeat(running)
        assert time.monotonic() - began < 5
        assert not running.lost
        assert worker._heartbeats == {}
    worker._due = 0.0
    worker._heartbeat(running)
    assert running.lost  # nobody has stored this job


def test_arguments_that_are_no_json_have_no_digest():
    with pytest.raises(SpecError, match="plain JSON"):
        digest_arguments({"a": float("nan")})
