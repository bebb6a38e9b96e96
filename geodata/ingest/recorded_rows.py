"""Read and check alerts, calls, verified gunfire, visits, occurrences and totals.

As in :mod:`geodata.ingest.sources`, nothing here touches the database. A row is left out only
where a required field or its place cannot be read; any other value that cannot be read counts as
missing and is noted.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from geodata.errors import DataError
from geodata.ingest.sources import (
    MOST_NAMED,
    GatheredRecords,
    digest_text,
    id_keys,
    leave_out_repeated,
    most_frequent,
    note_rows,
    open_source,
    ordinal_keys,
    place_opened,
    texts_of,
)
from geodata.ingest.vocabulary import class_of, disposition_of
from geodata.readers.cell_numbers import read_numbers
from geodata.readers.dates import in_columns, read_instants, read_moments, settle_twice
from spatial.grid import area_of

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from geodata.cityfile.sections import RecordSource
    from geodata.import_report import Sieve, SourceReport
    from geodata.ingest.address_places import Locator
    from geodata.ingest.placing import CityFrame
    from geodata.ingest.sources import OpenedSource
    from geodata.readers.dates import Instants

LONGEST_TEXT = 120
NO_DISTRICT = "not a district of the city"
ORDERS = (  # what cannot be: the first before the second
    ("published", "triggered"),
    ("review_started", "triggered"),
    ("published", "review_started"),
    ("received", "published"),
    ("arrived", "dispatched"),
    ("dispatched", "received"),
    ("end", "start"),
)


def gather_records(
    source: RecordSource,
    city: CityFrame,
    timezone: str,
    districts: Mapping[str, tuple[str, BaseGeometry]],
    measures: Mapping[str, str],
    now: dt.datetime,
    locator: Locator | None = None,
) -> GatheredRecords:
    """Read the rows of one source.

    Parameters
    ----------
    source
        What the city file says of it.
    city, timezone, districts
        The city's frame, zone, and the names and shapes of its districts by code.
    measures
        Ids that occurrences and totals can count towards, by what rows may call them.
    now
        UTC, without a zone: rows later than this are left out.
    locator
        Finds the places of rows that have none but an address.

    Raises
    ------
    DataError
        If the file cannot be used, or if no row of it can.
    """
    named = [column for pair in source.columns.values() for column in pair]
    opened = open_source(
        source.place,
        source.section,
        [*named, source.id, source.address, source.updated],
        placed=source.kind.placed and source.address is None,
    )
    rows = pd.DataFrame(index=opened.frame.index)
    _read_clocks(source, opened, timezone, now, rows)
    _read_days(source, opened, timezone, rows)
    _read_values(source, opened, rows)
    _read_measure(source, opened, measures, rows)
    if source.kind.placed:
        _read_place(source, opened, city, districts, rows, locator)
    else:
        _check_district(opened, districts, rows)
    rows["row_key"] = _keys(source, opened, rows)
    kept = rows.loc[opened.sieve.keep].reset_index(drop=True)
    if len(rows) and not len(kept):
        raise _no_row(source, opened.sieve.report)
    return GatheredRecords(
        section=source.section,
        rows=kept,
        report=opened.sieve.report,
        sha256=opened.layer.sha256,
    )


def _no_row(source: RecordSource, report: SourceReport) -> DataError:
    """Return the error of a source of which no row can be used."""
    causes = ", ".join(f"{n} {reason}" for reason, n in report.left_out.items())
    seen = [note for note in report.notes if note.startswith(NO_DISTRICT)]
    causes = "; ".join([causes, *seen])
    return DataError(
        f"{source.place.label}: no row can be used ({causes}); check the columns that "
        f"[{source.section}.fields] names. Nothing was stored"
    )


def _read_clocks(
    source: RecordSource, opened: OpenedSource, timezone: str, now: dt.datetime, rows: pd.DataFrame
) -> None:
    """Read every clock a source has, in the order in which they should tick."""
    sieve, frame = opened.sieve, opened.frame
    read: dict[str, Instants] = {}
    for name in source.kind.clocks:
        if name not in source.columns:
            continue
        dates, times = in_columns(frame, source.columns[name])
        read[name] = read_instants(dates, times, date_format=source.date_format, timezone=timezone)
        sieve.report.notes += read[name].notes
        unread = read[name].given & np.isnan(read[name].ms)
        required = _required(source, name)
        if required:
            sieve.leave_out(f"bad {name} time", np.isnan(read[name].ms))
        else:
            note_rows(sieve, unread, f"{name}: cannot be read as a time, taken as missing")
    _tell_of_clock_changes(sieve, read)
    for name, ms in settle_twice(read).items():
        rows[f"{name}_ms"] = ms
        if _required(source, name):
            latest = pd.Timestamp(now).value / 1e6
            with np.errstate(invalid="ignore"):
                sieve.leave_out("in the future", ms > latest)
    for late, early in ORDERS:
        if f"{late}_ms" in rows and f"{early}_ms" in rows:
            wrong = (rows[f"{late}_ms"] < rows[f"{early}_ms"]).to_numpy()
            note_rows(sieve, wrong, f"{late} before {early}: kept, but left out of that clock")


def _tell_of_clock_changes(sieve: Sieve, read: Mapping[str, Instants]) -> None:
    twice = sum(int(clock.twice.sum()) for clock in read.values())
    skipped = sum(clock.skipped for clock in read.values())
    if twice:
        sieve.report.notes.append(
            f"{twice} times lie in the hour that comes twice in autumn: read as the first, unless "
            "the row's other clocks say the second"
        )
    if skipped:
        sieve.report.notes.append(
            f"{skipped} times lie in the hour that spring skips: read an hour later"
        )


def _read_days(
    source: RecordSource, opened: OpenedSource, timezone: str, rows: pd.DataFrame
) -> None:
    """Read the fields that are days; each is required where a section has it."""
    for name in [f.name for f in source.kind.fields if f.kind == "day"]:
        dates, times = in_columns(opened.frame, source.columns[name])
        moments = read_moments(dates, times, date_format=source.date_format, timezone=timezone)
        opened.sieve.report.notes += moments.notes
        opened.sieve.leave_out(f"bad {name} date", np.isnat(moments.day))
        rows[name] = [None if np.isnat(d) else pd.Timestamp(d).date() for d in moments.day]
    if "from" in rows and "to" in rows:
        backwards = pd.to_datetime(rows["from"]) >= pd.to_datetime(rows["to"])
        opened.sieve.leave_out("from is not before to", backwards.to_numpy())


def _read_values(source: RecordSource, opened: OpenedSource, rows: pd.DataFrame) -> None:
    """Read texts, words and numbers; a value that cannot be is missing and reported."""
    sieve, frame = opened.sieve, opened.frame
    for wanted in source.kind.fields:
        if wanted.kind in ("clock", "day") or wanted.name not in source.columns:
            continue
        column = frame[source.columns[wanted.name][0]]
        if wanted.kind in ("count", "amount"):
            values, bad = _numbers(column, whole=wanted.kind == "count")
            if wanted.required:
                sieve.leave_out(f"bad {wanted.name}", bad | np.isnan(values))
            else:
                kind = "whole number" if wanted.kind == "count" else "number"
                note_rows(sieve, bad, f"{wanted.name}: no {kind} from 0, taken as missing")
            rows[wanted.name] = values
            continue
        texts = texts_of(column)
        if wanted.kind == "word":
            texts = _words(wanted.name, texts, source, sieve)
        short = [text[:LONGEST_TEXT] or None for text in texts]
        rows[wanted.name] = pd.Series(short, index=frame.index, dtype=object)
        if wanted.required:
            sieve.leave_out(f"no {wanted.name}", rows[wanted.name].isna().to_numpy())
    if source.section == "occurrences":
        value = rows["value"] if "value" in rows else pd.Series(np.nan, index=rows.index)
        rows["value"] = value.fillna(1.0)


def _words(name: str, texts: list[str], source: RecordSource, sieve: Sieve) -> list[str]:
    """Turn the export's words into ours; a word never seen is reported and kept as the weakest."""
    value = source.words["classes" if name == "class" else "dispositions"]
    turn = class_of if name == "class" else disposition_of
    answers = {text: turn(text, value) for text in dict.fromkeys(texts)}
    weakest = "other" if name == "class" else "no disposition"
    for text, ours in answers.items():
        if ours is None:
            seen = np.array([stated == text for stated in texts], dtype=bool)
            note_rows(sieve, seen, f"{name} {text[:40]!r} is not known: counts as {weakest}")
            answers[text] = weakest
    return [answers[text] or "" for text in texts]


def _read_measure(
    source: RecordSource, opened: OpenedSource, measures: Mapping[str, str], rows: pd.DataFrame
) -> None:
    if source.section not in ("occurrences", "counts"):
        return
    known = ", ".join(dict.fromkeys(measures.values()))
    if "measure" not in rows:
        if source.measure is None:
            msg = (
                f"{source.place.label}: says of no row which measure it counts towards; add "
                f'measure = "..." to its [[{source.section}]], one of {known}, or '
                "name the column"
            )
            raise DataError(msg)
        rows["measure"] = source.measure
    unknown = ~rows["measure"].isin(measures).to_numpy()
    if unknown[opened.sieve.keep].all() and unknown.any():
        first = rows["measure"][unknown].iloc[0]
        msg = f"{source.place.label}: {first!r} is no measure that takes figures; choose of {known}"
        raise DataError(msg)
    opened.sieve.leave_out("not a measure that takes figures", unknown)
    rows["measure"] = [measures.get(name, name) for name in rows["measure"]]


def _read_place(
    source: RecordSource,
    opened: OpenedSource,
    city: CityFrame,
    districts: Mapping[str, tuple[str, BaseGeometry]],
    rows: pd.DataFrame,
    locator: Locator | None,
) -> None:
    """Place rows, and the verified places of alerts; tell which district each lies in."""
    sieve = opened.sieve
    points = shapely.centroid(place_opened(source, opened, city, locator).points)
    rows["x"], rows["y"] = shapely.get_x(points), shapely.get_y(points)
    codes = np.array([*districts, None], dtype=object)
    found = area_of(
        rows["x"].to_numpy(), rows["y"].to_numpy(), [shape for _, shape in districts.values()]
    )
    rows["district"] = codes[found]
    if {"verified_x", "verified_y"} <= set(source.columns):
        _read_verified_place(source, opened, city, rows)
    outside = rows["district"].isna().to_numpy() & sieve.keep
    if outside.any():
        sieve.report.notes.append(
            f"{int(outside.sum())} rows lie near the city but in no district: kept, in the city's "
            "figures only"
        )


def _read_verified_place(
    source: RecordSource, opened: OpenedSource, city: CityFrame, rows: pd.DataFrame
) -> None:
    """Read where the shooter stood, as far as it is reported; a place far away is missing."""
    x, y = (
        pd.to_numeric(opened.frame[source.columns[axis][0]], errors="coerce").to_numpy(dtype=float)
        for axis in ("verified_x", "verified_y")
    )
    there_x, there_y = city.transform(x, y, source.place.crs or "EPSG:4326")
    result = np.isfinite(x) & np.isfinite(y)
    near = result & city.near(there_x, there_y)
    note_rows(opened.sieve, result & ~near, "verified place far from the city: taken as missing")
    rows["verified_x"] = np.where(near, there_x, np.nan)
    rows["verified_y"] = np.where(near, there_y, np.nan)


def _check_district(
    opened: OpenedSource, districts: Mapping[str, tuple[str, BaseGeometry]], rows: pd.DataFrame
) -> None:
    if "district" not in rows:
        rows["district"] = None
        return
    stated = rows["district"]
    found = stated.map(_ways_to_write({code: name for code, (name, _) in districts.items()}))
    known = found.where(found.notna(), stated)
    unknown = stated.notna() & ~known.isin(list(districts))
    rows["district"] = known
    if opened.sieve.leave_out(NO_DISTRICT, unknown.to_numpy(), examples=False):
        named = [
            code if name in ("", code) else f"{code} ({name})"
            for code, (name, _) in list(districts.items())[:MOST_NAMED]
        ]
        opened.sieve.report.notes.append(
            f"{NO_DISTRICT}: {most_frequent(stated[unknown])}; the city has {', '.join(named)}"
        )


def _ways_to_write(districts: Mapping[str, str]) -> dict[str, str]:
    """Return which district each way of writing one means, where it can mean only one.

    A number may come with zeros before it, or with a point as spreadsheets write whole numbers;
    the name of a district may come in the place of its code.
    """
    meant: dict[str, set[str]] = {}
    for code, name in districts.items():
        ways = {way for word in (code, name) for way in (word, word.casefold(), word.upper())}
        if number := re.fullmatch(r"(\d{1,9})(?:\.0)?", code):
            bare = str(int(number[1]))
            ways |= {bare, f"{bare}.0", *(bare.zfill(width) for width in range(2, 5))}
        for way in ways:
            meant.setdefault(way, set()).add(code)
    return {way: codes.pop() for way, codes in meant.items() if len(codes) == 1}


def _keys(source: RecordSource, opened: OpenedSource, rows: pd.DataFrame) -> list[str]:
    """Return each row the key that knows it again: its id, else what it says and its turn."""
    sieve = opened.sieve
    if source.id is not None:
        keys = id_keys(opened.frame[source.id], sieve)
        updated = None if source.updated is None else opened.frame[source.updated]
        leave_out_repeated(pd.Series(keys, dtype=object), updated, sieve)
        return keys
    texts = [name for name in _identity(source) if name in rows]
    columns: list[list[Any]] = [rows[name].tolist() for name in texts]
    digests = [digest_text("|".join(map(str, row))) for row in zip(*columns, strict=True)]
    return ordinal_keys(digests)


def _identity(source: RecordSource) -> tuple[str, ...]:
    """Name what tells two rows without an id apart; a corrected figure keeps its row's key."""
    if source.section == "counts":
        return ("measure", "kind", "from", "to", "district")
    first = next((f"{name}_ms" for name in source.kind.clocks), "date")
    return (first, "measure", "kind", "x", "y")


def _required(source: RecordSource, name: str) -> bool:
    return any(f.name == name and f.required for f in source.kind.fields)


def _numbers(column: pd.Series, *, whole: bool) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Read numbers from 0; the second answer marks values that are there but cannot be."""
    texts = column.astype("string").str.strip().fillna("")
    values = read_numbers(column)
    with np.errstate(invalid="ignore"):
        good = np.isfinite(values) & (values >= 0) & (values < 1e9)
        good &= (values == np.round(values)) if whole else True
    bad = ~good & (texts != "").to_numpy(dtype=bool)
    return np.where(good, values, np.nan), bad
