"""Compiled loops of the cutter: pieces grown under a price of a cell, and cells exchanged.

Districts are one after the other in ``order``, and no link leads from one to another, so pieces of
all districts are grown in one pass. Cells are numbered as in the grid; -1 is no cell or no zone.
"""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np

# Cells in a row that do not pay for themselves and may still lead to some that do: a piece may
# bridge a dip of so many.
DIP = 3
EVEN = 1e-9  # of scores relative to the mean: what differs by less is alike


@numba.njit(cache=True, nogil=True)
def compact(cells: int, perimeter: int, least: float) -> Any:
    """Return whether a shape is compact: 4 pi area / perimeter squared (Polsby, Popper 1991)."""
    return 4.0 * math.pi * cells >= least * perimeter * perimeter


@numba.njit(cache=True, nogil=True)
def grow(
    order: Any,
    place: Any,
    near: Any,
    worth: Any,
    price: Any,
    expected: Any,
    limits: Any,
) -> Any:
    """Grow a piece from each cell that is worth its price, the highest first.

    Parameters
    ----------
    order, place
        Cells from the highest to the lowest, and each cell's place in its district's order.
    near
        The four cells beside each cell that it is linked with.
    worth, price, expected
        Of each cell.
    limits
        Least and greatest size, least compactness, least expected of a piece.

    Returns
    -------
    The piece of each cell; and of each piece the first cell and its net worth (the sum of worth
    less price), which is the most that any stage of its growth within the limits had.
    """
    n, most = len(worth), int(limits[1])
    piece, group = np.full(n, -1, np.int64), np.empty(most, np.int64)
    # Number of the try that has a cell beside it (below 0: within it); its sides along the try.
    seen, sides, beside = np.zeros(n, np.int64), np.zeros(n, np.int64), np.empty(n, np.int64)
    seeds, nets = np.empty(n, np.int64), np.empty(n)
    number = tries = 0
    for seed in order:
        if worth[seed] <= price[seed] or piece[seed] >= 0:
            continue
        tries += 1
        beside[0], seen[seed], sides[seed] = seed, tries, 0
        size, waiting, perimeter, taken = 0, 1, 0, 0
        net, mass, best = 0.0, 0.0, 0.0
        while waiting > 0 and size < most:
            cell = _take_first(beside, waiting, place, sides, worth, price)
            waiting -= 1
            seen[cell], group[size] = -tries, cell
            size += 1
            net += worth[cell] - price[cell]
            mass += expected[cell]
            perimeter += 4 - 2 * sides[cell]
            enough = size >= limits[0] and mass >= limits[3]
            if enough and net > best + EVEN and compact(size, perimeter, limits[2]):
                best, taken = net, size
            if enough and size - taken >= DIP + limits[0]:
                break
            waiting = _look_beside(near[cell], piece, seen, sides, beside, waiting, tries)
        if taken > 0:
            piece[group[:taken]] = number
            seeds[number], nets[number] = seed, best
            number += 1
    return piece, seeds[:number], nets[:number]


@numba.njit(cache=True, nogil=True)
def _look_beside(
    links: Any, piece: Any, seen: Any, sides: Any, beside: Any, waiting: int, tries: int
) -> Any:
    """Note the cells beside one that joined a piece; return how many are beside the piece."""
    for other in links:
        if other < 0 or piece[other] >= 0 or seen[other] == -tries:
            continue
        if seen[other] == tries:
            sides[other] += 1
        else:
            seen[other], sides[other] = tries, 1
            beside[waiting] = other
            waiting += 1
    return waiting


@numba.njit(cache=True, nogil=True)
def _take_first(beside: Any, waiting: int, place: Any, sides: Any, worth: Any, price: Any) -> Any:
    """Take the next cell of a piece off: the highest; one that fills a notch comes forward."""
    at, key = -1, 0
    for i in range(waiting):
        cell = beside[i]
        merit = place[cell]
        if worth[cell] > price[cell] and sides[cell] > 1:
            merit //= sides[cell]
        if at >= 0:
            other = beside[at]
            if merit > key or (merit == key and sides[cell] < sides[other]):
                continue
            if merit == key and sides[cell] == sides[other] and cell > other:
                continue
        at, key = i, merit
    cell = beside[at]
    beside[at] = beside[waiting - 1]
    return cell


@numba.njit(cache=True, nogil=True)
def exchange(cells: Any, near: Any, worth: Any, zone: Any, expected: Any, limits: Any) -> Any:
    """Bring a district's zones to its budget, then swap cells for as long as that pays.

    What is left is spent on the best cells beside zones; what is too much is given up, the lowest
    cells that no zone needs first. A swap does one and the other. Each raises what zones hold, so
    they come to an end.

    Parameters
    ----------
    cells
        Of the district, from the highest to the lowest.
    near, worth, expected
        As for :func:`grow`.
    zone
        The zone of each cell, changed in place.
    limits
        As for :func:`grow`, then the cells left of the budget, the worth that a cell must exceed
        to be added, and the number of zones.

    Returns
    -------
    Whether they are within the budget.
    """
    left, zones = int(limits[4]), int(limits[6])
    size, perimeter = np.zeros(zones, np.int64), np.zeros(zones, np.int64)
    mass = np.zeros(zones)
    for cell in cells:
        own = zone[cell]
        if own >= 0:
            size[own] += 1
            mass[own] += expected[cell]
            perimeter[own] += 4 - _sides(cell, near, zone, own)
    while left < 0:
        if not _give_up(cells, near, worth, zone, expected, limits, size, perimeter, mass, np.inf):
            return False
        left += 1
    while True:
        added, to = _best_beside(cells, near, worth, zone, limits, size, perimeter)
        if added < 0:
            return True
        zone[added] = to
        size[to] += 1
        mass[to] += expected[added]
        perimeter[to] += 4 - 2 * _sides(added, near, zone, to)
        if left > 0:
            left -= 1
            continue
        below = worth[added] - EVEN
        if not _give_up(cells, near, worth, zone, expected, limits, size, perimeter, mass, below):
            zone[added] = -1
            return True


@numba.njit(cache=True, nogil=True)
def _best_beside(
    cells: Any, near: Any, worth: Any, zone: Any, limits: Any, size: Any, perimeter: Any
) -> Any:
    """Return the best cell that a zone may take in, and the zone that has most of its sides."""
    most, shape, threshold = int(limits[1]), limits[2], limits[5]
    added, to, most_sides = -1, -1, 0
    for cell in cells:
        if worth[cell] <= threshold or (added >= 0 and worth[cell] < worth[added]):
            break
        if zone[cell] >= 0:
            continue
        for side in range(4):
            other = near[cell, side]
            if other < 0 or zone[other] < 0 or size[zone[other]] >= most:
                continue
            own = zone[other]
            sides = _sides(cell, near, zone, own)
            longer = perimeter[own] + 4 - 2 * sides
            if sides > most_sides and compact(size[own] + 1, longer, shape):
                added, to, most_sides = cell, own, sides
    return added, to


@numba.njit(cache=True, nogil=True)
def _give_up(
    cells: Any,
    near: Any,
    worth: Any,
    zone: Any,
    expected: Any,
    limits: Any,
    size: Any,
    perimeter: Any,
    mass: Any,
    below: float,
) -> Any:
    """Take the lowest cell of a worth below some other out of its zone, and say if there is one."""
    least, shape, floor = int(limits[0]), limits[2], limits[3]
    for i in range(len(cells) - 1, -1, -1):
        cell = cells[i]
        own = zone[cell]
        if own < 0:
            continue
        if worth[cell] >= below:
            return False
        sides = _sides(cell, near, zone, own)
        if (
            size[own] > least
            and mass[own] - expected[cell] >= floor
            and compact(size[own] - 1, perimeter[own] - 4 + 2 * sides, shape)
            and _hangs_together(cell, size[own], near, zone, own)
        ):
            zone[cell] = -1
            size[own] -= 1
            mass[own] -= expected[cell]
            perimeter[own] -= 4 - 2 * sides
            return True
    return False


@numba.njit(cache=True, nogil=True)
def _sides(cell: int, near: Any, zone: Any, own: int) -> Any:
    """Count the sides of a cell that lie in a zone."""
    found = 0
    for side in range(4):
        other = near[cell, side]
        if other >= 0 and zone[other] == own:
            found += 1
    return found


@numba.njit(cache=True, nogil=True)
def _hangs_together(without: int, size: int, near: Any, zone: Any, own: int) -> Any:
    """Return whether a zone of some size is in one piece without one of its cells."""
    start = -1
    for side in range(4):
        other = near[without, side]
        if other >= 0 and zone[other] == own:
            start = other
    if start < 0:
        return False
    waiting, seen = [start], {start}
    while len(waiting) > 0:
        cell = waiting.pop()
        for side in range(4):
            other = near[cell, side]
            if other >= 0 and other != without and zone[other] == own and other not in seen:
                seen.add(other)
                waiting.append(other)
    return len(seen) == size - 1
