"""Read and check the sources of a city file: rows ready to store, with their accounts.

Nothing here touches the database: everything that can be wrong with a file is known before the
first row is written.
"""

from __future__ import annotations

import datetime as dt
import difflib
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.errors import DataError
from geodata.import_report import Sieve, SourceReport, name_rows
from geodata.ingest.address_places import Locator, Placed, place_rows
from geodata.ingest.placing import (
    CityFrame,
    mend,
    place_cells,
    place_points,
    place_shapes,
    points_of,
)
from geodata.ingest.row_filter import rows_to_keep
from geodata.keys import is_rounded, keys_of
from geodata.readers import Layer, read_place
from geodata.readers.dates import ALONE, Moments, in_columns, read_moments

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from geodata.cityfile.schema import SourcePlace
    from geodata.cityfile.sections import BaseSource, FactorSource, IncidentSource, RecordSource

WHOLE_WITH_POINT = r"-?\d+\.0"
LONGEST_KEY = 120
LONGEST_CLASS = 20  # characters of the class of a street
BEYOND = "beyond the city"
MOST_NAMED = 8  # values that a note lists
NO_POINTS = {"several points in one row", "not a point but a line or an area", "no geometry"}
NOTHING = "Nothing was stored"
NEVER = int(np.iinfo(np.int64).min)  # before every correction date
KEY_DECIMALS = 3  # of a unit: a millimetre or a hair


@dataclass(frozen=True, kw_only=True, eq=False)
class Gathered:
    """Rows of one source, its account so far and the digest of its file.

    Of a source that was not read, what is stored stays: ``stays``. Of incidents, ``unlisted`` are
    the keys of rows whose kind is not imported, and ``outcomes`` those that are.
    """

    rows: list[dict[str, Any]]
    report: SourceReport
    sha256: str
    stays: bool = False
    unlisted: frozenset[str] = frozenset()
    outcomes: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True, eq=False)
class GatheredRecords:
    """Records of one source, a row each, with its account so far and the digest of its file."""

    section: str
    rows: pd.DataFrame
    report: SourceReport
    sha256: str
    stays: bool = False


@dataclass(kw_only=True, eq=False)
class OpenedSource:
    """A source that was read and filtered by its ``where``."""

    layer: Layer
    frame: pd.DataFrame | gpd.GeoDataFrame
    sieve: Sieve

    def drop_left_out(self) -> None:
        """Go on with the rows that are still in."""
        keep = self.sieve.keep
        self.frame = self.frame.loc[keep].reset_index(drop=True)
        self.sieve = Sieve(self.sieve.report, self.sieve.rows[keep])


def open_source(
    place: SourcePlace, kind: str, columns: Iterable[str | None], *, placed: bool = True
) -> OpenedSource:
    """Read a source, check that the columns it needs are there, apply its ``where``.

    ``placed`` asks for rows that have a place, in a geometry or in columns.

    Raises
    ------
    DataError
        If the file cannot be used or lacks a column.
    """
    layer = read_place(place)
    report = SourceReport(kind=kind, source=place.label, notes=list(layer.notes))
    report.read = len(layer.frame)
    for reason, unread in layer.unread.items():
        report.read += len(unread)
        report.leave_out(reason, len(unread))
    needed = [*columns, place.x, place.y, place.latlon, *place.where.columns]
    if len(layer.frame) or len(layer.frame.columns) > 1:  # no feature at all has no columns
        _require_columns(place.label, layer.frame, [name for name in needed if name is not None])
    if placed and place.x is None and not isinstance(layer.frame, gpd.GeoDataFrame):
        msg = (
            f'{place.label}: a table has no geometry; name its columns, as in x = "longitude", '
            f'y = "latitude", or latlon = "location" for one that holds both (it has '
            f"{', '.join(map(str, layer.frame.columns[:12]))})"
        )
        raise DataError(msg)
    if len(layer.frame) == 0 and report.read:
        causes = "; ".join(layer.notes)
        msg = f"{place.label}: no row can be taken apart ({causes}); export it again. " + NOTHING
        raise DataError(msg)
    if len(layer.frame) == 0:
        report.notes.append("the file holds no rows")
        return OpenedSource(
            layer=layer, frame=_empty(layer.frame, needed), sieve=Sieve(report, layer.rows)
        )
    sieve = Sieve(report, layer.rows)
    if place.where.conditions:
        kept = rows_to_keep(place.where, layer.frame)
        sieve.leave_out("left out by where", ~kept, examples=False)
        _note_unlisted(place, layer.frame, kept, report)
    opened = OpenedSource(layer=layer, frame=layer.frame, sieve=sieve)
    opened.drop_left_out()
    return opened


def gather_incidents(
    source: IncidentSource,
    city: CityFrame,
    timezone: str,
    study_area: shapely.Geometry,
    now: dt.datetime,
    locator: Locator | None = None,
) -> Gathered:
    """Read incident rows: outcome, key, date, time and place of each.

    Rows later than ``now``, in UTC without a zone, are left out. ``locator`` finds the places of
    rows that have none but an address.

    Raises
    ------
    DataError
        If the file cannot be used, or if no row of it has a date or a place in the city.
    """
    opened = open_source(
        source.place,
        "incidents",
        [source.id, *source.when, source.outcome_field, source.updated, source.address],
        placed=source.address is None,
    )
    outcomes, unlisted = _outcomes(source, opened)
    frame, sieve = opened.frame, opened.sieve
    moments = _moments(source, frame, timezone, now, sieve)
    placed = place_opened(source, opened, city, locator)
    points = points_of(placed.points, sieve)
    if len(points) and not sieve.keep.any() and set(sieve.report.left_out) <= NO_POINTS:
        msg = (
            f"{source.place.label}: no row is a point; incidents are points, so export where each "
            "happened. Nothing was stored"
        )
        raise DataError(msg)
    keys = _keys(source, frame, outcomes, moments.day, moments.seconds, points, sieve)
    if source.id is not None and source.updated is not None:
        _leave_out_earlier_kinds(keys, stamps_of(frame[source.updated]), unlisted, sieve)
    rows = [
        {
            "outcome": outcomes[i],
            "row_key": keys[i],
            "occurred_on": _date(moments.day[i]),
            "occurred_time": _clock(moments.seconds[i]),
            "place_method": placed.methods[i],
            "place_score": placed.scores[i],
            "geom": points[i],
        }
        for i in np.flatnonzero(sieve.keep)
    ]
    _note_outside([row["geom"] for row in rows], study_area, sieve.report)
    listed = () if isinstance(source.outcomes, str) else dict(source.outcomes).values()
    return Gathered(
        rows=rows,
        report=sieve.report,
        sha256=opened.layer.sha256,
        unlisted=frozenset(unlisted),
        outcomes=frozenset(listed),
    )


def gather_factor(source: FactorSource, city: CityFrame) -> Gathered:
    """Read the features of a factor layer."""
    opened = open_source(source.place, "factors", [])
    shapes = places_of(source.place, opened, city)
    kept = shapes[opened.sieve.keep]
    if len(kept) == 0:
        opened.sieve.report.notes.append(
            f"factor {source.factor.name!r} has no feature: a fit will drop it"
        )
    rows = [
        {"row_key": key, "geom": shape}
        for key, shape in zip(ordinal_keys(_shape_digests(kept)), kept, strict=True)
    ]
    return Gathered(rows=rows, report=opened.sieve.report, sha256=opened.layer.sha256)


def gather_base(source: BaseSource, city: CityFrame) -> Gathered:
    """Read shapes to be drawn under the map."""
    opened = open_source(source.place, "base", [source.name, source.rank, source.street_class])
    shapes = places_of(source.place, opened, city)
    keep = opened.sieve.keep
    frame, kept = opened.frame.loc[keep], shapes[keep]
    names = texts_of(frame[source.name])[:] if source.name else [""] * len(kept)
    ranks = (
        pd.to_numeric(frame[source.rank], errors="coerce").fillna(2).clip(1, 3).astype(int).tolist()
        if source.rank
        else [2] * len(kept)
    )
    kinds = (
        [kind[:LONGEST_CLASS] for kind in texts_of(frame[source.street_class])]
        if source.street_class
        else [""] * len(kept)
    )
    digests = [
        f"{digest}{hashlib.sha256('|'.join(said).encode()).hexdigest()[:8]}"
        for digest, *said in zip(_shape_digests(kept), names, map(str, ranks), kinds, strict=True)
    ]
    rows = [
        {"row_key": key, "name": name[:200], "rank": rank, "street_class": kind, "geom": shape}
        for key, name, rank, kind, shape in zip(
            ordinal_keys(digests), names, ranks, kinds, kept, strict=True
        )
    ]
    return Gathered(rows=rows, report=opened.sieve.report, sha256=opened.layer.sha256)


def most_frequent(values: pd.Series) -> str:
    """Name the most frequent values with their numbers.

    >>> most_frequent(pd.Series(["a", "b", "b", ""]))
    "'b' 2, 'a' 1, nothing 1"
    """
    counts = values.value_counts()
    named = [
        f"{str(value)[:40]!r} {number:,}" if value != "" else f"nothing {number:,}"
        for value, number in counts.head(MOST_NAMED).items()
    ]
    more = len(counts) - MOST_NAMED
    return ", ".join(named) + (f" and {more} more" if more > 0 else "")


def note_rows(sieve: Sieve, which: NDArray[np.bool_], text: str) -> None:
    """Note rows that stay in, with the first of their numbers."""
    which = which & sieve.keep
    if which.any():
        sieve.report.notes.append(f"{text}: {int(which.sum())} ({name_rows(sieve.rows[which])})")


def _note_unlisted(
    place: SourcePlace, frame: pd.DataFrame, kept: NDArray[np.bool_], report: SourceReport
) -> None:
    """Note the values that rows left out have in the columns whose values are listed."""
    for column in dict.fromkeys(one.column for one in place.where.conditions if one.is_list):
        values = pd.Series(texts_of(frame[column]))[~kept]
        if len(values):
            report.notes.append(f"left out by where, {column}: {most_frequent(values)}")


def _empty(frame: pd.DataFrame, columns: Iterable[str | None]) -> pd.DataFrame:
    """Return a frame without rows that has the columns that will be looked for."""
    missing = {name for name in columns if name is not None and name not in frame.columns}
    return frame.assign(**{name: pd.Series([], dtype="str") for name in sorted(missing)})


def _require_columns(label: str, frame: pd.DataFrame, needed: list[str]) -> None:
    there = [str(name) for name in frame.columns]
    for name in needed:
        if name not in there:
            folded = {one.casefold(): one for one in reversed(there)}
            near = difflib.get_close_matches(name.casefold(), folded, n=1)
            hint = f"; did you mean {folded[near[0]]!r}?" if near else ""
            visible = ", ".join(there[:12]) + (" ..." if len(there) > 12 else "")
            msg = f"{label}: there is no column {name!r}{hint} (columns: {visible})"
            raise DataError(msg)


def _outcomes(source: IncidentSource, opened: OpenedSource) -> tuple[list[str], dict[str, int]]:
    """Return the outcome of each row; rows of other outcomes are left out here.

    The second has the keys of those, with the newest of their correction dates.
    """
    if isinstance(source.outcomes, str):
        return [source.outcomes] * len(opened.frame), {}
    named = pd.Series(texts_of(opened.frame[source.outcome_field])).map(dict(source.outcomes))
    other = named.isna().to_numpy()
    if opened.sieve.leave_out("not a listed outcome", other, examples=False):
        words = pd.Series(texts_of(opened.frame[source.outcome_field]))[other]
        opened.sieve.report.notes.append(f"not a listed outcome: {most_frequent(words)}")
    unlisted: dict[str, int] = {}
    if source.id is not None and other.any():
        frame = opened.frame.loc[other].reset_index(drop=True)
        stamps = stamps_of(frame[source.updated]) if source.updated else np.full(len(frame), NEVER)
        newest = pd.Series(stamps, index=keys_of(frame[source.id])).groupby(level=0).max()
        unlisted = {_short(str(key)): int(stamp) for key, stamp in newest.items() if key != ""}
    found = named.dropna().tolist()
    opened.drop_left_out()
    return found, unlisted


def _leave_out_earlier_kinds(
    keys: Sequence[str], stamps: NDArray[np.int64], unlisted: Mapping[str, int], sieve: Sieve
) -> None:
    """Leave out rows of an id that was of another kind later: one that is imported or not."""
    newest = dict(unlisted)
    for i in np.flatnonzero(sieve.keep).tolist():
        newest[keys[i]] = max(newest.get(keys[i], NEVER), int(stamps[i]))
    earlier = [newest.get(key, NEVER) > stamp for key, stamp in zip(keys, stamps, strict=True)]
    sieve.leave_out("of another kind later", np.array(earlier, dtype=bool))


def places_of(place: SourcePlace, opened: OpenedSource, city: CityFrame) -> NDArray[np.object_]:
    """Return the shape of each row in the city's system; rows without one are left out."""
    frame = opened.frame
    if len(frame) == 0:
        return np.array([], dtype=object)
    if place.x is not None and place.y is not None and place.crs is not None:
        return place_points(frame[place.x], frame[place.y], place.crs, city, opened.sieve)
    shapes = gpd.GeoSeries(frame.geometry)
    if place.tags is not None:  # an extract is of a region: what lies beyond the city is no fault
        placed = np.full(len(shapes), None, dtype=object)
        near = city.near_shapes(shapes)
        opened.sieve.leave_out(BEYOND, ~near, examples=False)
        if near.any():
            placed[near] = np.asarray(mend(shapes[near].to_crs(city.crs).to_numpy(), opened.sieve))
        return placed
    if place.latlon is not None:
        return place_cells(shapes, frame[place.latlon], city, opened.sieve)
    return place_shapes(shapes, city, opened.sieve)


def place_opened(
    source: IncidentSource | RecordSource,
    opened: OpenedSource,
    city: CityFrame,
    locator: Locator | None,
) -> Placed:
    """Place rows by their coordinates, or by their address where they have none."""
    return place_rows(
        opened.frame,
        opened.sieve,
        source.place,
        source.address,
        locator,
        lambda frame, sieve: places_of(
            source.place, OpenedSource(layer=opened.layer, frame=frame, sieve=sieve), city
        ),
    )


def _leave_out_undated(
    source: IncidentSource, dates: pd.Series, moments: Moments, sieve: Sieve
) -> None:
    """Leave out rows without a date; refuse a file in which no row has one."""
    undated = np.isnat(moments.day)
    if not undated.any():
        return
    first = int(np.flatnonzero(undated)[0])
    text = dates.iloc[first]
    cell = "nothing" if pd.isna(text) or not str(text).strip() else repr(str(text)[:40])
    if undated.all():
        where = f"{source.place.label}: no value of column {source.when[0]!r} is a date"
        remedy = "name the right column or state date_format"
        if source.date_format is not None:
            remedy = (
                f"they are not written as the date_format {source.date_format!r} says (%Y is the "
                "year, %m the month, %d the day, %H:%M the clock)"
            )
        if moments.form in ALONE:
            remedy = f"the column {ALONE[moments.form]}"
        msg = f"{where} (row {sieve.rows[first]} has {cell}); {remedy}"
        raise DataError(msg)
    sieve.leave_out("bad date", undated, examples=False)
    sieve.report.notes.append(
        f"bad date: {int(undated.sum())} ({name_rows(sieve.rows[undated])}; {cell} does not fit "
        f"the form of the others, {moments.form}, from 1900 to 2099)"
    )


def _note_outside(points: list[Any], study_area: shapely.Geometry, report: SourceReport) -> None:
    """Tell of points near the city that no cell can count; refuse a file of nothing else."""
    if not points:
        return
    shapely.prepare(study_area)
    centres = shapely.centroid(np.array(points, dtype=object))
    outside = ~shapely.intersects(study_area, centres)
    if outside.all():
        msg = (
            f"{report.source}: all {len(points)} rows lie near the city but outside its study "
            "area; check the districts, the boundary and the crs. Nothing was stored"
        )
        raise DataError(msg)
    if outside.any():
        report.notes.append(
            f"{int(outside.sum())} rows lie near the study area but outside it: stored, and not "
            "counted by a fit"
        )


def _keys(
    source: IncidentSource,
    frame: pd.DataFrame,
    outcomes: list[str],
    days: NDArray[np.datetime64],
    seconds: NDArray[np.float64],
    points: NDArray[np.object_],
    sieve: Sieve,
) -> list[str]:
    """Return each row the key that knows it again: its id, else what it says and its turn."""
    if source.id is not None:
        keys = id_keys(frame[source.id], sieve)
        known = pd.Series([f"{o}|{k}" for o, k in zip(outcomes, keys, strict=True)])
        leave_out_repeated(known, frame[source.updated] if source.updated else None, sieve)
        return keys
    texts = []
    for i, keep in enumerate(sieve.keep):
        x, y = (points[i].x, points[i].y) if keep else (0.0, 0.0)
        place = f"{x:.{KEY_DECIMALS}f}|{y:.{KEY_DECIMALS}f}"
        texts.append(digest_text(f"{outcomes[i]}|{days[i]}|{seconds[i]}|{place}"))
    return ordinal_keys(texts)


def leave_out_repeated(keys: pd.Series, updated: pd.Series | None, sieve: Sieve) -> None:
    """Leave out rows of an id that comes again: all but the latest, or but the first."""
    kept = np.flatnonzero(sieve.keep)
    order = kept
    if updated is not None:
        at = stamps_of(updated)
        order = kept[np.lexsort((-kept, at[kept]))[::-1]]
    repeated = np.zeros(len(keys), dtype=bool)
    repeated[order] = keys.iloc[order].duplicated().to_numpy()
    which = "first" if updated is None else "latest"
    sieve.leave_out("repeated id", repeated, examples=False)
    note_rows_out(sieve, repeated, f"repeated id, of which the {which} row is kept")


def stamps_of(updated: pd.Series) -> NDArray[np.int64]:
    """Return when rows were corrected, in seconds to compare; ``NEVER`` where nothing says it."""
    stamps = read_moments(updated, None, date_format=None, timezone="UTC")
    moment = stamps.day.astype("datetime64[s]") + np.nan_to_num(stamps.seconds).astype(int)
    return np.where(np.isnat(moment), NEVER, moment.astype(np.int64))


def note_rows_out(sieve: Sieve, which: NDArray[np.bool_], text: str) -> None:
    """Note rows that were left out, with the first of their numbers."""
    if which.any():
        sieve.report.notes.append(f"{text}: {int(which.sum())} ({name_rows(sieve.rows[which])})")


def id_keys(column: pd.Series, sieve: Sieve) -> list[str]:
    """Return each row the key of its id; rows without one are left out, rounded ids are told."""
    ids = keys_of(column)
    sieve.leave_out("no id", np.array([not value for value in ids], dtype=bool))
    rounded = np.array([is_rounded(value) for value in ids], dtype=bool) & sieve.keep
    if rounded.any():
        first = ids[int(np.flatnonzero(rounded)[0])]
        sieve.report.notes.append(
            f"{int(rounded.sum())} ids were rounded by a spreadsheet ({first[:40]}; "
            f"{name_rows(sieve.rows[rounded])}): different rows have one id; export the column "
            f"{str(column.name)!r} as text"
        )
    return [_short(value) for value in ids]


def _short(key: str) -> str:
    return key if len(key) <= LONGEST_KEY else digest_text(key)


def ordinal_keys(digests: list[str]) -> list[str]:
    """Count off rows that say the same, so that each keeps its own key.

    >>> ordinal_keys(["a", "b", "a"])
    ['a-0', 'b-0', 'a-1']
    """
    turn = pd.Series(digests, dtype=object).groupby(digests).cumcount().tolist() if digests else []
    return [f"{digest}-{number}" for digest, number in zip(digests, turn, strict=True)]


def _shape_digests(shapes: NDArray[np.object_]) -> list[str]:
    rounded = shapely.transform(shapes, lambda xy: np.round(xy, KEY_DECIMALS))
    return [hashlib.sha256(wkb).hexdigest()[:32] for wkb in shapely.to_wkb(rounded)]


def digest_text(text: str) -> str:
    """Return a short digest of a text, for keys."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def texts_of(column: pd.Series) -> list[str]:
    """Write values as text: 1.0 of a column of whole numbers is 1, nothing is nothing.

    A table program writes whole numbers with gaps as 1.0, so that the same id would not be the same
    in two files.
    """
    if pd.api.types.is_float_dtype(column):
        whole = column.dropna()
        if len(whole) and (whole == whole.round()).all():
            column = column.astype("Int64")
    plain = column.astype("string").fillna("").str.strip().str.replace("\x00", "", regex=False)
    stated = plain[plain != ""]
    if len(stated) and stated.str.fullmatch(WHOLE_WITH_POINT).all():
        plain = plain.str.removesuffix(".0")
    return plain.tolist()


def _moments(
    source: IncidentSource,
    frame: pd.DataFrame,
    timezone: str,
    now: dt.datetime,
    sieve: Sieve,
) -> Moments:
    """Read when each row happened; leave out those without a day and those of after ``now``."""
    dates, times = in_columns(frame, source.when)
    moments = read_moments(dates, times, date_format=source.date_format, timezone=timezone)
    sieve.report.notes += moments.notes
    _leave_out_undated(source, dates, moments, sieve)
    note_rows(sieve, moments.unread, "time: cannot be read, taken as missing")
    sieve.leave_out("in the future", _later(moments, now, timezone))
    return moments


def _later(moments: Moments, now: dt.datetime, timezone: str) -> NDArray[np.bool_]:
    """Return which rows are of after ``now`` (UTC), by the clocks of a place."""
    local = pd.Timestamp(now).tz_localize("UTC").tz_convert(timezone).tz_localize(None)
    clock = pd.to_timedelta(np.nan_to_num(moments.seconds), unit="s")
    return np.asarray(moments.day + clock > local, dtype=bool)


def _date(day: np.datetime64) -> dt.date | None:
    return None if np.isnat(day) else pd.Timestamp(day).date()


def _clock(seconds: float) -> dt.time | None:
    if np.isnan(seconds):
        return None
    return (dt.datetime.min + dt.timedelta(seconds=float(seconds))).time()
