from itertools import combinations, product

import numpy as np
import pytest

from spatial.terrain.families import fit_counts, tabulate
from spatial.terrain.stepwise import choose_columns


def every_model(factors):
    """All models with at most one column of each factor."""
    groups = {}
    for column, factor in enumerate(factors):
        groups.setdefault(factor, []).append(column)
    names = list(groups)
    for size in range(len(names) + 1):
        for chosen in combinations(names, size):
            for columns in product(*(groups[name] for name in chosen)):
                yield tuple(sorted(columns))


@pytest.mark.parametrize("family", ["poisson", "nb1", "nb2"])
def test_finds_the_model_that_an_exhaustive_search_finds(make_design, family):
    design, counts = make_design(factors=3, bands=3)
    factors = [c.factor for c in design.candidates]
    found = choose_columns(design.columns, factors, counts, family)
    fits = {}
    for model in every_model(factors):
        fit = fit_counts(tabulate(design.columns[:, list(model)], counts), family)
        if (fit.beta[1:] > 0).all():
            fits[model] = fit.bic
    assert found.columns == min(fits, key=fits.get)
    assert found.fit.bic == pytest.approx(min(fits.values()), abs=1e-6)


def test_at_most_one_column_of_each_factor(make_design):
    design, counts = make_design(factors=5, bands=4, seed=2)
    factors = [c.factor for c in design.candidates]
    found = choose_columns(design.columns, factors, counts, "nb2")
    chosen = [factors[c] for c in found.columns]
    assert 0 < len(chosen) == len(set(chosen))


def test_a_protective_factor_is_not_called_a_risk(make_design):
    design, counts = make_design(effects=(0.9, -1.5), base=-1.5)
    factors = [c.factor for c in design.candidates]
    up = choose_columns(design.columns, factors, counts, "nb2", sign=1)
    down = choose_columns(design.columns, factors, counts, "nb2", sign=-1)
    assert {factors[c] for c in up.columns} >= {"factor0"}
    assert "factor1" not in {factors[c] for c in up.columns}
    assert "factor1" in {factors[c] for c in down.columns}
    assert (up.fit.beta[1:] > 0).all()
    assert (down.fit.beta[1:] < 0).all()


def test_order_of_rows_changes_nothing(make_design):
    design, counts = make_design()
    factors = [c.factor for c in design.candidates]
    order = np.random.default_rng(0).permutation(len(counts))
    here = choose_columns(design.columns, factors, counts, "nb1")
    there = choose_columns(design.columns[order], factors, counts[order], "nb1")
    assert here.columns == there.columns
    assert here.fit.bic == pytest.approx(there.fit.bic, abs=1e-8)


def test_noise_is_left_alone():
    rng = np.random.default_rng(11)
    columns = (rng.random((5000, 6)) < 0.2).astype(np.uint8)
    counts = rng.poisson(0.2, 5000)
    found = choose_columns(columns, [f"f{i}" for i in range(6)], counts, "poisson")
    assert found.columns == ()
