"""Workers as real processes: two of them, killed, stopped, cancelled; on both databases.

Workers are kept for the next test where a test leaves them alive: they start in a second, what a
job imports takes longer.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from town import Town

from app.cli import main
from app.config import Settings
from app.jobs import jobs as work
from app.usecases.risk.fit import FitRequest, fit
from geodata.cityfile.description import read_city_file
from geodata.db.engine import open_database, upgrade
from geodata.db.json_columns import JobResult
from geodata.ingest.store import import_city
from geodata.repositories.run_analyses import list_findings
from geodata.repositories.runs import get_run, list_runs

pytestmark = pytest.mark.slow

LONG = 120
STEP_SECONDS = 8  # in which work that is stopped must be ended
ON_SQLITE = pytest.mark.parametrize("place", ["sqlite"], indirect=True)  # no matter of SQL


class Workers:
    """Starts workers over one database and ends those that are left."""

    def __init__(self, database, settings):
        self.database, self.settings = database, settings
        self.environment = {
            "SAFERGROUND_DATABASE": settings.database_url,
            "SAFERGROUND_INSTANCE": str(settings.instance),
            "SAFERGROUND_POLL_SECONDS": "0.05",
            "SAFERGROUND_HEARTBEAT_SECONDS": "0.2",
            "SAFERGROUND_USER": "cleo",
        }
        self.started = []
        self.asked = []

    def start(self, *extra, step_seconds=600, **options):
        with (self.settings.instance / f"worker-{len(self.started)}.log").open("w") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "app.cli", "worker", *extra],
                env={
                    **os.environ,
                    **self.environment,
                    "SAFERGROUND_STEP_SECONDS": str(step_seconds),
                },
                stderr=log,
                **options,
            )
        self.started.append(process)
        return process

    def living(self, count):
        """Give so many workers and no more: those that live, others anew."""
        alive = [process for process in self.started if process.poll() is None]
        for process in alive[count:]:
            process.kill()
            process.wait()
        return alive[:count] + [self.start() for _ in range(count - len(alive))]

    def ask(self, kind="fit", **arguments):
        self.asked.append(work.ask(self.database, kind, arguments, "ann").id)
        return self.asked[-1]

    def fit(self, seed):
        return self.ask(city="town", outcome="robbery", seed=seed)

    def backtest(self, run, workers=(), origins=24):
        """Ask for work of some seconds; give it, and who works on it, when it is under way."""
        number = self.ask("backtest", run=run, origins=origins)
        job = self.until(number, under_way)
        return number, [one for one in workers if f":{one.pid}:" in job.worker]

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
        raise AssertionError((job.state, job.message, logs))

    def ended(self, number):
        return self.until(number, lambda job: job.ended)

    def leave_nothing(self):
        """Cancel what a test left open, so that the next finds an empty queue."""
        for number in self.asked:
            if not self.job(number).ended:
                work.cancel(self.database, number, "test")
        self.asked.clear()

    def end(self):
        for process in self.started:
            if process.poll() is None:
                process.kill()
            process.wait()


@pytest.fixture(
    scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]
)
def place(request, tmp_path_factory):
    """A town with one run in a database of either kind, and its workers."""
    folder = tmp_path_factory.mktemp("place")
    if request.param == "sqlite":
        url = f"sqlite:///{folder / 'saferground.sqlite'}"
        upgrade(url)
    else:
        url = request.getfixturevalue("postgres_cluster").fresh_database()
    database = open_database(url)
    import_city(database, read_city_file(Town(folder, n=700).crowd(400).path))
    (run,) = fit(database, FitRequest(city="town", outcome="robbery"))
    settings = Settings(database_url=url, instance=folder / "instance")
    settings.instance.mkdir()
    workers = Workers(database, settings)
    yield workers, run.id
    workers.end()
    database.close()


@pytest.fixture
def workers(place):
    yield place[0]
    place[0].leave_nothing()


@pytest.fixture
def run(place):
    return place[1]


def under_way(job):
    return job.state == "running" and job.stage is not None


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


def _lives(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_two_workers_share_the_jobs_and_take_none_twice(workers):
    with workers.database.session() as session:
        before = len(list_runs(session, "town"))
    asked = [workers.fit(seed) for seed in range(2, 8)]
    workers.living(2)
    ended = [workers.ended(number) for number in asked]
    assert [(job.state, job.message) for job in ended] == [("done", None)] * 6
    assert [job.attempt for job in ended] == [1] * 6
    assert len({job.worker for job in ended}) == 2
    with workers.database.session() as session:
        assert len(list_runs(session, "town")) == before + 6
        assert get_run(session, ended[0].result.runs[0])


def test_a_job_of_a_killed_worker_is_taken_up_again_by_another(workers, run):
    number, (first,) = workers.backtest(run, workers.living(2), origins=8)
    first.kill()
    first.wait()
    (second,) = workers.living(1)
    done = workers.ended(number)
    assert (done.state, done.attempt, done.deaths) == ("done", 2, 1)
    assert f":{second.pid}:" in done.worker
    assert done.result == JobResult(run=run)


def test_a_running_job_is_cancelled_and_leaves_nothing(workers, run):
    (worker,) = workers.living(1)
    with workers.database.session() as session:
        before = len(list_findings(session, run, "backtest"))
    number = workers.ask("backtest", run=run, origins=23)
    workers.until(number, under_way)
    work.cancel(workers.database, number, "bob")
    cancelled = workers.ended(number)
    assert (cancelled.state, cancelled.message) == ("cancelled", "cancelled by bob")
    with workers.database.session() as session:
        assert len(list_findings(session, run, "backtest")) == before
    assert workers.ended(workers.fit(21)).state == "done"
    assert worker.poll() is None


@ON_SQLITE
def test_a_job_that_kills_its_workers_fails_cleanly(workers, run):
    crew = workers.living(2)
    number, (first,) = workers.backtest(run, crew)
    first.kill()
    first.wait()
    workers.until(number, lambda job: under_way(job) and job.attempt == 2)
    (second,) = workers.living(1)
    second.kill()
    second.wait()
    workers.living(1)
    failed = workers.ended(number)
    assert (failed.state, failed.deaths) == ("failed", 2)
    assert "without a word" in failed.message


@ON_SQLITE
def test_a_worker_that_is_asked_to_end_releases_its_job(workers, run):
    (worker,) = workers.living(1)
    number, _ = workers.backtest(run, origins=8)
    assert work.worker_alive(workers.database)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(LONG) == 0
    waiting = workers.job(number)
    assert (waiting.state, waiting.stage, waiting.deaths) == ("waiting", None, 0)
    workers.living(1)
    assert workers.ended(number).state == "done"


@ON_SQLITE
def test_work_whose_process_is_killed_is_taken_up_again_by_the_same_worker(workers, run):
    (worker,) = workers.living(1)
    number, _ = workers.backtest(run)
    for attempt in (1, 2):
        workers.until(number, lambda job, n=attempt: under_way(job) and job.attempt == n)
        os.kill(_working(worker.pid), signal.SIGKILL)
    failed = workers.ended(number)
    assert (failed.state, failed.deaths) == ("failed", 2)
    assert worker.poll() is None


@ON_SQLITE
def test_all_processes_of_a_job_end_with_its_worker_even_those_that_do_not_answer(workers, run):
    (worker,) = workers.living(1)
    number = workers.ask("certainty", run=run, replicates=2000)
    workers.until(number, lambda job: job.stage is not None and job.stage != "risk factors")
    children = _children(worker.pid)
    assert len(children) > 1, "the process that works, and those that it started"
    os.kill(_working(worker.pid), signal.SIGSTOP)
    worker.kill()
    worker.wait()
    deadline = time.monotonic() + LONG
    while any(map(_lives, children)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(map(_lives, children))


@ON_SQLITE
def test_the_command_line_asks_lists_cancels_and_asks_again(workers):
    def call(*arguments):
        done = CliRunner(env=workers.environment).invoke(main, [*arguments, "--json"])
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)

    workers.living(0)
    asked = call("jobs", "ask", "fit", '{"city": "town", "outcome": "robbery", "seed": 51}')
    assert (asked["state"], asked["asked_by"]) == ("waiting", "cleo")
    assert call("jobs", "cancel", str(asked["job"]))["state"] == "cancelled"
    again = call("jobs", "retry", str(asked["job"]))
    assert again["retry_of"] == asked["job"]
    workers.living(1)
    workers.ended(again["job"])
    listed = call("jobs", "town")
    assert listed["worker_alive"] is True
    assert [job["state"] for job in listed["jobs"]][:2] == ["done", "cancelled"]
    assert call("jobs", "--all")["jobs"] == listed["jobs"]


@ON_SQLITE
def test_a_worker_ends_with_whoever_started_it(workers):
    workers.living(0)
    worker = workers.start("--with-parent", stdin=subprocess.PIPE)
    cancelled = workers.fit(31)
    workers.until(cancelled, lambda job: job.state == "running")
    worker.stdin.close()
    assert worker.wait(LONG) == 0
    assert workers.job(cancelled).state == "waiting"


@ON_SQLITE
def test_work_that_does_not_answer_is_ended_from_outside_and_the_worker_goes_on(workers, run):
    workers.living(0)
    worker = workers.start(step_seconds=STEP_SECONDS)
    number, _ = workers.backtest(run)
    silent = _working(worker.pid)
    os.kill(silent, signal.SIGSTOP)  # as deaf as one that never leaves a regular expression
    failed = workers.ended(number)
    assert failed.state == "failed"
    assert f"no step in {STEP_SECONDS} seconds in the stage 'rolling origins'" in failed.message
    assert not _lives(silent)
    done = workers.ended(workers.fit(41))
    assert done.state == "done"
    assert done.worker == failed.worker
