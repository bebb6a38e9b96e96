"""How often an evaluation of the demonstration city's pilot holds the number that it prevented.

The demonstration city's land, streets and layers are made once. Each draw makes its robberies anew,
chooses places to patrol, prevents a fifth of the robberies around them from 2024 on, has the engine
cut zones and evaluates these, all as ``saferground demo`` does it. The truth of a draw is how many
robberies the pilot prevented in the zones.

Twice: with zones chosen on 2020 and 2021, which the evaluation does not count, as the demonstration
does; and with zones chosen on 2022 and 2023, the very years that it compares with.

    python -m benchmarks.bench_pilot [DRAWS [PROCESSES]]
"""

import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from app.cli.demo_command import BEFORE_PILOT, CHOSEN_ON, PILOT, PILOTED
from app.usecases.evaluation.study import Question, Study
from geodata.demo import crime, write_city
from geodata.demo.city_files import BLOCK_M, CELL_M, EAST, NORTH, OPERATIONS
from geodata.demo.field_work import choose_spots
from geodata.demo.pilots import run_pilot
from spatial.analysis import CITY_SCOPE, Inputs, analyse_city
from spatial.evaluation.design import Periods
from spatial.intervals import wilson
from spatial.spec import GridSpec, RiskFactor, RunSpec

SEED = 2026
CHOICES = {"zones chosen on 2020 and 2021": CHOSEN_ON, "on 2022 and 2023": BEFORE_PILOT}
COLUMNS = (
    "truth",  # minus the robberies prevented in the zones
    "before",  # robberies in the zones in the period before
    "error",  # of the difference against the nearest control area
    "plain",  # whether its interval holds the truth, as the formula gives it
    "widened",  # and as the words go by
    "called",  # whether those of all control areas leave out 0 on the side of fewer
    "synthetic",  # whether the widened interval of the synthetic control holds the truth
    "reached",  # the share of the zones' robberies of the period after, as drawn, within reach
    "lost",  # robberies that the pilot prevented in the nearest control area
)


@cache
def ground():
    """Give the city that every draw shares, its layers and its outline."""
    with tempfile.TemporaryDirectory() as folder:
        city = write_city(Path(folder), seed=SEED)
    layers = {
        RiskFactor(name=name, operation=OPERATIONS.get(name, "both")): gpd.GeoSeries(shapes)
        for name, shapes in city.layers.items()
    }
    return city, layers, shapely.union_all(list(city.land.districts.values()))


def draw(seed):
    """Draw robberies of six years and what the pilot leaves of them."""
    city, _, _ = ground()
    rng = np.random.default_rng([SEED, seed])
    there = (city.network, city.land)
    _, _, mean = crime.expected_counts(city.grid, city.layers, *there, PILOT, rng)
    rates = crime.draw_rates(mean, rng)
    drawn = pd.concat(
        [
            crime.draw_incidents(city.grid, rates, days, *there, PILOT, rng)
            for days in (crime.EARLIER, crime.DAYS)
        ],
        ignore_index=True,
    )
    spots = choose_spots(city.grid, rates, city.recorded.gunfire.places)
    return run_pilot(city.grid, spots, drawn, rng)


def zones_of(left, chosen_on):
    """Cut zones from the robberies of a period, as a run of it does."""
    city, layers, area = ground()
    start, end = (pd.Timestamp(day) for day in chosen_on)
    mine = left[(left["moment"] >= start) & (left["moment"] < end)]
    inputs = Inputs(
        study_area=area,
        districts=city.land.districts,
        incidents=gpd.GeoSeries(gpd.points_from_xy(mine["x"], mine["y"])),
        age_days=(end - mine["moment"].dt.normalize()).dt.days.to_numpy(dtype=float),
        layers=layers,
    )
    spec = RunSpec(grid=GridSpec(cell_units=CELL_M, block_units=BLOCK_M), factors=tuple(layers))
    found = analyse_city(inputs, spec)
    found.zones.insert(0, "id", [f"{z.district}-{z.rank}" for z in found.zones.itertuples()])
    return found, spec


def evaluation(left, chosen_on):
    """Evaluate as the command does; give the document, its areas and the study."""
    found, spec = zones_of(left, chosen_on)
    run = SimpleNamespace(
        id="draw",
        city="draw",
        scope=CITY_SCOPE,
        grid=found.grid,
        zones=found.zones,
        spec={"grid": {"cell_units": spec.grid.cell_units, "block_units": spec.grid.block_units}},
        period_from=chosen_on[0],
        period_to=chosen_on[1],
    )
    asked = Question(city="draw", run="draw", outcome=PILOT, before=BEFORE_PILOT, after=PILOTED)
    within = (left["moment"] >= pd.Timestamp(BEFORE_PILOT[0])).to_numpy()
    points = gpd.GeoDataFrame(
        {"occurred_on": left["moment"][within].dt.date},
        geometry=gpd.points_from_xy(left["x"][within], left["y"][within]),
    )
    everything = np.ones(len(found.zones), dtype=bool)
    periods = Periods(before=BEFORE_PILOT, after=PILOTED)
    study = Study.lay(run, None, everything, asked, periods, points)
    document, areas = study.report(None)
    return document, areas, study


def one(asked):
    """Judge one draw: a row of ``COLUMNS``."""
    seed, chosen_on = asked
    pilot, left = draw(seed)
    document, areas, study = evaluation(left, chosen_on)
    grid, gone = study.grid, pilot.drawn[pilot.prevented]
    shapes = shapely.transform(
        study.run.zones.geometry.to_numpy(), lambda xy: xy + np.array([EAST, NORTH])
    )
    truth = -pilot.prevented_in(list(shapes))
    first, synthetic = document.controls[0], document.synthetic_control
    beside = areas[areas["area"] == first.name]
    control = grid.index_raster[beside["row"], beside["col"]]
    within = np.isin(grid.locate(left["x"].to_numpy(), left["y"].to_numpy()), study.treated)
    within &= (left["moment"] >= pd.Timestamp(PILOTED[0])).to_numpy()
    reach = np.isin(grid.locate(pilot.drawn["x"], pilot.drawn["y"]), study.treated).sum()
    return (
        truth,
        document.treated.before,
        first.wdd - truth,
        first.low <= truth <= first.high,
        first.low_widened <= truth <= first.high_widened,
        all(area.high_widened < 0 for area in document.controls),
        synthetic.low_widened <= truth <= synthetic.high_widened,
        reach / (within.sum() - truth),
        np.isin(grid.locate(gone["x"].to_numpy(), gone["y"].to_numpy()), control).sum(),
    )


def told(found):
    """Write what the draws of one choice of zones say."""
    mean = {name: found[:, position].mean() for position, name in enumerate(COLUMNS)}
    error = found[:, COLUMNS.index("error")]
    print(
        f"  {mean['before']:.0f} robberies before, {-mean['truth']:.1f} prevented in the zones; "
        f"{mean['reached']:.0%} of the zones' robberies within reach; "
        f"{mean['lost']:.1f} prevented in the nearest control area"
    )
    print(
        f"  bias {mean['error']:+.1f} (standard error {error.std() / np.sqrt(len(error)):.1f}), "
        f"root mean squared error {np.sqrt((error**2).mean()):.1f}; called {mean['called']:.0%}"
    )
    for name in ("plain", "widened", "synthetic"):
        held = int(found[:, COLUMNS.index(name)].sum())
        low, high = wilson(held, len(found))
        print(f"  {name}: {held} of {len(found)} = {mean[name]:.0%} ({low:.0%} to {high:.0%})")


def main():
    """Print how the evaluations of the draws did."""
    draws = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    workers = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    with ProcessPoolExecutor(workers) as pool:
        for name, chosen_on in CHOICES.items():
            asked = [(seed, chosen_on) for seed in range(draws)]
            print(name)
            told(np.array(list(pool.map(one, asked)), dtype=float))
            sys.stdout.flush()


if __name__ == "__main__":
    main()
