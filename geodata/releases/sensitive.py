"""Counts that the public may see only where they are not small: by measure, place and month.

All counts of one table are hidden together: months, districts, the city and whole periods, what is
known of them anyway, and what earlier releases showed. See :mod:`spatial.disclosure.linked`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_array

from geodata.releases.rules import HITS, OUTSIDE
from spatial.disclosure.linked import (
    FEWER,
    HELD,
    HIDDEN,
    LEAST_SHOWN,
    SHOWN,
    VEILED,
    Linked,
    PublicTable,
    faults_of,
    suppress_linked,
)

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from spatial.measures.scopes import Scope

    Counts = NDArray[np.int64]
    Flags = NDArray[np.bool_]
    Bounds = NDArray[np.float64]

CITY = ""
LONGEST_MONTH = 31  # days
Where = tuple[str, str, "dt.date", "dt.date"]  # measure, place, first day, day after the last


def hits_of(digest: str) -> str:
    """Name the counts of incidents inside the zones of a run, by the run's digest."""
    return f"{HITS} {digest}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CountDisclosure:
    """One count: its label (:mod:`spatial.disclosure.linked`), and the count if it is published."""

    label: int
    value: int | None

    def tells_more_than(self, other: CountDisclosure) -> bool:
        """Return whether this narrows a count down further: a number most, then fewer than 5."""
        ranks = {SHOWN: 0, FEWER: 1}
        return ranks.get(np.int8(self.label), 2) < ranks.get(np.int8(other.label), 2)


@dataclass(frozen=True, kw_only=True, eq=False)
class SensitiveCounts:
    """Counts by measure, place and whole month.

    Parameters
    ----------
    measures, places, months
        Names of the axes; ``places`` are districts and, last, everywhere outside of them. Months
        are whole ones that are published, unless the table is ``fine``.
    counts
        Shape ``(measures, places, months)``.
    known
        What all measures add up to, shape ``(places, months)``, where the public knows it.
    at_most
        Whether ``known`` is only the most that the counts can be: what they are a part of.
    fine
        Whether days are cut anywhere: then ``months`` are pieces, and only spans are published.
    of_city
        Spans that are published of the whole city only.
    at_least
        What counts are at least, as other tables of the release tell.
    """

    measures: tuple[str, ...]
    places: tuple[str, ...]
    months: tuple[Scope, ...]
    counts: Counts
    known: Counts | None = None
    at_most: bool = False
    fine: bool = False
    of_city: frozenset[tuple[dt.date, dt.date]] = frozenset()
    at_least: Mapping[Where, int] = field(default_factory=dict)


@dataclass(kw_only=True, eq=False)
class _Builder:
    """Numbers the counts of a table and writes down how they add up."""

    value: list[int] = field(default_factory=list)
    totals: list[int] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    bundle: list[int] = field(default_factory=list)
    rows: list[tuple[int, int, int]] = field(default_factory=list)
    sums: int = 0
    bundle_next: int = -1

    def add(self, value: int, name: str, totals: int, bundle: int = -1) -> int:
        self.value.append(int(value))
        self.names.append(name)
        self.totals.append(totals)
        self.bundle.append(bundle)
        return len(self.value) - 1

    def total(self, parts: Iterable[int], total: int | None) -> None:
        """Note that parts add up to a total, or to something that is known."""
        self.rows += [(self.sums, part, 1) for part in parts]
        if total is not None:
            self.rows.append((self.sums, total, -1))
        self.sums += 1

    def linked(self, known: Flags, group: Counts, silent: Flags, bounds: Bounds) -> Linked:
        """Return the counts with their sums: what is known, what hides together, what is silent."""
        rows, columns, signs = zip(*self.rows, strict=True)
        return Linked(
            value=np.array(self.value, dtype=np.int64),
            sums=coo_array((signs, (rows, columns)), shape=(self.sums, len(self.value))).tocsr(),
            known=known & ~silent,
            group=np.where(silent, -1, group),
            totals=np.array(self.totals, dtype=np.int64),
            names=self.names,
            said_low=bounds[0],
            said_high=bounds[1],
            bundle=np.where(silent, -1, np.where(group >= 0, group, self.bundle)),
            silent=silent,
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Hidden:
    """A table as it is published: ``told`` by measure, place, first day and day after the last."""

    told: Mapping[Where, CountDisclosure]
    public: PublicTable
    linked: Linked
    position: Mapping[Where, int]

    def audit(self, options: Mapping[Where, CountDisclosure]) -> tuple[str, ...]:
        """Name what breaks the rule where a file says these things of the table.

        What a release does not say, such as counts outside of all districts, is taken as public
        where it is not hidden here: an outsider may know it.
        """
        label, value = self.public.label.copy(), self.public.value.copy()
        for where, result in options.items():
            if where in self.position:
                label[self.position[where]] = result.label
                value[self.position[where]] = HIDDEN if result.value is None else result.value
        return faults_of(self.linked, PublicTable(label=label, value=value))


def hide(
    table: SensitiveCounts,
    spans: Sequence[tuple[dt.date, dt.date]],
    earlier: Mapping[Where, CountDisclosure],
) -> Hidden:
    """Decide what of a table is shown.

    Parameters
    ----------
    table
        The true counts.
    spans
        Periods of whole months whose sums are published beside the months; the one that must be
        shown before all others first.
    earlier
        What releases that were public stated of the same measures; what no longer agrees with the
        counts is about other data and is left out.

    Raises
    ------
    MaskingError
        If a small count follows from what is public already.
    """
    built = _Builder()
    ends = [(month.start, month.end) for month in table.months]
    wanted = list(dict.fromkeys([*(() if table.fine else ends), *spans]))
    options = _still_true(table, earlier)
    every = list(dict.fromkeys([*ends, *wanted, *((where[2], where[3]) for where in options)]))
    parts = {
        span: [i for i, (a, b) in enumerate(ends) if a >= span[0] and b <= span[1]]
        for span in every
    }
    position: dict[Where, int] = {}
    level = {span: len(spans) + 2 - at for at, span in reversed(list(enumerate(spans)))}
    _number(built, table, every, parts, position, level)
    group, empty = _group(built, table, every, parts, position)
    before, visible, bounds = _remember(built, table, position, options)
    told_of = {
        where
        for where in position
        if where[2:] in wanted and (where[1] == CITY or where[2:] not in table.of_city)
    }
    silent = np.ones(len(built.value), dtype=bool)
    silent[[position[where] for where in told_of.union(options)]] = False
    linked = built.linked(visible | empty, group, silent, bounds)
    public = suppress_linked(linked, before=before)
    document = {
        where: CountDisclosure(
            label=int(public.label[at]),
            value=int(public.value[at]) if public.label[at] == SHOWN else None,
        )
        for where, at in position.items()
        if where in told_of
    }
    return Hidden(
        told=document,
        public=public,
        linked=linked,
        position={where: position[where] for where in document},
    )


def _number(
    built: _Builder,
    table: SensitiveCounts,
    wanted: Sequence[tuple[dt.date, dt.date]],
    parts: Mapping[tuple[dt.date, dt.date], list[int]],
    position: dict[Where, int],
    level: Mapping[tuple[dt.date, dt.date], int],
) -> None:
    """Return every count a number, and write down how they add up.

    Of the levels a district and month is the lowest; then come a month of the city, a period of a
    district, and a period of the city. What is not given goes together: the districts of a month
    or period, and the months of a year of the city.
    """
    whole = np.concatenate([table.counts, table.counts.sum(axis=1, keepdims=True)], axis=1)
    places = (*table.places, CITY)
    bundles: dict[tuple[str, object], int] = {}
    for m, measure in enumerate(table.measures):
        for span in wanted:
            months, of_months = parts[span], (span[1] - span[0]).days <= LONGEST_MONTH
            for p, place in enumerate(places):
                together = span if place != CITY else span[0].year if of_months else None
                bundle = -1
                if together is not None:
                    bundle = bundles.setdefault((measure, together), len(bundles))
                position[measure, place, *span] = built.add(
                    whole[m, p, months].sum(),
                    f"{measure}, {place or 'the whole city'}, {span[0]} to {span[1]}",
                    _level(place, level.get(span, 3), of_months=of_months),
                    bundle,
                )
            built.total(
                [position[measure, place, *span] for place in table.places],
                position[measure, CITY, *span],
            )
        for place in places:
            for span in wanted[len(table.months) :]:
                months_at = [
                    position[measure, place, table.months[i].start, table.months[i].end]
                    for i in parts[span]
                ]
                built.total(months_at, position[measure, place, *span])


def _level(place: str, of_city: int, *, of_months: bool) -> int:
    if of_months:
        return int(place == CITY)
    return of_city if place == CITY else 2


def _group(
    built: _Builder,
    table: SensitiveCounts,
    wanted: Sequence[tuple[dt.date, dt.date]],
    parts: Mapping[tuple[dt.date, dt.date], list[int]],
    position: Mapping[Where, int],
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Put the counts that a known number limits into one group; tell those of nothing at all."""
    size = len(built.value)
    group, empty = np.full(size, -1), np.zeros(size, dtype=bool)
    if table.known is None:
        return group, empty
    known = np.concatenate([table.known, table.known.sum(axis=0, keepdims=True)])
    rest: list[int] = []
    for p, place in enumerate((*table.places, CITY)):
        for number, span in enumerate(wanted):
            members = [position[measure, place, *span] for measure in table.measures]
            most = int(known[p, parts[span]].sum())
            if not table.at_most:
                built.total(members, None)
            elif place == OUTSIDE:  # zones of a district can reach out of it
                empty[members] = True
                continue
            elif number < len(table.months):  # sums over more days are limited by these
                left = most - sum(built.value[at] for at in members)
                rest.append(built.add(left, f"the rest of {place}, {span[0]}", 0))
                built.total([*members, rest[-1]], None)
            group[members] = p * len(wanted) + number
            empty[members] |= most == 0
    return (
        np.append(group, np.full(len(rest), -1)),
        np.append(empty, np.zeros(len(rest), dtype=bool)),
    )


def _still_true(
    table: SensitiveCounts, earlier: Mapping[Where, CountDisclosure]
) -> dict[Where, CountDisclosure]:
    """Choose what earlier releases stated of these counts, as far as it still agrees with them."""
    starts = {month.start for month in table.months}
    ends = {month.end for month in table.months}
    months = np.array([[month.start, month.end] for month in table.months])
    found: dict[Where, CountDisclosure] = {}
    for where, result in earlier.items():
        measure, place, start, end = where
        if measure not in table.measures or start not in starts or end not in ends:
            continue
        if place not in (*table.places, CITY):
            continue
        rows = slice(None) if place == CITY else table.places.index(place)
        inside = (months[:, 0] >= start) & (months[:, 1] <= end)
        value = int(table.counts[table.measures.index(measure), rows][..., inside].sum())
        in_group = table.known is not None
        agrees = {
            SHOWN: result.value == value,
            HELD: in_group or value > 0,
            VEILED: True,
        }.get(np.int8(result.label), in_group or value > 0)
        if agrees:
            found[where] = result
    return found


def _remember(
    built: _Builder,
    table: SensitiveCounts,
    position: Mapping[Where, int],
    options: Mapping[Where, CountDisclosure],
) -> tuple[NDArray[np.int8], NDArray[np.bool_], NDArray[np.float64]]:
    """Write down what earlier releases stated.

    Returns
    -------
    Label of each count, whether it was shown, and between what it was stated to lie, shape
    ``(2, n)``.
    """
    size = len(built.value)
    label, public = np.zeros(size, dtype=np.int8), np.zeros(size, dtype=bool)
    limits = np.tile([[0.0], [np.inf]], size)
    for where, result in options.items():
        at = position[where]
        if result.label == SHOWN:
            public[at] = True
        else:
            label[at] = result.label
            limits[:, at] = _bounds(result, built.value[at], in_group=table.known is not None)
    for where, least in table.at_least.items():
        at = position[where]
        limits[0, at] = max(limits[0, at], min(least, built.value[at]))
    return label, public, limits


def _bounds(disclosure: CountDisclosure, value: int, *, in_group: bool) -> tuple[float, float]:
    """Return between what a label says that a count lies; nothing where the count has changed."""
    least, most = {
        FEWER: (0.0 if in_group else 1.0, float(LEAST_SHOWN - 1)),
        HELD: (float(LEAST_SHOWN) if in_group else 1.0, np.inf),
    }.get(np.int8(disclosure.label), (0.0, np.inf))
    return (least, most) if least <= value <= most else (0.0, np.inf)
