"""Workers as real processes: two of them, killed, stopped, cancelled; on both databases."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from town import Town

from app.config import Settings
from app.jobs import jobs as work
from app.jobs.bell import Bell
from geodata.cityfile.description import read_city_file
from geodata.ingest.store import import_city
from geodata.repositories.runs import get_run, list_runs

LONG = 120
ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # no matter of SQL


class Workers:
    """Starts workers over one database and ends those that are left."""

    def __init__(self, database, settings):
        self.database, self.settings = database, settings
        self.bell = Bell(settings)
        self.started = []

    def start(self, *extra, step_seconds=600, **options):
        with (self.settings.instance / f"worker-{len(self.started)}.log").open("w") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "app.cli", "worker", *extra],
                env={
                    **os.environ,
                    "SAFERGROUND_DATABASE": self.settings.database_url,
                    "SAFERGROUND_INSTANCE": str(self.settings.instance),
                    "SAFERGROUND_STEP_SECONDS": str(step_seconds),
                },
                stderr=log,
                **options,
            )
        self.started.append(process)
        return process

    def ask(self, kind="fit", **arguments):
        return work.ask(self.database, self.bell, kind, arguments, "ann").id

    def job(self, number):
        return work.status(self.database, number).job

    def until(self, number, true):
        """Wait until a job is as it should be; tell the logs if it does not become so."""
        deadline = time.monotonic() + LONG
        while time.monotonic() < deadline:
            job = self.job(number)
            if true(job):
                return job
            time.sleep(0.05)
        logs = [p.read_text() for p in self.settings.instance.glob("worker-*.log")]
        raise AssertionError((job, logs))

    def end(self):
        for process in self.started:
            if process.poll() is None:
                process.kill()
            process.wait()
        self.bell.close()


@pytest.fixture
def workers(database, database_url, tmp_path):
    made = Town(tmp_path, n=700).crowd(400)
    import_city(database, read_city_file(made.path))
    settings = Settings(database_url=database_url, instance=tmp_path / "instance")
    settings.instance.mkdir()
    all_of_them = Workers(database, settings)
    yield all_of_them
    all_of_them.end()


@pytest.fixture
def run(workers):
    """A run to work on, fitted by this process."""
    from app.usecases.risk.fit import FitRequest, fit

    (made,) = fit(workers.database, FitRequest(city="town", outcome="robbery"))
    return made.id


def under_way(job):
    return job.state == "running" and job.stage is not None


def test_two_workers_share_the_jobs_and_take_none_twice(workers):
    asked = [workers.ask(city="town", outcome="robbery", seed=seed) for seed in range(1, 11)]
    workers.start()
    workers.start()
    ended = [workers.until(number, lambda job: job.ended) for number in asked]
    assert [(job.state, job.message) for job in ended] == [("done", None)] * 10
    assert [job.attempt for job in ended] == [1] * 10
    assert len({job.worker for job in ended}) == 2
    with workers.database.session() as session:
        assert len(list_runs(session, "town")) == 10


def test_a_job_of_a_killed_worker_is_taken_up_again_by_another(workers, run):
    first = workers.start()
    number = workers.ask("backtest", run=run, origins=24)
    taken = workers.until(number, under_way)
    assert f":{first.pid}:" in taken.worker
    second = workers.start()
    first.kill()
    first.wait()
    done = workers.until(number, lambda job: job.ended)
    assert (done.state, done.attempt, done.deaths) == ("done", 2, 1)
    assert f":{second.pid}:" in done.worker
    assert done.result == {"run": run}


def test_a_job_that_kills_its_workers_fails_cleanly(workers, run):
    number = workers.ask("backtest", run=run, origins=24)
    for turn in (1, 2):
        worker = workers.start()
        workers.until(number, lambda job, turn=turn: under_way(job) and job.attempt == turn)
        worker.kill()
        worker.wait()
    workers.start()
    failed = workers.until(number, lambda job: job.ended)
    assert (failed.state, failed.deaths) == ("failed", 2)
    assert "without a word" in failed.message


def test_a_worker_that_is_asked_to_end_gives_its_job_back(workers, run):
    worker = workers.start()
    number = workers.ask("backtest", run=run, origins=24)
    workers.until(number, under_way)
    assert work.worker_alive(workers.database)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(LONG) == 0
    waiting = workers.job(number)
    assert (waiting.state, waiting.stage, waiting.deaths) == ("waiting", None, 0)
    assert not work.worker_alive(workers.database)
    workers.start()
    assert workers.until(number, lambda job: job.ended).state == "done"


def test_a_running_job_is_cancelled_and_leaves_nothing(workers, run):
    worker = workers.start()
    number = workers.ask("backtest", run=run, origins=24)
    workers.until(number, under_way)
    work.cancel(workers.database, number, "bob")
    cancelled = workers.until(number, lambda job: job.ended)
    assert (cancelled.state, cancelled.message) == ("cancelled", "cancelled by bob")
    from geodata.repositories.run_analyses import list_findings

    with workers.database.session() as session:
        assert list_findings(session, run, "backtest") == []
    after = workers.ask(city="town", outcome="robbery", seed=5)
    assert workers.until(after, lambda job: job.ended).state == "done"
    assert worker.poll() is None


def test_a_worker_ends_with_whoever_started_it(workers):
    worker = workers.start("--with-parent", stdin=subprocess.PIPE)
    number = workers.ask(city="town", outcome="robbery")
    done = workers.until(number, lambda job: job.ended)
    with workers.database.session() as session:
        assert get_run(session, done.result["runs"][0])
    worker.stdin.close()
    assert worker.wait(LONG) == 0


@ON_SQLITE
def test_processes_that_a_job_started_end_with_its_worker(workers, run):
    worker = workers.start()
    number = workers.ask("certainty", run=run, replicates=2000)
    workers.until(number, lambda job: job.stage is not None and job.stage != "risk factors")
    children = _children(worker.pid)
    assert len(children) > 1, "the process that works, and those that it started"
    worker.kill()
    worker.wait()
    deadline = time.monotonic() + LONG
    while any(map(_lives, children)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(map(_lives, children))


def _children(pid):
    """Give the processes that a process started, and those that these started."""
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True)
    own = [int(number) for number in found.stdout.split()]
    return own + [below for one in own for below in _children(one)]


def _working(pid):
    """Give the process that does the work of a worker."""
    return next(
        one
        for one in _children(pid)
        if "app.jobs" in _command(one) and "app.cli" not in _command(one)
    )


def _command(pid):
    return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()


@ON_SQLITE
def test_work_that_does_not_answer_is_ended_from_outside_and_the_worker_goes_on(workers, run):
    worker = workers.start(step_seconds=15)
    number = workers.ask("backtest", run=run, origins=24)
    workers.until(number, under_way)
    silent = _working(worker.pid)
    os.kill(silent, signal.SIGSTOP)  # as deaf as one that never leaves a regular expression
    failed = workers.until(number, lambda job: job.ended)
    assert failed.state == "failed"
    assert "no step in 15 seconds in the stage 'rolling origins'" in failed.message
    assert not _lives(silent)
    after = workers.ask(city="town", outcome="robbery", seed=5)
    done = workers.until(after, lambda job: job.ended)
    assert done.state == "done"
    assert done.worker == failed.worker


@ON_SQLITE
def test_work_whose_process_is_killed_is_taken_up_again_by_the_same_worker(workers, run):
    worker = workers.start()
    number = workers.ask("backtest", run=run, origins=24)
    for attempt in (1, 2):
        workers.until(number, lambda job, n=attempt: under_way(job) and job.attempt == n)
        os.kill(_working(worker.pid), signal.SIGKILL)
    failed = workers.until(number, lambda job: job.ended)
    assert (failed.state, failed.deaths) == ("failed", 2)
    assert worker.poll() is None


@ON_SQLITE
def test_work_that_does_not_answer_ends_with_its_worker(workers, run):
    worker = workers.start()
    number = workers.ask("backtest", run=run, origins=24)
    workers.until(number, under_way)
    silent = _working(worker.pid)
    os.kill(silent, signal.SIGSTOP)
    worker.kill()
    worker.wait()
    deadline = time.monotonic() + LONG
    while _lives(silent) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not _lives(silent)


def _lives(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@ON_SQLITE
def test_the_command_line_asks_lists_cancels_and_asks_again(workers):
    def call(*arguments):
        done = subprocess.run(
            [sys.executable, "-m", "app.cli", *arguments, "--json"],
            env={
                **os.environ,
                "SAFERGROUND_DATABASE": workers.settings.database_url,
                "SAFERGROUND_INSTANCE": str(workers.settings.instance),
                "SAFERGROUND_USER": "cleo",
            },
            capture_output=True,
            text=True,
            check=True,
        )
        return json.loads(done.stdout)

    asked = call("jobs", "ask", "fit", '{"city": "town", "outcome": "robbery"}')
    assert (asked["state"], asked["asked_by"]) == ("waiting", "cleo")
    assert call("jobs", "cancel", str(asked["job"]))["state"] == "cancelled"
    again = call("jobs", "retry", str(asked["job"]))
    assert again["retry_of"] == asked["job"]
    workers.start()
    workers.until(again["job"], lambda job: job.ended)
    listed = call("jobs", "town")
    assert listed["worker_alive"] is True
    assert [job["state"] for job in listed["jobs"]] == ["done", "cancelled"]
    assert call("jobs", "--all")["jobs"] == listed["jobs"]
