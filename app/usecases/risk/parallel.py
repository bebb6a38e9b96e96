"""Spread independent pieces of work over processes of this machine, or over a Dask cluster.

Answers come back in the order of the pieces, so that what is made of them does not depend on who
worked on what.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from geodata.errors import CancelledError, DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Cancelled = Callable[[], bool]
    Progress = Callable[[str, int, int], None]

T = TypeVar("T")
AHEAD = 2  # pieces a worker may be given before its last answer is read
CONNECT_SECONDS = 20


def spread(
    work: Callable[[int], T],
    pieces: int,
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    stage: str = "working",
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
) -> Iterator[T]:
    """Work on pieces ``0`` to ``pieces - 1`` and give the answers in that order.

    Parameters
    ----------
    work
        What is done; must be fit to be sent to another process.
    pieces
        How many.
    workers
        Processes of this machine, as many as its cores if left out; 1 works in this process.
    scheduler
        Address of a Dask scheduler to use instead.
    stage, progress
        Told after each answer.
    cancelled
        Asked before each piece.

    Raises
    ------
    CancelledError
        If ``cancelled`` says so.
    DataError
        If the scheduler cannot be reached or Dask is not installed.
    """
    count = workers or len(os.sched_getaffinity(0))
    opened = _cluster(work, scheduler) if scheduler else _processes(work, min(count, pieces))
    with opened as (start, ahead):
        waiting: list[Any] = []
        for piece in range(pieces):
            if cancelled and cancelled():
                for future in waiting:
                    future.cancel()
                msg = f"cancelled after {piece} of {pieces}; nothing was stored"
                raise CancelledError(msg)
            while len(waiting) < ahead and piece + len(waiting) < pieces:
                waiting.append(start(piece + len(waiting)))
            yield waiting.pop(0).result()
            if progress:
                progress(stage, piece + 1, pieces)


class _Now:
    """An answer worked out when it is requested."""

    def __init__(self, work: Callable[[int], Any], piece: int) -> None:
        self._work, self._piece = work, piece

    def result(self) -> Any:
        return self._work(self._piece)

    def cancel(self) -> bool:
        return True


@contextmanager
def _processes(
    work: Callable[[int], Any], workers: int
) -> Iterator[tuple[Callable[[int], Any], int]]:
    if workers <= 1:
        yield lambda piece: _Now(work, piece), 1
        return
    pool = ProcessPoolExecutor(
        workers,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_remember,
        initargs=(work,),
    )
    try:
        yield lambda piece: pool.submit(_recall, piece), AHEAD * workers
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def _cluster(
    work: Callable[[int], Any], address: str
) -> Iterator[tuple[Callable[[int], Any], int]]:
    try:
        from distributed import Client
    except ImportError as error:
        msg = "a cluster needs Dask: pip install 'saferground[cluster]'"
        raise DataError(msg, code="no_dask") from error
    try:
        client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        msg = f"no Dask scheduler answers at {address!r}; start one and give tcp://HOST:PORT"
        raise DataError(msg, code="no_scheduler") from error
    try:
        sent = client.scatter(work, broadcast=True, hash=False)
        cores = sum(client.ncores().values()) or 1
        yield lambda piece: client.submit(_apply, sent, piece, pure=False), AHEAD * cores
    finally:
        client.close()


def _apply(work: Callable[[int], Any], piece: int) -> Any:
    return work(piece)


_work: list[Callable[[int], Any]] = []


def _remember(work: Callable[[int], Any]) -> None:
    for asked_to_end in (signal.SIGINT, signal.SIGTERM):
        signal.signal(asked_to_end, signal.SIG_IGN)  # who requested the work decides when it ends
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _work[:] = [work]


def _end_with_parent() -> None:
    """End this process when the one that requested the work is gone, however it went."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _recall(piece: int) -> Any:
    return _work[0](piece)
