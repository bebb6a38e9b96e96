"""Sheets of a workbook -> rows as text, as a table has them."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from python_calamine import CalamineError, CalamineWorkbook

from geodata.errors import DataError
from geodata.readers.delimited import column_names
from geodata.readers.staging import Layer

if TYPE_CHECKING:
    from pathlib import Path

MOST_TITLES = 50  # rows above the header


def sheets_in(path: Path, label: str) -> tuple[str, ...]:
    """Name the sheets of a workbook that hold something, in their order.

    Raises
    ------
    DataError
        If it is damaged or protected by a password.
    """
    try:
        book = CalamineWorkbook.from_path(str(path))
        names = [str(name) for name in book.sheet_names]
        return tuple(name for name in names if book.get_sheet_by_name(name).height)
    except (CalamineError, ValueError, OSError) as error:
        raise _unreadable(label, error) from error


def read_workbook(path: Path, label: str, sheet: str | None, sha256: str) -> Layer:
    """Read one sheet; its header is the first row that is as wide as those below it.

    Dates and times of cells are written as ISO 8601 has them, whole numbers without a point, so
    that a workbook and a table of the same rows are read alike.

    Raises
    ------
    DataError
        If the workbook cannot be read, has no such sheet, or several and none is named.
    """
    names = sheets_in(path, label)
    if sheet is None and len(names) == 1:
        sheet = names[0]
    if sheet not in names:
        known = ", ".join(names) or "none that holds anything"
        problem = f"has no sheet {sheet!r}" if sheet is not None else "holds several sheets"
        msg = f'{label}: {problem} (sheets: {known}); name one with layer = "..."'
        raise DataError(msg)
    try:
        found = CalamineWorkbook.from_path(str(path)).get_sheet_by_name(sheet)
        cells = found.to_python(skip_empty_area=False)
    except (CalamineError, ValueError, OSError) as error:
        raise _unreadable(label, error) from error
    clocks = {i for row in cells for i, cell in enumerate(row) if isinstance(cell, dt.datetime)}
    rows = [[_text(cell, clock=i in clocks) for i, cell in enumerate(row)] for row in cells]
    at = _header_at(rows)
    filled = [i for i in range(at + 1, len(rows)) if any(rows[i])]
    used = [i for i in range(len(rows[at])) if rows[at][i] or any(rows[n][i] for n in filled)]
    columns = column_names([rows[at][i] for i in used], label)
    values = [[rows[n][i] or None for i in used] for n in filled]
    notes = [f"{at} rows above the header were left out"] if at else []
    return Layer(
        frame=pd.DataFrame(values, columns=columns, dtype="str"),
        rows=np.array(filled, dtype=np.int64) + 1,
        sha256=sha256,
        notes=tuple(notes),
    )


def _header_at(rows: list[list[str]]) -> int:
    """Return where the header is: titles above it fill fewer cells."""
    filled = [sum(map(bool, row)) for row in rows[:MOST_TITLES]]
    return next((i for i, number in enumerate(filled) if number >= max(filled) / 2 and number), 0)


def _text(cell: Any, *, clock: bool = False) -> str:
    """Write a cell as text; a day of a column that has moments is midnight.

    >>> [_text(cell) for cell in (3.0, 1.5, dt.datetime(2024, 1, 31, 14, 5), True, " a ")]
    ['3', '1.5', '2024-01-31 14:05:00', 'TRUE', 'a']
    """
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, dt.timedelta):  # a time of day that goes beyond midnight
        return str(dt.datetime.min + cell).partition(" ")[2]
    if isinstance(cell, dt.date):
        if clock and not isinstance(cell, dt.datetime):
            cell = dt.datetime.combine(cell, dt.time())
        return cell.isoformat(" ") if isinstance(cell, dt.datetime) else cell.isoformat()
    return str(cell).strip()


def _unreadable(label: str, error: Exception) -> DataError:
    return DataError(
        f"{label}: cannot be read as a workbook ({str(error)[:200]}); save it again without a "
        "password, or as CSV (UTF-8)"
    )
