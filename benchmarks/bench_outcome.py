"""How often the intervals of an evaluation hold the truth, on generated counts and cities.

Prints two tables, both synthetic with a known truth. The first draws counts of a treated and a
control area. The second draws whole cities, lets the engine choose the control areas and counts how
often the interval holds the true effect, and how often a change is called where there was none.
The last lines are what ``app/i18n/evaluation_words.py`` and ``docs/evaluation.md`` tell.

    python -m benchmarks.bench_outcome [WORLDS [PROCESSES]]
"""

import sys
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import shapely
from scipy import sparse
from scipy.ndimage import gaussian_filter

from spatial.evaluation.controls import distinct, find_controls, ring
from spatial.evaluation.estimates import dispersion, weighted_difference
from spatial.evaluation.synthetic import weigh_donors
from spatial.grid import lay_grid
from spatial.intervals import wilson

SIDE, STEPS, AFTER = 40, 24, 12
DRAWS = 20_000
EFFECTS = (0.0, -0.2)
SETTINGS = [
    {"local": local, "inflation": inflation, "level": level, "effect": effect}
    for local in (False, True)
    for inflation in (1.0, 1.5)
    for level in (40, 150)
    for effect in EFFECTS
]


def negative_binomial(rng, mean, inflation):
    """Counts whose variance is ``inflation`` times their mean."""
    if inflation == 1:
        return rng.poisson(mean)
    size = mean / (inflation - 1)
    return rng.poisson(rng.gamma(size, inflation - 1))


def formula(rng, *, mean=50.0, inflation=1.0, drift=0.0, effect=-0.2):
    """Coverage of the 95 % interval of the WDD; ``drift`` is a change of the treated area alone."""
    truth, held = mean * effect, 0
    for _ in range(DRAWS):
        t0, c0, c1 = negative_binomial(rng, np.full(3, mean), inflation)
        t1 = negative_binomial(rng, np.array([mean * (1 + effect + drift)]), inflation)[0]
        found = weighted_difference((c0, c1), (t0, t1)).total
        held += found.low <= truth <= found.high
    return held / DRAWS


def world(rng, *, inflation, local, level):
    """A city whose cells have trends of their own; a hot block of 4 by 4 cells is treated."""
    area = shapely.box(0, 0, SIDE * 100.0, SIDE * 100.0)
    grid = lay_grid(area, {"D1": area}, 100.0)

    def field(reach, spread):
        raw = gaussian_filter(rng.normal(size=(SIDE, SIDE)), reach, mode="wrap")
        return (raw / raw.std() * spread).ravel()

    heat = field(5, 0.8) + rng.normal(0, 0.5, SIDE**2)
    trend = field(6, 0.15) + (field(1.5, 0.3) if local else 0.0)
    month = np.arange(STEPS + AFTER)
    season = 0.15 * np.sin(2 * np.pi * month / 12)
    rate = np.exp(heat[:, None] + trend[:, None] * month / 12 + season)
    hot = [
        (float(rate[block, :STEPS].sum()), block)
        for block in (
            (np.arange(4)[:, None] * SIDE + np.arange(4) + r * SIDE + c).ravel()
            for r in range(2, SIDE - 6, 2)
            for c in range(2, SIDE - 6, 2)
        )
    ]
    hot.sort(key=lambda entry: -entry[0])
    treated = np.sort(hot[int(rng.integers(0, len(hot) // 10))][1]).astype(np.int64)
    rate *= level / rate[treated][:, STEPS - 12 : STEPS].sum()
    return grid, treated, rate, negative_binomial(rng, rate, inflation)


def whole(worlds, *, inflation, local, level, effect, workers=1):
    """Let the engine choose, and tell how its estimates did: a row a city, see ``one``."""
    asked = [(seed, inflation, local, level, effect) for seed in range(worlds)]
    if workers == 1:
        return np.array([one(given) for given in asked], dtype=float)
    with ProcessPoolExecutor(workers) as pool:
        return np.array(list(pool.map(one, asked, chunksize=5)), dtype=float)


def one(asked):
    """Evaluate one city.

    Error of the estimate; whether the plain and the widened interval hold the truth; whether the
    control passes, how many there are, whether all call a change on one side; standard error;
    error of the synthetic control and whether its interval, plain and widened, holds the truth.
    """
    seed, inflation, local, level, effect = asked
    rng = np.random.default_rng([seed, int(10 * inflation), local, int(level)])
    grid, treated, rate, counts = world(rng, inflation=inflation, local=local, level=level)
    gone = effect * rate[treated, STEPS:].sum()
    counts[treated, STEPS:] = negative_binomial(
        rng, rate[treated, STEPS:] * (1 + effect), inflation
    )
    free = np.ones(len(grid), dtype=bool)
    free[ring(grid, treated, 2)] = False
    before = sparse.csr_array(counts[:, :STEPS])
    areas = distinct(find_controls(grid, before, treated, free), 3)
    widen = np.sqrt(dispersion(counts[treated, :STEPS].sum(axis=0)))
    found = []
    for area in areas:
        pair = [
            [counts[cells, STEPS - 12 : STEPS].sum(), counts[cells, STEPS:].sum()]
            for cells in (area.cells, treated)
        ]
        plain = weighted_difference(*pair).total
        found.append((plain.value - gone, plain, plain.widened(widen, 0.05), area))
    donors = np.flatnonzero(free & ~np.isin(np.arange(len(grid)), treated))
    control = weigh_donors(before[donors], counts[treated, :STEPS].sum(axis=0))
    pairs = np.stack([counts[:, STEPS - 12 : STEPS].sum(1), counts[:, STEPS:].sum(1)], axis=1)
    third = control.difference(tuple(pairs[treated].sum(axis=0)), pairs[donors])
    wider = third.widened(widen, 0.05)
    first = found[0]
    return (
        first[0],
        first[1].low <= gone <= first[1].high,
        first[2].low <= gone <= first[2].high,
        first[3].checks.passes,
        len(areas),
        all(wide.high < 0 for _, _, wide, _ in found)
        or all(wide.low > 0 for _, _, wide, _ in found),
        first[1].se,
        third.value - gone,
        third.low <= gone <= third.high,
        wider.low <= gone <= wider.high,
    )


def told(rows):
    """Write how the cities of one setting did."""
    low, high = wilson(int(rows[:, 2].sum()), len(rows))
    return (
        f"{rows[:, 0].mean():+.1f}, {np.sqrt((rows[:, 0] ** 2).mean()):.1f}, "
        f"{rows[:, 1].mean():.0%}, {rows[:, 2].mean():.1%} ({low:.0%} to {high:.0%}), "
        f"{rows[:, 3].mean():.0%}, {rows[:, 5].mean():.0%} "
        f"({rows[:, 4].mean():.1f} areas, SE {rows[:, 6].mean():.1f}); synthetic "
        f"{rows[:, 7].mean():+.1f}, {np.sqrt((rows[:, 7] ** 2).mean()):.1f}, "
        f"{rows[:, 8].mean():.0%}, {rows[:, 9].mean():.1%}"
    )


def main(worlds, workers):
    rng = np.random.default_rng(1)
    print(f"counts of 50 an area and period, {DRAWS:,} draws, true drop of a fifth")
    for name, given in (
        ("independent Poisson", {}),
        ("variance twice the mean", {"inflation": 2.0}),
        ("variance three times the mean", {"inflation": 3.0}),
        ("treated area would have fallen by a further tenth", {"drift": -0.1}),
        ("... by a further fifth", {"drift": -0.2}),
    ):
        print(f"  {name}: {formula(rng, **given):.1%} of 95 % intervals hold the truth")
    print(f"{worlds} cities of {SIDE} x {SIDE} cells; 24 months before, WDD over 12 and 12")
    print(
        "trends, variance, level, effect: bias, RMSE, coverage, widened, passing, called; "
        "synthetic bias, RMSE, coverage, widened"
    )
    shares = {False: [], True: []}
    for given in SETTINGS:
        rows = whole(worlds, **given, workers=workers)
        shares[given["local"]].append(rows)
        name = "local" if given["local"] else "smooth"
        print(
            f"  {name}, {given['inflation']}, {given['level']}, {given['effect']}: {told(rows)}",
            flush=True,
        )
    for local, found in shares.items():
        name = "local" if local else "smooth"
        for column, what in ((1, "plain"), (2, "widened"), (9, "synthetic, widened")):
            each = [float(rows[:, column].mean()) for rows in found]
            print(f"{name} trends, {what}: {min(each):.3f} to {max(each):.3f}")


if __name__ == "__main__":
    main(*(int(text) for text in (*sys.argv[1:], *("200", "1")[len(sys.argv) - 1 :])))
