"""What must hold for any data: checked on towns that Hypothesis makes up."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from spatial.analysis import Inputs, analyse_city
from spatial.grid import lay_grid
from spatial.history.forecast import capture
from spatial.spec import GridSpec, ModelSpec, RiskFactor, RunSpec, ZoneSpec
from spatial.terrain.candidates import Design, encode
from spatial.terrain.factors import Candidate, candidate_columns
from spatial.terrain.families import fit_counts, tabulate
from spatial.terrain.penalised import PathSettings, collapse_rows, draw_folds, fit_path
from spatial.terrain.stepwise import choose_columns

CRS = "EPSG:32617"
SIDE, CELL, BLOCK = 2000.0, 100.0, 200.0
TOWN = shapely.box(0, 0, SIDE, SIDE)
QUICK = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.data_too_large])
places = hnp.arrays(
    float,
    st.tuples(st.integers(1, 30), st.just(2)),
    elements=st.floats(-300, SIDE + 300, allow_nan=False, width=32),
)


def points(xy):
    return gpd.GeoSeries(shapely.points(np.asarray(xy, dtype=float)), crs=CRS)


def town(seed, *, shift=(0.0, 0.0), scale=1.0, turn=None):
    """A town of robberies around bars; moved, in another unit, or in another order."""
    rng = np.random.default_rng(seed)
    bars = rng.uniform(100, SIDE - 100, (12, 2))
    shops = rng.uniform(100, SIDE - 100, (20, 2))
    near = bars[rng.integers(0, 12, 120)] + rng.normal(0, 50, (120, 2))
    incidents = np.clip(np.vstack([near, rng.uniform(0, SIDE, (60, 2))]), 1, SIDE - 1)
    if turn is not None:
        order = np.random.default_rng(turn)
        incidents, bars, shops = (order.permutation(part) for part in (incidents, bars, shops))

    def put(xy):
        return np.asarray(xy) * scale + shift

    def area(west, east):
        return shapely.transform(shapely.box(west, 0, east, SIDE), put)

    layers = {"bars": bars, "shops": shops}
    names = list(layers) if turn is None else list(reversed(layers))
    factors = {name: RiskFactor(name=name, max_blocks=2) for name in names}
    inputs = Inputs(
        study_area=area(0, SIDE),
        districts={"D1": area(0, SIDE / 2), "D2": area(SIDE / 2, SIDE)},
        incidents=points(put(incidents)),
        layers={factors[name]: points(put(layers[name])) for name in names},
    )
    spec = RunSpec(
        grid=GridSpec(cell_units=CELL * scale, block_units=BLOCK * scale),
        factors=tuple(factors.values()),
        model=ModelSpec(families=("poisson", "nb2")),
        zones=ZoneSpec(area_share=0.05),
    )
    return inputs, spec


@QUICK
@given(places)
def test_a_longer_reach_never_loses_a_cell(xy):
    grid = lay_grid(TOWN, {"D1": TOWN}, CELL)
    factor = RiskFactor(name="x", operation="proximity", max_blocks=3)
    columns = candidate_columns(grid, points(xy), factor, BLOCK)
    assert (np.diff(columns.astype(int), axis=1) >= 0).all()


@QUICK
@given(places, st.randoms(use_true_random=False))
def test_the_order_of_features_changes_no_column(xy, random):
    grid = lay_grid(TOWN, {"D1": TOWN}, CELL)
    factor = RiskFactor(name="x", max_blocks=2)
    turned = list(range(len(xy)))
    random.shuffle(turned)
    here = candidate_columns(grid, points(xy), factor, BLOCK)
    there = candidate_columns(grid, points(xy[turned]), factor, BLOCK)
    np.testing.assert_array_equal(here, there)


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 10_000))
def test_a_moved_or_rescaled_town_or_another_order_gives_the_same_answer(seed):
    here = analyse_city(*town(seed))
    others = (
        analyse_city(*town(seed, shift=(431_000.0, 3_777_000.0))),
        analyse_city(*town(seed, scale=1 / 0.3048)),
        analyse_city(*town(seed, turn=seed + 1)),
    )
    for other in others:
        np.testing.assert_array_equal(other.cells["count"], here.cells["count"])
        np.testing.assert_allclose(other.cells["score"], here.cells["score"], rtol=1e-6)
        # an optimizer learns the combination: a town in feet differed by 1.3e-5 once
        np.testing.assert_allclose(other.cells["combined"], here.cells["combined"], rtol=1e-4)
        chosen = {(c.factor, c.operation) for c in other.terrain.model.columns}
        assert chosen == {(c.factor, c.operation) for c in here.terrain.model.columns}
        assert other.terrain.model.fit.bic == pytest.approx(here.terrain.model.fit.bic, abs=1e-5)


designs = st.tuples(st.integers(60, 300), st.integers(1, 6), st.integers(0, 2**31))


def drawn(shape):
    rows, columns, seed = shape
    rng = np.random.default_rng(seed)
    marks = (rng.random((rows, columns)) < rng.uniform(0.1, 0.6, columns)).astype(np.uint8)
    counts = rng.poisson(0.4 * np.exp(marks @ rng.uniform(-0.3, 1.0, columns)))
    counts[0] += 1
    return marks, counts


@QUICK
@given(designs, st.sampled_from(["poisson", "nb1", "nb2"]))
def test_a_collapsed_fit_has_the_likelihood_of_every_row(shape, family):
    marks, counts = drawn(shape)
    fit = fit_counts(tabulate(marks, counts), family)
    mu = np.exp(fit.beta[0] + marks @ fit.beta[1:])
    if family == "poisson":
        rows = stats.poisson.logpmf(counts, mu)
        residual = counts - mu  # the score equations
        assert abs(residual.sum()) < 1e-4 * counts.sum()
        assert np.abs(marks.T @ residual).max() < 1e-4 * counts.sum()
    else:
        size = mu / fit.dispersion if family == "nb1" else fit.dispersion
        rows = stats.nbinom.logpmf(counts, size, size / (size + mu))
    assert fit.loglik == pytest.approx(rows.sum(), abs=1e-4)


@QUICK
@given(designs)
def test_repeating_rows_and_weighing_them_are_the_same(shape):
    marks, counts = drawn(shape)
    times = np.random.default_rng(shape[2]).integers(0, 3, len(counts))
    times[0] = 1
    names = [f"f{i}" for i in range(marks.shape[1])]
    weighed = choose_columns(marks, names, counts, "poisson", times=times)
    again = np.repeat(np.arange(len(counts)), times)
    repeated = choose_columns(marks[again], names, counts[again], "poisson")
    assert weighed.columns == repeated.columns
    assert weighed.fit.bic == pytest.approx(repeated.fit.bic, abs=1e-7)


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 2**31))
def test_the_path_weighs_rows_as_if_they_were_repeated(seed):
    marks, counts = drawn((200, 4, seed))
    design = Design(
        candidates=tuple(Candidate(f"f{i}", "proximity", 100.0) for i in range(4)),
        columns=marks,
        dropped=(),
    )
    times = np.random.default_rng(seed).integers(0, 3, 200)
    folds = draw_folds(200, 5, 1)
    again = np.repeat(np.arange(200), times)
    settings_ = PathSettings(n_lambdas=20, smallest_ratio=1e-2, full_path=True, tolerance=1e-7)
    weighed = fit_path(encode(design), counts, folds, settings=settings_, times=times)
    repeated = fit_path(
        encode(Design(candidates=design.candidates, columns=marks[again], dropped=())),
        counts[again],
        folds[again],
        settings=settings_,
    )
    np.testing.assert_allclose(weighed.coefficients, repeated.coefficients, atol=1e-5)
    np.testing.assert_allclose(weighed.cv_mean, repeated.cv_mean, rtol=1e-6)


@QUICK
@given(st.integers(1, 200), st.integers(1, 4), st.integers(0, 2**31))
def test_collapsing_rows_loses_none(rows, factors, seed):
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 3, (rows, factors)).astype(np.int32)
    counts, folds = rng.integers(0, 3, rows), rng.integers(1, 4, rows)
    kept, fold, weight, y = collapse_rows(codes, counts, folds)
    assert weight.sum() == rows

    def tally(*parts):
        table = {}
        for *key, times in zip(*parts, strict=True):
            name = tuple(np.ravel(key[0])), *map(int, key[1:])
            table[name] = table.get(name, 0) + times
        return table

    assert tally(kept, y, fold, weight) == tally(codes, counts, folds, np.ones(rows))


@QUICK
@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 6)), min_size=1, max_size=40).filter(
        lambda cells: sum(n for _, n in cells) > 0
    ),
    st.randoms(use_true_random=False),
)
def test_scores_of_a_forecast_do_not_depend_on_the_order_of_cells(cells, random):
    turned = list(cells)
    random.shuffle(turned)
    curves = [capture(*np.array(part, dtype=float).T) for part in (cells, turned)]
    np.testing.assert_allclose(curves[0].hits, curves[1].hits)
    assert curves[0].under_curve == pytest.approx(curves[1].under_curve)
    assert (curves[0].pei <= 1 + 1e-12).all()
    assert curves[0].hits[-1] == pytest.approx(sum(n for _, n in cells))
