import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from spatial.errors import OutcomeError
from spatial.evaluation.dose import dose_response


def panel(seed, *, effect=0.0, zones=12, weeks=30):
    rng = np.random.default_rng(seed)
    level, season = rng.uniform(1, 6, (zones, 1)), rng.uniform(0, 2, (1, weeks))
    visits = rng.poisson(2 + level + season)  # patrols go where incidents are
    mean = level + season
    mean[:, 1:] += effect * (visits[:, :-1] - visits[:, :-1].mean())
    return visits, rng.poisson(np.clip(mean, 0.05, None))


def test_matches_a_regression_with_dummies_and_clustered_errors():
    visits, incidents = panel(1, effect=-0.3)
    found = dose_response(visits, incidents)
    zone, week = np.indices(visits[:, :-1].shape)
    frame = pd.DataFrame(
        {
            "y": incidents[:, 1:].ravel(),
            "x": visits[:, :-1].ravel(),
            "zone": zone.ravel(),
            "week": week.ravel(),
        }
    )
    reference = smf.ols("y ~ x + C(zone) + C(week)", frame).fit(
        cov_type="cluster", cov_kwds={"groups": frame["zone"]}, use_t=True
    )
    assert found.incidents_per_visit == pytest.approx(reference.params["x"], rel=1e-9)
    assert found.se == pytest.approx(reference.bse["x"], rel=1e-9)
    low, high = reference.conf_int().loc["x"]
    assert (found.low, found.high) == pytest.approx((low, high), rel=1e-9)
    assert (found.zones, found.weeks, found.exploratory) == (12, 30, True)


def test_levels_of_zones_and_weeks_do_not_pass_for_an_effect():
    found = [dose_response(*panel(seed)).incidents_per_visit for seed in range(60)]
    assert abs(np.mean(found)) < 3 * np.std(found) / np.sqrt(60)
    visits, incidents = panel(0)
    assert np.corrcoef(visits[:, :-1].ravel(), incidents[:, 1:].ravel())[0, 1] > 0.2


def test_finds_an_effect_that_is_there():
    found = [dose_response(*panel(seed, effect=-0.4)).incidents_per_visit for seed in range(30)]
    assert np.mean(found) == pytest.approx(-0.4, abs=0.05)


@pytest.mark.parametrize(
    ("visits", "incidents", "word"),
    [
        (np.ones((3, 5)), np.ones((3, 4)), "without gaps"),
        (np.full((3, 5), np.nan), np.ones((3, 5)), "without gaps"),
        (np.ones((2, 5)), np.ones((2, 5)), "too few"),
        (np.ones((4, 3)), np.ones((4, 3)), "too few"),
        (np.add.outer(np.arange(4.0), np.arange(6.0)), np.ones((4, 6)), "same visits"),
    ],
)
def test_what_tells_nothing_is_refused(visits, incidents, word):
    with pytest.raises(OutcomeError, match=word):
        dose_response(visits, incidents)
