"""Whether the drop said to be found half of the time is, and what another rule would call.

The cities are those of ``bench_outcome``, with 40, 150 or 400 incidents before: the engine chooses
the control areas once for each, and the year after is drawn ``AFTERS`` times for each size of a
drop. Of every setting it prints:

- how often the rule called the drop that the comparison itself says is found half of the time;
- how often it called a fall, and a rise, where there was no effect;
- the same of one test of the difference to the mean of the control areas, whose variance is that
  of the counts times the dispersion (``mean``), and with what the changes of all areas that pass
  vary beyond chance added to it (``spread``); and what each finds of a drop of 40 % at the
  critical value that gives it as many false calls as the rule has.

    python -m benchmarks.bench_power [CITIES [PROCESSES]]
"""

import sys
from concurrent.futures import ProcessPoolExecutor

import numpy as np
from scipy import sparse

from benchmarks.bench_outcome import STEPS, negative_binomial, world
from spatial.evaluation.controls import distinct, find_controls, ring
from spatial.evaluation.design import FEWER, Comparison, call, pieces_of
from spatial.evaluation.estimates import dispersion, normal_quantile, weighted_difference
from spatial.intervals import wilson

AFTERS, YEAR, DROP = 20, 12, 0.4
Z = normal_quantile(0.05)
SETTINGS = [
    (local, inflation, level)
    for local in (False, True)
    for inflation in (1.0, 1.5)
    for level in (40, 150, 400)
]


def one(asked):
    """Return ``(share said, rows)`` of a city; a row has drop, call and both other statistics."""
    seed, local, inflation, level = asked
    rng = np.random.default_rng([seed, int(10 * inflation), local, level, 7])
    grid, treated, rate, counts = world(rng, inflation=inflation, local=local, level=level)
    free = np.ones(len(grid), dtype=bool)
    free[ring(grid, treated, 2)] = False
    before = counts[:, :STEPS]
    found = find_controls(grid, sparse.csr_array(before), treated, free)
    areas = [area.cells for area in distinct(found, 3)]
    passing = [area.cells for area in found if area.checks.passes]
    series = before[treated].sum(axis=0)
    early = before[:, -YEAR:].sum(axis=1)
    pieces, members = pieces_of(areas, early)
    widening = dispersion(series)
    said = Comparison(
        treated=early[treated].sum(),
        pieces=pieces,
        members=members,
        dispersion=dispersion(series, *(before[cells].sum(axis=0) for cells in areas)),
        widening=widening,
    ).drop(0.5)
    expected = rate[treated, STEPS:].sum()
    rows = []
    for drop in (0.0, min(1.0, said / expected), DROP):
        for _ in range(AFTERS):
            late = negative_binomial(rng, rate[:, STEPS:].sum(axis=1), inflation)
            mean = np.array([expected * (1 - drop)])
            gone = negative_binomial(rng, mean, inflation)[0] if drop < 1 else 0
            mine = (early[treated].sum(), gone)
            pairs = [(early[cells].sum(), late[cells].sum()) for cells in areas]
            wide = [
                weighted_difference(pair, mine).local.widened(np.sqrt(widening), 0.05)
                for pair in pairs
            ]
            called = call((estimate.low, estimate.high) for estimate in wide)
            rows.append((drop, called, *others(mine, areas, passing, early, late, widening)))
    return said / expected, all(area.checks.passes for area in distinct(found, 3)), np.array(rows)


def others(mine, areas, passing, early, late, widening):
    """Return the two other statistics: the difference to the mean in its standard errors."""
    weight = np.zeros(len(early))
    for cells in areas:
        weight[cells] += 1 / len(areas)
    gap = (mine[1] - mine[0]) - weight @ (late - early)
    variance = widening * (sum(mine) + weight**2 @ (late + early))
    changes = np.array([(late[cells] - early[cells]).sum() for cells in passing])
    sizes = np.array([(late[cells] + early[cells]).sum() for cells in passing])
    beyond = changes.var(ddof=1) - widening * sizes.mean() if len(passing) > 1 else 0.0
    wider = variance + max(0.0, beyond) * (1 + 1 / len(areas))
    return gap / np.sqrt(variance), gap / np.sqrt(wider)


def told(rows):
    """Return the line of one setting from its cities."""
    passed = [found for _, passes, found in rows if passes]
    none = np.concatenate([found[:AFTERS] for found in passed])
    said = np.concatenate([found[AFTERS : 2 * AFTERS] for found in passed])
    drop = np.concatenate([found[2 * AFTERS :] for found in passed])
    hit = said[:, 1] == FEWER
    low, high = wilson(round(hit.mean() * len(passed)), len(passed))
    false = (none[:, 1] != 0).mean()
    parts = [
        f"said {np.median([share for share, _, _ in rows]):.0%}",
        f"called {hit.mean():.0%} ({low:.0%} to {high:.0%})",
        f"false {(none[:, 1] < 0).mean():.1%} fewer, {(none[:, 1] > 0).mean():.1%} more",
        f"of 40 %: {(drop[:, 1] == FEWER).mean():.0%}",
    ]
    for column, name in ((2, "mean"), (3, "spread")):
        least = np.quantile(np.abs(none[:, column]), 1 - false)
        parts.append(
            f"{name}: false {(none[:, column] < -Z).mean():.1%}, {(none[:, column] > Z).mean():.1%}"
            f", of 40 %: {(drop[:, column] < -Z).mean():.0%}, at as many false calls "
            f"{(drop[:, column] < -least).mean():.0%}"
        )
    return f"{len(passed)} of {len(rows)} cities with areas that pass; " + "; ".join(parts)


def main(cities, workers):
    """Print a line for each setting."""
    print(f"{cities} cities a setting, {AFTERS} years after for each size of a drop")
    with ProcessPoolExecutor(workers) as pool:
        for local, inflation, level in SETTINGS:
            asked = [(seed, local, inflation, level) for seed in range(cities)]
            rows = list(pool.map(one, asked, chunksize=5))
            name = "local" if local else "smooth"
            print(f"  {name}, {inflation}, {level}: {told(rows)}", flush=True)


if __name__ == "__main__":
    main(*(int(text) for text in (*sys.argv[1:], *("120", "1")[len(sys.argv) - 1 :])))
