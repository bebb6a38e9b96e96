"""Delimited text: delimiter, encoding and broken rows told; every value left as it is written."""

from __future__ import annotations

import csv
import gzip
import zlib
from typing import TYPE_CHECKING, Any

import pandas as pd

from geodata.errors import DataError
from geodata.readers.archives import DEFAULT_LIMITS, require_small

if TYPE_CHECKING:
    from pathlib import Path

DELIMITERS = ",;\t|"
SAMPLE_BYTES = 65_536
CHUNK = 1 << 20
DAMAGED = (EOFError, OSError, zlib.error)


def read_table(path: Path, label: str) -> tuple[pd.DataFrame, list[str], int]:
    """Read a table as text; one that begins as gzip does is unpacked on the way.

    Returns
    -------
    The rows, what was noticed, and how many rows had another number of columns than the header.

    Raises
    ------
    DataError
        If there is no header, two columns of one name, or too much in a compressed file.
    """
    notes: list[str] = []
    packed = _is_packed(path)
    if packed:
        _check_gzip(path, label)
    sample = _sample(path, label, packed=packed)
    encoding = _encoding(sample)
    if encoding == "cp1252":
        notes.append("not UTF-8: read as Windows-1252; check names with accents")
    delimiter = _delimiter(sample.decode(encoding, errors="replace"))
    options: dict[str, Any] = {
        "sep": delimiter,
        "dtype": str,
        "encoding": encoding,
        "keep_default_na": False,
        "na_values": [""],
        "index_col": False,
        "skipinitialspace": True,
        "compression": "gzip" if packed else None,
    }
    broken: list[int] = []
    try:
        try:
            frame = pd.read_csv(path, engine="c", **options)
        except pd.errors.ParserError:  # the slower engine can set broken rows apart

            def set_apart(fields: list[str]) -> None:
                broken.append(len(fields))

            frame = pd.read_csv(path, engine="python", on_bad_lines=set_apart, **options)
    except pd.errors.EmptyDataError as error:
        msg = f"{label}: the file holds no header and no rows; export it again"
        raise DataError(msg) from error
    except (UnicodeDecodeError, pd.errors.ParserError, csv.Error, *DAMAGED) as error:
        msg = f"{label}: cannot be read as a table ({error}); export it as UTF-8 CSV"
        raise DataError(msg) from error
    frame.columns = [str(name).strip() for name in frame.columns]
    twice = frame.columns[frame.columns.duplicated()]
    if len(twice):
        msg = f"{label}: has two columns called {twice[0]!r}; name each column differently"
        raise DataError(msg)
    if broken:
        notes.append(f"{len(broken)} rows have more columns than the header")
    return frame, notes, len(broken)


def _is_packed(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"


def _check_gzip(path: Path, label: str) -> None:
    """Unpack into nothing and count, so that a few bytes cannot become gigabytes of rows."""
    total, size = 0, path.stat().st_size
    try:
        with gzip.open(path, "rb") as file:
            while piece := file.read(CHUNK):
                total += len(piece)
                require_small(total, size, label, DEFAULT_LIMITS)
    except DAMAGED as error:
        raise _damaged(label, error) from error


def _sample(path: Path, label: str, *, packed: bool) -> bytes:
    try:
        with gzip.open(path, "rb") if packed else path.open("rb") as file:
            return file.read(SAMPLE_BYTES)
    except DAMAGED as error:
        raise _damaged(label, error) from error


def _damaged(label: str, error: Exception) -> DataError:
    return DataError(f"{label}: the compressed file is damaged ({error}); export it again")


def _encoding(sample: bytes) -> str:
    if sample.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    try:
        sample[: sample.rfind(b"\n") + 1 or None].decode("utf-8-sig")
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8-sig"


def _delimiter(text: str) -> str:
    header = text.splitlines()[0] if text.strip() else ""
    return max(DELIMITERS, key=header.count) if header else ","
