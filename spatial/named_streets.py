"""Streets by their names, and the crossings of streets with different names.

The one home of both: what people search for (``geodata.releases.gazetteer``) and what zones are
called (:mod:`spatial.zones.names`) take their crossings from here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
import shapely
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]
    Lines = NDArray[np.object_]

TOUCH_M = 12.0  # a street that ends so near to another meets it
MANY_M = 40.0  # two crossings of the same streets that lie nearer are one
ASIDE = 1e7  # units between pairs of names, so that crossings of others never count as near


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Crossings:
    """Where two streets meet: positions of their names, ``one`` before ``other``, and the place.

    ``names`` are sorted; all the rest has one entry a crossing, sorted by both names, x and y.
    """

    names: tuple[str, ...]
    one: Ints
    other: Ints
    xy: Floats

    def __len__(self) -> int:
        return len(self.one)

    def of(self, i: int) -> tuple[str, str]:
        """Return the two names of a crossing, in order."""
        return self.names[int(self.one[i])], self.names[int(self.other[i])]


def street_crossings(names: Sequence[str], lines: Lines, unit_m: float) -> Crossings:
    """Find every crossing of two streets with different names.

    Streets that are drawn to cross, or that come within 12 m of one another, meet; a bridge over
    another street cannot be told from a crossing. Two crossings of the same streets within 40 m,
    as those of two carriageways, are one.

    Parameters
    ----------
    names, lines
        A name and a line for each piece of a street, in no order; rows without a name are left out.
    unit_m
        Meters a unit of the reference system.
    """
    known = tuple(sorted({name for name in names if name}))
    at = {name: i for i, name in enumerate(known)}
    kept = [i for i, name in enumerate(names) if name]
    number = np.array([at[names[i]] for i in kept], dtype=np.intp)
    shapes = np.asarray(lines, dtype=object)[kept]
    if len(shapes) == 0:
        return _none(known)
    first, second = shapely.STRtree(shapes).query(
        shapes, predicate="dwithin", distance=TOUCH_M / unit_m
    )
    differ = number[first] < number[second]
    first, second = first[differ], second[differ]
    pair, xy, exact = _places(shapes[first], shapes[second])
    key = number[first][pair] * len(known) + number[second][pair]
    return _joined(known, key, xy, exact, MANY_M / unit_m)


def _none(names: tuple[str, ...]) -> Crossings:
    empty = np.empty(0, dtype=np.intp)
    return Crossings(names=names, one=empty, other=empty, xy=np.empty((0, 2)))


def _places(one: Lines, other: Lines) -> tuple[Ints, Floats, NDArray[np.bool_]]:
    """Return for each place at which two lines meet: the pair, the point, whether they touch."""
    shared = shapely.intersection(one, other)
    apart = shapely.is_empty(shared)
    parts, pair = shapely.get_parts(shared[~apart], return_index=True)
    where = shapely.get_coordinates(shapely.centroid(parts))
    between = shapely.line_interpolate_point(
        shapely.shortest_line(one[apart], other[apart]), 0.5, normalized=True
    )
    pairs = np.concatenate([np.flatnonzero(~apart)[pair], np.flatnonzero(apart)])
    xy = np.vstack([where, shapely.get_coordinates(between)])
    exact = np.arange(len(pairs)) < len(pair)
    return pairs.astype(np.intp), xy, exact


def _joined(
    names: tuple[str, ...], key: Ints, xy: Floats, exact: NDArray[np.bool_], near: float
) -> Crossings:
    """Make one of the crossings of the same streets that lie near; where they touch counts."""
    if len(key) == 0:
        return _none(names)
    _, place = np.unique(key, return_inverse=True)
    apart = np.column_stack([xy, place.ravel() * ASIDE])
    links = cKDTree(apart).query_pairs(near, output_type="ndarray")
    linked = coo_matrix((np.ones(len(links)), (links[:, 0], links[:, 1])), shape=(len(key),) * 2)
    n, group = connected_components(linked, directed=False)
    touching = np.bincount(group[exact], minlength=n) > 0
    counts = exact | ~touching[group]
    order = np.lexsort((xy[:, 1], xy[:, 0]))
    order = order[counts[order]]  # sums in one order, whatever the order of the rows
    many = np.bincount(group[order], minlength=n)
    middle = np.column_stack(
        [np.bincount(group[order], weights=xy[order, i], minlength=n) / many for i in (0, 1)]
    )
    keys = np.zeros(n, dtype=np.intp)
    keys[group] = key
    rank = np.lexsort((middle[:, 1], middle[:, 0], keys))
    return Crossings(
        names=names,
        one=cast("Ints", keys[rank] // len(names)),
        other=cast("Ints", keys[rank] % len(names)),
        xy=middle[rank],
    )
