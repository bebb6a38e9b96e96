"""Reference numbers on real data: Hartford robbery 2017-18, R 4.2 with glmnet 4.1 and MASS glm.nb.

The call in R: cv.glmnet(X, y, family = "poisson", alpha = .5, nfolds = 10, lower.limits = 0),
seed 1, lambda.min, then a bidirectional search by BIC with glm and glm.nb.
"""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from spatial.grid import lay_grid
from spatial.spec import ModelSpec, RiskFactor
from spatial.terrain.candidates import build_design
from spatial.terrain.factors import Candidate
from spatial.terrain.families import fit_counts, tabulate
from spatial.terrain.model import choose_terrain, score_classes

DATA = Path(__file__).parents[3] / "shared" / "data" / "hartford"
FEET = "EPSG:3508"
FIVE = [
    Candidate("gas_station", "density", 200.0),
    Candidate("liquor_store", "proximity", 1200.0),
    Candidate("bar", "density", 400.0),
    Candidate("restaurant", "proximity", 400.0),
    Candidate("pharmacy", "proximity", 1200.0),
]

pytestmark = [
    pytest.mark.shared_data,
    pytest.mark.slow,
    pytest.mark.skipif(
        not DATA.is_dir(), reason="../shared/data/hartford is not beside this checkout"
    ),
]


@pytest.fixture(scope="module")
def hartford():
    area = gpd.read_file(DATA / "block_groups.shp").to_crs(FEET).union_all()
    grid = lay_grid(area, {"city": area}, 200)
    robberies = pd.read_csv(DATA / "robberies_2017_2018.csv")
    places = pd.read_csv(DATA / "places.csv")
    layers = {
        RiskFactor(name=kind): gpd.GeoSeries(
            gpd.points_from_xy(rows["longitude"], rows["latitude"]), crs=FEET
        )
        for kind, rows in places.groupby("types")
    }
    counts = grid.count(robberies["longitude"], robberies["latitude"])
    return grid, counts, build_design(grid, layers, 400)


def test_grid_and_candidates(hartford):
    grid, counts, design = hartford
    assert (len(grid), counts.sum(), design.n_considered) == (12_585, 837, 72)


def test_the_same_five_variables(hartford):
    _, counts, design = hartford
    columns = np.column_stack([design.column(candidate) for candidate in FIVE])
    fits = {f: fit_counts(tabulate(columns, counts), f) for f in ("poisson", "nb1", "nb2")}
    assert fits["poisson"].bic == pytest.approx(5989.8, abs=0.05)
    assert fits["nb2"].bic == pytest.approx(5484.472, abs=5e-4)
    assert fits["nb1"].bic == pytest.approx(5459.3, abs=0.05)
    nb2 = fits["nb2"]
    assert nb2.dispersion == pytest.approx(0.18445, abs=5e-6)
    assert nb2.beta[0] == pytest.approx(-3.63668, abs=5e-6)
    assert nb2.beta[1:3] == pytest.approx([1.45983, 1.20116], abs=5e-6)
    assert np.sqrt(np.diag(nb2.covariance))[1:3] == pytest.approx([0.31774, 0.09510], abs=5e-6)
    rrv = np.exp(nb2.beta[1:])
    assert rrv == pytest.approx([4.3052, 3.3240, 2.1224, 2.0552, 1.7646], abs=6e-5)


def test_the_whole_selection(hartford):
    _, counts, design = hartford
    nb2 = choose_terrain(design, counts, ModelSpec(families=("nb2",)))
    assert nb2.n_screened == 29
    assert set(nb2.model.columns) == set(FIVE)
    assert nb2.model.fit.bic <= 5484.5
    assert nb2.score.max() == pytest.approx(110.15, abs=0.005)
    assert (score_classes(nb2.score) == 3).sum() == 489
    poisson = choose_terrain(design, counts, ModelSpec(families=("poisson",)))
    assert poisson.model.fit.bic == pytest.approx(5985.604, abs=5e-4)
    table = poisson.model.table().set_index("name")["rrv"]
    expected = {
        "liquor_store": 3.6856,
        "pharmacy": 3.6317,
        "gas_station": 2.2968,
        "bar": 1.9477,
        "restaurant": 1.8928,
    }
    assert table.to_dict() == pytest.approx(expected, abs=6e-5)
    best = choose_terrain(design, counts, ModelSpec())
    assert best.model.family == "nb1"
    assert best.model.fit.bic == pytest.approx(5459.3, abs=0.05)
