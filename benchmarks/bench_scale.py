"""Whole fits from 100,000 to 1,000,000 cells x 240 candidates: time and peak memory, each alone.

python -m benchmarks.bench_scale [cells ...]
"""

import resource
import subprocess
import sys
import time

from benchmarks.town import make_metropolis
from spatial.analysis import Inputs, analyse_city
from spatial.spec import GridSpec, RunSpec


def one(cells):
    """Fit once after a small fit that loads what is compiled; print seconds and peak memory."""
    for number in (4_000, cells):
        area, districts, grid, layers, points, block = make_metropolis(number)
        inputs = Inputs(study_area=area, districts=districts, incidents=points, layers=layers)
        spec = RunSpec(
            grid=GridSpec(cell_units=grid.cell_units, block_units=block), factors=tuple(layers)
        )
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        started = time.perf_counter()
        analysis = analyse_city(inputs, spec)
        seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{len(grid):>9,} cells x {analysis.terrain.n_candidates}: {seconds:6.1f} s, peak "
        f"{peak:,.0f} MB (of which {before:,.0f} MB before the fit), "
        f"{len(analysis.terrain.model.columns)} factors, {len(analysis.zones)} zones",
        flush=True,
    )


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] == "--one":
        one(int(sys.argv[2]))
    else:
        for size in sys.argv[1:] or ["100000", "500000", "1000000"]:
            subprocess.run(
                [sys.executable, "-m", "benchmarks.bench_scale", "--one", size], check=True
            )
