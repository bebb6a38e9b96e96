"""The server as it is served in earnest: many connections, and staff who wait for the database."""

import contextlib
import os
import resource
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from serving import serving
from sqlalchemy import event
from sqlalchemy.engine import Engine
from staffing import Office
from waitress.parser import HTTPRequestParser

from app import server
from app.auth.permissions import RULES
from app.charts.charts import draw

IDLE = 1500
FILES = 4096  # of the server: more than select() can look at
LONG = 60


@pytest.fixture(scope="module")
def office(published, tmp_path_factory):
    """The pages of a published town, with the staff's side."""
    folder = tmp_path_factory.mktemp("server") / "town"
    shutil.copytree(published.settings.instance.parent, folder)
    made = Office(f"sqlite:///{folder / 'town.sqlite'}", folder / "instance")
    made.add("ann", "analyst")
    yield made
    made.close()


def limits(soft):
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture
def many_files():
    """Room for as many connections as the test opens."""
    before, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < FILES:
        pytest.skip(f"this user may open {hard} files, and the test needs {FILES}")
    limits(FILES)
    yield
    limits(before)


@contextlib.contextmanager
def served(office, files):
    """Run ``saferground serve`` in a process that may open so many files."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = office.settings
    process = subprocess.Popen(
        [sys.executable, "-m", "app.cli", "serve", "--port", str(port), "--no-worker"],
        env={
            **os.environ,
            "SAFERGROUND_DATABASE": settings.database_url,
            "SAFERGROUND_INSTANCE": str(settings.instance),
            "SAFERGROUND_SECRET_KEY": settings.secret_key,
        },
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: limits(files),
    )
    address = f"http://127.0.0.1:{port}"
    try:
        until(lambda: answers(address))
        yield process, address
    finally:
        process.kill()
        process.wait()


def answers(address):
    try:
        return requests.get(f"{address}/healthz", timeout=LONG).status_code == 200
    except requests.ConnectionError:
        return False


def until(true):
    deadline = time.monotonic() + LONG
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def open_files(process):
    return len(list(Path(f"/proc/{process.pid}/fd").iterdir()))


def connect(port):
    made = socket.socket()
    made.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        made.connect(("127.0.0.1", port))
    return made


@pytest.mark.parametrize("files", [1024, FILES])
def test_more_connections_than_it_takes_do_not_end_the_server(office, many_files, files):
    with served(office, files) as (process, address):
        with ThreadPoolExecutor(16) as many:
            pages = [f"{address}/accountability/chart.svg"] * 48
            drawn = list(many.map(lambda page: requests.get(page, timeout=LONG), pages))
        assert {one.status_code for one in drawn} == {200}
        before = open_files(process)
        idle = [connect(int(address.rpartition(":")[2])) for _ in range(IDLE)]
        try:
            allowed = min((files - server.RESERVED_FILES) // 2, server.MOST_CONNECTIONS)
            until(lambda: open_files(process) > before + allowed - 64)  # some of before have closed
            time.sleep(1)  # so that it would go on to accept
            assert process.poll() is None
            assert open_files(process) <= before + allowed
        finally:
            for one in idle:
                one.close()
        until(lambda: answers(address))
        assert process.poll() is None


def test_connections_follow_what_the_system_allows(monkeypatch):
    def allow(files):
        monkeypatch.setattr(resource, "getrlimit", lambda _: (files, files))
        return server.most_connections()

    assert allow(1024) == 384
    assert allow(1_048_576) == server.MOST_CONNECTIONS
    assert allow(resource.RLIM_INFINITY) == server.MOST_CONNECTIONS
    assert allow(100) == server.LEAST_CONNECTIONS


def test_charts_leave_no_font_open_for_each_thread_that_asked():
    def fonts():
        found = [path.readlink() for path in Path("/proc/self/fd").iterdir() if path.is_symlink()]
        return sum(path.suffix == ".ttf" for path in found)

    def picture():
        """A picture."""
        from matplotlib.figure import Figure

        figure = Figure()
        figure.text(0.5, 0.5, "words")
        return figure

    draw(picture, form="png")
    first = fonts()
    threads = [
        threading.Thread(target=draw, args=(picture,), kwargs={"form": "png"}) for _ in "1234"
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert fonts() == first


@contextlib.contextmanager
def locked(office):
    """Hold the lock that everybody needs who writes."""
    path = office.settings.database_url.removeprefix("sqlite:///")
    held = sqlite3.connect(path, isolation_level=None)
    held.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        held.execute("ROLLBACK")
        held.close()


def test_public_pages_answer_while_the_staff_wait_for_the_database(office):
    answered = []

    def sign_in(address):
        told = {"name": "ann", "password": "wrong"}
        answered.append(requests.post(f"{address}/login", data=told, timeout=LONG).status_code)

    with serving(office.app) as address, ThreadPoolExecutor(16) as staff:
        with locked(office):
            waiting = [staff.submit(sign_in, address) for _ in range(16)]
            time.sleep(1)  # until they are where they wait
            for page in ("/", "/zones/", "/measures/", "/data/", "/api/v1/", "/healthz"):
                assert requests.get(f"{address}{page}", timeout=20).status_code == 200, page
            assert answered == [], "the staff still wait"
        for one in waiting:
            one.result()
    assert len(answered) == 16


def test_public_pages_never_ask_the_database(office):
    browser = office.client("ann")
    asked = []

    def hear(connection):
        asked.append(connection)

    rules = [
        rule
        for rule in office.app.url_map.iter_rules()
        if RULES[rule.endpoint].public and not rule.arguments and "GET" in rule.methods
    ]
    assert len(rules) > 20
    event.listen(Engine, "engine_connect", hear)
    try:
        for rule in rules:
            before = len(asked)
            assert browser.get(rule.rule).status_code < 500 or rule.rule == "/readyz"
            assert (len(asked) > before) == (rule.endpoint in server.SLOW_CHECKS), rule.rule
    finally:
        event.remove(Engine, "engine_connect", hear)


@pytest.mark.parametrize(
    ("method", "path", "staff"),
    [
        ("GET", "/", False),
        ("HEAD", "/zones/", False),
        ("GET", "/static/site.css", False),
        ("GET", "/no/such/place", False),
        ("GET", "/zones", False),
        ("GET", "/readyz", True),
        ("POST", "/login", True),
        ("GET", "/analyst/town/releases", True),
        ("GET", "/command/town/D1/", True),
        ("POST", "/", False),
        ("GET", "/data/%C3%A9.csv", False),
    ],
)
def test_requests_are_told_apart_by_the_table_of_permissions(office, method, path, staff):
    asked = HTTPRequestParser(server.waitress.adjustments.Adjustments())
    asked.received(f"{method} {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    assert server.staff_requests(office.app)(asked.path, asked.command) is staff
