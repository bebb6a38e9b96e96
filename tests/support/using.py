"""Putting a run to use, for tests of what reads the run in use."""

import datetime as dt

from geodata.repositories import runs_in_use

WHEN = dt.datetime(2026, 1, 5, 9)


def put_to_use(database, run, *, why="a test", who="ana", when=WHEN):
    """Put a run, or the run of an id, to use."""
    with database.session(write=True) as session:
        return runs_in_use.use_run(session, getattr(run, "id", run), why, who, when)
