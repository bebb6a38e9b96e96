"""Tables of counts -> what may be shown, so that no small count can be computed back.

A count of 1 to 4 is shown as "fewer than 5", a total too. Where the totals would give such a
count away, or narrow it down, other counts or totals are held back as well. The outsider of the
audit knows every number shown, every label, every sum and the rule; what he can infer of a hidden
count is the range of all whole tables that agree with it. See ``docs/masking.md``.

A table with totals is one case of counts of which some are sums of others (:class:`Linked`): months
add up to years, districts to the city, results of alerts to alerts, whose number is known anyway.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array, hstack

from spatial.errors import MaskingError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray
    from scipy.sparse import csr_array

    Counts = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Labels = NDArray[np.int8]

LEAST_SHOWN = 5
LEAST_WIDTH = 3
SHOWN, FEWER, HELD, VEILED = np.int8(0), np.int8(1), np.int8(2), np.int8(3)
HIDDEN = -1
MAX_AXES = 3
SHAKES = 12
TOTAL_COST = 0.5  # between two counts of one size, hold back the one that is no total
HIDDEN_COST = 1e-3
ROUNDING = 1e-5
GAP = 0.2  # of the cost of what is held back, where only a long search would find the cheapest


@dataclass(frozen=True, kw_only=True, eq=False)
class PublicTable:
    """What the public sees of a table; the last place of every axis is its total.

    Parameters
    ----------
    label
        ``SHOWN``; ``FEWER``: 1 to 4, "fewer than 5"; or ``HELD``: not shown, any number.
    value
        The counts that are shown, -1 where hidden: a hidden count is not in here.
    """

    label: Labels
    value: Counts


@dataclass(frozen=True, kw_only=True, eq=False)
class Linked:
    """Counts of which some are sums of others.

    Parameters
    ----------
    value
        The counts, shape ``(n,)``, totals and parts alike.
    sums
        One row a sum: its parts count 1, its total -1.
    known
        Counts that the public knows in any case: they are shown, however small.
    group
        Number of the group that a count is a part of, -1 for none: the public knows what the
        counts of a group add up to. A group may be veiled: then nothing of it is shown, not even
        a zero.
    veiled
        Counts whose group is so small that it must be veiled.
    totals
        How many times each count is a total: between two of one size the part is held back.
    names
        What to call each count in an error.
    """

    value: Counts
    sums: csr_array
    known: NDArray[np.bool_]
    group: NDArray[np.int64]
    veiled: NDArray[np.bool_]
    totals: Counts
    names: Sequence[str]

    def __len__(self) -> int:
        return len(self.value)

    @property
    def group_size(self) -> Counts:
        """What the counts of each group add up to."""
        grouped = self.group >= 0
        return np.bincount(self.group[grouped], self.value[grouped]).astype(np.int64)

    @property
    def room(self) -> Counts:
        """How far the possible values of a veiled count must lie apart.

        A small count as far as its group allows; of a large one or a zero, which alone say little,
        the first must not be certain.
        """
        room = np.where(self.value >= LEAST_SHOWN, 1, np.minimum(self.value, 1) * LEAST_WIDTH)
        grouped = self.group >= 0
        room[grouped] = np.minimum(room[grouped], self.group_size[self.group[grouped]])
        return room


@dataclass(frozen=True, kw_only=True, eq=False)
class Audit:
    """What an outsider can infer of each count: from ``low`` to ``high``, with the totals.

    ``faults`` names what breaks the rule; a table without faults may be published. Ranges are NaN
    where a label or a shown number is wrong: then there is nothing true to infer.
    """

    low: Floats
    high: Floats
    faults: tuple[str, ...]


def with_totals(counts: ArrayLike) -> Counts:
    """Add the total of every axis as its last place, the totals of totals included.

    Raises
    ------
    MaskingError
        If counts are not whole numbers of 0 or more in one, two or three dimensions.
    """
    given = np.asarray(counts)
    if not 1 <= given.ndim <= MAX_AXES or 0 in given.shape:
        msg = f"a table must have one to three axes and no empty one, got shape {given.shape}"
        raise MaskingError(msg)
    try:
        values = given.astype(np.float64)
    except (TypeError, ValueError) as error:
        msg = "counts must be numbers"
        raise MaskingError(msg) from error
    if not (np.isfinite(values).all() and (values >= 0).all() and (values % 1 == 0).all()):
        msg = (
            "counts must be whole numbers of 0 or more; a missing count is not 0: leave its row "
            "or column out of the table"
        )
        raise MaskingError(msg)
    table = values.astype(np.int64)
    for axis in range(table.ndim):
        table = np.concatenate([table, table.sum(axis=axis, keepdims=True)], axis=axis)
    return table


def suppress(counts: ArrayLike, *, held_before: ArrayLike | None = None) -> PublicTable:
    """Decide what of a table is shown.

    Parameters
    ----------
    counts
        One, two or three axes, such as measure, district and month, without totals.
    held_before
        Which of the counts an earlier release did not show; they stay hidden.

    Returns
    -------
    The table with its totals. Every count labelled ``FEWER`` could be anything from 1 to 4, every
    one ``HELD`` has at least four possible values; zeros are shown. The same counts always give
    the same table.

    Raises
    ------
    MaskingError
        If counts are not whole numbers, or ``held_before`` has another shape.
    """
    table = with_totals(counts)
    linked = _linked(table)
    label = _first_labels(linked).reshape(table.shape)
    if held_before is not None:
        before = np.asarray(held_before, dtype=bool)
        inner = tuple(slice(-1) for _ in table.shape)
        if before.shape != table[inner].shape:
            msg = (
                f"held_before must have the shape of the counts, {table[inner].shape}, "
                f"got {before.shape}"
            )
            raise MaskingError(msg)
        label[inner][before & (table[inner] >= LEAST_SHOWN)] = HELD
    label = _searched(linked, label.ravel()).reshape(table.shape)
    return PublicTable(label=label, value=np.where(label == SHOWN, table, HIDDEN))


def suppress_linked(linked: Linked, *, before: ArrayLike | None = None) -> PublicTable:
    """Decide which of linked counts are shown.

    Parameters
    ----------
    linked
        Counts and their sums.
    before
        Label of each count in an earlier release, ``SHOWN`` where it had none: what was hidden
        stays hidden.

    Returns
    -------
    Label and value of each count. Where a count of a group cannot be protected, its group is
    veiled, then the smallest group that adds up with it.

    Raises
    ------
    MaskingError
        If a small count follows from what the public knows in any case.
    """
    label = _first_labels(linked)
    if before is not None:
        earlier = np.asarray(before, dtype=np.int8)
        free = (linked.value > 0) & ~linked.known & ~linked.veiled
        label[free & (earlier == HELD)] = HELD
        label[free & (earlier != SHOWN) & (label == SHOWN)] = HELD
        label[np.isin(linked.group, linked.group[(earlier == VEILED) & (linked.group >= 0)])] = (
            VEILED
        )
    label = _searched(linked, label)
    return PublicTable(label=label, value=np.where(label == SHOWN, linked.value, HIDDEN))


def audit_linked(linked: Linked, public: PublicTable) -> Audit:
    """Find out what an outsider can infer of linked counts, and whether they may be published."""
    return _audited(linked, public)


def audit(counts: ArrayLike, public: PublicTable) -> Audit:
    """Find out what an outsider can infer from a public table, and whether it may be published.

    Parameters
    ----------
    counts
        The true table, without totals.
    public
        What would be shown of it.

    Raises
    ------
    MaskingError
        If counts are not whole numbers, or the public table has not their shape.
    """
    table = with_totals(counts)
    if public.label.shape != table.shape or public.value.shape != table.shape:
        msg = (
            f"the public table must have the shape of the counts with totals, {table.shape}, got "
            f"{public.label.shape} and {public.value.shape}"
        )
        raise MaskingError(msg)
    flat = PublicTable(label=public.label.ravel(), value=public.value.ravel())
    found = _audited(_linked(table), flat)
    return Audit(
        low=found.low.reshape(table.shape),
        high=found.high.reshape(table.shape),
        faults=found.faults,
    )


def _audited(linked: Linked, public: PublicTable) -> Audit:
    faults = _untruths(linked, public)
    if faults:
        unknown = np.full(len(linked), np.nan)
        return Audit(low=unknown, high=unknown, faults=faults)
    search = _Search(linked, public.label)
    low, high = search.ranges()
    return Audit(low=low, high=high, faults=search.exposures(low, high))


def _searched(linked: Linked, label: Labels) -> Labels:
    search = _Search(linked, label)
    search.protect_all()
    search.show_again(label)
    return search.labels


def _linked(table: Counts) -> Linked:
    """Give a table with totals as counts and their sums."""
    place = np.indices(table.shape).reshape(table.ndim, -1).T
    none = np.zeros(table.size, dtype=bool)
    return Linked(
        value=table.ravel(),
        sums=_sums(table.shape),
        known=none,
        group=np.full(table.size, -1),
        veiled=none,
        totals=(place == np.array(table.shape) - 1).sum(axis=1),
        names=[_where(cell, table.shape) for cell in range(table.size)],
    )


def _first_labels(linked: Linked) -> Labels:
    """Label small counts, before any other is held back for their sake.

    A total of 1 to 4 that adds up several counts is held back at once: "fewer than 5" would leave
    each of them fewer than 4 possible values, and four of them none but 1.
    """
    small = (linked.value > 0) & (linked.value < LEAST_SHOWN)
    label = np.where(small & ~linked.known, FEWER, SHOWN)
    label[linked.veiled] = VEILED
    some = ((linked.value > 0) | linked.veiled).astype(np.int64)
    several = (linked.sums > 0) @ some > 1
    rows, totals = (linked.sums < 0).nonzero()
    total = totals[several[rows]]
    label[total[label[total] == FEWER]] = HELD
    return label


def _sums(shape: tuple[int, ...]) -> csr_array:
    """One row a sum of the table: its parts count 1, its total -1."""
    place = np.arange(np.prod(shape)).reshape(shape)
    rows, columns, signs = [], [], []
    first = 0
    for axis, length in enumerate(shape):
        lines = np.moveaxis(place, axis, -1).reshape(-1, length)
        rows.append(np.repeat(np.arange(first, first + len(lines)), length))
        columns.append(lines.ravel())
        signs.append(np.tile(np.append(np.ones(length - 1), -1.0), len(lines)))
        first += len(lines)
    entries = (np.concatenate(rows), np.concatenate(columns))
    return coo_array((np.concatenate(signs), entries), shape=(first, place.size)).tocsr()


def _untruths(linked: Linked, public: PublicTable) -> tuple[str, ...]:
    """Name counts that are shown wrong, shown although small, or labelled wrong."""
    true, shown = linked.value, public.label == SHOWN
    small = (true > 0) & (true < LEAST_SHOWN)
    labels = (SHOWN, FEWER, HELD, VEILED)
    rules = {
        "has a label that is none": ~np.isin(public.label, labels)
        | ((public.label == VEILED) & (linked.group < 0)),
        "is shown with another number": shown & (public.value != true),
        "is hidden but given": ~shown & (public.value != HIDDEN),
        "is shown although it is 1 to 4": shown & small & ~linked.known,
        "is shown although it is about too few": (public.label != VEILED) & linked.veiled,
        "is labelled fewer than 5 but is not 1 to 4": (public.label == FEWER) & ~small,
    }
    return tuple(
        f"the count at {linked.names[place]} {what}"
        for what, broken in rules.items()
        for place in np.flatnonzero(broken)
    )


def _where(place: int | np.intp, shape: tuple[int, ...]) -> str:
    """Say where a count stands: its place along each axis from 0, or total."""
    index = np.unravel_index(place, shape)
    names = ["total" if i == n - 1 else str(i) for i, n in zip(index, shape, strict=True)]
    return f"({', '.join(names)})"


def _solve(
    cost: Floats,
    low: Floats,
    high: Floats,
    matrix: csr_array,
    *,
    known: float = np.inf,
    gap: float = 0.0,
) -> Counts | None:
    """Find the cheapest whole numbers within bounds for which every row of the matrix gives 0.

    With a ``gap``, numbers that cost at most this share more will do.

    Returns
    -------
    None where there are none, or none cheaper than a cost already ``known``.
    """
    for whole in (0, 1):  # broken numbers first: they mostly come out whole, and take no search
        found = milp(
            cost,
            integrality=np.full(len(cost), whole),
            bounds=Bounds(low, high),
            constraints=LinearConstraint(matrix, 0, 0),
            options={"mip_rel_gap": gap},
        )
        if found.x is None:
            break
        numbers = np.rint(found.x).astype(np.int64)
        if np.abs(found.x - numbers).max() < ROUNDING:
            return numbers
        if np.ceil(found.fun - ROUNDING) >= known:
            break
    return None


class _Search:
    """Looks for other tables that the outsider could hold for true, and makes room for them.

    Everything is said in deviations from the true table: those of the hidden counts add up to
    nothing along every sum. Such a deviation is a witness: what it does to a count, the outsider
    cannot rule out. Hiding more never takes a witness away, so what is proven stays proven. With
    one or two axes the sums form a network, whose extreme deviations are whole numbers by
    themselves; with three, whole numbers are asked for where they do not come by themselves.
    """

    def __init__(self, linked: Linked, label: Labels) -> None:
        self.linked, self.true = linked, linked.value
        self.room = linked.room
        self.sums = linked.sums.tocsc()
        self.labels = label.copy()
        self.held_for = np.full(self.true.size, -1)
        self.witnesses = [np.zeros(self.true.size, dtype=np.int64)]
        self._relabel()

    # -- what the outsider knows ---------------------------------------------------------------

    def _relabel(self) -> None:
        """Work out the bounds of every deviation under the labels, and what witnesses are left."""
        fewer, veiled = self.labels == FEWER, self.labels == VEILED
        open_ = (self.labels == HELD) | veiled
        least = np.where(veiled, 0, self._held_least())
        # No bounded deviation can be as far as this: it would exceed all finite bounds together.
        self.far = 8 * (int(self.true[open_].sum()) + 3 * int(fewer.sum())) + 100
        self.low = np.where(fewer, 1 - self.true, np.where(open_, least - self.true, 0))
        self.high = np.where(fewer, LEAST_SHOWN - 1 - self.true, np.where(open_, self.far, 0))
        self.hidden = np.flatnonzero(open_ | fewer)
        matrix = self.sums[:, self.hidden].tocsr()
        self.matrix = matrix[np.diff(matrix.indptr) > 0]
        self.witnesses = [
            one for one in self.witnesses if (one >= self.low).all() and (one <= self.high).all()
        ]
        self.lowest = np.min(self.witnesses, axis=0)
        self.highest = np.max(self.witnesses, axis=0)

    def _held_least(self) -> int:
        """Give the tightest statement that is true of every held count: the outsider knows it.

        Zeros are shown, so a held count is at least 1.
        """
        held = self.labels == HELD
        return LEAST_SHOWN if (self.true[held] >= LEAST_SHOWN).all() else 1

    def _enough(self) -> NDArray[np.bool_]:
        """Tell which counts are known to have as many possible values as the rule asks."""
        fewer = (self.lowest <= self.low) & (self.highest >= self.high)
        room = np.where(self.labels == VEILED, self.room, LEAST_WIDTH)
        wide = self.highest - self.lowest >= room
        return np.where(self.labels == FEWER, fewer, (self.labels == SHOWN) | wide)

    def _reach(self, weights: Floats, most: int | None = None) -> None:
        """Find the possible table that takes the weighted sum of hidden counts highest.

        With ``most``, no count is raised by more.
        """
        low, high = self.low[self.hidden], self.high[self.hidden]
        if most is not None:
            high = np.minimum(high, most)
        best = max(float(weights @ one[self.hidden]) for one in self.witnesses)
        found = _solve(-weights, low, high, self.matrix, known=-best)
        if found is not None:
            witness = np.zeros(self.true.size, dtype=np.int64)
            witness[self.hidden] = found
            self._keep(witness)

    def _keep(self, witness: Counts) -> None:
        """Keep a deviation as a witness, after checking that it is one."""
        inside = (witness >= self.low).all() and (witness <= self.high).all()
        if (self.sums @ witness).any() or not inside:
            msg = "the audit of a table failed: the solver gave a table that cannot be"
            raise MaskingError(msg)
        self.witnesses.append(witness)
        self.lowest = np.minimum(self.lowest, witness)
        self.highest = np.maximum(self.highest, witness)

    def _shake(self) -> None:
        """Find a few witnesses that move many counts at once: the cheap part of the proof."""
        rng = np.random.default_rng(0)  # which witnesses are found first decides nothing
        for _ in range(SHAKES):
            if self._enough().all():
                return
            self._reach(rng.choice([-1.0, 1.0], len(self.hidden)), most=4 * LEAST_WIDTH)

    def _proven(self, cell: int) -> bool:
        """Tell whether a count has enough possible values, asking for its two extremes."""
        for direction in (1.0, -1.0):
            if self._enough()[cell]:
                return True
            self._reach(np.where(self.hidden == cell, direction, 0.0))
        return bool(self._enough()[cell])

    # -- making room ---------------------------------------------------------------------------

    def protect_all(self) -> None:
        """Hold counts back until every hidden one has enough possible values."""
        self._shake()
        while True:
            lacking = np.flatnonzero(~self._enough())
            if len(lacking) == 0:
                return
            cell = int(lacking[np.argmin(self.true[lacking])])
            while not self._proven(cell):
                self._protect(cell)

    def _protect(self, cell: int) -> None:
        """Hold back what moves one count furthest at the smallest loss."""
        if self.labels[cell] in (HELD, VEILED):
            room = self.room[cell] if self.labels[cell] == VEILED else LEAST_WIDTH
            targets = [self.lowest[cell] + room, self.highest[cell] - room]
        elif self.highest[cell] < self.high[cell]:
            targets = [self.high[cell]]
        else:
            targets = [self.low[cell]]
        for freely in (False, True):
            ways = [self._cheapest(cell, int(target), freely=freely) for target in targets]
            possible = [way for way in ways if way is not None]
            if possible:
                break
        else:
            if not self._veil(cell):
                self._hide_all(cell)
            return
        _, moved = min(possible, key=lambda way: way[0])
        value = self.true + moved
        beyond = (self.labels == FEWER) & ((value < 1) | (value >= LEAST_SHOWN))
        new = beyond | ((self.labels == SHOWN) & (moved != 0))
        self.held_for[new] = cell
        self.labels[new] = HELD
        self._relabel()
        self._keep(moved)

    def _veil(self, cell: int) -> bool:
        """Veil the group of a count, or else the smallest group that adds up with it.

        Returns
        -------
        Whether there was a group left to veil.
        """
        group = self.linked.group
        if group[cell] < 0:
            return False
        chosen = int(group[cell])
        if self.labels[cell] == VEILED:
            rows = (self.linked.sums < 0).sum(axis=1) > 0  # those with a total
            near = self.linked.sums[rows][:, [cell]].tocoo().row
            beside = np.unique(self.linked.sums[rows][near].indices)
            size = self.linked.group_size
            for some in (beside, np.arange(len(group))):
                free = some[(group[some] >= 0) & (self.labels[some] != VEILED)]
                left = np.unique(group[free])
                left = left[size[left] > 0]
                if len(left):
                    chosen = int(left[np.argmin(size[left])])
                    break
            else:
                return False
        self.labels[group == chosen] = VEILED
        self.held_for[group == chosen] = -1
        self._relabel()
        return True

    def _hide_all(self, cell: int) -> None:
        """Hold back every count but zeros: only what is known in any case still follows.

        Raises
        ------
        MaskingError
            If a small count does.
        """
        new = (self.true > 0) & ~self.linked.known & np.isin(self.labels, (SHOWN, FEWER))
        self.held_for[new] = cell
        self.labels[new] = HELD
        self._relabel()
        if self._proven(cell):
            return
        if self.true[cell] < LEAST_SHOWN or self.labels[cell] == VEILED:
            msg = (
                f"the count at {self.linked.names[cell]} is small and follows from what is public "
                "in any case; leave its table out"
            )
            raise MaskingError(msg)
        self.labels[cell] = SHOWN
        self._relabel()

    def _cheapest(self, cell: int, target: int, *, freely: bool) -> tuple[float, Counts] | None:
        """Find the cheapest deviation in which one count moves by the target.

        A shown count that moves must be held back; it costs its own size for every unit that it
        moves, a total a little more. Moving what is hidden costs next to nothing, unless a count
        must leave the range of its label (``freely``): then it has to be held back altogether.

        Returns
        -------
        Cost and deviation; None where there is no such deviation.
        """
        veiled = self.labels == VEILED
        movable = ((self.true > 0) | veiled) & ~self.linked.known  # zeros are shown, and stay
        cells, veiled = np.flatnonzero(movable), veiled[movable]
        true, label = self.true[cells], self.labels[cells]
        fewer, shown = label == FEWER, label == SHOWN
        up = np.where(fewer, LEAST_SHOWN - 1 - true, self.far).astype(float)
        least = np.where(fewer, 1, np.where(veiled, 0, self._held_least()))
        down = (true - least).astype(float)
        price = np.where(shown, true + TOTAL_COST * self.linked.totals[cells], HIDDEN_COST)
        if freely:
            up[fewer], down[fewer], price[fewer] = self.far, true[fewer] - 1, LEAST_SHOWN
            held = ~fewer & ~veiled  # a small count held back: then every one may be that small
            down[held] = true[held] - 1
        own = cells == cell
        moves = np.append(up, down)
        fixed = np.append(np.where(own, max(target, 0), 0), np.where(own, max(-target, 0), 0))
        if (fixed > moves).any():
            return None
        moves[np.append(own, own)] = fixed[np.append(own, own)]
        matrix = self.sums[:, cells]
        cost = np.append(price, price)
        both = hstack([matrix, -matrix], format="csr")
        found = _solve(cost, fixed, moves, both, gap=GAP)
        if found is None:
            return None
        deviation = np.zeros(self.true.size, dtype=np.int64)
        deviation[cells] = found[: len(cells)] - found[len(cells) :]
        return float(cost @ found), deviation

    def show_again(self, first: Labels) -> None:
        """Show what need not have been held back, the largest first.

        Counts are held back one after the other, and a later one can make an earlier needless.
        """
        tried = np.flatnonzero((self.labels == HELD) & (self.held_for >= 0))
        for cell in tried[np.argsort(-self.true[tried], kind="stable")].tolist():
            labels, witnesses = self.labels.copy(), self.witnesses
            self.labels[cell] = first[cell]
            self._relabel()
            if not (self._proven(int(self.held_for[cell])) and self._all_proven()):
                self.labels, self.witnesses = labels, witnesses
                self._relabel()

    def _all_proven(self) -> bool:
        self._shake()
        lacking = np.flatnonzero(~self._enough())
        return all(self._proven(int(cell)) for cell in lacking)

    # -- what the outsider can infer -----------------------------------------------------------

    def ranges(self) -> tuple[Floats, Floats]:
        """Give the exact least and greatest value of every count; infinite where unbounded."""
        self._shake()
        for place, cell in enumerate(self.hidden.tolist()):
            weights = np.zeros(len(self.hidden))
            weights[place] = 1.0
            if self.highest[cell] < self.high[cell]:
                self._reach(weights)
            if self.lowest[cell] > self.low[cell]:
                self._reach(-weights)
        high = np.where(self.highest >= self.far / 2, np.inf, self.true + self.highest)
        return (self.true + self.lowest).astype(float), high

    def exposures(self, low: Floats, high: Floats) -> tuple[str, ...]:
        """Name the hidden counts whose range is too narrow."""
        return tuple(
            f"the count at {self.linked.names[cell]} can be narrowed to {low[cell]:g} to "
            f"{high[cell]:g}"
            for cell in np.flatnonzero(~self._enough())
        )
