"""A worker beside the pages: a process of its own, ended with the one that started it."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

from app.jobs.worker import GRACE_SECONDS, LATE_SECONDS

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

LEAST_PAUSE, MOST_PAUSE = 2.0, 60.0

log = logging.getLogger(__name__)


class EmbeddedWorker:
    """Starts ``saferground worker`` and starts it again if it dies.

    Pages and work share no process: a fit does not make pages slow, and work that is killed for
    want of memory does not take the pages with it. The worker ends when the pipe to it closes,
    which it does however this process ends.
    """

    def __init__(self, database_url: str) -> None:
        self._command = [sys.executable, "-m", "app.cli", "worker", "--with-parent"]
        self._environment = {**os.environ, "SAFERGROUND_DATABASE": database_url}
        self._closing = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._watch = threading.Thread(target=self._keep, name="worker", daemon=True)

    def __enter__(self) -> Self:
        self._watch.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing.set()
        process = self._process
        if process is not None and process.stdin is not None:
            process.stdin.close()
        self._watch.join(GRACE_SECONDS + LATE_SECONDS + 5)

    def _keep(self) -> None:
        pause = LEAST_PAUSE
        while not self._closing.is_set():
            started = time.monotonic()
            self._process = subprocess.Popen(  # noqa: S603 - our own command, no shell
                self._command, stdin=subprocess.PIPE, env=self._environment
            )
            if self._closing.is_set() and self._process.stdin is not None:
                self._process.stdin.close()
            status = self._process.wait()
            if self._process.stdin is not None:
                self._process.stdin.close()
            if self._closing.is_set():
                return
            pause = LEAST_PAUSE if time.monotonic() - started > MOST_PAUSE else pause
            log.warning("the worker ended (status %s); started again in %.0f s", status, pause)
            self._closing.wait(pause)
            pause = min(2 * pause, MOST_PAUSE)
