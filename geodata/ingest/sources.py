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
from geodata.ingest.placing import CityFrame, place_points, place_shapes
from geodata.keys import is_rounded, keys_of
from geodata.readers import Layer, read_place
from geodata.readers.dates import read_moments

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from geodata.cityfile.schema import SourcePlace
    from geodata.cityfile.sections import BaseSource, FactorSource, IncidentSource

WHOLE_WITH_POINT = r"-?\d+\.0"
LONGEST_KEY = 120
KEY_DECIMALS = 3  # of a unit: a millimetre or a hair


@dataclass(frozen=True, kw_only=True, eq=False)
class Gathered:
    """Rows of one source, its account so far and the digest of its file."""

    rows: list[dict[str, Any]]
    report: SourceReport
    sha256: str


@dataclass(frozen=True, kw_only=True, eq=False)
class GatheredRecords:
    """Records of one source, a row each, with its account so far and the digest of its file."""

    section: str
    rows: pd.DataFrame
    report: SourceReport
    sha256: str


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
    report.read = len(layer.frame) + layer.extra
    report.leave_out("another number of columns than the header", layer.extra)
    needed = [*columns, place.x, place.y, *place.where.columns]
    _require_columns(place.label, layer.frame, [name for name in needed if name is not None])
    if placed and place.x is None and not isinstance(layer.frame, gpd.GeoDataFrame):
        msg = (
            f'{place.label}: a table has no geometry; name its columns, as in x = "longitude", '
            f'y = "latitude" (it has {", ".join(map(str, layer.frame.columns[:12]))})'
        )
        raise DataError(msg)
    if len(layer.frame) == 0:
        report.notes.append("the file holds no rows")
    rows = np.arange(len(layer.frame)) + layer.first_row
    sieve = Sieve(report, rows)
    if place.where.conditions:
        sieve.leave_out("left out by where", ~place.where.keep(layer.frame), examples=False)
    opened = OpenedSource(layer=layer, frame=layer.frame, sieve=sieve)
    opened.drop_left_out()
    return opened


def gather_incidents(
    source: IncidentSource, city: CityFrame, timezone: str, study_area: shapely.Geometry
) -> Gathered:
    """Read incident rows: outcome, key, date, time and place of each.

    Raises
    ------
    DataError
        If the file cannot be used, or if no row of it has a date or a place in the city.
    """
    columns = [source.id, source.date, source.time, source.outcome_field]
    opened = open_source(source.place, "incidents", columns)
    outcomes = _outcomes(source, opened)
    frame, sieve = opened.frame, opened.sieve
    dates = frame[source.date]
    moments = read_moments(
        dates,
        frame[source.time] if source.time else None,
        date_format=source.date_format,
        timezone=timezone,
    )
    sieve.report.notes += moments.notes
    undated = np.isnat(moments.day)
    if len(frame) and undated.all():
        msg = (
            f"{source.place.label}: no value of column {source.date!r} is a date (row "
            f"{sieve.rows[0]} has {str(dates.iloc[0])[:40]!r}); name the right column or state "
            "date_format"
        )
        raise DataError(msg)
    if sieve.leave_out("bad date", undated, examples=False):
        _tell_bad_dates(sieve, dates, undated, moments.form)
    points = _places(source.place, opened, city)
    days = [None if np.isnat(day) else pd.Timestamp(day).date() for day in moments.day]
    keys = _keys(source, frame, outcomes, moments.day, moments.seconds, points, sieve)
    rows = [
        {
            "outcome": outcomes[i],
            "row_key": keys[i],
            "occurred_on": days[i],
            "occurred_time": _clock(moments.seconds[i]),
            "geom": points[i],
        }
        for i in np.flatnonzero(sieve.keep)
    ]
    _tell_outside([row["geom"] for row in rows], study_area, sieve.report)
    return Gathered(rows=rows, report=sieve.report, sha256=opened.layer.sha256)


def gather_factor(source: FactorSource, city: CityFrame) -> Gathered:
    """Read the features of a factor layer."""
    opened = open_source(source.place, "factors", [])
    shapes = _places(source.place, opened, city)
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


def gather_addresses(place: SourcePlace, city: CityFrame) -> GatheredRecords:
    """Read addresses as bare coordinates; whose they are is never read."""
    opened = open_source(place, "addresses", [])
    points = shapely.centroid(_places(place, opened, city)[opened.sieve.keep])
    xy = np.round(shapely.get_coordinates(points), KEY_DECIMALS)
    rows = pd.DataFrame(xy, columns=["x", "y"])
    return GatheredRecords(
        section="addresses",
        rows=rows.sort_values(["x", "y"], ignore_index=True),
        report=opened.sieve.report,
        sha256=opened.layer.sha256,
    )


def gather_base(source: BaseSource, city: CityFrame) -> Gathered:
    """Read shapes to be drawn under the map."""
    opened = open_source(source.place, "base", [source.name, source.rank])
    shapes = _places(source.place, opened, city)
    keep = opened.sieve.keep
    frame, kept = opened.frame.loc[keep], shapes[keep]
    names = texts_of(frame[source.name])[:] if source.name else [""] * len(kept)
    ranks = (
        pd.to_numeric(frame[source.rank], errors="coerce").fillna(2).clip(1, 3).astype(int).tolist()
        if source.rank
        else [2] * len(kept)
    )
    digests = [
        f"{digest}{hashlib.sha256(f'{name}|{rank}'.encode()).hexdigest()[:8]}"
        for digest, name, rank in zip(_shape_digests(kept), names, ranks, strict=True)
    ]
    rows = [
        {"row_key": key, "name": name[:200], "rank": rank, "geom": shape}
        for key, name, rank, shape in zip(ordinal_keys(digests), names, ranks, kept, strict=True)
    ]
    return Gathered(rows=rows, report=opened.sieve.report, sha256=opened.layer.sha256)


def _require_columns(label: str, frame: pd.DataFrame, needed: list[str]) -> None:
    there = [str(name) for name in frame.columns]
    for name in needed:
        if name not in there:
            near = difflib.get_close_matches(name, there, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            visible = ", ".join(there[:12]) + (" ..." if len(there) > 12 else "")
            msg = f"{label}: there is no column {name!r}{hint} (columns: {visible})"
            raise DataError(msg)


def _outcomes(source: IncidentSource, opened: OpenedSource) -> list[str]:
    """Return the outcome of each row; rows of other outcomes are left out here."""
    if isinstance(source.outcomes, str):
        return [source.outcomes] * len(opened.frame)
    named = pd.Series(texts_of(opened.frame[source.outcome_field])).map(dict(source.outcomes))
    opened.sieve.leave_out("not a listed outcome", named.isna().to_numpy(), examples=False)
    found = named.dropna().tolist()
    opened.drop_left_out()
    return found


def _places(place: SourcePlace, opened: OpenedSource, city: CityFrame) -> NDArray[np.object_]:
    frame = opened.frame
    if len(frame) == 0:
        return np.array([], dtype=object)
    if place.x is not None and place.y is not None and place.crs is not None:
        return place_points(frame[place.x], frame[place.y], place.crs, city, opened.sieve)
    return place_shapes(gpd.GeoSeries(frame.geometry), city, opened.sieve)


def _tell_bad_dates(sieve: Sieve, dates: pd.Series, undated: NDArray[np.bool_], form: str) -> None:
    first = int(np.flatnonzero(undated)[0])
    sieve.report.notes.append(
        f"bad date: {int(undated.sum())} ({name_rows(sieve.rows[undated])}; "
        f"{str(dates.iloc[first])[:40]!r} does not fit the form of the others, {form})"
    )


def _tell_outside(points: list[Any], study_area: shapely.Geometry, report: SourceReport) -> None:
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
        repeated = np.zeros(len(keys), dtype=bool)
        kept = np.flatnonzero(sieve.keep)
        repeated[kept] = known.iloc[kept].duplicated().to_numpy()
        sieve.leave_out("repeated id", repeated)
        return keys
    texts = []
    for i, keep in enumerate(sieve.keep):
        x, y = (points[i].x, points[i].y) if keep else (0.0, 0.0)
        place = f"{x:.{KEY_DECIMALS}f}|{y:.{KEY_DECIMALS}f}"
        texts.append(digest_text(f"{outcomes[i]}|{days[i]}|{seconds[i]}|{place}"))
    return ordinal_keys(texts)


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
    return [value if len(value) <= LONGEST_KEY else digest_text(value) for value in ids]


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


def _clock(seconds: float) -> dt.time | None:
    if np.isnan(seconds):
        return None
    return (dt.datetime.min + dt.timedelta(seconds=float(seconds))).time()
