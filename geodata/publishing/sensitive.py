"""Counts that the public may see only where they are not small: by measure, place and month.

All counts of one table are hidden together: months, districts, the city and whole periods, what is
known of them anyway, and what earlier releases showed. See :mod:`spatial.masking.linked`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_array

from spatial.masking.linked import (
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

    from geodata.measures.record import Scope

    Counts = NDArray[np.int64]

CITY = ""
Where = tuple[str, str, "dt.date", "dt.date"]  # measure, place, first day, day after the last


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What is said of one count: its label (:mod:`spatial.masking.linked`), the count if shown."""

    label: int
    value: int | None

    def tells_more_than(self, other: Told) -> bool:
        """Tell whether this narrows a count down further: a number most, then fewer than 5."""
        ranks = {SHOWN: 0, FEWER: 1}
        return ranks.get(np.int8(self.label), 2) < ranks.get(np.int8(other.label), 2)


@dataclass(frozen=True, kw_only=True, eq=False)
class CountTable:
    """Counts by measure, place and whole month.

    Parameters
    ----------
    measures, places, months
        Names of the axes; ``places`` are districts and, last, everywhere outside of them.
    counts
        Shape ``(measures, places, months)``.
    known
        What all measures add up to, shape ``(places, months)``, where the public knows it.
    """

    measures: tuple[str, ...]
    places: tuple[str, ...]
    months: tuple[Scope, ...]
    counts: Counts
    known: Counts | None = None


@dataclass(kw_only=True, eq=False)
class _Builder:
    """Numbers the counts of a table and writes down how they add up."""

    value: list[int] = field(default_factory=list)
    totals: list[int] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    rows: list[tuple[int, int, int]] = field(default_factory=list)
    sums: int = 0

    def add(self, value: int, name: str, totals: int) -> int:
        self.value.append(int(value))
        self.names.append(name)
        self.totals.append(totals)
        return len(self.value) - 1

    def total(self, parts: Iterable[int], total: int | None) -> None:
        """Note that parts add up to a total, or to something that is known."""
        self.rows += [(self.sums, part, 1) for part in parts]
        if total is not None:
            self.rows.append((self.sums, total, -1))
        self.sums += 1


@dataclass(frozen=True, kw_only=True, eq=False)
class Hidden:
    """A table as it is published: ``told`` by measure, place, first day and day after the last."""

    told: Mapping[Where, Told]
    public: PublicTable
    linked: Linked
    position: Mapping[Where, int]

    def audit(self, said: Mapping[Where, Told]) -> tuple[str, ...]:
        """Name what breaks the rule where a file says these things of the table.

        What a release does not say, such as counts outside of all districts, is taken as public
        where it is not hidden here: an outsider may know it.
        """
        label, value = self.public.label.copy(), self.public.value.copy()
        for where, told in said.items():
            if where in self.position:
                label[self.position[where]] = told.label
                value[self.position[where]] = HIDDEN if told.value is None else told.value
        return faults_of(self.linked, PublicTable(label=label, value=value))


def hide(
    table: CountTable,
    spans: Sequence[tuple[dt.date, dt.date]],
    earlier: Mapping[Where, Told],
) -> Hidden:
    """Decide what of a table is shown.

    Parameters
    ----------
    table
        The true counts.
    spans
        Periods of whole months whose sums are published beside the months.
    earlier
        What releases that were public said of the same measures; what no longer agrees with the
        counts is about other data and is left out.

    Raises
    ------
    MaskingError
        If a small count follows from what is public already.
    """
    built = _Builder()
    ends = [(month.start, month.end) for month in table.months]
    wanted = list(dict.fromkeys([*ends, *spans]))
    parts = {
        span: [i for i, (a, b) in enumerate(ends) if a >= span[0] and b <= span[1]]
        for span in [*wanted, *((where[2], where[3]) for where in earlier)]
    }
    position: dict[Where, int] = {}
    _number(built, table, wanted, parts, position)
    size = len(built.value)
    group, empty = _group(built, table, wanted, position)
    before, known, bounds = _remember(built, table, parts, position, earlier)
    more = len(built.value) - size
    rows, columns, signs = zip(*built.rows, strict=True)
    linked = Linked(
        value=np.array(built.value, dtype=np.int64),
        sums=coo_array((signs, (rows, columns)), shape=(built.sums, len(built.value))).tocsr(),
        known=known | np.append(empty, np.zeros(more, dtype=bool)),
        group=np.append(group, np.full(more, -1)),
        totals=np.array(built.totals, dtype=np.int64),
        names=built.names,
        said_low=bounds[0],
        said_high=bounds[1],
    )
    public = suppress_linked(linked, before=before)
    told = {
        where: Told(
            label=int(public.label[at]),
            value=int(public.value[at]) if public.label[at] == SHOWN else None,
        )
        for where, at in position.items()
        if (where[2], where[3]) in wanted
    }
    return Hidden(
        told=told,
        public=public,
        linked=linked,
        position={where: position[where] for where in told},
    )


def _number(
    built: _Builder,
    table: CountTable,
    wanted: Sequence[tuple[dt.date, dt.date]],
    parts: Mapping[tuple[dt.date, dt.date], list[int]],
    position: dict[Where, int],
) -> None:
    """Give every published count a number, and write down how they add up."""
    whole = np.concatenate([table.counts, table.counts.sum(axis=1, keepdims=True)], axis=1)
    places = (*table.places, CITY)
    for m, measure in enumerate(table.measures):
        for span in wanted:
            months = parts[span]
            own = [
                built.add(
                    whole[m, p, months].sum(),
                    f"{measure}, {place or 'the whole city'}, {span[0]} to {span[1]}",
                    (place == CITY) + (len(months) > 1),
                )
                for p, place in enumerate(places)
            ]
            position |= {(measure, place, *span): at for place, at in zip(places, own, strict=True)}
            built.total(own[:-1], own[-1])
        for place in places:
            for span in wanted[len(table.months) :]:
                months_at = [
                    position[measure, place, table.months[i].start, table.months[i].end]
                    for i in parts[span]
                ]
                built.total(months_at, position[measure, place, *span])


def _group(
    built: _Builder,
    table: CountTable,
    wanted: Sequence[tuple[dt.date, dt.date]],
    position: Mapping[Where, int],
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Put the counts that add up to a known number into one group; tell those of nothing at all."""
    group, empty = np.full(len(built.value), -1), np.zeros(len(built.value), dtype=bool)
    if table.known is None:
        return group, empty
    number = 0
    for place in (*table.places, CITY):
        for span in wanted:
            members = [position[measure, place, *span] for measure in table.measures]
            built.total(members, None)
            group[members] = number
            empty[members] = sum(built.value[at] for at in members) == 0
            number += 1
    return group, empty


def _remember(
    built: _Builder,
    table: CountTable,
    parts: Mapping[tuple[dt.date, dt.date], list[int]],
    position: dict[Where, int],
    earlier: Mapping[Where, Told],
) -> tuple[NDArray[np.int8], NDArray[np.bool_], NDArray[np.float64]]:
    """Write down what earlier releases said, as far as it still agrees with the counts.

    Returns
    -------
    Label of each count, whether it was shown, and between what it was said to lie, shape
    ``(2, n)``.
    """
    starts = {month.start for month in table.months}
    ends = {month.end for month in table.months}
    before, known = {}, set()
    bounds: dict[int, tuple[float, float]] = {}
    for where, told in earlier.items():
        measure, place, start, end = where
        if measure not in table.measures or start not in starts or end not in ends:
            continue
        if place not in (*table.places, CITY):
            continue
        m = table.measures.index(measure)
        rows = slice(None) if place == CITY else table.places.index(place)
        value = int(table.counts[m, rows][..., parts[start, end]].sum())
        agrees = told.value == value if told.label == SHOWN else value > 0 or told.label == VEILED
        if not agrees:
            continue
        said = _bounds(told, value, in_group=table.known is not None)
        if where not in position:
            if told.label != SHOWN and (table.known is not None or not np.isfinite(said[1])):
                continue  # says nothing more than its parts do, or nothing that can be held to
            at = built.add(value, f"an earlier sum of {measure}, {place}, {start} to {end}", 2)
            position[where] = at
            months = [table.months[i] for i in parts[start, end]]
            built.total([position[measure, place, o.start, o.end] for o in months], at)
        if told.label == SHOWN:
            known.add(position[where])
        else:
            before[position[where]] = told.label
            bounds[position[where]] = said
    label = np.zeros(len(built.value), dtype=np.int8)
    label[list(before)] = list(before.values())
    public = np.zeros(len(built.value), dtype=bool)
    public[list(known)] = True
    limits = np.tile([[0.0], [np.inf]], len(built.value))
    for at, said in bounds.items():
        limits[:, at] = said
    return label, public, limits


def _bounds(told: Told, value: int, *, in_group: bool) -> tuple[float, float]:
    """Give between what a label says that a count lies; nothing where the count has changed."""
    least, most = {
        FEWER: (0.0 if in_group else 1.0, float(LEAST_SHOWN - 1)),
        HELD: (float(LEAST_SHOWN) if in_group else 1.0, np.inf),
    }.get(np.int8(told.label), (0.0, np.inf))
    return (least, most) if least <= value <= most else (0.0, np.inf)
