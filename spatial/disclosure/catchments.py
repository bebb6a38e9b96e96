"""Public places and the addresses that share them: who belongs where, and which places are too few.

The catchment of a place is what lies nearer to it than to any other place of its district, and
within reach. Distances that are equal to the last digit go to the place that comes first by x,
then y; places are therefore always given in that order.
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, cast

import numpy as np
from scipy.spatial import Voronoi, cKDTree

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]

QUEUE = 24  # places requested at once; an address that outlives them asks for more
TIES = 8  # nearest places compared at first; more that are as near are looked up one by one


def nearest(tree: cKDTree, xy: Floats, reach: float) -> Ints:
    """Find the nearest place within reach of each point.

    Parameters
    ----------
    tree
        The places, by x, then y.
    xy
        Points, shape ``(n, 2)``, finite.
    reach
        Farthest distance, itself included.

    Returns
    -------
    Position of the place, -1 where none is within reach.
    """
    if tree.n == 0 or len(xy) == 0:
        return np.full(len(xy), -1, dtype=np.intp)
    width = min(TIES, tree.n)
    distance, place = tree.query(xy, k=np.arange(1, width + 1))
    found = np.where(distance == distance[:, :1], place, tree.n).min(axis=1)
    for row in np.flatnonzero((distance[:, 0] == distance[:, -1]) & (width < tree.n)):
        everyone, them = tree.query(xy[row], k=np.arange(1, tree.n + 1))
        found[row] = them[everyone == everyone[0]].min()
    return cast("Ints", np.where(distance[:, 0] <= reach, found, -1))


def thin(candidates: Floats, addresses: Floats, k: int, reach: float) -> NDArray[np.bool_]:
    """Drop places until each is shared by at least ``k`` addresses, or by none.

    The place with the fewest addresses goes first, the first by x, then y, of several; its
    addresses go to the nearest place left within reach, if there is one.

    Parameters
    ----------
    candidates
        Places of one district, by x, then y, shape ``(n, 2)``.
    addresses
        Addresses of the same district, shape ``(m, 2)``.
    k, reach
        Least number of addresses, farthest distance.

    Returns
    -------
    Which candidates are kept.
    """
    alive = [True] * len(candidates)
    sharing: list[list[int]] = [[] for _ in candidates]
    queues = _Queues(candidates, addresses, reach)
    for address in range(len(addresses)):
        place = queues.next_alive(address, alive)
        if place is not None:
            sharing[place].append(address)
    few = [(len(them), place) for place, them in enumerate(sharing) if 0 < len(them) < k]
    heapq.heapify(few)
    while few:
        size, place = heapq.heappop(few)
        if not alive[place] or size != len(sharing[place]):
            continue  # an older entry of the same place
        alive[place] = False
        for address in sharing[place]:
            other = queues.next_alive(address, alive)
            if other is not None:
                sharing[other].append(address)
                if len(sharing[other]) < k:
                    heapq.heappush(few, (len(sharing[other]), other))
    return np.array(alive, dtype=bool)


class _Queues:
    """The places within reach of each address, nearest first, requested as far as needed."""

    def __init__(self, candidates: Floats, addresses: Floats, reach: float) -> None:
        self.n = len(candidates)
        self.addresses, self.reach = addresses, reach
        self.tree = cKDTree(candidates) if self.n else None
        self.rows = self._ask(addresses, QUEUE)
        self.at = [0] * len(addresses)

    def next_alive(self, address: int, alive: list[bool]) -> int | None:
        """Go on to the nearest place that is left, None when none within reach is."""
        row, at = self.rows[address], self.at[address]
        while at < len(row):
            place = row[at]
            if place == -1:
                row = self._ask(self.addresses[address : address + 1], 4 * len(row))[0]
                self.rows[address] = row
            elif place == self.n:
                break
            elif alive[place]:
                self.at[address] = at
                return place
            else:
                at += 1
        self.at[address] = at
        return None

    def _ask(self, xy: Floats, width: int) -> list[list[int]]:
        """Rows of places; ``n`` says that nothing more is in reach, -1 that the row was cut."""
        if self.tree is None or len(xy) == 0:
            return [[] for _ in xy]
        width = min(width, self.n)
        bound = np.nextafter(self.reach, np.inf)  # the query's own bound leaves itself out
        distance, place = self.tree.query(xy, k=np.arange(1, width + 1), distance_upper_bound=bound)
        order = np.lexsort((place, distance))
        distance = np.take_along_axis(distance, order, axis=1)
        place = np.take_along_axis(place, order, axis=1)
        if width < self.n:  # places as far as the last may be missing some of their equals
            place[(distance == distance[:, -1:]) & np.isfinite(distance)] = -1
        return cast("list[list[int]]", place.tolist())


def catchment_radii(xy: Floats, reach: float) -> Floats:
    """Bound the distance from each place to the farthest point of its catchment.

    Parameters
    ----------
    xy
        Places of one district, each once, shape ``(n, 2)``.
    reach
        Farthest distance of a catchment.

    Returns
    -------
    Distance to the farthest corner of the place's Voronoi cell, at most ``reach``: the catchment,
    which is also cut by the district's border, lies within it.
    """
    if len(xy) == 0:
        return np.empty(0)
    # A ring of far points closes every cell; it moves no border within reach of a place.
    centre = xy.mean(axis=0)
    far = 8 * (reach + np.hypot(*(xy - centre).T).max())
    turn = np.linspace(0, 2 * np.pi, 8, endpoint=False)
    ring = far * np.column_stack([np.cos(turn), np.sin(turn)])
    diagram = Voronoi(np.vstack([xy - centre, ring]))
    ends = np.array(diagram.ridge_vertices)
    radius = np.zeros(len(diagram.points))
    for side in range(2):
        for end in range(2):
            place, at = diagram.ridge_points[:, side], ends[:, end]
            away = np.hypot(*(diagram.vertices[at] - diagram.points[place]).T)
            np.maximum.at(radius, place, np.where(at < 0, np.inf, away))
    return np.minimum(radius[: len(xy)], reach)
