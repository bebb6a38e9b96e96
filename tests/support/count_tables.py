"""Tables of counts with their totals, as counts of which some are sums of others.

A table is the smallest case of what releases hide: every decision of
:mod:`spatial.disclosure.linked` is checked on tables, which an integer program can solve whole.
"""

import numpy as np
from scipy.sparse import coo_array

from spatial.disclosure.linked import (
    SHOWN,
    Audit,
    Linked,
    PublicTable,
    audit_linked,
    suppress_linked,
)


def with_totals(counts):
    """Return the counts with the total of every axis as its last place."""
    table = np.asarray(counts, dtype=np.int64)
    for axis in range(table.ndim):
        table = np.concatenate([table, table.sum(axis=axis, keepdims=True)], axis=axis)
    return table


def suppress(counts, before=None):
    """Return what may be shown of a table, with its totals; ``before`` has labels of its counts."""
    table = with_totals(counts)
    earlier = np.full(table.shape, SHOWN)
    if before is not None:
        earlier[tuple(slice(-1) for _ in table.shape)] = before
    public = suppress_linked(_linked(table), before=earlier.ravel())
    return PublicTable(
        label=public.label.reshape(table.shape), value=public.value.reshape(table.shape)
    )


def audit(counts, public):
    """Return what an outsider can infer from a public table."""
    table = with_totals(counts)
    flat = PublicTable(label=public.label.ravel(), value=public.value.ravel())
    found = audit_linked(_linked(table), flat)
    return Audit(
        low=found.low.reshape(table.shape),
        high=found.high.reshape(table.shape),
        faults=found.faults,
    )


def _linked(table):
    place = np.indices(table.shape).reshape(table.ndim, -1).T
    return Linked(
        value=table.ravel(),
        sums=_sums(table.shape),
        known=np.zeros(table.size, dtype=bool),
        group=np.full(table.size, -1),
        totals=(place == np.array(table.shape) - 1).sum(axis=1),
        names=[_where(cell, table.shape) for cell in range(table.size)],
    )


def _sums(shape):
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


def _where(place, shape):
    index = np.unravel_index(place, shape)
    names = ["total" if i == n - 1 else str(i) for i, n in zip(index, shape, strict=True)]
    return f"({', '.join(names)})"
