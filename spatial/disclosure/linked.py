"""Counts of which some are sums of others -> what may be shown, so that none can be computed back.

The outsider knows every number shown, every label, every sum, the rule, and what is public anyway;
what he can infer of a hidden count is the range of all whole counts that agree with it. See
``docs/masking.md``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import hstack

from spatial.disclosure.whole_numbers import solve_whole
from spatial.errors import MaskingError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray
    from scipy.sparse import csr_array

    Counts = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Labels = NDArray[np.int8]

# Counts of 1 to 4 are withheld, and what remains possible of one spans at least so many numbers
# (docs/masking.md).
LEAST_SHOWN = 5
LEAST_WIDTH = 3
SHOWN, FEWER, HELD, VEILED = np.int8(0), np.int8(1), np.int8(2), np.int8(3)
HIDDEN = -1
SHAKES = 12  # cheap searches for witnesses before each count left is proven by itself
LEVEL_COST = 4.0  # of a count for each level: a total counts for more than any of its parts
PARTS = 2  # highest level of what may be hidden where something less would do
KEPT, FREELY, VEILING = WAYS = (0, 1, 2)  # what may become of a label for another count's sake
HIDDEN_COST = 1e-3  # far below any count: what is hidden anyhow is nearly free to use
GAP = 0.2  # of the cost of what is kept back, where only a long search would find the cheapest


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
        Number of the group that a count is a part of, -1 for none. What the counts of a group add
        up to is public, so that a zero says much of the others: in a group 0 to 4 is "fewer than
        5", a count that is kept back is 5 or more, and a hidden count may be narrowed down but must
        keep a second possible value.
    totals
        Level of each count, 0 for parts: of two the one of the lower level is hidden, and one of 3
        or more only where nothing below it helps, however little of that is shown.
    names
        What to call each count in an error.
    said_low, said_high
        Between what each count lies by what was said of it before: the public goes on knowing that
        a count is 1 to 4, whatever is stated of it now. Nothing where nothing was stated.
    bundle
        Number of the counts that are given or not given together where nothing else protects one
        of them, zeros included; -1 for none. The groups, if left out.
    silent
        Counts that nobody was ever told and that need no protection; they only take part in sums.
    """

    value: Counts
    sums: csr_array
    known: NDArray[np.bool_]
    group: NDArray[np.int64]
    totals: Counts
    names: Sequence[str]
    said_low: Floats | None = None
    said_high: Floats | None = None
    bundle: NDArray[np.int64] | None = None
    silent: NDArray[np.bool_] | None = None

    def __len__(self) -> int:
        return len(self.value)

    @property
    def down(self) -> Floats:
        """How far each count can be lower than it is, by what was stated before."""
        return np.full(len(self), np.inf) if self.said_low is None else self.value - self.said_low

    @property
    def up(self) -> Floats:
        """How far each count can be higher than it is, by what was stated before."""
        return np.full(len(self), np.inf) if self.said_high is None else self.said_high - self.value

    @property
    def grouped(self) -> NDArray[np.bool_]:
        """Which counts are parts of a group."""
        return self.group >= 0

    @property
    def bundles(self) -> NDArray[np.int64]:
        """Number of the counts that are given or not given together, -1 for none."""
        return self.group if self.bundle is None else self.bundle

    @property
    def untold(self) -> NDArray[np.bool_]:
        """Which counts nobody was ever reported."""
        return np.zeros(len(self), dtype=bool) if self.silent is None else self.silent

    @property
    def veilable(self) -> NDArray[np.bool_]:
        """Which counts may be not given at all."""
        return self.grouped | self.untold | (self.bundle is not None)

    @property
    def small(self) -> NDArray[np.bool_]:
        """Which counts may not be shown by themselves."""
        least = np.where(self.grouped, 0, 1)
        return (self.value >= least) & (self.value < LEAST_SHOWN) & ~self.known

    @property
    def room(self) -> Counts:
        """How far the least and the greatest possible value of a hidden count must lie apart."""
        return np.where(self.untold, 0, np.where(self.grouped, 1, LEAST_WIDTH))


@dataclass(frozen=True, kw_only=True, eq=False)
class Audit:
    """What an outsider can infer of each count: from ``low`` to ``high``, with the totals.

    ``faults`` names what breaks the rule; a table without faults may be published. Ranges are NaN
    where a label or a shown number is wrong: then there is nothing true to infer.
    """

    low: Floats
    high: Floats
    faults: tuple[str, ...]


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
    Label and value of each count. Where nothing else protects a count of a group, the group is
    ``VEILED``: nothing is stated of it.

    Raises
    ------
    MaskingError
        If a small count follows from what the public knows in any case.
    """
    label = _first_labels(linked)
    if before is not None:
        earlier = np.asarray(before, dtype=np.int8)
        large = (linked.value >= LEAST_SHOWN) & ~linked.known
        label[large & (earlier != SHOWN)] = HELD
        label[(earlier == HELD) & (linked.value > 0) & ~linked.known & ~linked.grouped] = HELD
        label[(earlier == VEILED) & ~linked.known] = VEILED
    label = _search_labels(linked, label)
    return PublicTable(label=label, value=np.where(label == SHOWN, linked.value, HIDDEN))


def audit_linked(linked: Linked, public: PublicTable) -> Audit:
    """Find out what an outsider can infer of linked counts, and whether they may be published."""
    faults = _untruths(linked, public)
    if faults:
        unknown = np.full(len(linked), np.nan)
        return Audit(low=unknown, high=unknown, faults=faults)
    search = _Search(linked, public.label)
    low, high = search.ranges()
    return Audit(low=low, high=high, faults=search.exposures(low, high))


def faults_of(linked: Linked, public: PublicTable) -> tuple[str, ...]:
    """Name what breaks the rule, without working out what can be inferred where nothing does."""
    faults = _untruths(linked, public)
    if faults or _Search(linked, public.label).holds():
        return faults
    return audit_linked(linked, public).faults


def _search_labels(linked: Linked, label: Labels) -> Labels:
    """Hide more, from first labels on, until every hidden count has enough possible values."""
    search = _Search(linked, label)
    search.protect_all()
    search.show_again(label)
    return search.labels


def _first_labels(linked: Linked) -> Labels:
    """Label small counts, before any other is kept back for their sake.

    A total of 1 to 4 that adds up several counts is kept back at once: "fewer than 5" would leave
    each of them fewer than 4 possible values, and four of them none but 1.
    """
    label = np.where(linked.small, FEWER, SHOWN)
    several = (linked.sums > 0) @ (linked.value > 0).astype(np.int64) > 1
    rows, totals = (linked.sums < 0).nonzero()
    total = totals[several[rows]]
    label[total[(label[total] == FEWER) & ~linked.grouped[total]]] = HELD
    label[linked.untold] = VEILED
    return label


def _untruths(linked: Linked, public: PublicTable) -> tuple[str, ...]:
    """Name counts that are shown wrong, shown although small, or labelled wrong."""
    true, visible = linked.value, public.label == SHOWN
    rules = {
        "has a label that is none": ~np.isin(public.label, (SHOWN, FEWER, HELD, VEILED))
        | ((public.label == VEILED) & ~linked.veilable),
        "is shown with another number": visible & (public.value != true),
        "is hidden but given": ~visible & (public.value != HIDDEN),
        "is shown although it is 1 to 4": visible & linked.small,
        "is labelled fewer than 5 but is not 1 to 4": (public.label == FEWER) & ~linked.small,
        "is held back though small": (public.label == HELD) & linked.grouped & linked.small,
    }
    return tuple(
        f"the count at {linked.names[int(place)]} {what}"
        for what, broken in rules.items()
        for place in np.flatnonzero(broken)
    )


class _Search:
    """Looks for other tables that the outsider could hold for true, and makes room for them.

    Everything is stated in deviations from the true table: those of the hidden counts add up to
    nothing along every sum. Such a deviation is a witness: what it does to a count, the outsider
    cannot rule out. Hiding more never takes a witness away, so what is proven stays proven. With
    one or two axes the sums form a network, whose extreme deviations are whole numbers by
    themselves; with three, whole numbers are requested where they do not come by themselves.
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
        least = self._least()
        # No bounded deviation can be as far as this: it would exceed all finite bounds together.
        self.far = 8 * (int(self.true[open_].sum()) + 3 * int(fewer.sum())) + 100
        low = np.where(fewer | open_, least - self.true, 0)
        high = np.where(fewer, LEAST_SHOWN - 1 - self.true, np.where(open_, self.far, 0))
        self.low = np.maximum(low, -self.linked.down).astype(np.int64)
        self.high = np.minimum(high, self.linked.up).astype(np.int64)
        self.hidden = np.flatnonzero(open_ | fewer)
        matrix = self.sums[:, self.hidden].tocsr()
        self.matrix = matrix[np.diff(matrix.indptr) > 0]
        self.witnesses = [
            one for one in self.witnesses if (one >= self.low).all() and (one <= self.high).all()
        ]
        self.lowest = np.min(self.witnesses, axis=0)
        self.highest = np.max(self.witnesses, axis=0)

    def _least(self) -> Counts:
        """Return the least that every count can be, if it is hidden under its label.

        For what is kept back that is the tightest statement that is true of all of it, as the
        outsider knows the rule: zeros are shown, so it is 1 if it is not 5.
        """
        grouped = self.linked.grouped
        kept = self.true[(self.labels == HELD) & ~grouped]
        of_held = LEAST_SHOWN if (kept >= LEAST_SHOWN).all() else 1
        least = np.where(self.labels == FEWER, 1, np.where(self.labels == VEILED, 0, of_held))
        of_grouped = np.where(np.isin(self.labels, (FEWER, VEILED)), 0, LEAST_SHOWN)
        return np.where(grouped, of_grouped, least)

    def _enough(self) -> NDArray[np.bool_]:
        """Tell which counts are known to have as many possible values as the rule asks."""
        fewer = (self.lowest <= self.low) & (self.highest >= self.high)
        wide = self.highest - self.lowest >= self.room
        whole = (self.labels == FEWER) & ~self.linked.grouped
        return np.where(whole, fewer, (self.labels == SHOWN) | wide)

    def _reach(self, weights: Floats, most: int | None = None) -> None:
        """Find the possible table that takes the weighted sum of hidden counts highest.

        With ``most``, no count is raised by more.
        """
        low, high = self.low[self.hidden], self.high[self.hidden]
        if most is not None:
            high = np.minimum(high, most)
        best = max(float(weights @ one[self.hidden]) for one in self.witnesses)
        found = solve_whole(-weights, low, high, self.matrix, known=-best)
        if found is not None:
            witness = np.zeros(self.true.size, dtype=np.int64)
            witness[self.hidden] = found
            self._keep(witness)

    def _keep(self, witness: Counts) -> None:
        """Keep a deviation as a witness, after checking that it is one."""
        inside = (witness >= self.low).all() and (witness <= self.high).all()
        if (self.sums @ witness).any() or not inside:
            msg = "the audit of a table failed: the solver gave a table that cannot be"
            raise MaskingError(msg, code="audit_failed")
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
        """Return whether a count has enough possible values, asking for its two extremes."""
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
        room = self.room[cell]
        if self.labels[cell] != FEWER or self.linked.grouped[cell]:
            targets = [self.lowest[cell] + room, self.highest[cell] - room]
        elif self.highest[cell] < self.high[cell]:
            targets = [self.high[cell]]
        else:
            targets = [self.low[cell]]
        highest = int(self.linked.totals.max(initial=0))
        ways_out = WAYS if (self.linked.bundles >= 0).any() else (KEPT, FREELY)
        tries = [(most, how) for most in range(PARTS, max(highest, PARTS) + 1) for how in ways_out]
        for most, how in tries:
            ways = [self._cheapest(cell, int(target), how, most) for target in targets]
            possible = [way for way in ways if way is not None]
            if possible:
                self._make_room(cell, min(possible, key=lambda way: way[0])[1], how)
                return
        self._give_up(cell)

    def _make_room(self, cell: int, moved: Counts, how: int) -> None:
        """Hide what a deviation moves beyond what its label says of it."""
        value, fewer = self.true + moved, self.labels == FEWER
        new = (self.labels == SHOWN) & (moved != 0)
        new |= fewer & ((value < self._least()) | (value >= LEAST_SHOWN))
        if how == VEILING:
            new |= (self.labels == HELD) & (value < self._least())
            bundles = self.linked.bundles
            self._veil(np.isin(bundles, bundles[new & (bundles >= 0)]))
            new &= bundles < 0
        self.held_for[new] = cell
        self.labels[new] = HELD
        self._relabel()
        if (moved >= self.low).all() and (moved <= self.high).all():
            self._keep(moved)

    def _left(self) -> NDArray[np.bool_]:
        """Tell which counts are still reported and could be not given together with their like."""
        linked = self.linked
        return (linked.bundles >= 0) & (self.labels != VEILED) & ~linked.known & (self.true > 0)

    def _give_up(self, cell: int) -> None:
        """Say nothing of the bundle of a count that nothing else protects.

        Where that does not help, nothing is stated of other bundles that are too narrow by
        themselves, then of one after the other, the lowest and smallest first, and in the end
        everything is hidden.
        """
        linked, result, bundle = self.linked, self._left(), self.linked.bundles
        if not result.any():
            self._hide_all(cell)
            return
        own = bundle[cell] >= 0 and (result & (bundle == bundle[cell])).any()
        chosen = [bundle[cell]] if own else self._narrow(np.flatnonzero(result))
        if len(chosen) == 0:
            size = np.bincount(bundle[result], self.true[result])
            level = np.zeros(len(size))
            level[bundle[result]] = linked.totals[result]
            chosen = [int(np.argmin(np.where(size > 0, size + level * size.sum(), np.inf)))]
        self._veil(np.isin(bundle, chosen))

    def _veil(self, veiled: NDArray[np.bool_]) -> None:
        """Say nothing of some counts, nor of what they are the sums of at a lower level.

        Zeros that follow from zeros are shown all the same.
        """
        linked = self.linked
        bundles, parts = linked.bundles, linked.sums > 0
        below = (parts.T @ (linked.sums @ np.where(veiled, -1.0, 0.0) > 0)) > 0
        below &= (bundles >= 0) & ~linked.grouped
        below &= linked.totals < linked.totals[veiled].max()
        veiled = (veiled | np.isin(bundles, bundles[below])) & ~linked.known
        self.labels[veiled], self.held_for[veiled] = VEILED, -1
        self._show_zeros()
        self._relabel()

    def _show_zeros(self) -> None:
        """Show every count that is 0 because its total or all of its parts are shown to be 0."""
        parts, totals = self.linked.sums > 0, self.linked.sums < 0
        free = ~self.linked.grouped & ~self.linked.untold & (self.true == 0)
        while True:
            zero = (self.labels == SHOWN) & (self.true == 0)
            of_zeros = totals.T @ (parts @ (~zero).astype(float) == 0)
            in_zero = parts.T @ (totals @ zero.astype(float) > 0)
            new = free & (self.labels == VEILED) & ((of_zeros > 0) | (in_zero > 0))
            if not new.any():
                return
            self.labels[new] = SHOWN

    def _narrow(self, cells: Counts) -> Counts:
        """Return the bundles of those counts that have not enough possible values."""
        lacking = [cell for cell in cells.tolist() if not self._proven(cell)]
        return np.unique(self.linked.bundles[lacking])

    def _hide_all(self, cell: int) -> None:
        """Hold back every count but zeros: only what is known in any case still follows.

        Raises
        ------
        MaskingError
            If a small count does.
        """
        grouped = self.linked.grouped
        new = (self.true > 0) & ~self.linked.known & (self.labels == SHOWN)
        new |= (self.labels == FEWER) & ~grouped
        self.held_for[new] = cell
        self.labels[new] = HELD
        self._relabel()
        if self._proven(cell):
            return
        if self.linked.small[cell]:
            msg = (
                f"the count at {self.linked.names[cell]} is small and follows from what is public "
                "in any case; leave its table out"
            )
            raise MaskingError(msg, code="small_count_follows")
        self.labels[cell] = SHOWN
        self._relabel()

    def _cheapest(
        self, cell: int, target: int, how: int, highest: int
    ) -> tuple[float, Counts] | None:
        """Find the cheapest deviation in which one count moves by the target.

        A shown count that moves must be kept back; it costs its own size for every unit that it
        moves, a total more; one of a level above ``highest`` does not move. Moving what is hidden
        costs next to nothing, unless a count must leave the range of its label: ``FREELY`` it has
        to be kept back altogether, ``VEILING`` nothing may be stated of its bundle.

        Returns
        -------
        Cost and deviation; None where there is no such deviation.
        """
        linked = self.linked
        hidden_zero = (linked.grouped & (self.labels != SHOWN)) | (self.labels == VEILED)
        known = (linked.bundles >= 0) & (how == VEILING)
        movable = ((self.true > 0) | hidden_zero | known) & ~linked.known  # else shown zeros stay
        movable &= (self.labels != SHOWN) | (linked.totals <= highest)
        cells = np.flatnonzero(movable)
        true, label = self.true[cells], self.labels[cells]
        fewer, visible = label == FEWER, label == SHOWN
        up = np.where(fewer, LEAST_SHOWN - 1 - true, self.far).astype(float)
        down = (true - self._least()[cells]).astype(float)
        price = np.where(visible, true * LEVEL_COST ** linked.totals[cells], HIDDEN_COST)
        if how != KEPT:
            leaving = fewer & ~linked.grouped[cells]
            up[leaving], down[leaving], price[leaving] = self.far, true[leaving] - 1, LEAST_SHOWN
        if how == VEILING:
            leaving = known[cells] & (label != VEILED) & (linked.totals[cells] <= highest)
            up[leaving], down[leaving] = self.far, true[leaving]
            price[leaving] = (LEAST_SHOWN + true[leaving]) * LEVEL_COST ** linked.totals[cells][
                leaving
            ]
        up = np.minimum(up, linked.up[cells])
        down = np.minimum(down, linked.down[cells])
        own = cells == cell
        moves = np.append(up, down)
        fixed = np.append(np.where(own, max(target, 0), 0), np.where(own, max(-target, 0), 0))
        if (fixed > moves).any():
            return None
        moves[np.append(own, own)] = fixed[np.append(own, own)]
        matrix = self.sums[:, cells]
        cost = np.append(price, price)
        both = hstack([matrix, -matrix], format="csr")
        found = solve_whole(cost, fixed, moves, both, gap=GAP)
        if found is None:
            return None
        deviation = np.zeros(self.true.size, dtype=np.int64)
        deviation[cells] = found[: len(cells)] - found[len(cells) :]
        return float(cost @ found), deviation

    def show_again(self, first: Labels) -> None:
        """Show what need not have been kept back, the highest level and the largest first.

        Counts are kept back one after the other, and a later one can make an earlier needless.
        """
        tried = np.flatnonzero((self.labels == HELD) & (self.held_for >= 0))
        order = np.lexsort((-self.true[tried], -self.linked.totals[tried]))
        for cell in tried[order].tolist():
            labels, witnesses = self.labels.copy(), self.witnesses
            self.labels[cell] = first[cell]
            self._relabel()
            if not (self._proven(int(self.held_for[cell])) and self._all_proven()):
                self.labels, self.witnesses = labels, witnesses
                self._relabel()

    def holds(self) -> bool:
        """Return whether every hidden count has enough possible values."""
        self._shake()
        return self._all_proven()

    def _all_proven(self) -> bool:
        self._shake()
        lacking = np.flatnonzero(~self._enough())
        return all(self._proven(int(cell)) for cell in lacking)

    # -- what the outsider can infer -----------------------------------------------------------

    def ranges(self) -> tuple[Floats, Floats]:
        """Return the exact least and greatest value of every count; infinite where unbounded."""
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
            f"the count at {self.linked.names[int(cell)]} can be narrowed to {low[cell]:g} to "
            f"{high[cell]:g}"
            for cell in np.flatnonzero(~self._enough())
        )
