"""The pilot of the demonstration city: what it truly did, and what an evaluation finds of it."""

import datetime as dt
import json
from collections import Counter

import numpy as np
import pandas as pd
import pytest
import shapely
from pyproj import Transformer
from scipy.stats import binom

from app.cli.demo_command import BEFORE_PILOT, CHOSEN_ON, PILOTED, evaluate_pilot, pilot_words
from geodata.demo import pilots as pilot_module
from geodata.demo import write_city
from geodata.demo.crime import DAYS, EARLIER
from geodata.demo.pilots import PREVENTED, REACH_M, run_pilot
from geodata.repositories.cities import get_city
from geodata.repositories.incidents import incident_points
from spatial.grid import lay_grid
from spatial.zones.cut import cells_within

HALL = [455_000, 3_984_000]


@pytest.fixture(scope="module")
def told(brought):
    return json.loads((brought.folder / "demo_truth.json").read_text())["pilot"]


@pytest.fixture(scope="module")
def stored(brought):
    """Robberies as they were imported: days, and cells of the generator's grid."""
    with brought.database.session() as session:
        city = get_city(session, "alder-falls")
        points = incident_points(session, city.id, "robbery", *city.period)
    xy = shapely.get_coordinates(points.geometry.array) - HALL
    return pd.DataFrame(
        {
            "day": pd.to_datetime(points["occurred_on"]),
            "cell": brought.truth.grid.locate(xy[:, 0], xy[:, 1]),
        }
    )


@pytest.fixture(scope="module")
def evaluated(brought):
    return evaluate_pilot(brought.database, "alder-falls")


def test_a_fifth_is_prevented_within_reach(brought, told):
    pilot = brought.truth.pilot
    low, high = binom.interval(0.999, len(pilot.drawn), PREVENTED)
    assert low <= pilot.prevented.sum() <= high
    for year in told["years"].values():
        low, high = binom.interval(0.999, year["without_the_pilot"], PREVENTED)
        assert low <= year["prevented"] <= high
    assert told["effect"] == -0.2
    assert 0.03 < told["treated_share_of_cells"] < 0.08


def test_none_is_prevented_elsewhere_or_before():
    """Of incidents everywhere and of all years, only robberies within reach from 2024 on go."""
    area = shapely.box(0, 0, 2_000, 2_000)
    grid = lay_grid(area, {"D1": area}, 100.0)
    rng = np.random.default_rng(3)
    number = 20_000
    drawn = pd.DataFrame(
        {
            "outcome": rng.choice(["robbery", "assault"], number),
            "moment": pd.Timestamp("2023-01-01")
            + pd.to_timedelta(rng.integers(0, 2 * 365, number), unit="D"),
            "x": rng.uniform(0, 2_000, number),
            "y": rng.uniform(0, 2_000, number),
        }
    )
    middle = grid.locate(np.array([1_050.0]), np.array([1_050.0]))
    pilot, left = run_pilot(grid, pd.DataFrame({"cell": middle}), drawn, rng)
    # the cell itself, and those whose centres lie within 200 m of its own
    assert pilot.treated.sum() == 13
    gone = drawn.merge(left, how="left", indicator=True)
    gone = gone[gone["_merge"] == "left_only"]
    assert len(gone) == pilot.prevented.sum() == number - len(left) > 20
    assert set(gone["outcome"]) == {"robbery"}
    assert gone["moment"].min() >= pd.Timestamp("2024-01-01")
    away = np.hypot(gone["x"] - 1_050, gone["y"] - 1_050)
    assert away.max() <= REACH_M + 50 * np.sqrt(2)
    expected = drawn[(drawn["outcome"] == "robbery") & (drawn["moment"] >= "2024-01-01")]
    near = pilot.treated[grid.locate(expected["x"].to_numpy(), expected["y"].to_numpy())]
    assert near.sum() == len(pilot.drawn)


def test_the_files_lack_what_was_prevented_and_nothing_else(brought, stored):
    pilot = brought.truth.pilot
    days = stored["day"]
    assert days.min() - EARLIER[0] < pd.Timedelta(days=7) > DAYS[-1] - days.max()
    since = (days >= "2024-01-01").to_numpy()
    within = pilot.treated[stored["cell"]] & since
    assert abs(int(within.sum()) + int(pilot.prevented.sum()) - len(pilot.drawn)) <= 3  # rounding


def test_the_truth_tells_every_place(brought, told):
    """From the file alone, anybody counts what was prevented in areas of their own."""
    pilot = brought.truth.pilot
    carry = Transformer.from_crs("EPSG:4326", "EPSG:32624", always_xy=True)
    x, y = carry.transform(
        [row["longitude"] for row in told["prevented"]],
        [row["latitude"] for row in told["prevented"]],
    )
    days = pd.to_datetime([row["day"] for row in told["prevented"]])
    assert days.min() >= pd.Timestamp(told["from"])
    assert days.max() < pd.Timestamp(told["to"])
    with brought.database.session() as session:
        districts = list(get_city(session, "alder-falls").districts.geometry)
    counts = [int(shapely.intersects_xy(area, x, y).sum()) for area in districts]
    assert counts == [pilot.prevented_in([area]) for area in districts]
    assert (
        sum(counts)
        == pilot.prevented.sum()
        == sum(year["prevented"] for year in told["years"].values())
    )


def test_nothing_else_depends_on_the_pilot(brought, tmp_path, monkeypatch):
    monkeypatch.setattr(pilot_module, "PREVENTED", 0.0)
    without = write_city(tmp_path)
    assert without.pilot.prevented.sum() == 0
    mine = brought.truth.pilot
    assert without.pilot.drawn.equals(mine.drawn)
    for path in tmp_path.iterdir():
        if path.name not in ("incidents.csv", "demo_truth.json"):
            assert path.read_bytes() == (brought.folder / path.name).read_bytes(), path.name
    gone = good_rows(tmp_path) - good_rows(brought.folder)
    assert good_rows(brought.folder) <= good_rows(tmp_path)
    assert sum(gone.values()) == mine.prevented.sum()
    assert {row[0] for row in gone} == {"ROBBERY - INDIVIDUAL"}


def good_rows(folder):
    """Count what the good rows of the incident file tell, whatever their numbers are."""
    table = pd.read_csv(folder / "incidents.csv", dtype=str)
    table = table[~table["case_number"].str.startswith("99-")].drop_duplicates("case_number")
    return Counter(table.drop(columns="case_number").itertuples(index=False, name=None))


def test_the_pilots_zones_were_chosen_before_what_is_counted(brought, evaluated):
    run, document = evaluated
    assert (run.period_from, run.period_to) == CHOSEN_ON
    assert CHOSEN_ON[1] <= BEFORE_PILOT[0]
    assert BEFORE_PILOT[1] == PILOTED[0] == dt.date(2024, 1, 1)
    assert not any("overlap" in warning.code for warning in document.warnings)
    grid, pilot = run.grid, brought.truth.pilot
    cells = np.unique(np.concatenate(cells_within(grid, run.zones.geometry)))
    reached = brought.truth.grid.locate(grid.x[cells] - HALL[0], grid.y[cells] - HALL[1])
    rates = brought.truth.expected["robbery"][reached]
    # visited places are spread evenly over the districts, zones are where the city's best cells are
    assert rates[pilot.treated[reached]].sum() > 0.7 * rates.sum()


def test_the_evaluation_is_held_against_the_truth(brought, evaluated):
    run, document = evaluated
    truth = -brought.truth.pilot.prevented_in(list(run.zones.geometry))
    nearest = document.controls[0]
    assert nearest.low_widened <= truth <= nearest.high_widened
    line = pilot_words(document, -truth)
    assert f"in truth {truth:+d}," in line
    assert f"{nearest.wdd:+.0f} in two years" in line
