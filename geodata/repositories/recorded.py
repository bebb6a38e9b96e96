"""Recorded rows of every kind: stored once each, corrected by their own source only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sqlalchemy import Integer, bindparam, delete, insert, select, update

from geodata.db.tables import Base
from geodata.keys import normal_key, stored_forms
from geodata.repositories.import_log import row_columns
from geodata.repositories.incidents import Stored

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray
    from sqlalchemy import ColumnElement, Dialect, Select, Table
    from sqlalchemy.orm import Session

    from geodata.repositories.import_log import ChangeLog

TABLES: Mapping[str, Table] = {
    section: Base.metadata.tables[table]
    for section, table in (
        ("alerts", "alert"),
        ("calls", "call"),
        ("verified", "verified"),
        ("visits", "visit"),
        ("occurrences", "occurrence"),
        ("counts", "tally"),
    )
}
CHUNK = 50_000
FEW = 10_000  # rows that are asked for by their keys; of more, every row is read
PIECE = 1_000  # rows read at once: few enough to stay in the processor's cache
NOT_CONTENT = {"id", "city_id", "source", "row_key"}


def content_columns(section: str) -> list[str]:
    """Name the columns of a section that say what a row says."""
    return [c.name for c in TABLES[section].columns if c.name not in NOT_CONTENT]


def store_records(
    session: Session,
    city_id: int,
    section: str,
    source: str,
    rows: pd.DataFrame,
    log: ChangeLog | None = None,
) -> Stored:
    """Store rows of one source.

    Parameters
    ----------
    session
        An open transaction.
    city_id, section, source
        Whose they are, and which kind.
    rows
        ``row_key``, each once, and columns of :func:`content_columns`; NaN and None are missing.
    log
        Hears what was added and changed.
    """
    table = TABLES[section]
    columns = content_columns(section)
    there = _known_rows(session, city_id, table, columns, rows["row_key"].tolist())
    new, corrected, before, same, conflicting = [], [], [], 0, 0
    for row in _plain_rows(rows.reindex(columns=["row_key", *columns]), table):
        known = there.get(row["row_key"])
        if known is None:
            new.append({**row, "city_id": city_id, "source": source})
            continue
        number, owner, key, content = known
        if content == [row[name] for name in columns]:
            same += 1
        elif owner == source:
            old = dict(zip(columns, content, strict=True))
            before.append({**old, "row_key": key, "source": owner})
            corrected.append({"b_id": number, **{f"b_{name}": row[name] for name in columns}})
        else:
            conflicting += 1
    for start in range(0, len(new), CHUNK):
        session.execute(insert(table), new[start : start + CHUNK])
    if corrected:
        session.connection().execute(
            update(table)
            .where(table.c.id == bindparam("b_id"))
            .values({name: bindparam(f"b_{name}") for name in columns}),
            corrected,
        )
    if log is not None:
        log.add(table.name, new)
        log.change(table.name, before)
    return Stored(len(new), len(corrected), same, conflicting)


def _known_rows(
    session: Session, city_id: int, table: Table, columns: Sequence[str], keys: Sequence[str]
) -> dict[str, tuple[int, str, str, list[Any]]]:
    """Return stored rows by the one form of their key; of a few keys, these rows alone."""
    every = (
        select(table.c.id, table.c.source, table.c.row_key, *(table.c[n] for n in columns))
        .where(table.c.city_id == city_id)
        .execution_options(yield_per=CHUNK)
    )
    groups = stored_forms(keys) if len(keys) <= FEW else [None]
    there: dict[str, tuple[int, str, str, list[Any]]] = {}
    for group in groups:
        found = session.execute(every if group is None else every.where(table.c.row_key.in_(group)))
        for number, owner, key, *content in found:
            one = normal_key(key)  # keys that were stored before ids had one form are found by it
            if one not in there or key == one:
                there[one] = (number, owner, key, content)
    return there


def forget_source(
    session: Session, city_id: int, section: str, source: str, log: ChangeLog | None = None
) -> int:
    """Remove the rows of one source; give how many went."""
    table = TABLES[section]
    mine = (table.c.city_id == city_id, table.c.source == source)
    columns = [table.c[name] for name in row_columns(table)]
    gone = [dict(row) for row in session.execute(select(*columns).where(*mine)).mappings()]
    if log is not None:
        log.remove(table.name, gone)
    session.execute(delete(table).where(*mine))
    return len(gone)


def read_frame(session: Session, statement: Select[Any]) -> pd.DataFrame:
    """Read rows into columns, a piece at a time and without a row object, as there may be millions.

    Numbers become float64 with NaN for missing; all else stays objects with None for missing.
    """
    columns = list(statement.selected_columns)
    dialect = session.get_bind().dialect
    turns = [_turn(column, dialect) for column in columns]
    pieces: list[list[NDArray[Any]]] = [[np.array([], dtype=_dtype(c))] for c in columns]
    result = session.connection().execute(statement)
    cursor = result.cursor
    while rows := cursor.fetchmany(PIECE):
        for piece, column, turn, values in zip(
            pieces, columns, turns, zip(*rows, strict=True), strict=True
        ):
            found = values if turn is None else [turn(value) for value in values]
            piece.append(np.array(found, dtype=_dtype(column)))
    result.close()
    return pd.DataFrame(
        {
            column.name: pd.Series(np.concatenate(piece), dtype=_dtype(column))
            for column, piece in zip(columns, pieces, strict=True)
        }
    )


def _turn(column: ColumnElement[Any], dialect: Dialect) -> Callable[[Any], Any] | None:
    """Return what turns the driver's values of a column into ours, where they are not numbers."""
    if _dtype(column) is float:
        return None
    return column.type.dialect_impl(dialect).result_processor(dialect, None)


def _dtype(column: ColumnElement[Any]) -> type:
    return float if column.type.python_type in (int, float) else object


def _plain_rows(frame: pd.DataFrame, table: Table) -> Iterator[dict[str, Any]]:
    """Return each row as the database takes it: whole numbers whole, missing values missing."""
    columns: list[list[Any]] = []
    for name in frame.columns:
        whole = isinstance(table.c[name].type, Integer)
        missing = frame[name].isna().to_numpy()
        columns.append(
            [
                None if gone else int(value) if whole else value
                for value, gone in zip(frame[name].tolist(), missing, strict=True)
            ]
        )
    names = list(frame.columns)
    for values in zip(*columns, strict=True):
        yield dict(zip(names, values, strict=True))
