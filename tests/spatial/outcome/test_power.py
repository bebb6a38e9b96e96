import numpy as np
import pytest

from spatial.errors import OutcomeError
from spatial.outcome.estimates import weighted_difference
from spatial.outcome.power import Reach


def test_half_is_the_detectable_drop_of_the_paper():
    assert Reach(mean=50).half == pytest.approx(23.26, abs=0.01)
    assert Reach(mean=50, displacement=50).half == pytest.approx(32.9, abs=0.01)
    assert Reach(mean=50, dispersion=4.0).half == pytest.approx(2 * Reach(mean=50).half)


def test_drop_and_chance_are_each_others_inverse():
    reach = Reach(mean=80, before=2.0, dispersion=1.4)
    assert reach.drop(0.5) == pytest.approx(reach.half)
    assert reach.chance([reach.drop(0.8), reach.half, 0.0]) == pytest.approx([0.8, 0.5, 0.05])


def test_the_chance_is_about_that_of_draws():
    """Draws have the smaller counts of a drop, so that they find a little more."""
    rng = np.random.default_rng(3)
    mean, drop, found, draws = 100.0, 40.0, 0, 4_000
    for _ in range(draws):
        c0, c1, t0 = rng.poisson(mean, 3)
        t1 = rng.poisson(mean - drop)
        found += weighted_difference((c0, c1), (t0, t1), alpha=0.1).total.high < 0
    share, told = found / draws, float(Reach(mean=mean).chance(drop))
    assert told < share + 0.02
    assert share == pytest.approx(told, abs=0.06)


@pytest.mark.parametrize(
    "bad", [{"mean": 0}, {"mean": 5, "before": 0}, {"mean": 5, "dispersion": 0.5}]
)
def test_what_has_no_power_is_refused(bad):
    with pytest.raises(OutcomeError, match="power needs"):
        Reach(**bad)
