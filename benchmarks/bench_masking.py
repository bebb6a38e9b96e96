"""Masking at the size of a city: public places, snapping; processor seconds.

python -m benchmarks.bench_masking

The city is synthetic.
"""

import time

import numpy as np
import shapely

from spatial.disclosure.places import make_public_places, snap
from spatial.spec import MaskingSpec

SIDE, STEP = 122, 100.0


def streets(rng):
    """A warped grid of street pieces cut at every crossing."""
    x, y = np.meshgrid(np.arange(SIDE) * STEP, np.arange(SIDE) * STEP, indexing="ij")
    knots = np.stack([x, y], -1) + rng.normal(0, 8, (SIDE, SIDE, 2))
    return [
        shapely.LineString([knots[i, j], knots[i + a, j + b]])
        for i in range(SIDE)
        for j in range(SIDE)
        for a, b in ((1, 0), (0, 1))
        if i + a < SIDE and j + b < SIDE
    ]


def places():
    """100,000 addresses among the streets, 500 beyond them, four districts, 60,000 rows."""
    rng = np.random.default_rng(1)
    lines, reach = streets(rng), SIDE * STEP
    edges = np.append(np.arange(4) * reach / 4, 2 * reach) - 50
    districts = {f"D{i + 1}": shapely.box(edges[i], -50, edges[i + 1], 2 * reach) for i in range(4)}
    addresses = np.vstack(
        [rng.uniform(0, reach, (100_000, 2)), rng.uniform(reach, 2 * reach, (500, 2))]
    )
    started = time.process_time()
    public = make_public_places(lines, districts, addresses, MaskingSpec.for_unit(1.0))
    built = time.process_time()
    rows = snap(public, *rng.uniform(0, reach, (2, 60_000)))
    done = time.process_time()
    print(
        f"{len(lines):,} street pieces, {len(addresses):,} addresses: {public.candidates:,} "
        f"candidates, {len(public.place_district):,} places in {built - started:.1f} s; "
        f"{len(rows):,} rows snapped in {done - built:.2f} s"
    )


if __name__ == "__main__":
    places()
