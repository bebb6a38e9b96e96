"""Delimited text: delimiter, encoding and broken rows told; every value left as it is written."""

from __future__ import annotations

import csv
import gzip
from typing import TYPE_CHECKING, Any

import pandas as pd

from geodata.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

DELIMITERS = ",;\t|"
SAMPLE_BYTES = 65_536


def read_table(path: Path) -> tuple[pd.DataFrame, list[str], int]:
    """Read a table as text.

    Returns
    -------
    The rows, what was noticed, and how many rows had another number of columns than the header.

    Raises
    ------
    DataError
        If there is no header, or two columns of one name.
    """
    notes: list[str] = []
    sample = _sample(path)
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
        "compression": "infer",
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
        msg = f"{path.name}: the file holds no header and no rows; export it again"
        raise DataError(msg) from error
    except (UnicodeDecodeError, pd.errors.ParserError, csv.Error, EOFError, OSError) as error:
        msg = f"{path.name}: cannot be read as a table ({error}); export it as UTF-8 CSV"
        raise DataError(msg) from error
    frame.columns = [str(name).strip() for name in frame.columns]
    if broken:
        notes.append(f"{len(broken)} rows have more columns than the header")
    return frame, notes, len(broken)


def _sample(path: Path) -> bytes:
    try:
        if path.name.lower().endswith(".gz"):
            with gzip.open(path, "rb") as file:
                return file.read(SAMPLE_BYTES)
        with path.open("rb") as file:
            return file.read(SAMPLE_BYTES)
    except (OSError, EOFError) as error:
        msg = f"{path.name}: the compressed file is damaged ({error}); export it again"
        raise DataError(msg) from error


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
