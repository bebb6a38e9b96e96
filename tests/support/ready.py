"""Databases that are ready for use: for SQLite the schema is made once a process, then copied."""

import sqlite3
import tempfile
from contextlib import closing
from functools import cache
from pathlib import Path

from sqlalchemy import make_url

from geodata.db.engine import upgrade


def make_ready(url):
    """Give a database that is empty or not there the schema, as ``upgrade`` does."""
    path = Path(make_url(url).database)
    if make_url(url).get_backend_name() != "sqlite" or path.exists():
        upgrade(url)
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_schema())


@cache
def _schema():
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "empty.sqlite"
        upgrade(f"sqlite:///{path}")
        with closing(sqlite3.connect(path)) as connection:
            return connection.serialize()
