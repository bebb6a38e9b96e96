"""The combined risk against prior counts, kernel density and random forest on held-out periods.

Reads Durham and Hartford from the shared data and prints PAI at 1, 2, 5 and 10 % of the cells, ties
spread, every method given the same training incidents and the same cells. Nothing of a test period
is seen in training. Splits differ in city, outcome, length and cell.
"""

import datetime as dt
import sys
import tempfile
from pathlib import Path

import numpy as np

from app.usecases.risk.fit import load_inputs
from geodata.cityfile.description import read_city_file
from geodata.db.engine import open_database, upgrade
from geodata.ingest.store import import_city
from geodata.repositories import cities, incidents
from spatial.analysis import analyse_city
from spatial.history.baselines import baselines
from spatial.history.forecast import score_levels
from spatial.history.kernels import lay_past
from spatial.spec import GridSpec, RunSpec

HERE = Path(__file__).parents[1]
SHARED = HERE.parent / "shared" / "data"
SHARES = (0.01, 0.02, 0.05, 0.1)
CALIBRATED = 0.02
RIVALS = ("prior", "kde", "forest")
SPLITS = [
    *(
        ("hartford", "robbery", 200, *days)
        for days in (
            ("2017-01-01", "2018-01-01", "2019-01-01"),
            ("2017-01-01", "2017-07-01", "2018-01-01"),
            ("2017-07-01", "2018-01-01", "2018-07-01"),
            ("2018-01-01", "2018-07-01", "2019-01-01"),
            ("2017-01-01", "2018-07-01", "2019-01-01"),
        )
    ),
    *(
        ("durham", outcome, cell, "2013-01-01", cut, "2013-07-01")
        for outcome in ("robbery", "assault", "burglary", "larceny", "vehicle_theft")
        for cell, cut in ((350, "2013-05-01"), (350, "2013-04-01"), (250, "2013-05-01"))
    ),
]


def held_out(database, slug, outcome, cell, *days):
    """Scores of every method from the training period, and the counts of the test period."""
    start, cut, end = (dt.date.fromisoformat(day) for day in days)
    with database.session() as session:
        city = cities.get_city(session, slug)
        inputs = load_inputs(session, city, outcome, start, cut)
        test = incidents.incident_points(session, city.id, outcome, cut, end)
    spec = RunSpec(
        grid=GridSpec(cell_units=cell, block_units=city.block_units), factors=tuple(inputs.layers)
    )
    analysis = analyse_city(inputs, spec)
    past = lay_past(analysis.grid, inputs.incidents.x, inputs.incidents.y)
    rivals = baselines(analysis.grid, past, inputs.layers, city.block_units)
    scores = {
        **rivals.scores,
        "rtm": analysis.terrain.score,
        "combined": analysis.combined.score,
    }
    return scores, analysis.grid.count(test.geometry.x, test.geometry.y), len(past)


def calibration(score, test, trained, split):
    """Return expected over found incidents in the cells of highest score."""
    start, cut, end = (dt.date.fromisoformat(day) for day in split[-3:])
    top = np.argsort(-score, kind="stable")[: round(CALIBRATED * len(score))]
    expected = trained * ((end - cut) / (cut - start)) * score[top].sum() / score.sum()
    return expected / test[top].sum()


def main():
    """Print the table, the bar's three figures, and the calibration."""
    if not SHARED.is_dir():
        sys.exit(f"needs the shared data in {SHARED}")
    ratios, calibrations = [], []
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/forecast.sqlite"
        upgrade(url)
        database = open_database(url)
        for slug in ("hartford", "durham"):
            import_city(
                database,
                read_city_file(HERE / "examples" / slug / "city.toml", SHARED / slug),
            )
        for split in SPLITS:
            scores, test, n = held_out(database, *split)
            pai = {
                name: np.array([level.pai for level in score_levels(score, test, shares=SHARES)])
                for name, score in scores.items()
            }
            ratio = pai["combined"] / np.max([pai[name] for name in RIVALS], axis=0)
            ratios.append(ratio)
            calibrations.append(calibration(scores["combined"], test, n, split))
            print(f"{' '.join(map(str, split))}: {n} -> {test.sum()} incidents, {len(test)} cells")
            for name, values in pai.items():
                print(f"  {name:9}", *(f"{value:7.2f}" for value in values))
            print("  ratio    ", *(f"{value:7.3f}" for value in ratio), flush=True)
    table = np.array(ratios)
    print(
        f"combined over the best of {', '.join(RIVALS)}: geometric mean "
        f"{np.exp(np.log(table).mean()):.4f}; at or above it in {(table >= 1).mean():.0%} of "
        f"{table.size} figures, more than 3 % below it in {(table < 0.97).mean():.0%}"
    )
    shares = ", ".join(f"{share:.0%}" for share in SHARES)
    means = ", ".join(f"{value:.3f}" for value in np.exp(np.log(table).mean(axis=0)))
    print(f"geometric mean at {shares} of the cells: {means}")
    print(
        f"expected over found in the top {CALIBRATED:.0%} of the cells: "
        f"{np.exp(np.mean(np.log(calibrations))):.2f} on average, {min(calibrations):.2f} to "
        f"{max(calibrations):.2f}"
    )


if __name__ == "__main__":
    main()
