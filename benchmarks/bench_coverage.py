"""How often intervals of relative risk cover the truth, over repeated draws of a known city.

The demonstration city's land, streets and layers are made once. Each draw makes new counts from the
generator's true effects, selects factors, and asks two intervals of each factor's relative risk:
the Wald interval of the model's table (chosen factors only) and the percentile interval of the
block bootstrap. A factor without an effect has the true value 1.

Two worlds: "as generated", with a leftover field, new in each draw, and cells without a street that
no layer knows of; and "nothing left out", where the layers and the gamma mixture are all there is.

Run as ``python -m benchmarks.bench_coverage [draws] [replicates]``; it takes minutes a draw.
"""

import itertools
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import geopandas as gpd
import numpy as np

from geodata.demo import crime, write_city
from geodata.demo.city_files import BLOCK_M, CELL_M, OPERATIONS
from spatial.certainty import prepare, summarise
from spatial.history.kernels import lay_past
from spatial.intervals import wilson
from spatial.spec import GridSpec, RiskFactor, RunSpec, ZoneSpec
from spatial.terrain.candidates import build_design
from spatial.terrain.forest import forest_table
from spatial.terrain.model import choose_terrain

SEED = 2026
WORLDS = ("as generated", "nothing left out")


def draw_counts(city, outcome, world, rng):
    """Give an outcome's truth and one draw of its counts."""
    truth, _, mean = crime.expected_counts(
        city.grid, city.layers, city.network, city.land, outcome, rng
    )
    if world == "nothing left out":
        eta = sum(e.coefficient * crime.indicator(city.grid, city.layers, e) for e in truth.effects)
        mean = np.exp(eta) * (truth.expected_total / np.exp(eta).sum())
    return truth, rng.poisson(mean * rng.gamma(truth.size, 1 / truth.size, len(city.grid)))


def one_draw(city, design, table, spec, outcome, world, replicates, seed):
    """Yield (interval and factor, whether it covers, width on the log scale) of one draw."""
    rng = np.random.default_rng([SEED, seed, list(crime.PLANS).index(outcome)])
    truth, counts = draw_counts(city, outcome, world, rng)
    home = np.repeat(np.arange(len(counts)), counts)
    past = lay_past(city.grid, city.grid.x[home], city.grid.y[home])
    model = choose_terrain(design, counts, spec.model).model
    told = model.table().set_index("name")
    resampling = prepare(city.grid, design, past, (), None, table, spec, seed)
    names = [factor.name for factor in spec.factors]
    found = summarise(
        (resampling.replicate(number) for number in range(replicates)), names, [], len(city.grid)
    )
    effects = {effect.factor: effect for effect in truth.effects}
    for factor in found.factors:
        effect = effects.get(factor.name)
        value = 1.0 if effect is None else float(np.exp(effect.coefficient))
        chosen = factor.name in told.index
        kind = "no effect" if effect is None else "true effect"
        low, high = factor.rrv_low, factor.rrv_high
        yield f"bootstrap, {kind}", low <= value <= high, np.log(high / low)
        if not chosen:
            continue
        yield f"bootstrap, {kind}, chosen", low <= value <= high, np.log(high / low)
        row = told.loc[factor.name]
        wald = row.rrv_low <= value <= row.rrv_high, np.log(row.rrv_high / row.rrv_low)
        yield f"Wald, {kind}, chosen", *wald
        if effect is not None:
            same = (row.operation, row.distance) == (effect.operation, effect.distance_m)
            which = "the true column" if same else "another column of its factor"
            yield f"Wald, {kind}, chosen as {which}", *wald


def main():
    """Print coverage by kind of interval and factor."""
    draws = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    replicates = int(sys.argv[2]) if len(sys.argv) > 2 else 100
    with tempfile.TemporaryDirectory() as folder:
        city = write_city(Path(folder), seed=SEED)
    layers = {
        RiskFactor(name=name, operation=OPERATIONS.get(name, "both")): gpd.GeoSeries(shapes)
        for name, shapes in city.layers.items()
    }
    spec = RunSpec(
        grid=GridSpec(cell_units=CELL_M, block_units=BLOCK_M),
        factors=tuple(layers),
        zones=ZoneSpec(source="rtm"),
    )
    design = build_design(city.grid, layers, BLOCK_M)
    table = forest_table(city.grid, layers, BLOCK_M)
    asked, covered, widths = Counter(), Counter(), Counter()
    started = time.perf_counter()
    for seed in range(draws):
        for world, outcome in itertools.product(WORLDS, crime.PLANS):
            drawn = one_draw(city, design, table, spec, outcome, world, replicates, seed)
            for interval, inside, width in drawn:
                kind = f"{world}: {interval}"
                asked[kind] += 1
                covered[kind] += int(inside)
                widths[kind] += width
        print(f"after {seed + 1} draws of {len(crime.PLANS)} outcomes, {replicates} replicates:")
        for kind in sorted(asked):
            low, high = wilson(covered[kind], asked[kind])
            print(
                f"  {kind:66} {covered[kind]:4d} of {asked[kind]:4d} = "
                f"{covered[kind] / asked[kind]:4.0%} ({low:.0%} to {high:.0%}), "
                f"mean width exp {np.exp(widths[kind] / asked[kind]):.2f}"
            )
        print(f"  {time.perf_counter() - started:.0f} s", flush=True)


if __name__ == "__main__":
    main()
