"""Cells -> ranked, contiguous zones per district.

Within a district's budget, zones grow one after the other from the highest cell left, always
taking the best cell beside them, until they reach their greatest size or no cell of the budget is
left beside them. Only cells above the district's mean score start or extend a zone; one smaller
than the least size takes in its best neighbours, whatever their score. Ties go to the cell whose
surroundings score higher, then to the one that touches the zone on more sides, then to the lower
cell number: the same scores always give the same zones.

How much of their budget zones take, and which limit would let them take all of it.
"""

from __future__ import annotations

import dataclasses
import heapq
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import rasterio.features
import shapely
import shapely.geometry
from rasterio.transform import Affine
from scipy import ndimage

from spatial.grid import NO_DISTRICT

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from spatial.grid import Grid
    from spatial.spec import ZoneSpec


if TYPE_CHECKING:
    Floats = NDArray[np.float64]

SIDES = ((0, 1), (1, 0), (0, -1), (-1, 0))


@dataclass(frozen=True, kw_only=True, eq=False)
class Zone:
    """A contiguous group of cells of one district; ``rank`` 1 expects most incidents there."""

    district: str
    rank: int
    cells: NDArray[np.int64]
    outline: shapely.Polygon


def cut_zones(grid: Grid, score: Floats, expected: Floats, spec: ZoneSpec) -> list[Zone]:
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

    Returns
    -------
    Zones by district in the grid's order, then by rank. None where the scores of a district are
    all alike: a flat surface has no zones.
    """
    surroundings = _surroundings(grid, score)
    zones = []
    for position, name in enumerate(grid.district_ids):
        cells = np.flatnonzero(grid.district == position)
        if len(cells) == 0 or np.ptp(score[cells]) <= 1e-9 * max(1.0, float(score[cells].max())):
            continue
        groups = _District(grid, cells, score, surroundings, spec).grow()
        groups.sort(key=lambda group: (-expected[group].sum(), group.min()))
        zones += [
            Zone(district=name, rank=rank, cells=np.sort(group), outline=outline(grid, group))
            for rank, group in enumerate(groups, start=1)
        ]
    return zones


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


class _District:
    """Grows the zones of one district."""

    def __init__(
        self,
        grid: Grid,
        cells: NDArray[np.intp],
        score: Floats,
        surroundings: Floats,
        spec: ZoneSpec,
    ) -> None:
        self.grid, self.spec = grid, spec
        self.own = grid.district[cells[0]]
        self.budget = max(spec.min_cells, round(spec.area_share * len(cells)))
        order = np.lexsort((cells, -surroundings[cells], -score[cells]))
        self.ranked = cells[order]
        self.place = {int(cell): i for i, cell in enumerate(self.ranked)}  # 0 is the best cell
        floor = score[self.ranked[min(self.budget, len(cells)) - 1]]
        within = int(np.searchsorted(-score[self.ranked], -floor, side="right"))
        above = int((score[cells] > score[cells].mean() * (1 + 1e-9)).sum())
        self.eligible = min(within, above)  # a cell of average risk is never a reason for a zone
        self.taken: set[int] = set()

    def grow(self) -> list[NDArray[np.int64]]:
        """Return the groups of cells, in the order in which they were grown."""
        groups: list[NDArray[np.int64]] = []
        left = self.budget
        for seed in self.ranked[: self.eligible].tolist():
            if len(groups) == self.spec.max_zones or left < self.spec.min_cells:
                break
            if seed in self.taken:
                continue
            group = self._grow_from(seed, min(left, self.spec.max_cells))
            self.taken.update(group)  # also when too small: its cells lead nowhere else
            if len(group) >= self.spec.min_cells:
                groups.append(np.array(group, dtype=np.int64))
                left -= len(group)
        return groups

    def _grow_from(self, seed: int, most: int) -> list[int]:
        group: list[int] = []
        members: set[int] = set()
        touching: dict[int, int] = {seed: 0}
        queue = [(self.place[seed], 0, seed)]
        while queue and len(group) < most:
            place, sides, cell = heapq.heappop(queue)
            if cell in members or -sides != touching[cell]:
                continue  # an older entry of the same cell
            if place >= self.eligible and len(group) >= self.spec.min_cells:
                break
            group.append(cell)
            members.add(cell)
            for neighbour in self._beside(cell):
                if neighbour not in members:
                    touching[neighbour] = touching.get(neighbour, 0) + 1
                    heapq.heappush(
                        queue,
                        (
                            self._merit(neighbour, touching[neighbour]),
                            -touching[neighbour],
                            neighbour,
                        ),
                    )
        return group

    def _merit(self, cell: int, sides: int) -> int:
        """Place of a cell in the queue: a cell of the budget that fills a notch comes forward."""
        place = self.place[cell]
        return place if place >= self.eligible else place // sides

    def _beside(self, cell: int) -> list[int]:
        grid = self.grid
        found = []
        for d_row, d_col in SIDES:
            row, col = int(grid.rows[cell]) + d_row, int(grid.cols[cell]) + d_col
            if 0 <= row < grid.n_rows and 0 <= col < grid.n_cols:
                other = int(grid.index_raster[row, col])
                if other >= 0 and grid.district[other] == self.own and other not in self.taken:
                    found.append(other)
        return found


def cells_within(grid: Grid, outlines: Iterable[BaseGeometry]) -> list[NDArray[np.int64]]:
    """Return the cells of each outline: those whose centre lies in it."""
    return [np.flatnonzero(shapely.contains_xy(outline, grid.x, grid.y)) for outline in outlines]


def zone_of_cells(grid: Grid, zones: list[Zone]) -> NDArray[np.int32]:
    """Position in ``zones`` of each cell's zone, -1 outside."""
    found = np.full(len(grid), NO_DISTRICT, dtype=np.int32)
    for position, zone in enumerate(zones):
        found[zone.cells] = position
    return found


LEFT = "the rest lies in pieces too small for a zone or is not above the mean of its district"
CAPPED, UNUSED = "zones.budget_capped", "zones.budget_unused"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Caution:
    """Something to keep in mind about a run: a stable code, its parameters, and a sentence."""

    code: str
    parameters: dict[str, Any]
    text: str

    def as_json(self) -> dict[str, Any]:
        """Return it as scripts read it."""
        return {"code": self.code, "parameters": self.parameters, "warning": self.text}


def budget_caution(
    grid: Grid, score: Floats, expected: Floats, spec: ZoneSpec, kept: Sequence[tuple[str, int]]
) -> Caution | None:
    """Say that zones take less than their budget, and what would let them take it.

    What more zones would take is found by cutting again without a limit of their number. A district
    may leave up to ``min_cells - 1`` cells, which make no zone.

    Parameters
    ----------
    grid, score, expected, spec
        What the zones were cut from, as :func:`spatial.zones.cut.cut_zones` takes it.
    kept
        District and number of cells of each zone.
    """
    if not kept:
        return None  # scores that are all alike have no zones, and the run says that
    sizes = np.bincount(grid.district[grid.district >= 0], minlength=len(grid.district_ids))
    budget = int(sum(round(spec.area_share * int(size)) for size in sizes))
    spare = (spec.min_cells - 1) * int((sizes > 0).sum())
    cells = sum(number for _, number in kept)
    if cells >= budget - spare:
        return None
    number_of = Counter(district for district, _ in kept)
    most = uncapped = 0
    if max(number_of.values()) >= spec.max_zones:
        free = cut_zones(grid, score, expected, dataclasses.replace(spec, max_zones=len(grid)))
        most = max(Counter(zone.district for zone in free).values())
        uncapped = sum(len(zone.cells) for zone in free)
    parameters: dict[str, Any] = {"area_share": spec.area_share, "held_share": cells / len(grid)}
    text = (
        f"zones hold {_percent(cells / len(grid))} of the area, {_percent(spec.area_share)} was "
        "the budget"
    )
    if uncapped <= cells:
        return Caution(
            code=UNUSED,
            parameters=parameters,
            text=f"{text}: {LEFT}",
        )
    parameters |= {
        "max_zones": spec.max_zones,
        "max_zones_needed": most,
        "share_without_limit": uncapped / len(grid),
    }
    allowed = f"{text}: {spec.max_zones} zones a district were allowed"
    if uncapped >= budget - spare:
        return Caution(
            code=CAPPED,
            parameters=parameters,
            text=f"{allowed}; to use all of it, allow {most}",
        )
    return Caution(
        code=CAPPED,
        parameters=parameters,
        text=f"{allowed}; with {most} they hold {_percent(uncapped / len(grid))}, and {LEFT}",
    )


def _percent(share: float) -> str:
    """Write a share in percent with two digits that count.

    >>> _percent(0.0174), _percent(0.2), _percent(0.05)
    ('1.7 %', '20 %', '5 %')
    """
    return f"{100 * share:.2g} %"
