"""The process that does the work of a worker, apart from it, so that it can be ended from outside.

The worker sends an order and receives steps, then the end; it may send a word to stop, which is
read at the next step. A process that reads nothing any more can still be killed: a regular
expression that never ends, say, lets no other thread of its process have a turn.
"""

from __future__ import annotations

import ctypes
import logging
import multiprocessing
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from app.jobs.kinds import Tools, read_task
from geodata.db.engine import DatabaseFailure, open_database
from geodata.errors import CancelledError
from geodata.repositories import job_queue
from spatial.errors import SaferGroundError, one_line

if TYPE_CHECKING:
    from collections.abc import Mapping
    from multiprocessing.connection import Connection

    from app.config import Settings
    from geodata.db.json_columns import JobResult

RELEASE = "the worker stops"  # the word after which the job waits again
RELEASED = "released"  # how work ends after that word
DIED_WITH_PARENT = 1  # PR_SET_PDEATHSIG of prctl(2)
END_SECONDS = 5.0

log = logging.getLogger(__name__)


class ProcessDiedError(SaferGroundError):
    """The process that did the work is gone."""


class Order(NamedTuple):
    """What is to be done: the number of the job, its kind and arguments, and who requested it."""

    job: int
    kind: str
    arguments: Mapping[str, object]
    who: str


class JobProgress(NamedTuple):
    """How far the work is."""

    stage: str
    done: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """How the work ended: a state of jobs, or ``RELEASED``."""

    state: str
    message: str | None = None
    result: JobResult | None = None


class WorkProcess:
    """The worker's side: starts the process, sends orders, receives steps, ends it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None
        self._line: Connection[Any, Any] | None = None

    def order(self, order: Order) -> bool:
        """Have work done, by a new process if there is none; return whether it is a new one.

        Raises
        ------
        ProcessDiedError
            If the process is gone.
        """
        new = self._line is None
        if new:
            self._start()
        self.send(order)
        return new

    def send(self, message: Order | Settings | str) -> None:
        """Send an order, or the word to stop.

        Raises
        ------
        ProcessDiedError
            If the process is gone.
        """
        try:
            if self._line is not None:
                self._line.send(message)
        except OSError as error:
            raise self._gone() from error

    def receive(self, seconds: float) -> JobProgress | End | None:
        """Return the next step or the end, nothing if none comes in time.

        Raises
        ------
        ProcessDiedError
            If the process is gone.
        """
        try:
            if self._line is not None and self._line.poll(seconds):
                message: JobProgress | End = self._line.recv()
                return message
        except (EOFError, OSError) as error:
            raise self._gone() from error
        return None

    def kill(self) -> None:
        """End the process at once, whatever it does."""
        if self._process is not None:
            self._process.kill()
        self.close()

    def close(self) -> None:
        """Let the process end, which has nothing to do."""
        if self._line is None or self._process is None:
            return
        self._line.close()
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = self._line = None

    def _start(self) -> None:
        self._line, theirs = multiprocessing.Pipe()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - our own command, no shell
                [sys.executable, "-m", "app.jobs", str(theirs.fileno()), str(os.getpid())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
            )
        self.send(self._settings)

    def _gone(self) -> ProcessDiedError:
        status = self._process.poll() if self._process is not None else None
        self.kill()
        return ProcessDiedError(f"the process that worked is gone (status {status})")


def serve_orders(line: Connection[Any, Any], parent: int) -> None:
    """Do what is ordered, one after the other, until the worker is gone."""
    _end_with(parent)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)  # the worker decides when work ends
    log_to_stderr()
    try:
        settings: Settings = line.recv()
        database = open_database(settings.database_url)
        while True:
            order = line.recv()
            if isinstance(order, Order):  # else a word that came after the work had ended
                tools = Tools(database=database, settings=settings, who=order.who)
                line.send(carry_out(order, tools, line))
    except (EOFError, ConnectionError):
        return


def carry_out(order: Order, tools: Tools, line: Connection[Any, Any]) -> End:
    """Do one piece of work; whatever becomes of it, it ends."""

    def progress(stage: str, done: int, total: int) -> None:
        try:
            line.send(JobProgress(stage, done, total))
            word = line.recv() if line.poll() else None
        except (EOFError, OSError):
            os._exit(1)  # the worker is gone: nobody reads how it ends
        if word is not None:
            raise CancelledError(str(word))

    try:
        result = read_task(order.kind, order.arguments).work(tools, progress)
    except CancelledError as error:
        state = RELEASED if str(error) == RELEASE else job_queue.CANCELLED
        return End(state=state, message=one_line(error))
    except SaferGroundError as error:
        return End(state=job_queue.FAILED, message=one_line(error))
    except (DatabaseFailure, OSError) as error:
        log.exception("job %s: the database or the disk gave way", order.job)
        message = f"the database or the disk gave way ({type(error).__name__}); retry"
        return End(state=job_queue.FAILED, message=message)
    except Exception:  # whatever it is, the job must end
        log.exception("job %s: a fault of this program", order.job)
        message = f"a fault of this program; the worker's log has it under job {order.job}"
        return End(state=job_queue.FAILED, message=message)
    return End(state=job_queue.DONE, result=result)


def log_to_stderr() -> None:
    """Write the log where the worker writes its own."""
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s"
    )
    logging.getLogger("alembic").setLevel(logging.WARNING)


def _end_with(parent: int) -> None:
    """Have the system end this process when its worker ends, even if nothing here has a turn."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(DIED_WITH_PARENT, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
