"""Places of rows: their own coordinates where they have them, else found by their address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.errors import DataError
from geodata.geocoding.match import MatchRules, account, find_all
from geodata.import_report import Sieve
from geodata.ingest.placing import NO_PLACE

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from geodata.cityfile.schema import SourcePlace
    from geodata.geocoding.index import AddressIndex
    from geodata.geocoding.match import AddressMatch

    Place = Callable[[pd.DataFrame, Sieve], NDArray[np.object_]]

MOST_NOTED = 5
LATER = "address: looked for when it is imported"


@dataclass(frozen=True, kw_only=True, eq=False)
class Locator:
    """Finds addresses in a city, within rules."""

    index: AddressIndex
    rules: MatchRules


@dataclass(frozen=True, kw_only=True, eq=False)
class Placed:
    """Places of rows in the city's reference system, shape ``(rows,)``, and how they are known.

    A row with coordinates of its own has neither method nor score.
    """

    points: NDArray[np.object_]
    methods: NDArray[np.object_]
    scores: NDArray[np.object_]


def place_rows(
    frame: pd.DataFrame,
    sieve: Sieve,
    source: SourcePlace,
    column: str | None,
    locator: Locator | None,
    place: Place,
) -> Placed:
    """Place rows; those that cannot be placed are left out through the sieve.

    Parameters
    ----------
    frame, sieve, source
        The rows, their account, and what holds their coordinates.
    column, locator
        The column of their address, and what finds it; without that, rows that need it are left
        out. Rows with coordinates never need it.
    place
        Places rows by their coordinates.

    Raises
    ------
    DataError
        If no row at all can be placed.
    """
    rows = len(frame)
    placed = Placed(
        points=np.full(rows, None, dtype=object),
        methods=np.full(rows, None, dtype=object),
        scores=np.full(rows, None, dtype=object),
    )
    missing = without_place(frame, source)
    if column is None or not missing.any():
        placed.points[:] = place(frame, sieve)
        return placed
    texts = frame[column].astype("string").fillna("").str.strip()
    blank = (texts == "").to_numpy(dtype=bool)
    sieve.leave_out(NO_PLACE, missing & blank)
    _place_part(frame, sieve, ~missing, place, placed)
    if locator is None:
        sieve.leave_out(LATER, missing & ~blank)
        return placed
    wanted = np.flatnonzero(missing & ~blank & sieve.keep)
    found = find_all(locator.index, texts.iloc[wanted].tolist(), locator.rules)
    _take(sieve, wanted, found, placed)
    sieve.report.addresses = account(found)
    _note(sieve, sieve.report.addresses)
    if not sieve.keep.any():
        causes = ", ".join(f"{n} {why}" for why, n in sieve.report.left_out.items())
        msg = (
            f"{sieve.report.source}, column {column}: no row can be placed ({causes}); check that "
            f"{column!r} holds addresses and that [addresses] is of this city. Nothing was stored"
        )
        raise DataError(msg)
    return placed


def without_place(frame: pd.DataFrame, source: SourcePlace) -> NDArray[np.bool_]:
    """Return which rows have no coordinates: an empty one, or 0 and 0; shape ``(rows,)``."""
    columns = [name for name in (source.x, source.y, source.latlon) if name is not None]
    if columns:
        texts = [frame[name].astype("string").fillna("").str.strip() for name in columns]
        blank = [(text == "").to_numpy(dtype=bool) for text in texts]
        zero = [pd.to_numeric(text, errors="coerce").to_numpy(dtype=float) == 0 for text in texts]
        return np.asarray(np.any(blank, axis=0) | np.all(zero, axis=0), dtype=bool)
    if isinstance(frame, gpd.GeoDataFrame):
        shapes = np.asarray(frame.geometry.array, dtype=object)
        return np.asarray(shapely.is_missing(shapes) | shapely.is_empty(shapes), dtype=bool)
    return np.ones(len(frame), dtype=bool)


def _place_part(
    frame: pd.DataFrame, sieve: Sieve, mask: NDArray[np.bool_], place: Place, placed: Placed
) -> None:
    """Place some rows by their coordinates, in the account of them all."""
    part = Sieve(sieve.report, sieve.rows[mask])
    part.keep &= sieve.keep[mask]
    placed.points[mask] = place(frame.loc[mask].reset_index(drop=True), part)
    sieve.keep[mask] = part.keep


def _take(
    sieve: Sieve, wanted: NDArray[np.int64], found: list[AddressMatch], placed: Placed
) -> None:
    """Put what was found in its rows, and leave out the rest by reason."""
    reasons = np.full(len(sieve.rows), "", dtype=object)
    for row, one in zip(wanted.tolist(), found, strict=True):
        if one.why:
            reasons[row] = one.why
            continue
        placed.points[row] = shapely.Point(one.x, one.y)
        placed.methods[row], placed.scores[row] = one.method, one.score
    for why in dict.fromkeys(one.why for one in found if one.why):
        sieve.leave_out(f"address: {why}", reasons == why)


def _note(sieve: Sieve, counts: dict[str, Any]) -> None:
    """Say in words how addresses were matched, and what was missed most."""
    if not counts["rows"]:
        return
    matched = sum(counts["matched"].values())
    ways = ", ".join(f"{method} {number:,}" for method, number in counts["matched"].items())
    sieve.report.notes.append(
        f"placed by their address: {matched:,} of {counts['rows']:,} rows without coordinates"
        + (f" ({ways})" if ways else "")
    )
    if counts["misses"]:
        most = "; ".join(
            f"{one['street']}: {one['why']}, {one['rows']:,} rows"
            for one in counts["misses"][:MOST_NOTED]
        )
        sieve.report.notes.append(f"addresses missed most: {most}")
