import numpy as np
import pytest

from spatial.errors import FitError
from spatial.notes import Note
from spatial.spec import ModelSpec
from spatial.terrain.model import borrow_terrain, choose_terrain, score_classes


def test_finds_the_factors_that_the_counts_were_drawn_from(make_design):
    design, counts = make_design(n=6000, factors=5)
    terrain = choose_terrain(design, counts, ModelSpec())
    table = terrain.model.table().set_index("name")
    assert list(table.index) == ["factor0", "factor1"]
    for name, true in (("factor0", 0.9), ("factor1", 0.6)):
        low, high = table.loc[name, ["rrv_low", "rrv_high"]]
        assert low < np.exp(true) < high
        assert table.loc[name, "rrv"] == pytest.approx(np.exp(table.loc[name, "coefficient"]))
    assert terrain.model.family in ("nb1", "nb2")
    families = {terrain.model.family, *(m.family for m in terrain.alternatives)}
    assert families == {"poisson", "nb1", "nb2"}
    assert terrain.model.fit.bic == min(m.fit.bic for m in (terrain.model, *terrain.alternatives))
    assert terrain.n_candidates == 15
    assert 2 <= terrain.n_screened <= 15


def test_scores_and_expected_counts(make_design):
    design, counts = make_design(n=6000)
    terrain = choose_terrain(design, counts, ModelSpec())
    assert terrain.score.min() == 1
    beta = terrain.model.fit.beta[1:]
    assert terrain.score.max() == pytest.approx(np.exp(beta.sum()))
    np.testing.assert_allclose(terrain.score, np.exp(terrain.active @ beta))
    assert terrain.expected.sum() == pytest.approx(counts.sum(), rel=0.05)


def test_wider_level_wider_interval(make_design):
    design, counts = make_design(n=6000)
    model = choose_terrain(design, counts, ModelSpec()).model
    narrow, wide = model.table(level=0.5), model.table(level=0.99)
    assert (wide["rrv_low"] < narrow["rrv_low"]).all()
    assert (wide["rrv_high"] > narrow["rrv_high"]).all()


def test_the_same_seed_gives_the_same_model(make_design):
    design, counts = make_design()
    here = choose_terrain(design, counts, ModelSpec(seed=4))
    there = choose_terrain(design, counts, ModelSpec(seed=4))
    np.testing.assert_array_equal(here.score, there.score)


def test_classes_are_cut_at_mean_and_standard_deviations():
    score = np.array([1.0] * 90 + [4.0] * 5 + [8.0] * 3 + [12.0] * 2)
    mean, sd = score.mean(), score.std()
    classes = score_classes(score)
    np.testing.assert_array_equal(classes == 0, score <= mean)
    np.testing.assert_array_equal(classes == 3, score > mean + 2 * sd)
    np.testing.assert_array_equal(classes == 2, (score > mean + sd) & (score <= mean + 2 * sd))
    assert set(score_classes(np.ones(50))) == {0}


def test_few_incidents_are_warned_of_and_too_few_refused(make_design, make_grid, make_points):
    from spatial.spec import RiskFactor
    from spatial.terrain.model import fit_risk_terrain

    design, _ = make_design()
    counts = np.zeros(3000, dtype=np.int64)
    counts[:40] = 1
    warnings = choose_terrain(design, counts, ModelSpec()).warnings
    assert Note("model.few_incidents", {"incidents": 40}) in warnings
    grid = make_grid()
    layers = {RiskFactor(name="bars"): make_points([(500_500, 4_000_500)])}
    for total, told in (
        (0, "no incident of"),
        (1, "only 1 incident of"),
        (9, "only 9 incidents of"),
    ):
        counts = np.zeros(len(grid), dtype=np.int64)
        counts[:total] = 1
        with pytest.raises(FitError, match=told):
            fit_risk_terrain(grid, counts, layers, 200, ModelSpec())


@pytest.mark.parametrize(("total", "warned"), [(99, True), (100, False)])
def test_fewer_than_a_hundred_incidents_are_warned_of(make_design, total, warned):
    design, _ = make_design()
    counts = np.zeros(3000, dtype=np.int64)
    counts[:total] = 1
    warnings = choose_terrain(design, counts, ModelSpec(families=("poisson",))).warnings
    assert (Note("model.few_incidents", {"incidents": total}) in warnings) == warned


def test_noise_gives_a_flat_terrain_and_says_so(make_design):
    design, _ = make_design()
    counts = np.random.default_rng(3).poisson(0.2, 3000)
    terrain = choose_terrain(design, counts, ModelSpec())
    assert terrain.model.columns == ()
    assert (terrain.score == 1).all()
    assert Note("model.flat") in terrain.warnings


def test_a_borrowed_terrain_keeps_the_factors_and_meets_the_district_total(make_design):
    design, counts = make_design(n=6000)
    city = choose_terrain(design, counts, ModelSpec())
    own = counts[:400]
    district = borrow_terrain(city, np.arange(400), own, warnings=("few",))
    assert district.borrowed
    assert district.expected.sum() == pytest.approx(own.sum())
    ratio = district.expected / city.expected[:400]
    np.testing.assert_allclose(ratio, ratio[0])
    nothing = borrow_terrain(city, np.arange(400), own * 0, warnings=())
    assert 0 < nothing.expected.sum() < 1
