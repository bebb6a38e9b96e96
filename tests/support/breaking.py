"""Break work off at each of its steps, and on a full disk, and look at what is left.

A program of its own, as each trial ends a process: ``python breaking.py kill|fill ACTION BASE
SCRATCH``. It prints one JSON document. Steps are what changes the disk: files opened for writing,
renamed or removed, and the time right before and right after each commit.
"""

import contextlib
import json
import os
import shutil
import signal
import sys
import traceback
from pathlib import Path

from releasing import TODAY
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

from app.usecases.risk.fit import FitRequest, fit
from geodata.cityfile.description import read_city_file
from geodata.db.engine import DatabaseFailure, open_database
from geodata.ingest.store import import_city
from geodata.releases.build import approve_release, draft_release, withdraw_release
from geodata.releases.folder import ReleaseFolder, approved_releases
from geodata.releases.repair import repair_releases
from geodata.repositories import audit
from geodata.repositories.cities import list_cities
from geodata.repositories.releases import list_releases
from geodata.repositories.runs import list_runs
from spatial.errors import SaferGroundError

MUCH = 3  # of steps of the same kind in a row, the first and the last are enough
MOST_FILES = {"draft": 5}  # steps with files that are tried, where each trial takes long
FREE_KB = (0, 16, 128)
CHANGES = ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate")
WHY = "wrong map"


class Place:
    """A database and its releases."""

    def __init__(self, folder):
        self.folder, self.root = folder, folder / "releases"
        self.database = open_database(f"sqlite:///{folder / 'saferground.sqlite'}")

    def drafted(self):
        with self.database.session() as session:
            return list_releases(session, "town")[0].id

    def draft(self):
        draft_release(self.database, self.root, "town", "ana", today=TODAY)

    def approve(self):
        approve_release(self.database, self.root, self.drafted(), "ben")

    def withdraw(self):
        withdraw_release(self.database, self.root, self.drafted(), "cy", WHY)

    def fit(self):
        fit(self.database, FitRequest(city="town", outcome="robbery"), who="ana")

    def imported(self):
        import_city(self.database, read_city_file(self.folder / "city.toml"), who="ana")

    def state(self):
        """Tell what is on record, what is public, and what does not agree."""
        faults = []
        with self.database.session() as session:
            records = {one.id: one.state for one in list_releases(session, "town")}
            runs = [one.id for one in list_runs(session, "town")] if list_cities(session) else []
            cities = [(one.slug, one.incidents) for one in list_cities(session)]
            faults += [] if audit.verify(session).fault is None else ["the audit is broken"]
        with contextlib.closing(self.database.engine.raw_connection()) as raw:
            (sound,) = raw.cursor().execute("PRAGMA integrity_check").fetchone()
        faults += [] if sound == "ok" else [sound]
        public = ReleaseFolder.current(self.root, "town")
        open_ones = [one for one in approved_releases(self.root, "town") if one.state == "approved"]
        for one in [*open_ones, *([public] if public else [])]:
            if records.get(one.id) != "approved":
                faults.append(f"{one.id} is public and {records.get(one.id)} on record")
        faults += [
            f"{path.name}: {fault}"
            for path in self.root.glob("town/[0-9a-f]*/")
            for fault in ReleaseFolder(path=path).verify()
        ]
        return {
            "records": records,
            "public": public.id if public else None,
            "open": sorted(one.id for one in open_ones),
            "left": sorted(path.name for path in self.root.glob("town/.*")),
            "runs": runs,
            "cities": cities,
            "faults": faults,
        }


def forked(work):
    """Do something in a process of its own; give what came of it, or the signal that ended it."""
    inside, outside = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            with os.fdopen(outside, "w") as answer:
                json.dump(work(), answer)
            status = 0
        except BaseException:  # noqa: BLE001 - whatever it is, the parent is told
            traceback.print_exc()
        finally:
            os._exit(status)
    os.close(outside)
    with os.fdopen(inside) as answer:
        text = answer.read()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return {"signal": os.WTERMSIG(status)}
    return json.loads(text) if os.WEXITSTATUS(status) == 0 else {"raised": True}


def watched(folder, action, kill_at=None):
    """Do an action and list its steps; end this process at one of them."""
    steps = []

    def step(name):
        if len(steps) == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        steps.append(name)

    def hear(event, arguments):
        writes = event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        if (writes or event in CHANGES) and str(arguments[0]).startswith(str(folder)):
            step(f"{event} {Path(str(arguments[0])).suffix}")

    commit = SQLiteDialect_pysqlite.do_commit

    def commits(self, connection):
        step("before a commit")
        commit(self, connection)
        step("after a commit")

    SQLiteDialect_pysqlite.do_commit = commits
    place = Place(folder)
    sys.addaudithook(hear)
    getattr(place, action)()
    return steps


def worth(steps, most_files=100):
    """Choose the steps to break off at: of many of one kind in a row, the first and the last."""
    chosen, start = [], 0
    kinds = [name.partition(" ")[0] for name in steps]
    for i in range(1, len(steps) + 1):
        if i == len(steps) or kinds[i] != kinds[start]:
            span = list(range(start, i))
            chosen += span if len(span) <= MUCH else [span[0], span[-1]]
            start = i
    whole = [i for i in chosen if kinds[i] in ("before", "after")]  # each commit, and some others
    others = [i for i in chosen if i not in whole]
    every = max(1, -(-len(others) // most_files))
    return sorted([*whole, *others[::every]])


def afterwards(folder, action):
    """Look at what is left, repair it, look again, do the action again, look again."""
    place = Place(folder)
    left = place.state()
    repair_releases(place.database, place.root)
    repaired = place.state()
    getattr(place, action)()
    return {"left": left, "repaired": repaired, "again": place.state()}


def kill(action, base, scratch):
    whole = shutil.copytree(base, scratch / "whole")
    steps = forked(lambda: watched(whole, action))
    trials = []
    for number in worth(steps, MOST_FILES.get(action, 100)):
        folder = shutil.copytree(base, scratch / str(number))
        ended = forked(lambda folder=folder, number=number: watched(folder, action, number))
        told = forked(lambda folder=folder: afterwards(folder, action))
        trials.append({"step": f"{number} {steps[number]}", "ended": ended, **told})
        shutil.rmtree(folder)
    return {"whole": forked(lambda: Place(whole).state()), "steps": steps, "trials": trials}


def on_full_disk(folder, action):
    """Do an action; tell how it failed, as the command line or a page would."""
    try:
        getattr(Place(folder), action)()
    except (SaferGroundError, DatabaseFailure) as error:
        return {"refused": str(error)}
    return {"refused": None}


def fill(action, base, scratch):
    """Do an action where little room is left; ``scratch`` is a small file system of its own."""
    trials = []
    for free in FREE_KB:
        folder = shutil.copytree(base, scratch / "full")
        space = os.statvfs(scratch)
        filler = scratch / "filler"
        with filler.open("wb") as file:
            file.write(bytes(max(space.f_bavail * space.f_frsize - free * 1024, 0)))
        ended = forked(lambda folder=folder: on_full_disk(folder, action))
        full = forked(lambda folder=folder: Place(folder).state())
        filler.unlink()
        told = forked(lambda folder=folder: afterwards(folder, action))
        trials.append({"step": f"{free} kB free", "ended": ended, "full": full, **told})
        shutil.rmtree(folder)
    return {"trials": trials}


if __name__ == "__main__":
    what, action, base, scratch = sys.argv[1:]
    made = {"kill": kill, "fill": fill}[what](action, Path(base), Path(scratch))
    sys.stdout.write(json.dumps(made, default=str))
