"""Measures that count or add up dated points and totals of their own id."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from geodata.cityfile.measures import COUNTED
from geodata.measures.figures import NOTHING, count, in_reach
from geodata.measures.record import Figure, Measure

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

    import pandas as pd
    from numpy.typing import NDArray

    from geodata.cityfile.measures import DeclaredMeasure
    from geodata.measures.ledger import MeasureData
    from spatial.measures.scopes import Scopes

    Ints = NDArray[np.int64]
    Chosen = tuple[Ints, Ints, int]  # totals, points, and how many totals reach beyond the scope

SECTIONS = ("occurrences", "counts")
FORMULA = "sum of totals whose days lie in the period, and of dated points on other days"
CAVEAT = (
    "A total that reaches beyond the period cannot be split; it is left out and counted as missing."
)


def measures_of(declared: Iterable[DeclaredMeasure]) -> list[Measure]:
    """Return the measures that a city declares."""
    return [_measure(one) for one in declared]


def _measure(one: DeclaredMeasure) -> Measure:
    of_section = one.counts in COUNTED
    return Measure(
        id=one.id,
        title=one.title,
        unit=one.unit,
        direction=one.better,
        definition=one.definition or f"{one.title}, as the city records them.",
        formula=f"number of rows of {one.counts}" if of_section else FORMULA,
        figures=partial(count, section=one.counts) if of_section else partial(add_up, name=one.id),
        sources=(one.counts,) if of_section else SECTIONS,
        target=one.target,
        target_source=one.target_source,
        caveat=one.caveat if of_section else f"{one.caveat} {CAVEAT}".strip(),
        owner=one.owner,
        sensitive=one.sensitive,
        disclosure="count" if one.sensitive else "open",
        adds_up=not of_section,
        kinds=one.parts and not of_section,
        key=one.key,
        enforcement=one.enforcement,
        declared_group=one.group,
    )


def data_through(ledger: MeasureData, measure: Measure) -> dt.date | None:
    """Return the last day of the section that a measure has rows in, of the later one of two.

    It is the section's day and not that of the measure's own last row: where rides are recorded to
    the end of March and the last arrest was in January, arrests are known to the end of March.
    """
    ends = [
        extent[1]
        for section in SECTIONS
        if (ledger.table(section)["measure"] == measure.id).any()
        and (extent := ledger.extent(section))
    ]
    return max(ends, default=None)


def has_totals(ledger: MeasureData, measure: Measure) -> bool:
    """Return whether a measure is stated in totals, which no period may cut."""
    return measure.adds_up and bool((ledger.counts["measure"] == measure.id).any())


def by_kind(ledger: MeasureData, scopes: Scopes, measure: Measure) -> list[dict[str | None, float]]:
    """Split a measure by the kind of its rows, the largest first; they add up to it.

    Kind ``None`` is what rows count that have no kind. Empty where the measure has no figure, or
    its kinds do not stand apart.
    """
    if not measure.kinds:
        return [{} for _ in scopes]
    return [
        {} if chosen is None else _kinds(ledger, *chosen[:2])
        for chosen in _choose(ledger, scopes, measure.id)
    ]


def add_up(ledger: MeasureData, scopes: Scopes, *, name: str) -> list[Figure]:
    """Add up totals whose days lie in a scope, and dated points on days without a total."""
    totals = ledger.counts["value"].to_numpy(dtype=float)
    points = ledger.occurrences["value"].to_numpy(dtype=float)
    found = []
    for chosen in _choose(ledger, scopes, name):
        if chosen is None:
            found.append(NOTHING)
            continue
        of_totals, of_points, missing = chosen
        n = len(of_totals) + len(of_points)
        value = None
        if n or not missing:
            value = float(totals[of_totals].sum() + points[of_points].sum())
        found.append(Figure(value=value, n=n, missing=missing))
    return found


def _kinds(ledger: MeasureData, totals: Ints, points: Ints) -> dict[str | None, float]:
    found: dict[str | None, float] = {}
    for frame, rows in ((ledger.counts, totals), (ledger.occurrences, points)):
        chosen = frame.iloc[rows]
        for kind, value in zip(chosen["kind"], chosen["value"], strict=True):
            key = kind if isinstance(kind, str) else None
            found[key] = found.get(key, 0.0) + float(value)
    return dict(sorted(found.items(), key=lambda item: (item[0] is None, -item[1], item[0])))


def _choose(ledger: MeasureData, scopes: Scopes, name: str) -> list[Chosen | None]:
    """Choose the rows of a measure that count in each scope; nothing where nobody looked."""
    seen = in_reach(ledger, "counts", scopes) | in_reach(ledger, "occurrences", scopes)
    mine = (ledger.counts["measure"] == name).to_numpy(dtype=bool)
    of_points = (ledger.occurrences["measure"] == name).to_numpy(dtype=bool)
    if not mine.any() and not of_points.any():
        return [None] * len(scopes)
    rows = np.flatnonzero(mine)
    table = ledger.counts.iloc[rows]
    first, last = (
        table[c].to_numpy(dtype="datetime64[D]").astype(np.int64) for c in ("day", "last")
    )
    district = table["district"].to_numpy(dtype=object)
    everywhere = table["district"].isna().to_numpy(dtype=bool)
    point, total = _spoken_for(ledger.occurrences[of_points], table)
    points = ledger.slices("occurrences", scopes).where(of_points)
    pieces = points.pieces(np.arange(len(of_points)))
    found: list[Chosen | None] = []
    for scope, reached, start, end, inside in zip(
        scopes, seen, scopes.start, scopes.end, pieces, strict=True
    ):
        whole = (first >= start) & (last < end)
        meets = (last >= start) & (first < end)
        if scope.district is not None:
            here = district == scope.district
            whole, meets = whole & here, meets & (here | everywhere)
        kept = np.setdiff1d(inside, point[whole[total]])
        missing = int((meets & ~whole).sum())
        found.append((rows[whole], kept, missing) if reached else None)
    return found


def _spoken_for(points: pd.DataFrame, totals: pd.DataFrame) -> tuple[Ints, Ints]:
    """Pair points with the totals of their day and district, which count them already.

    Returns
    -------
    Positions of the points in the table of all points, and of the totals in ``totals``.
    """
    day, district = points["day"].to_numpy(), points["district"].to_numpy(dtype=object)
    position = points.index.to_numpy(dtype=np.int64)
    pairs: list[tuple[Ints, Ints]] = []
    columns = (totals["day"].to_numpy(), totals["last"].to_numpy(), totals["district"])
    for number, (first, last, code) in enumerate(zip(*columns, strict=True)):
        spoken = (day >= first) & (day <= last)
        if isinstance(code, str):
            spoken &= district == code
        found = position[spoken]
        if len(found):
            pairs.append((found, np.full(len(found), number, dtype=np.int64)))
    if not pairs:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    point, total = (np.concatenate(side) for side in zip(*pairs, strict=True))
    return point, total
