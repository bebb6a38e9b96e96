"""Is somebody there who works? What monitors are told of the worker."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from app.work import jobs
from geodata.database import DatabaseFailure

if TYPE_CHECKING:
    from collections.abc import Callable

    from geodata.database import Database

PATIENCE_S = 180.0  # a worker takes a while to start, and to start again


class WorkerWatch:
    """Tells whether a worker is there; only one that is missing for long is a fault."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.monotonic) -> None:
        self._database, self._clock = database, clock
        self._seen = clock()

    def __call__(self) -> tuple[str, str]:
        """Give ``ok`` or ``none``, and why that is not ready, empty if it is."""
        try:
            alive = jobs.worker_alive(self._database)
        except DatabaseFailure:
            return "unknown", "the database of jobs cannot be read"
        if alive:
            self._seen = self._clock()
            return "ok", ""
        if self._clock() - self._seen < PATIENCE_S:
            return "none", ""
        return "none", "no worker takes work up; start one with: saferground worker"
