"""The process that works: takes jobs up one at a time, tells how far they are, ends cleanly.

Work is done by a process of its own (:mod:`app.jobs.process`), which is ended from outside where it
does not come to its next step in time. Three threads here: one orders work and hears how far it is;
one beats, which is the only one that writes of a running job; the main thread waits for the word to
stop. A job whose worker falls silent is taken away from it and taken up again, once.
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
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.jobs.bell import Bell
from app.jobs.process import (
    GIVE_BACK,
    GIVEN_BACK,
    End,
    Order,
    ProcessDiedError,
    Step,
    WorkProcess,
    one_line,
)
from geodata.db.engine import DatabaseFailure
from geodata.errors import StoreError
from geodata.repositories import job_queue
from geodata.repositories.job_queue import HowFar
from geodata.uploads.intake import forget_old

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from app.config import Settings
    from geodata.db.engine import Database
    from geodata.repositories.job_queue import JobRecord, Ticket

TELL_SECONDS = 1.0  # between two looks at how far the work is
BEAT_SECONDS = 5.0
SILENT_SECONDS = 60.0
PROMPT_SECONDS = 1.0  # a database that lets us wait longer has kept the living silent too
GRACE_SECONDS = 20.0
LATE_SECONDS = 5.0  # for the end of a process that had to be killed
START_SECONDS = 60.0  # that a new process has beside the time of a step; 3 on an idle machine
TURN_SECONDS = 0.2  # between two looks at whether the work is to stop
END_TRIES = 5
TIDY_SECONDS = 3_600.0
KEEP_UPLOADS_SECONDS = 7 * 86_400.0  # how long a file waits that nobody comes back to
REST = "the rest"  # stage of what comes after the last that is told

log = logging.getLogger(__name__)


@dataclass(kw_only=True, eq=False)
class Hand:
    """A job in hand: what the working thread is told and what the beating thread hears.

    ``cancelled_by`` is filled by whoever asked to cancel; ``lost`` says that the job was taken
    away.
    """

    job: JobRecord
    ticket: Ticket
    stopping: threading.Event
    stage: str | None = None
    done: int = 0
    total: int = 0
    timings: dict[str, float] = field(default_factory=dict)
    cancelled_by: str = ""
    lost: bool = False
    last: float = field(default_factory=time.monotonic)

    def note(self, step: Step) -> None:
        """Note how far the work is."""
        self._pass(step.stage)
        self.stage, self.done, self.total = step.stage, step.done, step.total

    def word(self) -> str | None:
        """Give the word to stop, nothing where the work is to go on."""
        if self.lost or self.stopping.is_set():
            return GIVE_BACK
        return f"cancelled by {self.cancelled_by}" if self.cancelled_by else None

    def finish(self) -> None:
        """Note that nothing more will be told."""
        self._pass(REST)
        self.stage, self.done, self.total = REST, 1, 1

    def far(self) -> HowFar:
        """Give how far the work is."""
        return HowFar(
            stage=self.stage,
            done=self.done,
            total=self.total,
            timings={stage: round(seconds, 3) for stage, seconds in dict(self.timings).items()},
        )

    def _pass(self, stage: str) -> None:
        now = time.monotonic()
        self.timings[stage] = self.timings.get(stage, 0.0) + now - self.last
        self.last = now


class Worker:
    """Takes jobs up until it is told to stop."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self.database = database
        self.settings = settings
        self.name = f"{_place()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self.stopping = threading.Event()
        self._bell = Bell(settings)
        self._process = WorkProcess(settings)
        self._over = threading.Event()
        self._hand: Hand | None = None
        self._seen: dict[tuple[int, int], tuple[Any, float]] = {}
        self._tidied = -TIDY_SECONDS

    def run(self) -> None:
        """Work until :attr:`stopping` is set; a job in hand then waits again.

        The work has ``GRACE_SECONDS`` to come to its next step. If it does not, its process is
        ended.
        """
        with self.database.session(write=True) as session:
            job_queue.greet_worker(session, self.name)
        log.info("worker %s takes jobs up", self.name)
        working = threading.Thread(target=self._work, name="work", daemon=True)
        beating = threading.Thread(target=self._beat, name="beat", daemon=True)
        working.start()
        beating.start()
        self.stopping.wait()
        working.join(GRACE_SECONDS + LATE_SECONDS)
        late, hand = working.is_alive(), self._hand
        self._over.set()
        if late and hand is not None:
            log.warning("job %s does not come to its next step; given back", hand.job.id)
            self._try(lambda session: job_queue.give_back(session, hand.ticket))
        self._try(lambda session: job_queue.dismiss_worker(session, self.name))
        log.info("worker %s has left", self.name)
        if late:
            logging.shutdown()
            os._exit(0)  # what works cannot be ended in another way
        beating.join()
        self.close()

    def close(self) -> None:
        """Let go of the queue and of the process that works."""
        self._process.close()
        self._bell.close()

    def _work(self) -> None:
        try:
            self._take_all()
            while not self.stopping.is_set():
                self._bell.wait(self._take_all, self.stopping)
        except BaseException:
            log.exception("the working thread cannot go on")
            raise
        finally:
            self.stopping.set()

    def _take_all(self) -> None:
        """Work on what waits until nothing does."""
        while not self.stopping.is_set():
            try:
                with self.database.session(write=True) as session:
                    taken = job_queue.take_job(session, self.name)
            except DatabaseFailure as error:
                log.warning("no job can be taken up at the moment: %s", one_line(error))
                return
            if taken is None:
                return
            self._do(*taken)

    def _do(self, job: JobRecord, ticket: Ticket) -> None:
        """Do one job; whatever becomes of it, it does not stay "running"."""
        log.info("job %s: %s of %s for %s", job.id, job.kind, job.city, job.asked_by)
        hand = self._hand = Hand(job=job, ticket=ticket, stopping=self.stopping)
        try:
            end = self._have_done(hand)
            given_back = end.state == GIVEN_BACK
            if given_back or (end.state == job_queue.FAILED and self.stopping.is_set()):
                self._give_back(hand)
            else:
                self._end(hand, end)
        except ProcessDiedError as error:
            log.warning("job %s: %s", job.id, error)
            self._try(lambda session: job_queue.lose_job(session, ticket))
        finally:
            self._hand = None

    def _have_done(self, hand: Hand) -> End:
        """Have a job done by the process that works; end the process if it does not answer.

        Raises
        ------
        ProcessDiedError
            If the process ended in the middle of it.
        """
        job, limit = hand.job, float(self.settings.step_seconds)
        order = Order(job=job.id, kind=job.kind, arguments=job.arguments, who=job.asked_by)
        new = self._process.order(order)
        heard = time.monotonic() + (START_SECONDS if new else 0.0)
        word: str | None = None
        while True:
            message = self._process.hear(TURN_SECONDS)
            now = time.monotonic()
            if isinstance(message, End):
                return message
            if message is not None:
                heard = now
            if isinstance(message, Step):
                hand.note(message)
            if word is None and (word := hand.word()) is not None:
                self._process.tell(word)
                limit, heard = GRACE_SECONDS, now
            if now - heard > limit:
                log.warning("job %s: no step in %.0f s; its process is ended", job.id, limit)
                self._process.kill()
                return _unanswered(hand, word, limit)

    def _give_back(self, hand: Hand) -> None:
        log.info("job %s: stopped; it waits again", hand.job.id)
        self._try(lambda session: job_queue.give_back(session, hand.ticket))

    def _end(self, hand: Hand, end: End) -> None:
        if end.state == job_queue.DONE:
            hand.finish()
        ours = self._try(
            lambda session: job_queue.end_job(
                session,
                hand.ticket,
                end.state,
                message=end.message,
                result=end.result,
                far=hand.far(),
            )
        )
        told = end.state if ours else "no longer ours"
        log.info("job %s: %s%s", hand.job.id, told, f" ({end.message})" if end.message else "")

    def _try(self, write: Callable[[Any], Any]) -> Any:
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

    def _beat(self) -> None:
        for beat in _beats(self._over):
            try:
                self._tell(beat=beat)
                if beat:
                    self._look_after()
                    self._tidy()
            except (DatabaseFailure, StoreError) as error:
                log.warning("no sign can be given at the moment: %s", one_line(error))

    def _tell(self, *, beat: bool) -> None:
        """Give signs of the worker and of the job in hand; hear whether it is to stop."""
        hand = self._hand
        if hand is not None:
            with self.database.session(write=True) as session:
                heard = job_queue.beat_job(session, hand.ticket, hand.far())
            if heard is None and self._hand is hand:
                hand.lost = True
            hand.cancelled_by = heard or ""
        if beat:
            with self.database.session(write=True) as session:
                job_queue.beat_worker(session, self.name)

    def _look_after(self) -> None:
        """Take jobs away from the dead, and ring again where jobs wait and no bell rings."""
        with self.database.session() as session:
            running, waiting = job_queue.running_jobs(session), job_queue.count_waiting(session)
        for job in self._silent(running):
            asked = time.monotonic()
            with self.database.session(write=True) as session:
                if time.monotonic() - asked > PROMPT_SECONDS:
                    break  # others could not write either: look again at the next beat
                buried = job_queue.bury_job(session, job)
            if buried is not None:
                log.warning("job %s: its worker died; it is %s", job.id, buried.state)
                waiting += buried.state == job_queue.WAITING
        if waiting and self._bell.silent():
            self._bell.ring()

    def _tidy(self) -> None:
        """Forget files that were handed in and that nobody came back to, now and then."""
        now = time.monotonic()
        if now - self._tidied < TIDY_SECONDS:
            return
        self._tidied = now
        gone = forget_old(self.settings.uploads, KEEP_UPLOADS_SECONDS)
        if gone:
            log.info("%s files of old uploads are forgotten", gone)

    def _silent(self, running: list[JobRecord]) -> list[JobRecord]:
        """Give the jobs whose worker is dead.

        A worker of this machine is dead when its process is gone. Any other is when its sign has
        not changed for ``SILENT_SECONDS`` of our own clock: clocks of machines are not compared.
        """
        now = time.monotonic()
        seen: dict[tuple[int, int], tuple[Any, float]] = {}
        dead = []
        for job in running:
            key = (job.id, job.attempt)
            sign, since = self._seen.get(key, (None, now))
            seen[key] = (job.heartbeat_at, since if sign == job.heartbeat_at else now)
            if job.worker == self.name:
                continue
            if _is_gone(job.worker or "") or now - seen[key][1] >= SILENT_SECONDS:
                dead.append(job)
        self._seen = seen
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


def _beats(over: threading.Event) -> Iterator[bool]:
    """Give a turn every ``TELL_SECONDS`` until it is over; true on those that beat."""
    last = -BEAT_SECONDS
    while not over.wait(TELL_SECONDS):
        now = time.monotonic()
        beat = now - last >= BEAT_SECONDS
        last = now if beat else last
        yield beat


def _place() -> str:
    """Name this machine, and the space of process numbers on it where there are several."""
    try:
        space = Path("/proc/self/ns/pid").readlink().name.strip("pid:[]")
    except OSError:
        space = ""
    return f"{socket.gethostname().replace(':', '-')[:100]}/{space}"


def _is_gone(name: str) -> bool:
    """Tell whether a worker ran on this machine and its process is no more."""
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


def _unanswered(hand: Hand, word: str | None, limit: float) -> End:
    """Tell how work ends whose process had to be ended."""
    if word is not None:
        return End(state=GIVEN_BACK if word == GIVE_BACK else job_queue.CANCELLED, message=word)
    where = f" in the stage {hand.stage!r}" if hand.stage else ""
    return End(
        state=job_queue.FAILED,
        message=(
            f"no step in {limit:,.0f} seconds{where}, so the work was ended and nothing of it was "
            "stored; ask for less at once, or allow more with SAFERGROUND_STEP_SECONDS"
        ),
    )
