import numpy as np
import pytest

from spatial.terrain.districts import share_strength
from spatial.terrain.factors import Candidate
from spatial.terrain.model import TerrainModel, refit

COLUMNS = (Candidate("bars", "proximity", 200.0), Candidate("shops", "density", 400.0))


def simulate(deviations, cells, *, seed=0, level=-2.5, beta=(0.8, 0.6)):
    """Poisson counts of districts whose first coefficient deviates; sizes in cells."""
    rng = np.random.default_rng(seed)
    active, counts, district = [], [], []
    for number, (deviation, size) in enumerate(zip(deviations, cells, strict=True)):
        own = (rng.random((size, 2)) < (0.3, 0.2)).astype(np.uint8)
        eta = level + own @ np.add(beta, (deviation, 0.0))
        active.append(own)
        counts.append(rng.poisson(np.exp(eta)))
        district.append(np.full(size, number, dtype=np.int16))
    return np.vstack(active), np.concatenate(counts), np.concatenate(district)


def fitted(active, counts, district, family="poisson"):
    city = TerrainModel(family=family, columns=COLUMNS, fit=refit(active, counts, family))
    names = [f"D{i + 1}" for i in range(int(district.max()) + 1)]
    return share_strength(city, active, counts, district, names)


def test_districts_that_do_not_differ_are_not_said_to():
    flagged = 0
    for seed in range(12):
        shared = fitted(*simulate([0.0] * 6, [1500] * 6, seed=seed))
        flagged += int(shared.table()["differs"].sum())
    assert flagged <= 0.05 * 12 * 12


def test_one_that_truly_differs_is_found_and_not_shrunk_away():
    shared = fitted(*simulate([0] * 11 + [1.5], [800] * 12, seed=2))
    table = shared.table().set_index(["district", "name"])
    assert table.loc[("D12", "bars"), "differs"]
    others = table.drop(("D12", "bars"))  # it draws the city's value its own way, a little
    assert others["differs"].sum() <= 2
    assert np.log(table.loc[("D12", "bars"), "rrv"]) == pytest.approx(0.8 + 1.5, abs=0.4)


def test_a_small_district_leans_on_the_city():
    active, counts, district = simulate([0.5, -0.5, 0.4, -0.4, 0.0], [4000] * 4 + [60], seed=3)
    shared = fitted(active, counts, district)
    share = shared.own_share()
    assert share[4, 1] < share[:4, 1].min()
    table = shared.table()
    small = table[(table["district"] == "D5") & (table["name"] == "bars")].iloc[0]
    assert small["rrv_high"] / small["rrv_low"] > 1.5  # and says that it is unsure
    assert not small["differs"]


def test_with_endless_data_a_district_is_its_own_fit():
    active, counts, district = simulate([1.0, -1.0, 0.5], [60_000] * 3, seed=4)
    shared = fitted(active, counts, district)
    for number in range(3):
        own = refit(active[district == number], counts[district == number], "poisson")
        np.testing.assert_allclose(shared.model(f"D{number + 1}").fit.beta, own.beta, atol=0.03)


@pytest.mark.parametrize("family", ["nb1", "nb2"])
def test_other_families_and_a_district_without_incidents(family):
    active, counts, district = simulate([0.3, -0.3, 0.0], [3000, 3000, 100], seed=5)
    counts[district == 2] = 0
    shared = fitted(active, counts, district, family)
    table = shared.table()
    assert np.isfinite(table[["rrv", "rrv_low", "rrv_high"]].to_numpy()).all()
    assert table[table["district"] == "D3"]["incidents"].eq(0).all()


def test_districts_without_cells_are_left_out():
    active, counts, district = simulate([0.0, 0.0], [800, 800])
    city = TerrainModel(family="poisson", columns=COLUMNS, fit=refit(active, counts, "poisson"))
    shared = share_strength(city, active, counts, district * 2, ["A", "B", "C"])
    assert shared.names == ("A", "C")
