"""Copy a whole database into an empty one, of either kind, and compare the two row by row.

Everything is read in one transaction, so a database that is worked with meanwhile is copied as it
was at one moment. JSON goes over as the text that it is and shapes as their exact coordinates, so
what hashes were made from stays what it was.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import struct
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import shapely
from shapely.geometry.base import BaseGeometry
from sqlalchemy import (
    JSON,
    Text,
    TypeDecorator,
    bindparam,
    cast,
    column,
    delete,
    func,
    insert,
    select,
    table,
    text,
)

from geodata.db.staff_tables import AuditHead
from geodata.db.tables import Base
from geodata.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Connection, Select, Table

    from geodata.db.engine import Database

AT_A_TIME = 2_000  # rows: a run's document may hold a megabyte, and few tables have so many of them


@dataclass(frozen=True, kw_only=True)
class TableContents:
    """How many rows a table has, and the SHA-256 of all of them in the order of their keys."""

    rows: int
    sha256: str


@contextmanager
def snapshot(database: Database) -> Iterator[Connection]:
    """Open a connection that sees the database as it is now, whatever is written meanwhile."""
    with database.engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection = connection.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
        connection.execute(select(AuditHead.seq))  # the moment is that of the first reading
        yield connection


def copy_database(
    source: Connection, target: Database, progress: Callable[[str, int, int], None] | None = None
) -> dict[str, TableContents]:
    """Copy all rows into a database of this version without any, then compare both.

    Parameters
    ----------
    source
        A :func:`snapshot`.
    target
        Gets all rows in one transaction: whole, or nothing.
    progress
        Called with the name of a table, its number from 0, and how many there are.

    Returns
    -------
    What each table contains, by its name.

    Raises
    ------
    StoreError
        If the target has rows of its own, or did not keep what was written.
    """
    require_empty(target)
    tables = Base.metadata.sorted_tables
    with target.engine.connect() as connection:
        connection = connection.execution_options(saferground_write=True)
        with connection.begin():
            connection.execute(delete(AuditHead))  # the schema begins with an audit of no entries
            for number, one in enumerate(tables):
                if progress:
                    progress(f"copying {one.name}", number, len(tables))
                _copy_table(source, connection, one)
            _go_on_counting(connection, tables)
            before, after = contents(source), contents(connection)
            differing = [name for name, found in before.items() if after[name] != found]
            if differing:
                names = ", ".join(differing)
                msg = (
                    f"the copy differs from the original in {names}; nothing was copied: keep the "
                    "original, and report this"
                )
                raise StoreError(msg, code="copy_differs", tables=names)
    return after


def require_empty(database: Database) -> None:
    """Raise ``StoreError`` if a database holds anything but its schema."""
    with database.engine.connect() as connection:
        for one in Base.metadata.sorted_tables:
            if one.name != AuditHead.__tablename__ and connection.scalar(
                select(func.count()).select_from(select(one.c[0]).limit(1).subquery())
            ):
                msg = (
                    f"the database {database.engine.url.render_as_string(hide_password=True)} is "
                    f"not empty: its table {one.name} has rows; name a new one"
                )
                raise StoreError(msg, code="not_empty", table=one.name)


def contents(connection: Connection) -> dict[str, TableContents]:
    """Return what each table contains, by its name; the same on both kinds of database."""
    return {one.name: _contents(connection, one) for one in Base.metadata.sorted_tables}


def _contents(connection: Connection, one: Table) -> TableContents:
    digest, rows = hashlib.sha256(), 0
    for row in _stream(connection, one):
        rows += 1
        for value in row:
            content = _canonical(value)
            digest.update(struct.pack(">q", len(content)) + content)
    return TableContents(rows=rows, sha256=digest.hexdigest())


def _canonical(value: Any) -> bytes:
    if value is None:
        return b"-"
    if isinstance(value, bytes):
        return b"x" + value
    if isinstance(value, BaseGeometry):
        return b"g" + shapely.to_wkb(value, output_dimension=3, byte_order=1)
    if isinstance(value, dt.date | dt.time):
        return b"t" + value.isoformat().encode()
    return (type(value).__name__[0] + str(value)).encode("utf-8", "surrogatepass")


def _copy_table(source: Connection, target: Connection, one: Table) -> None:
    bare = table(one.name, *[column(c.name, _plain_type(c.type)) for c in one.columns])
    values = {
        c.name: cast(bindparam(c.name, type_=Text()), JSON())
        if _is_json(c.type) and target.dialect.name == "postgresql"
        else bindparam(c.name)
        for c in one.columns
    }
    statement = insert(bare).values(values)
    for rows in _stream(source, one).partitions(AT_A_TIME):
        target.execute(statement, [dict(row._mapping) for row in rows])


def _stream(connection: Connection, one: Table) -> Any:
    return connection.execution_options(yield_per=AT_A_TIME).execute(_whole(one))


def _whole(one: Table) -> Select[Any]:
    columns = [
        cast(c, Text).label(c.name) if _is_json(c.type) else c.label(c.name) for c in one.columns
    ]
    return select(*columns).order_by(*one.primary_key.columns)


def _plain_type(kind: Any) -> Any:
    return Text() if _is_json(kind) else kind


def _is_json(kind: Any) -> bool:
    inner = kind.impl if isinstance(kind, TypeDecorator) else kind
    return isinstance(inner, JSON)


def _go_on_counting(connection: Connection, tables: list[Table]) -> None:
    """Let PostgreSQL number new rows after those that were copied; SQLite does so by itself."""
    if connection.dialect.name != "postgresql":
        return
    for one in tables:
        for key in one.primary_key.columns:
            sequence = connection.scalar(
                text("SELECT pg_get_serial_sequence(:name, :key)"),
                {"name": one.name, "key": key.name},
            )
            newest = connection.scalar(select(func.max(key)))
            if sequence and newest is not None:
                connection.execute(
                    text("SELECT setval(:sequence, :newest)"),
                    {"sequence": sequence, "newest": newest},
                )
