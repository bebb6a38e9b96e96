"""Tables of counts -> what may be shown, so that no small count can be computed back.

A count of 1 to 4 is shown as "fewer than 5", a total too. Where the totals would give such a
count away, or narrow it down, other counts or totals are held back as well. The outsider of the
audit knows every number shown, every label, every sum and the rule; what he can infer of a hidden
count is the range of all whole tables that agree with it. See ``docs/masking.md``.

A table with totals is one case of counts of which some are sums of others: see
:mod:`spatial.disclosure.linked`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_array

from spatial.disclosure.linked import (
    FEWER,
    HELD,
    HIDDEN,
    LEAST_SHOWN,
    SHOWN,
    Audit,
    Linked,
    PublicTable,
    audit_linked,
    first_labels,
    search_labels,
)
from spatial.errors import MaskingError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike
    from scipy.sparse import csr_array

    from spatial.disclosure.linked import Counts

__all__ = ["FEWER", "HELD", "HIDDEN", "SHOWN", "PublicTable", "audit", "suppress", "with_totals"]

MAX_AXES = 3


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
    label = first_labels(linked).reshape(table.shape)
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
    label = search_labels(linked, label.ravel()).reshape(table.shape)
    return PublicTable(label=label, value=np.where(label == SHOWN, table, HIDDEN))


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
    found = audit_linked(_linked(table), flat)
    return Audit(
        low=found.low.reshape(table.shape),
        high=found.high.reshape(table.shape),
        faults=found.faults,
    )


def _linked(table: Counts) -> Linked:
    """Give a table with totals as counts and their sums."""
    place = np.indices(table.shape).reshape(table.ndim, -1).T
    none = np.zeros(table.size, dtype=bool)
    return Linked(
        value=table.ravel(),
        sums=_sums(table.shape),
        known=none,
        group=np.full(table.size, -1),
        totals=(place == np.array(table.shape) - 1).sum(axis=1),
        names=[_where(cell, table.shape) for cell in range(table.size)],
    )


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


def _where(place: int | np.intp, shape: tuple[int, ...]) -> str:
    """Say where a count stands: its place along each axis from 0, or total."""
    index = np.unravel_index(place, shape)
    names = ["total" if i == n - 1 else str(i) for i, n in zip(index, shape, strict=True)]
    return f"({', '.join(names)})"
