"""Cells -> ranked, contiguous zones per district: the most expected incidents that a budget allows.

The budget is a share of the city's cells, allotted to its districts. Within a district, zones are
chosen that hold the most of the score under the budget, a number of zones, a least and a greatest
size, a least compactness and a least number of expected incidents. That is hard to solve exactly.
Here each cell is given a price: pieces grow from the highest cells for as long as they gain more
than they cost, and those of the greatest net worth are taken. The price at which they spend the
budget is found by bisection. What is left is spent on the best cells beside them, then cells are
exchanged while that raises what zones hold. How far zones stay behind what no choice of cells can
exceed is told (:func:`most_expected`).

Only cells above the district's mean score start or extend a zone; one smaller than the least size
takes in its best neighbours, whatever their score. Ties go to the cell whose surroundings score
higher, then to the one that touches the zone on more sides, then to the lower cell number: the same
scores always give the same zones.

How much of their budget zones take, and which limit would let them take all of it.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
import rasterio.features
import shapely
import shapely.geometry
from rasterio.transform import Affine
from scipy import ndimage

from spatial.grid import NO_DISTRICT
from spatial.notes import Note
from spatial.zones.growth import EVEN, exchange, grow

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from spatial.grid import Grid
    from spatial.notes import Parameter
    from spatial.spec import ZoneSpec

    Floats = NDArray[np.float64]
    Barriers = Sequence[BaseGeometry] | NDArray[np.object_] | None

SIDES = ((0, 1), (1, 0), (0, -1), (-1, 0))
ROUNDS = 18  # of the bisection: a quarter of a millionth of the span of prices
FLOOR = 0.5  # of its even share, that a district has at least when the best of the city are taken


@dataclass(frozen=True, kw_only=True, eq=False)
class CutZone:
    """A contiguous group of cells of one district; ``rank`` 1 expects most incidents there."""

    district: str
    rank: int
    cells: NDArray[np.int64]
    outline: shapely.Polygon


def cut_zones(
    grid: Grid,
    score: Floats,
    expected: Floats,
    spec: ZoneSpec,
    *,
    years: float | None = None,
    barriers: Barriers = None,
) -> list[CutZone]:
    """Cut zones in every district of a grid.

    Parameters
    ----------
    grid
        The cells.
    score
        What is followed, one value a cell.
    expected
        What zones are ranked by, one value a cell.
    spec
        Budget and sizes.
    years
        Length of the period that ``expected`` is of; without it, no zone is left out because it
        expects too little.
    barriers
        Lines and areas that no zone may cross, such as rivers and motorways.

    Returns
    -------
    Zones by district in the grid's order, then by rank. None where the scores of a district are
    all alike: a flat surface has no zones.
    """
    city = _City(grid, score, spec)
    if not city.order.size:
        return []
    floor = 0.0 if years is None else spec.least_expected * years
    zones = []
    for position, groups in enumerate(_Prices(city, expected, spec, floor, barriers).groups()):
        groups.sort(key=lambda group: (-expected[group].sum(), group.min()))
        zones += [
            CutZone(
                district=grid.district_ids[position],
                rank=rank,
                cells=np.sort(group),
                outline=outline(grid, group),
            )
            for rank, group in enumerate(groups, start=1)
        ]
    return zones


def most_expected(grid: Grid, score: Floats, expected: Floats, spec: ZoneSpec) -> float:
    """Return what no zones under this budget can exceed: the expected incidents of as many cells.

    They are the highest of each district, as many as its budget has and its zones may hold, whether
    or not they hang together.
    """
    city = _City(grid, score, spec)
    most = np.minimum(city.budget, city.number * spec.max_cells)
    return float(
        sum(
            np.sort(expected[cells])[::-1][:n].sum()
            for cells, n in zip(city.by_district, most, strict=True)
        )
    )


def outline(grid: Grid, cells: NDArray[np.int64]) -> shapely.Polygon:
    """Draw the border of contiguous cells along the lattice: a valid polygon, holes included."""
    row0, col0 = int(grid.rows[cells].min()), int(grid.cols[cells].min())
    shape = (int(grid.rows[cells].max()) - row0 + 1, int(grid.cols[cells].max()) - col0 + 1)
    mask = np.zeros(shape, dtype=np.uint8)
    mask[grid.rows[cells] - row0, grid.cols[cells] - col0] = 1
    found = [
        shapely.geometry.shape(geometry)
        for geometry, _ in rasterio.features.shapes(
            mask, mask=mask == 1, transform=Affine.identity()
        )
    ]
    whole = found[0] if len(found) == 1 else shapely.union_all(found)
    lattice = shapely.get_coordinates(whole) + np.array([col0, row0])
    corners = lattice * grid.cell_units + np.array([grid.x0, grid.y0])
    return cast("shapely.Polygon", shapely.set_coordinates(whole, corners))


def _surroundings(grid: Grid, score: Floats) -> Floats:
    """Mean score of the 5 by 5 cells around each cell, over those inside the study area."""
    inside = (grid.index_raster >= 0).astype(float)
    values = grid.to_raster(score, fill=0.0)
    total = ndimage.uniform_filter(values, size=5, mode="constant")
    share = ndimage.uniform_filter(inside, size=5, mode="constant")
    mean = (total / np.where(share > 0, share, 1.0))[grid.rows, grid.cols]
    return np.round(mean, 9)  # rounding differences must not decide a tie


class _City:
    """Cells from the highest to the lowest, and what each district may spend.

    ``order`` has the cells of districts whose scores are not all alike; ``budget`` is in cells.
    """

    def __init__(self, grid: Grid, score: Floats, spec: ZoneSpec) -> None:
        self.grid = grid
        mean = float(score.mean()) if len(score) else 1.0
        self.worth = np.round(score / (mean or 1.0), 9)  # rounding differences must not decide
        surroundings = _surroundings(grid, self.worth)
        every = np.lexsort((np.arange(len(grid)), -surroundings, -self.worth))
        uneven = [
            len(own) > 0 and np.ptp(score[own]) > 1e-9 * max(1.0, float(score[own].max()))
            for own in (
                np.flatnonzero(grid.district == one) for one in range(len(grid.district_ids))
            )
        ]
        inside = grid.district[every] >= 0
        inside[inside] = np.array(uneven)[grid.district[every][inside]]
        self.order = every[inside]
        of = grid.district[self.order]
        self.by_district = [self.order[of == one] for one in range(len(grid.district_ids))]
        self.place = np.zeros(len(grid), dtype=np.int64)
        for cells in self.by_district:
            self.place[cells] = np.arange(len(cells))
        self.mean = np.array(
            [self.worth[own].mean() * (1 + 1e-9) if len(own) else 0.0 for own in self.by_district]
        )
        self.budget = self._allot(spec)
        self.number = np.full(len(self.budget), spec.max_zones)
        if spec.city_zones:
            parts = _apportion(spec.city_zones, self.budget.astype(float))
            self.number = np.minimum(self.number, np.maximum(parts, self.budget > 0))

    def _allot(self, spec: ZoneSpec) -> NDArray[np.int64]:
        """Allot the budget to the districts, in cells; each gets one least zone at least."""
        districts = self.grid.district[self.grid.district >= 0]
        sizes = np.bincount(districts, minlength=len(self.by_district))
        total = round(spec.area_share * int(sizes.sum()))
        least = np.array([spec.min_cells if len(cells) else 0 for cells in self.by_district])
        if spec.allotment == "even":
            share = np.array([round(spec.area_share * int(size)) for size in sizes])
        elif spec.allotment == "expected":
            worth = np.array([float(self.worth[cells].sum()) for cells in self.by_district])
            share = _apportion(total, worth)
        else:
            share = self._best_of_city(
                total, (FLOOR * spec.area_share) * sizes.astype(np.float64), spec
            )
        return np.where(least > 0, np.minimum(np.maximum(share, least), sizes), 0)

    def _best_of_city(self, total: int, floor: Floats, spec: ZoneSpec) -> NDArray[np.int64]:
        """Count the districts' parts of the city's best cells, none below its floor."""
        of, place = self.grid.district[self.order], self.place[self.order]
        may = (self.worth[self.order] > self.mean[of]) & (place < spec.max_zones * spec.max_cells)
        first = may & (place < np.maximum(np.round(floor), spec.min_cells)[of])
        then = np.flatnonzero(may & ~first)[: max(0, total - int(first.sum()))]
        first[then] = True
        return np.bincount(of[first], minlength=len(floor))


def _apportion(total: int, weights: Floats) -> NDArray[np.int64]:
    """Part a whole number by weights: largest remainders, of equal ones the first."""
    whole = weights.sum()
    if whole <= 0:
        return np.zeros(len(weights), dtype=np.int64)
    quotas = total * weights / whole
    parts = np.floor(quotas).astype(np.int64)
    rest = np.argsort(-np.round(quotas - parts, 9), kind="stable")[: total - int(parts.sum())]
    parts[rest] += 1
    return parts


class _Prices:
    """Finds the price of a cell at which a district's zones spend its budget."""

    def __init__(
        self,
        city: _City,
        expected: Floats,
        spec: ZoneSpec,
        floor: float,
        barriers: Barriers,
    ) -> None:
        self.city, self.expected = city, np.asarray(expected, dtype=np.float64)
        self.near = links(city.grid, barriers)
        self.limits = (spec.min_cells, spec.max_cells, spec.least_compactness, floor)
        self.of = np.maximum(city.grid.district, 0)
        self.zone = np.full(len(city.grid), -1, dtype=np.int64)

    def groups(self) -> list[list[NDArray[np.int64]]]:
        """Return the cells of each zone, by district."""
        city, worth = self.city, self.city.worth
        low = city.mean.copy()
        high = np.array([worth[own[0]] if len(own) else 0.0 for own in city.by_district])
        price = np.array(
            [
                max(mean, worth[own[min(budget, len(own) - 1)]]) if len(own) else 0.0
                for own, budget, mean in zip(city.by_district, city.budget, low, strict=True)
            ]
        )
        best: list[tuple[float, list[NDArray[np.int64]]]] = [(0.0, []) for _ in low]
        for _ in range(ROUNDS):
            for position, taken in enumerate(self._pieces(price)):
                cells, budget = sum(len(group) for group in taken), city.budget[position]
                edge = low if cells > budget else high
                edge[position] = price[position]
                if cells > 2 * budget:
                    continue
                found = self._spend(position, taken)
                total = sum(float(worth[group].sum()) for group in found)
                if total > best[position][0] + EVEN:
                    best[position] = (total, found)
            price = (low + high) / 2
        return [found for _, found in best]

    def _pieces(self, price: Floats) -> list[list[NDArray[np.int64]]]:
        """Return each district's pieces of the greatest net worth under some prices of a cell."""
        city = self.city
        piece, seeds, nets = grow(
            city.order,
            city.place,
            self.near,
            city.worth,
            price[self.of],
            self.expected,
            np.array(self.limits, dtype=np.float64),
        )
        found: list[list[NDArray[np.int64]]] = [[] for _ in city.by_district]
        ranked = np.lexsort((seeds, city.place[seeds], -np.round(nets, 9)))
        members = _groups(piece, np.flatnonzero(piece >= 0), len(seeds))
        for number in ranked.tolist():
            own = found[int(city.grid.district[seeds[number]])]
            if len(own) < city.number[city.grid.district[seeds[number]]]:
                own.append(members[number])
        return found

    def _spend(self, position: int, groups: list[NDArray[np.int64]]) -> list[NDArray[np.int64]]:
        """Return zones that spend the budget, after all exchanges that pay; none if they cannot."""
        city = self.city
        if not groups:
            return []
        own, zone = city.by_district[position], self.zone
        zone[own] = -1
        for number, group in enumerate(groups):
            zone[group] = number
        left = int(city.budget[position]) - sum(len(group) for group in groups)
        limits = (*self.limits, left, city.mean[position], len(groups))
        within = exchange(
            own,
            self.near,
            city.worth,
            zone,
            self.expected,
            np.array(limits, dtype=np.float64),
        )
        return _groups(zone, own[zone[own] >= 0], len(groups)) if within else []


def _groups(label: NDArray[np.int64], cells: NDArray[np.int64], n: int) -> list[NDArray[np.int64]]:
    """Return the cells of each label from 0 to n - 1, ascending."""
    cells = np.sort(cells)
    number = label[cells]
    ends = np.cumsum(np.bincount(number, minlength=n))
    return np.split(cells[np.argsort(number, kind="stable")], ends[:-1]) if n else []


def links(grid: Grid, barriers: Barriers = None) -> NDArray[np.int64]:
    """Return the cells beside each cell that a zone may reach from it, -1 where there is none.

    They share a side and a district, and no barrier lies between their centres; shape ``(n, 4)``.
    """
    around = np.pad(grid.index_raster, 1, constant_values=-1)
    found = np.stack(
        [around[grid.rows + 1 + d_row, grid.cols + 1 + d_col] for d_row, d_col in SIDES], axis=1
    ).astype(np.int64)
    same = grid.district[np.maximum(found, 0)] == grid.district[:, None]
    found = np.where((found >= 0) & same & (grid.district[:, None] >= 0), found, -1)
    if barriers is None or len(barriers) == 0:
        return found
    cell, side = np.nonzero(found >= 0)
    other = found[cell, side]
    once = cell < other
    cell, side, other = cell[once], side[once], other[once]
    ends = np.stack([grid.x[cell], grid.y[cell], grid.x[other], grid.y[other]], axis=1)
    lines = shapely.linestrings(ends.reshape(-1, 2, 2))
    crossed = np.unique(
        shapely.STRtree(np.asarray(lines)).query(np.asarray(barriers), predicate="intersects")[1]
    )
    found[cell[crossed], side[crossed]] = -1
    found[other[crossed], (side[crossed] + 2) % 4] = -1  # SIDES has opposites two apart
    return found


def cells_within(grid: Grid, outlines: Iterable[BaseGeometry]) -> list[NDArray[np.int64]]:
    """Return the cells of each outline: those whose centre lies in it."""
    return [np.flatnonzero(shapely.contains_xy(outline, grid.x, grid.y)) for outline in outlines]


def zone_of_cells(grid: Grid, zones: list[CutZone]) -> NDArray[np.int32]:
    """Position in ``zones`` of each cell's zone, -1 outside."""
    found = np.full(len(grid), NO_DISTRICT, dtype=np.int32)
    for position, zone in enumerate(zones):
        found[zone.cells] = position
    return found


CAPPED, UNUSED = "zones.budget_capped", "zones.budget_unused"
CITY_CAPPED = "zones.city_capped"


def budget_note(
    grid: Grid,
    score: Floats,
    expected: Floats,
    spec: ZoneSpec,
    kept: Sequence[tuple[str, int]],
    *,
    years: float | None = None,
    barriers: Barriers = None,
) -> Note | None:
    """Say that zones take less than their budget, and what would let them take it.

    What more zones would take is found by cutting again without a limit of their number, and the
    least number that takes it by bisection. A district may leave up to ``min_cells`` cells, which
    are rounded off or make no zone.

    Parameters
    ----------
    grid, score, expected, spec, years, barriers
        What the zones were cut from, as :func:`spatial.zones.cut.cut_zones` takes it.
    kept
        District and number of cells of each zone.
    """
    if not kept:
        return None  # scores that are all alike have no zones, and the run says that
    of = grid.district[grid.district >= 0]
    goal = round(spec.area_share * len(of)) - spec.min_cells * len(np.unique(of))
    cells = sum(number for _, number in kept)
    if cells >= goal:
        return None
    parameters: dict[str, Parameter] = {
        "area_share": spec.area_share,
        "held_share": cells / len(grid),
    }
    if spec.city_zones and len(kept) >= spec.city_zones:
        return Note(CITY_CAPPED, {**parameters, "city_zones": spec.city_zones})

    def taken(most: int) -> list[CutZone]:
        limited = dataclasses.replace(spec, max_zones=most)
        return cut_zones(grid, score, expected, limited, years=years, barriers=barriers)

    uncapped = needed = 0
    if max(Counter(district for district, _ in kept).values()) >= spec.max_zones:
        free = taken(len(grid))
        uncapped = sum(len(zone.cells) for zone in free)
        fewer, needed = spec.max_zones, max(Counter(zone.district for zone in free).values())
        while uncapped > cells and needed - fewer > 1:
            middle = (fewer + needed) // 2
            enough = sum(len(zone.cells) for zone in taken(middle)) >= min(uncapped, goal)
            fewer, needed = (fewer, middle) if enough else (middle, needed)
    if uncapped <= cells:
        return Note(UNUSED, parameters)
    parameters |= {
        "max_zones": spec.max_zones,
        "max_zones_needed": needed,
        "share_without_limit": uncapped / len(grid),
        "reaches_budget": uncapped >= goal,
    }
    return Note(CAPPED, parameters)


QUIET = "zones.too_quiet"


def quiet_note(
    grid: Grid,
    score: Floats,
    expected: Floats,
    spec: ZoneSpec,
    zones: Sequence[CutZone],
    *,
    years: float | None = None,
    barriers: Barriers = None,
) -> Note | None:
    """Say how many zones there would be that expect too little, and where no other is left.

    They are found by cutting again without that limit. Parameters are those of
    :func:`spatial.zones.cut.cut_zones`, and what it cut.
    """
    if years is None or spec.least_expected == 0:
        return None
    every = cut_zones(
        grid, score, expected, dataclasses.replace(spec, least_expected=0.0), barriers=barriers
    )
    floor = spec.least_expected * years
    quiet = [zone.district for zone in every if expected[zone.cells].sum() < floor]
    if not quiet:
        return None
    some = {zone.district for zone in zones}
    without = tuple(name for name in grid.district_ids if name in quiet and name not in some)
    parameters: dict[str, Parameter] = {
        "zones": len(quiet),
        "least": spec.least_expected,
        "districts": without,
    }
    return Note(QUIET, parameters)
