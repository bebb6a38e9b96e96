"""What an import does to the tables, written down as it happens, and taken back.

Rows are known by their keys, not by their numbers: a row that was changed is one key added and one
row, as it was, removed. A feature belongs to its factor by name.
"""

from __future__ import annotations

import datetime as dt
import json
import zlib
from typing import TYPE_CHECKING, Any

import shapely
from shapely.geometry.base import BaseGeometry
from sqlalchemy import delete, insert, select

from geodata.geometry import Geometry
from geodata.tables.core import Base, Factor
from geodata.tables.imports import ImportChange

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy import Table
    from sqlalchemy.orm import Session

KEYS: Mapping[str, tuple[str, ...]] = {
    "incident": ("outcome", "row_key"),
    "base_shape": ("kind", "row_key"),
    "feature": ("factor", "row_key"),
    "address": ("x", "y"),
    "residents": ("people", "geom"),
    **dict.fromkeys(("alert", "call", "verified", "visit", "occurrence", "tally"), ("row_key",)),
}
WHOLE = ("address", "residents")  # have no key of their own; they are replaced whole
PIECE = 20_000  # keys and rows in one packed piece
CHUNK = 500  # keys in one statement; SQLite allows a bounded number of parameters


class ChangeLog:
    """Keys of rows added and rows removed, by table."""

    def __init__(self) -> None:
        self.added: dict[str, list[list[Any]]] = {}
        self.removed: dict[str, list[dict[str, Any]]] = {}

    def add(self, table: str, rows: Iterable[Mapping[str, Any]], **more: Any) -> None:
        """Note rows that are new; ``more`` are columns that all of them share."""
        keys = [[{**row, **more}[name] for name in KEYS[table]] for row in rows]
        self.added.setdefault(table, []).extend(keys)

    def remove(self, table: str, rows: Iterable[Mapping[str, Any]], **more: Any) -> None:
        """Note rows that go, as they are."""
        self.removed.setdefault(table, []).extend({**row, **more} for row in rows)

    def change(self, table: str, rows: Iterable[Mapping[str, Any]], **more: Any) -> None:
        """Note rows that are corrected, as they were."""
        before = [{**row, **more} for row in rows]
        self.remove(table, before)
        self.add(table, before)

    def summary(self) -> dict[str, dict[str, int]]:
        """Count what was noted; a changed row is not added or removed but changed."""
        told: dict[str, dict[str, int]] = {}
        for table in KEYS:
            new = {tuple(key) for key in self.added.get(table, [])}
            gone = {tuple(row[name] for name in KEYS[table]) for row in self.removed.get(table, [])}
            counts = {
                "added": len(new - gone),
                "changed": len(new & gone),
                "removed": len(gone - new),
            }
            if any(counts.values()):
                told[table] = counts
        return told

    def save(self, session: Session, import_id: int) -> None:
        """Store what was noted, in pieces."""
        for table in KEYS:
            added, removed = self.added.get(table, []), self.removed.get(table, [])
            for start in range(0, max(len(added), len(removed)), PIECE):
                session.add(
                    ImportChange(
                        import_id=import_id,
                        table=table,
                        added=pack(added[start : start + PIECE]),
                        removed=pack([plain(row) for row in removed[start : start + PIECE]]),
                    )
                )
        session.flush()


def take_back(session: Session, city_id: int, changes: Iterable[ImportChange]) -> None:
    """Take rows out that were added and put rows back that were removed.

    Parameters
    ----------
    session
        A session that writes.
    city_id
        Whose rows they are.
    changes
        All of one import; its factors must be there again.
    """
    pieces = list(changes)
    named = select(Factor.name, Factor.id).where(Factor.city_id == city_id)
    factors = {name: number for name, number in session.execute(named)}  # noqa: C416 - rows to a dict
    for piece in pieces:
        _delete(session, city_id, piece.table, unpack(piece.added), factors)
    for piece in pieces:
        table = Base.metadata.tables[piece.table]
        rows = [read_row(table, row) for row in unpack(piece.removed)]
        if piece.table == "feature":
            owned = [{**row, "factor_id": factors[row.pop("factor")]} for row in rows]
        else:
            owned = [{**row, "city_id": city_id} for row in rows]
        if owned:
            session.execute(insert(table), owned)


def _delete(
    session: Session, city_id: int, name: str, keys: list[list[Any]], factors: Mapping[str, int]
) -> None:
    table = Base.metadata.tables[name]
    if name in WHOLE:
        if keys:
            session.execute(delete(table).where(table.c.city_id == city_id))
        return
    groups: dict[Any, list[str]] = {}
    for *group, key in keys:
        groups.setdefault(tuple(group), []).append(key)
    for group, mine in groups.items():
        if name == "feature":
            owner = [table.c.factor_id == factors.get(group[0], -1)]
        else:
            owner = [table.c.city_id == city_id]
            owner += [table.c[n] == v for n, v in zip(KEYS[name], group, strict=False)]
        for start in range(0, len(mine), CHUNK):
            some = table.c.row_key.in_(mine[start : start + CHUNK])
            session.execute(delete(table).where(*owner, some))


def row_columns(table: Table) -> list[str]:
    """Name the columns of a table that say what a row says, without its number and its owner."""
    return [c.name for c in table.columns if c.name not in ("id", "city_id", "factor_id")]


def read_row(table: Table, row: Mapping[str, Any]) -> dict[str, Any]:
    """Turn a row as JSON has it into values of its table."""
    return {
        name: _value(table.c[name].type, value) if name in table.c else value
        for name, value in row.items()
    }


def pack(document: Any) -> bytes:
    """Write a document as packed JSON."""
    return zlib.compress(json.dumps(plain(document)).encode(), 6)


def unpack(packed: bytes) -> Any:
    """Read packed JSON."""
    return json.loads(zlib.decompress(packed))


def plain(value: Any) -> Any:
    """Write values that JSON has no form for; a shape keeps the number of its system."""
    if isinstance(value, BaseGeometry):
        return shapely.to_wkb(value, hex=True, include_srid=True)
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return value.isoformat() if isinstance(value, dt.date | dt.time) else value


def _value(kind: Any, value: Any) -> Any:
    if value is None:
        return None
    if isinstance(kind, Geometry):
        return shapely.from_wkb(value)
    python = getattr(kind, "python_type", None)
    return python.fromisoformat(value) if python in (dt.date, dt.time, dt.datetime) else value
