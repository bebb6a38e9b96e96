"""The HTTP server: how many connections it takes, and who waits for whom.

One process serves the public and the staff, with a pool of threads for each. What the staff do may
wait for the database; public pages read files and have threads of their own, so that they never
wait for the staff.
"""

from __future__ import annotations

import resource
from typing import TYPE_CHECKING, Any

import waitress
from waitress.task import ThreadedTaskDispatcher
from werkzeug.exceptions import HTTPException

from app.auth.permissions import RULES

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask

THREADS = 8  # of each pool
MOST_CONNECTIONS = 1000  # browsers keep theirs open
LEAST_CONNECTIONS = 32
RESERVED_FILES = 256  # of the database, fonts, releases that are being read, logs
FILES_EACH = 2  # a connection's socket, and the file of a large form or answer
IDLE_SECONDS = 30  # a browser opens another connection where this one was closed
LOOK_SECONDS = 10  # between two looks for idle connections
SLOW_CHECKS = frozenset({"health.readyz"})  # public, and asks the database how it is


class Pools:
    """Threads for the public and threads for the staff, as waitress hands requests to them."""

    def __init__(self, is_staff: Callable[[str, str], bool], threads: int = THREADS) -> None:
        self._is_staff = is_staff
        self._public, self._staff = ThreadedTaskDispatcher(), ThreadedTaskDispatcher()
        for pool in (self._public, self._staff):
            pool.set_thread_count(threads)

    def add_task(self, channel: Any) -> None:
        """Have a request answered; the first of a connection that has sent several."""
        wanted = channel.requests[0]
        staff = wanted.error is None and self._is_staff(wanted.path, wanted.command)
        (self._staff if staff else self._public).add_task(channel)

    def shutdown(self, cancel_pending: bool = True, timeout: float = 5) -> bool:
        """End the threads; tell whether requests that waited were cancelled."""
        ended = [pool.shutdown(cancel_pending, timeout) for pool in (self._public, self._staff)]
        return any(ended)


def make_server(app: Flask, host: str, port: int) -> Any:
    """Make the server of an application; it listens, and ``run`` answers until stopped."""
    return waitress.create_server(
        app,
        host=host,
        port=port,
        _dispatcher=Pools(staff_requests(app)),
        connection_limit=most_connections(),
        channel_timeout=IDLE_SECONDS,
        cleanup_interval=LOOK_SECONDS,
        asyncore_use_poll=True,  # select() ends the process at the 1,024th open file
        ident="saferground",
        clear_untrusted_proxy_headers=False,  # the application believes as many as are set
    )


def most_connections() -> int:
    """Return how many connections may be open at once, so that open files never run out."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY:
        return MOST_CONNECTIONS
    fit = (files - RESERVED_FILES) // FILES_EACH
    return max(min(fit, MOST_CONNECTIONS), LEAST_CONNECTIONS)


def staff_requests(app: Flask) -> Callable[[str, str], bool]:
    """Return what tells by path and method whether a request may wait for the database."""
    addresses = app.url_map.bind("localhost")

    def is_staff(path: str, method: str) -> bool:
        try:
            endpoint, _ = addresses.match(path.encode("latin-1").decode("utf-8", "replace"), method)
        except HTTPException:  # there is no such address, or it is another: reported at once
            return False
        rule = RULES.get(endpoint)
        return endpoint in SLOW_CHECKS or rule is None or not rule.public

    return is_staff
