"""Delimited text -> rows, every line of it accounted for and every value left as it is written.

Lines are read one by one, because a parser that reads on to the next quotation mark takes whole
files for one cell. A line that quotation marks do not take apart into the columns of the header is
read as it is written, and noted; one that has other columns even so is left out by its number.
"""

from __future__ import annotations

import codecs
import csv
import io
import itertools
import re
import time
from collections import Counter
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geodata.errors import DataError
from geodata.formats import ROWS_STAGE, wide_encoding
from geodata.import_report import name_rows
from geodata.readers.staging import Layer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    Progress = Callable[[str, int, int], None]

DELIMITERS = ",;\t|"
ROWS_AT_ONCE = 20_000  # also how often progress may be told, and work be ended
SECONDS_BETWEEN = 0.5
SAMPLE_LINES = 50  # tell the delimiter, and where the header is
END_OF_FILE = "\x1a"  # as programs of the eighties end a text
LONGEST_RECORD = 1_000_000  # characters of a cell over several lines; a longer one is a stray mark
SEPARATOR = re.compile(r'^"?sep=(.)"?$', re.I)  # a first line for spreadsheet programs
OTHER_COLUMNS = "another number of columns than the header"

_progress: ContextVar[Progress | None] = ContextVar("progress", default=None)
csv.field_size_limit(2 * LONGEST_RECORD)


@contextmanager
def reporting_rows(progress: Progress | None) -> Iterator[None]:
    """Report the rows of tables that are read meanwhile (:data:`geodata.formats.ROWS_STAGE`).

    Of how many is an estimate by what was read of the text. ``progress`` may raise, to end it.
    """
    kept = _progress.set(progress)
    try:
        yield
    finally:
        _progress.reset(kept)


def read_table(path: Path, label: str, sha256: str) -> Layer:
    """Read a table as text.

    Rows are numbered as spreadsheet programs do: blank lines count, a cell over several lines does
    not.

    Raises
    ------
    DataError
        If there is no header, or two columns have one name.
    """
    notes: list[str] = []
    text = _decode(path.read_bytes(), notes)
    lines = io.StringIO(text, newline="")
    sample = list(itertools.islice(lines, SAMPLE_LINES))
    if not any(line.strip() for line in sample):
        msg = f"{label}: the file holds no header and no rows; export it again"
        raise DataError(msg)
    stated = SEPARATOR.match(sample[0].strip())
    delimiter = stated[1] if stated else _delimiter(sample)
    lines.seek(0)
    reader = _Records(lines, delimiter)
    names = _header(reader, sample, label, notes, skip=bool(stated))
    rows = _frame(reader, names, _reporter(reader, lines, len(text)))
    numbers = reader.numbers
    notes += reader.notes()
    return Layer(
        frame=rows,
        rows=np.array(numbers, dtype=np.int64),
        sha256=sha256,
        notes=tuple(notes),
        unread={OTHER_COLUMNS: np.array(reader.other_columns, dtype=np.int64)},
    )


class _Records:
    """The records of a text, taken apart into cells, and what was odd about them."""

    def __init__(self, lines: Iterator[str], delimiter: str) -> None:
        self.lines, self.delimiter = lines, delimiter
        self.width = 0  # columns of the header, once it is known
        self.number = 0  # of the record, from 1
        self.numbers: list[int] = []
        self.other_columns: list[int] = []
        self.stray: list[int] = []
        self.short: list[int] = []
        self._ahead: list[str] = []

    def __iter__(self) -> Iterator[list[str]]:
        """Yield the cells of each record that has the columns of the header."""
        while (line := self._next()) is not None:
            self.number += 1
            if not line.strip():
                continue
            cells = self.split(line)
            if self.width and len(cells) > self.width:
                if any(cell.strip() for cell in cells[self.width :]):
                    self.other_columns.append(self.number)
                    continue
                cells = cells[: self.width]  # a delimiter more at the end of each line
            elif self.width and len(cells) < self.width:
                self.short.append(self.number)
                cells = cells + [""] * (self.width - len(cells))
            self.numbers.append(self.number)
            yield cells

    def split(self, line: str) -> list[str]:
        """Take a line apart, with those that continue its last cell."""
        if '"' not in line:
            return self._plainly(line)
        found = self._strictly(line)
        if found is None and line.count('"') % 2:
            found = self._continued(line)
        if found is not None:
            return found
        self.stray.append(self.number)
        loose = next(csv.reader([line.rstrip("\r\n")], delimiter=self.delimiter))
        closed = self._strictly(line.rstrip("\r\n") + '"')
        ways = [loose, self._plainly(line), *([closed] if closed else [])]
        return next((way for way in ways if len(way) == self.width), ways[1])

    def notes(self) -> list[str]:
        """Return what was odd, with the first rows of each kind."""
        found = []
        if self.stray:
            found.append(
                f"quotation marks that open or close no cell: {len(self.stray)} "
                f"({name_rows(self.stray)}), read as they are written"
            )
        if self.other_columns:
            found.append(
                f"{OTHER_COLUMNS}: {len(self.other_columns)} ({name_rows(self.other_columns)})"
            )
        if self.short:
            found.append(
                f"fewer cells than the header: {len(self.short)} ({name_rows(self.short)}), the "
                "others taken as empty"
            )
        return found

    def _next(self) -> str | None:
        return self._ahead.pop(0) if self._ahead else next(self.lines, None)

    def _plainly(self, line: str) -> list[str]:
        cells = line.rstrip("\r\n").split(self.delimiter)
        return [cell.lstrip(" ") for cell in cells] if " " in line else cells

    def _strictly(self, text: str) -> list[str] | None:
        """Return the cells of a text whose quotation marks all open or close one, else nothing."""
        reader = csv.reader(
            io.StringIO(text, newline=""),
            delimiter=self.delimiter,
            strict=True,
            skipinitialspace=True,
        )
        try:
            records = list(reader)
        except csv.Error:
            return None
        return records[0] if len(records) == 1 else None

    def _continued(self, line: str) -> list[str] | None:
        """Join the lines of a cell that goes over several; nothing where its mark is a stray one.

        It is a stray one where no later mark closes the cell, or where every line that would be
        joined has the columns of the header by itself.
        """
        text, taken, length = line, [], len(line)
        while length < LONGEST_RECORD and (more := self._next()) is not None:
            taken.append(more)
            length += len(more)
            if '"' not in more:
                continue
            text = "".join([line, *taken])
            found = self._strictly(text)
            if found is not None:
                each = [line, *taken]
                if all(len(self._plainly(one)) == self.width for one in each):
                    break
                return found
            if text.count('"') % 2 == 0:
                break
        self._ahead = [*taken, *self._ahead]
        return None


def _header(
    reader: _Records, sample: Sequence[str], label: str, notes: list[str], *, skip: bool
) -> list[str]:
    """Read as far as the header: the first record that is as wide as those below it."""
    wide = 1 + _fit(sample, reader.delimiter)[1]
    above, names = 0, []
    for cells in reader:
        if skip:
            skip = False
            continue
        names = [cell.strip() for cell in cells]
        if len(names) > 0.7 * wide and sum(map(bool, names)) >= wide / 2:
            break  # a title has fewer cells, or most of them empty
        above += 1
    if above:
        notes.append(f"{above} {'line' if above == 1 else 'lines'} above the header were left out")
    reader.width = len(names)
    reader.numbers.clear()
    return column_names(names, label)


def column_names(names: Sequence[str], label: str) -> list[str]:
    """Return names of columns, those without one numbered.

    Raises
    ------
    DataError
        If two have the same name.
    """
    found = [name.strip() or f"Unnamed: {i}" for i, name in enumerate(names)]
    twice = next((name for name, times in Counter(found).items() if times > 1), None)
    if twice is not None:
        msg = f"{label}: has two columns called {twice!r}; name each column differently"
        raise DataError(msg)
    return found


def _reporter(reader: _Records, lines: io.StringIO, length: int) -> Callable[[], None]:
    """Return what reports how many rows were read, now and then."""
    progress, last = _progress.get(), time.monotonic()

    def report() -> None:
        nonlocal last
        if progress is None or time.monotonic() - last < SECONDS_BETWEEN:
            return
        last, rows = time.monotonic(), len(reader.numbers)
        progress(ROWS_STAGE, rows, max(rows, round(rows * length / max(lines.tell(), 1))))

    return report


def _frame(reader: _Records, names: list[str], report: Callable[[], None]) -> pd.DataFrame:
    pieces = []
    records = iter(reader)
    while rows := list(itertools.islice(records, ROWS_AT_ONCE)):
        piece = pd.DataFrame(rows, columns=names, dtype="str")
        pieces.append(piece.mask(piece == ""))
        report()
    if not pieces:
        return pd.DataFrame({name: pd.Series([], dtype="str") for name in names})
    return pd.concat(pieces, ignore_index=True) if len(pieces) > 1 else pieces[0]


def _decode(content: bytes, notes: list[str]) -> str:
    """Return a text: UTF-16, UTF-8, or UTF-8 with lines of Windows-1252."""
    if wide := wide_encoding(content[:512]):
        return content.decode(wide, errors="replace").removeprefix("\ufeff")
    try:
        return content.decode("utf-8-sig").replace("\x00", "").rstrip(END_OF_FILE)
    except UnicodeDecodeError:
        lines, odd = [], 0
        for line in content.removeprefix(codecs.BOM_UTF8).splitlines(keepends=True):
            try:
                lines.append(line.decode("utf-8"))
            except UnicodeDecodeError:
                odd += 1
                lines.append(line.decode("cp1252", errors="replace"))
        notes.append(
            f"not UTF-8: {odd:,} {'line' if odd == 1 else 'lines'} read as Windows-1252; check "
            "names with accents"
        )
        return "".join(lines).replace("\x00", "").rstrip(END_OF_FILE)


def _delimiter(sample: Sequence[str]) -> str:
    """Return the sign that takes most lines apart into the same number of cells."""
    return max(DELIMITERS, key=lambda sign: _fit(sample, sign))


def _fit(sample: Sequence[str], sign: str) -> tuple[int, int]:
    """Return how many lines have the usual number of a sign outside of quotes, and that number."""
    lines = [re.sub(r'"[^"]*"', "", line) for line in sample if line.strip()]
    usual, times = Counter(line.count(sign) for line in lines).most_common(1)[0]
    return (times if usual else 0, usual)
