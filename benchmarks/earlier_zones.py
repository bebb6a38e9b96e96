"""The cutter of versions before the budget was solved, for comparison: zones grown one by one.

Each district may spend the same share of its cells. A zone starts from the highest cell left and
takes the best cell beside it, of those within the budget, until it is full; eight zones of 4 to 40
cells at most.
"""

import heapq

import numpy as np

from spatial.zones.cut import _surroundings, links

SHARE, LEAST, MOST, ZONES = 0.02, 4, 40, 8


def cut_earlier(grid, score, *, share=SHARE, least=LEAST, zones=ZONES):
    """Return the cells of each zone."""
    surroundings, near = _surroundings(grid, score), links(grid)
    found = []
    for position in range(len(grid.district_ids)):
        cells = np.flatnonzero(grid.district == position)
        if len(cells) == 0 or np.ptp(score[cells]) <= 1e-9 * max(1.0, float(score[cells].max())):
            continue
        ranked = cells[np.lexsort((cells, -surroundings[cells], -score[cells]))]
        place = {int(cell): i for i, cell in enumerate(ranked)}
        left = max(least, round(share * len(cells)))
        lowest = score[ranked[min(left, len(cells)) - 1]]
        within = int(np.searchsorted(-score[ranked], -lowest, side="right"))
        above = int((score[cells] > score[cells].mean() * (1 + 1e-9)).sum())
        eligible, taken, kept = min(within, above), set(), 0
        for seed in ranked[:eligible].tolist():
            if kept == zones or left < least:
                break
            if seed in taken:
                continue
            group = _grow(seed, min(left, MOST), place, near, eligible, taken, least)
            taken.update(group)
            if len(group) >= least:
                found.append(np.array(group))
                left -= len(group)
                kept += 1
    return found


def _grow(seed, most, place, near, eligible, taken, least):
    group, touching, queue = [], {seed: 0}, [(place[seed], 0, seed)]
    while queue and len(group) < most:
        rank, sides, cell = heapq.heappop(queue)
        if cell in group or -sides != touching[cell]:
            continue
        if rank >= eligible and len(group) >= least:
            break
        group.append(cell)
        for other in near[cell].tolist():
            if other >= 0 and other not in group and other not in taken:
                touching[other] = touching.get(other, 0) + 1
                own = place[other]
                merit = own if own >= eligible else own // touching[other]
                heapq.heappush(queue, (merit, -touching[other], other))
    return group
