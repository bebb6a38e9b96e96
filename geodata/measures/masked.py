"""What single alerts led to, as far as it may be told: by whole months, no small count.

Outcomes are counted by month and district in one table for each calendar year, and the table
decides what is shown (:mod:`spatial.disclosure.suppression`). A figure for any other period is
added up from what is shown there, so it gives nothing away that the tables do not. The total of a
year is shown when the year is over: before, each new month would be the difference of two totals.
A month is published when the rows go to its end.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from geodata.measures.record import Scope
from geodata.measures.registry import MEASURES, data_through
from spatial.disclosure.linked import LEAST_SHOWN
from spatial.disclosure.suppression import (
    FEWER,
    HELD,
    HIDDEN,
    SHOWN,
    PublicTable,
    audit,
    suppress,
    with_totals,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, MutableMapping, Sequence

    from numpy.typing import NDArray

    from geodata.measures.ledger import Ledger
    from geodata.measures.record import Figure, Measure

LONG_DAYS = 360  # a period as long as this is told by the last whole year, where it cannot be told
DISPOSED = (
    "alerts.confirmed",
    "alerts.unconfirmed",
    "alerts.unfounded",
    "alerts.no_disposition",
)
LOCATED = "alerts.located_25m"
PER_100 = {"alerts.guns_per_100": "alerts.guns", "alerts.arrests_per_100": "alerts.arrests"}
SMALL = "fewer than 5"
PART = "a part of it is fewer than 5, or would give such a number away"
MONTHS_ONLY = "told for whole months that are over"
NONE = "the rows tell no such counts by month"


@dataclass(frozen=True, kw_only=True)
class Told:
    """A figure and the days that it is about, or why there is none."""

    figure: Figure | None
    scope: Scope
    withheld: str = ""


@dataclass(frozen=True, kw_only=True, eq=False)
class _Year:
    """The table of one calendar year.

    ``label`` and ``value`` have the axes part, district (then elsewhere, then the city) and month
    (then the year).
    """

    number: int
    months: tuple[Scope, ...]
    over: bool
    label: NDArray[np.int8]
    value: NDArray[np.int64]


class Masks:
    """The tables of a city's sensitive measures, each made when first asked for.

    Parameters
    ----------
    kept
        Tables by the digest of their counts, to be used again and added to: a year that is over
        does not change with each import, and deciding on its table takes seconds.
    """

    def __init__(self, kept: MutableMapping[str, PublicTable] | None = None) -> None:
        self._years: dict[str, tuple[_Year, ...]] = {}
        self._kept = kept if kept is not None else {}

    def tell(self, ledger: Ledger, scope: Scope, measure: Measure) -> Told:
        """Tell a sensitive measure in the whole months of a scope.

        A long period that cannot be told is told by the last calendar year that is over; the scope
        of the answer says so.
        """
        years = self._tables(ledger, measure)
        told = _within(ledger, years, scope, measure)
        long = (scope.end - scope.start).days >= LONG_DAYS
        over = [year for year in years if year.over and year.months[0].start < scope.end]
        if told.figure is None and long and over:
            instead = _within(ledger, years, _whole(over[-1], scope), measure)
            return instead if instead.figure is not None else told
        return told

    def _tables(self, ledger: Ledger, measure: Measure) -> tuple[_Year, ...]:
        """Give the tables that a measure is told from, made once for measures that share them."""
        identity = PER_100.get(measure.id, measure.id)
        family = DISPOSED[0] if identity in DISPOSED else identity
        if family not in self._years:
            self._years[family] = tuple(self._make(ledger, family))
        return self._years[family]

    def _make(self, ledger: Ledger, family: str) -> Iterator[_Year]:
        """Make the table of each year that a measure has months of which may be told."""
        months = _months(ledger, MEASURES[family])
        for number in sorted({month.start.year for month in months}):
            mine = [month for month in months if month.start.year == number]
            columns = [(month, _column(ledger, month, family)) for month in mine]
            known = [(month, column) for month, column in columns if column is not None]
            if not known:
                continue
            counts = np.moveaxis(np.array([column for _, column in known]), 0, -1)
            label, value = self._label(counts, public_sums=family == DISPOSED[0])
            yield _Year(
                number=number,
                months=tuple(month for month, _ in known),
                over=mine[-1].start.month == 12,
                label=label,
                value=value,
            )

    def _label(
        self, counts: NDArray[np.int64], *, public_sums: bool
    ) -> tuple[NDArray[np.int8], NDArray[np.int64]]:
        """Decide what is shown of parts by places by months, with totals over the last two axes.

        One part is one table of places by months. Several parts are shown by month for the whole
        city and by place for the whole year, never by both: two tables that share nothing but the
        totals of the parts. Where one of these is not shown, there is no table by place.
        """
        if len(counts) == 1:
            table = self._table(counts[0])
            return table.label[np.newaxis], table.value[np.newaxis]
        parts, places, months = counts.shape
        label = np.full((parts, places + 1, months + 1), HELD)
        value = np.full(label.shape, HIDDEN)
        by_month = self._table(counts.sum(axis=1), public_sums=public_sums)
        by_place = self._table(counts.sum(axis=2), public_sums=public_sums)
        if (by_month.label[:, -1] == SHOWN).all() and (by_place.label[:, -1] == SHOWN).all():
            label[:, :, -1], value[:, :, -1] = by_place.label[:-1], by_place.value[:-1]
        label[:, -1, :], value[:, -1, :] = by_month.label[:-1], by_month.value[:-1]
        return label, value

    def _table(self, counts: NDArray[np.int64], *, public_sums: bool = False) -> PublicTable:
        """Decide on one table; with ``public_sums`` the sums over its first axis are known."""
        digest = hashlib.sha256(repr((public_sums, counts.tolist())).encode()).hexdigest()
        if digest not in self._kept:
            found = suppress(counts)
            self._kept[digest] = _with_sums(counts, found) if public_sums else found
        return self._kept[digest]


def _with_sums(counts: NDArray[np.int64], table: PublicTable) -> PublicTable:
    """Show the sums over the first axis, and hold back more where they would give a count away."""
    truth = with_totals(counts)
    inner = (slice(-1), slice(-1))
    for everything in (False, True):
        label = table.label.copy()
        if everything:
            label[inner][truth[inner] > 0] = HELD
        sums = truth[-1] >= LEAST_SHOWN
        label[-1][sums] = SHOWN
        shown = PublicTable(label=label, value=np.where(label == SHOWN, truth, HIDDEN))
        if not audit(counts, shown).faults:
            return shown
    label = np.where(truth > 0, HELD, SHOWN)
    return PublicTable(label=label, value=np.where(label == SHOWN, truth, HIDDEN))


def _months(ledger: Ledger, measure: Measure) -> list[Scope]:
    """Give the calendar months that may be told: those that are over, with all of their rows."""
    through = data_through(ledger, measure)
    first = min(
        (extent[0] for source in measure.sources if (extent := ledger.extent(source))), default=None
    )
    if through is None or first is None:
        return []
    last = min(through, ledger.today - dt.timedelta(days=1))
    found, start = [], first.replace(day=1)
    while (end := _next(start)) <= last + dt.timedelta(days=1):
        found.append(Scope(start=start, end=end))
        start = end
    return found


def _next(day: dt.date) -> dt.date:
    return dt.date(day.year + day.month // 12, day.month % 12 + 1, 1)


def _column(ledger: Ledger, month: Scope, family: str) -> list[list[int]] | None:
    """Count the parts of a measure in a month, in each district and elsewhere.

    Returns
    -------
    One list a part; nothing where the month is not told in whole numbers.
    """
    whole = _parts(ledger, month, family)
    if whole is None or any(number != int(number) for number in whole):
        return None
    codes = list(ledger.city.districts["code"])
    split = [
        _parts(ledger, replace(month, district=code), family) or [0.0] * len(whole)
        for code in codes
    ]
    columns = []
    for part, number in enumerate(whole):
        mine = [one[part] for one in split]
        if sum(mine) > number or any(value != int(value) for value in mine):
            return None
        columns.append([int(value) for value in (*mine, number - sum(mine))])
    return columns


def _parts(ledger: Ledger, scope: Scope, family: str) -> list[float] | None:
    """Count what adds up to a measure's rows: four dispositions, placed well or not, or itself."""
    if family == DISPOSED[0]:
        figures = [MEASURES[identity].compute(ledger, scope) for identity in DISPOSED]
        return [figure.numerator or 0.0 for figure in figures] if figures[0].n else None
    figure = MEASURES[family].compute(ledger, scope)
    if family == LOCATED:
        if figure.numerator is None or figure.denominator is None:
            return None
        return [figure.numerator, figure.denominator - figure.numerator]
    return None if figure.value is None else [figure.value]


def _whole(year: _Year, scope: Scope) -> Scope:
    return scope.within(dt.date(year.number, 1, 1), dt.date(year.number + 1, 1, 1))


def _within(ledger: Ledger, years: Sequence[_Year], scope: Scope, measure: Measure) -> Told:
    """Add up what is shown of the whole months in a scope."""
    first = min((first for first, _ in ledger.extents.values()), default=scope.start)
    place = _place(ledger, scope)
    chosen = []
    for year in years:
        mine = [
            i
            for i, month in enumerate(year.months)
            if max(month.start, first) >= scope.start and month.end <= scope.end
        ]
        if mine:
            chosen.append((year, mine))
    if not chosen:
        return Told(figure=None, scope=scope, withheld=MONTHS_ONLY if years else NONE)
    days = scope.within(
        chosen[0][0].months[chosen[0][1][0]].start, chosen[-1][0].months[chosen[-1][1][-1]].end
    )
    label, value = (
        np.concatenate(
            [
                getattr(year, what)[:, place, [-1] if _all_of(year, mine) else mine]
                for year, mine in chosen
            ],
            axis=1,
        )
        for what in ("label", "value")
    )
    return _tell(ledger, days, measure, label, value)


def _all_of(year: _Year, chosen: Sequence[int]) -> bool:
    """Tell whether a whole year that is over is chosen, so that its total stands for it."""
    return year.over and len(chosen) == len(year.months)


def _tell(
    ledger: Ledger,
    days: Scope,
    measure: Measure,
    label: NDArray[np.int8],
    value: NDArray[np.int64],
) -> Told:
    """Tell a measure of days whose counts all are shown.

    Parameters
    ----------
    ledger, days, measure
        Rows, the whole months, the measure.
    label, value
        One row a part, one column for each month or year that is added up.
    """
    identity = PER_100.get(measure.id, measure.id)
    part = DISPOSED.index(identity) if identity in DISPOSED else 0
    needed = slice(None) if identity == LOCATED else slice(part, part + 1)
    if (label[needed] != SHOWN).any():
        small = label[needed].size == 1 and label[needed].item() == FEWER
        return Told(figure=None, scope=days, withheld=SMALL if small else PART)
    figure = measure.compute(ledger, days)
    counted = figure.value if figure.numerator is None else figure.numerator
    if counted is None or counted != value[part].sum():  # rows that no month holds
        return Told(figure=None, scope=days, withheld=NONE)
    return Told(figure=figure, scope=days)


def _place(ledger: Ledger, scope: Scope) -> int:
    """Give the place of a scope's district in a table; the last is the whole city."""
    if scope.district is None:
        return -1
    return list(ledger.city.districts["code"]).index(scope.district)
