"""The process that takes jobs up one at a time, reports how far they are, and ends cleanly.

Work is done by a process of its own (:mod:`app.jobs.process`), which is ended from outside where it
does not come to its next step in time. So the worker itself never waits for work: one loop receives
steps, writes heartbeats and hears of cancelling. It does not wait for a database that is locked
either, as it is while the work writes: a heartbeat that cannot be written is written later. A job
whose worker falls silent is taken away from it and taken up again, once.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import threading
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.jobs.folder_watch import FolderWatch
from app.jobs.process import (
    RELEASE,
    RELEASED,
    End,
    JobProgress,
    Order,
    ProcessDiedError,
    WorkProcess,
)
from app.usecases.arguments import digest_arguments
from geodata.clock import utc_now
from geodata.db.engine import DatabaseFailure
from geodata.repositories import job_queue, schedules
from geodata.repositories.job_queue import Progress
from geodata.repositories.schedules import list_slugs
from geodata.uploads.retention import forget_old
from spatial.errors import one_line

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from sqlalchemy.orm import Session

    from app.config import Settings
    from geodata.db.engine import Database
    from geodata.db.staff_tables import Job

SILENT_SECONDS = 60.0
LOCKED_MS = 1_000  # how long a heartbeat waits for the lock of another
GRACE_SECONDS = 20.0
LATE_SECONDS = 5.0  # for the end of a process that had to be killed
START_SECONDS = 60.0  # that a new process has beside the time of a step; 3 on an idle machine
TURN_SECONDS = 0.1  # between two looks at whether the work is to stop
END_TRIES = 5
TIDY_SECONDS = 3_600.0
KEEP_UPLOADS_SECONDS = 7 * 86_400.0  # how long a file waits that nobody comes back to
SCHEDULE_SECONDS = 20.0  # between two looks at what is due
ROUND, SCHEDULED = "round", "schedule"  # kind of job; who asks for it
WATCH_SECONDS = 5.0  # between two looks at the folders that files arrive in
ARRIVALS, FOLDER = "arrivals", "folder"  # kind of job; who asks for it
REST = "the rest"  # stage of what comes after the last that is reported

log = logging.getLogger(__name__)


class RunningJob:
    """A leased job, how far it is, and why it is to stop, if it is.

    ``cancelled_by`` is who asked to cancel it; ``lost`` says that the lease has expired.
    """

    def __init__(self, job: Job) -> None:
        self.job = job
        self.progress = Progress()
        self.cancelled_by = ""
        self.lost = False
        self._since = time.monotonic()

    def note(self, step: JobProgress) -> None:
        """Note how far the work is; the time since the last step went into the stage of this."""
        now, timings = time.monotonic(), self.progress.timings
        timings[step.stage] = timings.get(step.stage, 0.0) + now - self._since
        self._since = now
        self.progress.stage, self.progress.done, self.progress.total = step

    def stop_word(self, *, stopping: bool) -> str | None:
        """Return the word to stop, nothing where the work is to go on."""
        if self.lost or stopping:
            return RELEASE
        return f"cancelled by {self.cancelled_by}" if self.cancelled_by else None


class Worker:
    """Takes jobs up until it is asked to stop."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self.database = database
        self.settings = settings
        self.name = f"{_place()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self.stopping = threading.Event()
        self._process = WorkProcess(settings)
        self._heartbeats: dict[tuple[int, int], tuple[dt.datetime | None, float]] = {}
        self._due = self._beat_due = self._tidy_due = self._schedule_due = 0.0
        self._watch_due = 0.0
        self._watch = FolderWatch(settings.watch) if settings.watch else None
        self._locked = False

    def run(self) -> None:
        """Work until :attr:`stopping` is set; a running job then waits again.

        The work has ``GRACE_SECONDS`` to come to its next step. If it does not, its process is
        ended.
        """
        with self.database.session(write=True) as session:
            job_queue.register_worker(session, self.name)
        log.info("worker %s takes jobs up", self.name)
        while not self.stopping.is_set():
            self._heartbeat()
            self._ask_what_is_due()
            self._ask_what_arrived()
            if not self.run_next():
                self.stopping.wait(self.settings.poll_seconds)
        self._write(lambda session: job_queue.unregister_worker(session, self.name))
        log.info("worker %s has left", self.name)
        self.close()

    def _ask_what_is_due(self) -> None:
        """Ask for the rounds that schedules of cities name, once for all workers."""
        if time.monotonic() < self._schedule_due:
            return
        self._schedule_due = time.monotonic() + SCHEDULE_SECONDS
        try:
            with self.database.session() as session:
                now = utc_now()
                due = [
                    (city, slug, moment)
                    for city, (slug, zone, one) in schedules.schedules(session, ROUND).items()
                    if not schedules.is_answered(
                        session, city, ROUND, moment := one.last_due(now, zone)
                    )
                ]
            for city, slug, moment in due:
                self._ask_round(city, slug, moment)
        except DatabaseFailure as error:
            log.warning("no round can be asked for at the moment: %s", one_line(error))

    def _ask_round(self, city: int, slug: str, due: dt.datetime) -> None:
        """Ask for a round, unless another worker has or its schedule is new."""
        arguments = {"city": slug}
        with self.database.session(write=True) as session:
            claimed = schedules.claim(session, city, ROUND, due)
            if claimed is None:
                return
            job = job_queue.add_job(
                session,
                kind=ROUND,
                city=slug,
                asked_by=SCHEDULED,
                arguments=arguments,
                digest=digest_arguments(arguments),
            )
            claimed.job_id = job.id
            log.info("job %s: the round of %s, due since %s UTC", job.id, slug, due)

    def _ask_what_arrived(self) -> None:
        """Ask for the files that arrived whole in the folders of cities, once for all workers."""
        if self._watch is None or time.monotonic() < self._watch_due:
            return
        self._watch_due = time.monotonic() + WATCH_SECONDS
        try:
            with self.database.session() as session:
                ready = self._watch.ready(list_slugs(session))
            for slug in ready:
                arguments = {"city": slug}
                with self.database.session(write=True) as session:
                    job = job_queue.add_job(
                        session,
                        kind=ARRIVALS,
                        city=slug,
                        asked_by=FOLDER,
                        arguments=arguments,
                        digest=digest_arguments(arguments),
                    )
                    log.info("job %s: files that arrived for %s", job.id, slug)
                self._watch.note_asked(slug)
        except (DatabaseFailure, OSError) as error:
            log.warning("no folder can be looked at at the moment: %s", one_line(error))

    def close(self) -> None:
        """Let go of the process that works."""
        self._process.close()

    def run_next(self) -> bool:
        """Run the job that waits longest; return whether there was one."""
        try:
            with self.database.session() as session:
                if not job_queue.count_waiting(session):
                    return False
            with self.database.session(write=True) as session:
                job = job_queue.lease_job(session, self.name)
        except DatabaseFailure as error:
            log.warning("no job can be taken up at the moment: %s", one_line(error))
            return False
        if job is not None:
            self._run(job)
        return job is not None

    def _run(self, job: Job) -> None:
        """Run one job; whatever becomes of it, it does not stay "running"."""
        log.info("job %s: %s of %s for %s", job.id, job.kind, job.city, job.asked_by)
        running = RunningJob(job)
        try:
            end = self._supervise(running)
        except ProcessDiedError as error:
            log.warning("job %s: %s", job.id, error)
            self._write(lambda session: job_queue.expire_lease(session, job))
            return
        if end.state == RELEASED or (end.state == job_queue.FAILED and self.stopping.is_set()):
            log.info("job %s: stopped; it waits again", job.id)
            self._write(lambda session: job_queue.release_job(session, job))
            return
        if end.state == job_queue.DONE:
            running.note(JobProgress(REST, 1, 1))
        ours = self._write(
            lambda session: job_queue.end_job(
                session,
                job,
                end.state,
                message=end.message,
                result=end.result,
                progress=running.progress,
            )
        )
        log.info("job %s: %s %s", job.id, end.state if ours else "lost", end.message or "")

    def _supervise(self, running: RunningJob) -> End:
        """Have a job done by the process that works; end the process if it does not answer.

        Raises
        ------
        ProcessDiedError
            If the process ended in the middle of it.
        """
        job, limit = running.job, float(self.settings.step_seconds)
        new = self._process.order(Order(job.id, job.kind, job.arguments, job.asked_by))
        deadline = time.monotonic() + limit + (START_SECONDS if new else 0.0)
        word: str | None = None
        while True:
            message = self._process.receive(TURN_SECONDS)
            if isinstance(message, End):
                return message
            if message is not None:
                running.note(message)
                deadline = time.monotonic() + limit
            self._heartbeat(running)
            if word is None and (word := running.stop_word(stopping=self.stopping.is_set())):
                self._process.send(word)
                limit = GRACE_SECONDS
                deadline = time.monotonic() + limit
            if time.monotonic() > deadline:
                log.warning("job %s: no step in %.0f s; its process is ended", job.id, limit)
                self._process.kill()
                return _unanswered(running, word, limit)

    def _write(self, write: Callable[[Any], Any]) -> Any:
        """Write, and try again where the database gives way for a moment."""
        for turn in range(1, END_TRIES + 1):
            try:
                with self.database.session(write=True) as session:
                    return write(session)
            except DatabaseFailure as error:
                log.warning("the database gives way: %s", one_line(error))
                if turn < END_TRIES:
                    time.sleep(turn)
        return None

    def _heartbeat(self, running: RunningJob | None = None) -> None:
        """Write how far the running job is, hear of cancelling, look after jobs of the dead.

        Each of it when it is due. While the database cannot be written, nothing is known of other
        workers either: their silence is counted anew afterwards.
        """
        now = time.monotonic()
        if now < self._due:
            return
        try:
            if running is not None:
                self._report(running)
            if now >= self._beat_due:
                with self._quick_session() as session:
                    job_queue.heartbeat_worker(session, self.name)
                self._beat_due = now + self.settings.heartbeat_seconds
                self._expire_silent()
                self._tidy(now)
            self._locked = False
        except DatabaseFailure as error:
            self._heartbeats.clear()
            if not self._locked:
                log.warning("no heartbeat can be written at the moment: %s", one_line(error))
            self._locked = True
        self._due = time.monotonic() + self.settings.poll_seconds

    def _quick_session(self) -> AbstractContextManager[Session]:
        return self.database.session(write=True, wait_ms=LOCKED_MS)

    def _report(self, running: RunningJob) -> None:
        with self._quick_session() as session:
            cancelled_by = job_queue.heartbeat(session, running.job, running.progress)
        running.lost = cancelled_by is None
        running.cancelled_by = cancelled_by or ""

    def _expire_silent(self) -> None:
        """Take jobs away from workers that are dead."""
        with self.database.session() as session:
            running = job_queue.running_jobs(session)
        for job in self._silent(running):
            with self._quick_session() as session:
                expired = job_queue.expire_lease(session, job, silent_since=job.heartbeat_at)
            if expired is not None:
                log.warning("job %s: its worker died; it is %s", job.id, expired.state)

    def _tidy(self, now: float) -> None:
        """Forget files that were handed in and that nobody came back to, now and then."""
        if now < self._tidy_due:
            return
        self._tidy_due = now + TIDY_SECONDS
        gone = forget_old(self.settings.uploads, KEEP_UPLOADS_SECONDS)
        if gone:
            log.info("%s files of old uploads are forgotten", gone)

    def _silent(self, running: list[Job]) -> list[Job]:
        """Return the jobs whose worker is dead.

        A worker of this machine is dead when its process is gone. Any other is when its heartbeat
        has not changed for ``SILENT_SECONDS`` of our own clock: clocks of machines are not
        compared.
        """
        now = time.monotonic()
        before, self._heartbeats = self._heartbeats, {}
        dead = []
        for job in running:
            key = (job.id, job.attempt)
            heartbeat, since = before.get(key, (None, now))
            since = since if heartbeat == job.heartbeat_at else now
            self._heartbeats[key] = (job.heartbeat_at, since)
            silent = _is_gone(job.worker or "") or now - since >= SILENT_SECONDS
            if silent and job.worker != self.name:
                dead.append(job)
        return dead


def stop_at_signals(worker: Worker) -> None:
    """Let a worker stop when the process is asked to end."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: worker.stopping.set())


def stop_with_parent(worker: Worker) -> None:
    """Let a worker stop when standard input closes, as it does when the parent is gone."""

    def wait() -> None:
        while sys.stdin.buffer.read(4096):
            pass
        worker.stopping.set()

    threading.Thread(target=wait, name="parent", daemon=True).start()


def _place() -> str:
    """Return the name of this machine and of its space of process numbers."""
    try:
        space = Path("/proc/self/ns/pid").readlink().name.strip("pid:[]")
    except OSError:
        space = ""
    return f"{socket.gethostname().replace(':', '-')[:100]}/{space}"


def _is_gone(name: str) -> bool:
    """Return whether a worker ran on this machine and its process is no more."""
    place, _, rest = name.partition(":")
    number = rest.partition(":")[0]
    if place != _place() or not number.isdigit():
        return False
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


def _unanswered(running: RunningJob, word: str | None, limit: float) -> End:
    """Return how work ends whose process had to be ended."""
    if word is not None:
        return End(state=RELEASED if word == RELEASE else job_queue.CANCELLED, message=word)
    stage = running.progress.stage
    where = f" in the stage {stage!r}" if stage else ""
    return End(
        state=job_queue.FAILED,
        message=(
            f"no step in {limit:,.0f} seconds{where}, so the work was ended and nothing of it was "
            "stored; ask for less at once, or allow more with SAFERGROUND_STEP_SECONDS"
        ),
    )
