"""The worker beside the pages: there while they are, started again when it dies, gone with them."""

import os
import re
import signal
import time

import pytest

from app.jobs import embedded
from app.jobs.embedded import EmbeddedWorker
from app.jobs.jobs import worker_alive

LONG = 60


def until(true):
    deadline = time.monotonic() + LONG
    while time.monotonic() < deadline:
        found = true()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(true)


@pytest.fixture
def started(sqlite_database, sqlite_url, tmp_path, monkeypatch):
    monkeypatch.setenv("SAFERGROUND_INSTANCE", str(tmp_path / "instance"))
    monkeypatch.setattr(embedded, "LEAST_PAUSE", 0.1)
    with EmbeddedWorker(sqlite_url) as worker:
        until(lambda: worker_alive(sqlite_database))
        yield worker
    assert worker._process.poll() is not None


def test_it_is_started_again_when_it_dies(started, sqlite_database):
    first = started._process
    os.kill(first.pid, signal.SIGKILL)
    second = until(lambda: started._process is not first and started._process)
    assert second.poll() is None
    assert first.wait() == -signal.SIGKILL


def test_it_leaves_with_the_pages_and_shows_no_password(sqlite_database, sqlite_url, tmp_path):
    worker = EmbeddedWorker("postgresql://user:s3cret@host/name")
    assert not re.search("s3cret|host", " ".join(worker._command))


def test_it_ends_when_the_pages_end(started, sqlite_database):
    process = started._process
    started.__exit__(None, None, None)
    assert process.wait(LONG) == 0
    assert not worker_alive(sqlite_database)
