"""The bell that wakes workers: a Huey queue beside the job table.

Huey takes a message off its queue before the work starts, so that a worker that is killed takes
the message with it. What is to be done therefore stands in the job table alone; a message says no
more than "look there". One that is lost costs seconds (workers look by themselves too), one too
many costs one look. Messages are JSON: who can write to the queue cannot make a worker run code.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import time
from typing import TYPE_CHECKING, Any

import psycopg
from huey import PostgresHuey, SqliteHuey
from huey.exceptions import HueyException
from huey.registry import Message
from huey.serializer import Serializer
from sqlalchemy import make_url

from geodata.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Event

    from app.config import Settings

QUEUE = "saferground"
LOOK_SECONDS = 1.0  # how long a worker sleeps where the queue cannot wake it
TRIES = 5
FAULTS = (OSError, sqlite3.Error, psycopg.Error)

log = logging.getLogger(__name__)


class _Json(Serializer):  # type: ignore[misc]
    """Writes messages as JSON lists instead of pickles."""

    def _serialize(self, data: Any) -> bytes:
        return json.dumps(list(data)).encode()

    def _deserialize(self, data: bytes) -> Message:
        return Message(*json.loads(bytes(data)))


class Bell:
    """Rings for workers, and is what a worker waits at."""

    def __init__(self, settings: Settings) -> None:
        self._answer: Callable[[], None] | None = None
        self._huey = _open(settings)
        self._look = self._huey.task(name="look")(self._answered)

    def ring(self) -> None:
        """Wake a worker; a bell that cannot be rung is no fault, workers look by themselves."""
        try:
            self._look()
        except FAULTS as error:
            log.warning("the bell cannot be rung (%s); a worker will look by itself", error)

    def silent(self) -> bool:
        """Tell whether no message waits."""
        return int(self._huey.pending_count()) == 0

    def wait(self, answer: Callable[[], None], stop: Event) -> None:
        """Answer the next ring, or come back after a moment without one."""
        self._answer = answer
        try:
            message = self._huey.dequeue()
        except (*FAULTS, HueyException, ValueError, TypeError) as error:
            log.warning("a message of the queue cannot be read (%s); looked at without it", error)
            stop.wait(LOOK_SECONDS)
            answer()
            return
        if message is not None:
            self._huey.execute(message)
        elif not self._huey.storage.blocking:
            stop.wait(LOOK_SECONDS)

    def close(self) -> None:
        """Let go of the queue."""
        self._huey.storage.close()

    def _answered(self) -> None:
        if self._answer:
            self._answer()


def _open(settings: Settings) -> Any:
    """Open the queue: beside the SQLite database in the instance folder, or on the server."""
    parsed = make_url(settings.database_url)
    options: dict[str, Any] = {"serializer": _Json(), "results": False}
    for turn in range(1, TRIES + 1):
        try:
            if parsed.get_backend_name() == "postgresql":
                address = parsed.set(drivername="postgresql").render_as_string(hide_password=False)
                return PostgresHuey(QUEUE, dsn=address, table_prefix="queue", **options)
            settings.instance.mkdir(parents=True, exist_ok=True)
            return SqliteHuey(QUEUE, filename=str(settings.instance / "queue.sqlite"), **options)
        except (
            FAULTS
        ) as error:  # two processes that make the tables at once are in each other's way
            if turn == TRIES:
                msg = f"the queue of jobs cannot be opened ({error}); check that it can be written"
                raise StoreError(msg) from error
            time.sleep(0.1 * turn)
    raise AssertionError
