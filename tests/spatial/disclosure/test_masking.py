from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from spatial.disclosure.catchments import catchment_radii, thin
from spatial.disclosure.places import coarsen_time, is_old_enough, make_public_places, snap
from spatial.disclosure.squares import lay_squares
from spatial.errors import MaskingError
from spatial.spec import MaskingSpec

SPEC = MaskingSpec.for_unit(1.0)
SOME = settings(max_examples=25, deadline=None)
seeds = st.integers(0, 2**31)


class Town:
    """A synthetic town of warped streets, some with gaps, houses along them and farms around.

    Two districts share a border that runs along a street; the second has an island.
    """

    def __init__(self, seed, n=7):
        rng = np.random.default_rng(seed)
        self.rng, side = rng, n * 110.0
        x, y = np.meshgrid(np.arange(n) * 110.0, np.arange(n) * 110.0, indexing="ij")
        knots = np.stack([x, y], -1) + rng.uniform(-12, 12, (n, n, 2)) + [1000.0, 2000.0]
        self.streets = []
        for i in range(n):
            for j in range(n - 1):
                if rng.random() < 0.85:
                    self.streets.append(self._gapped(knots[i, j], knots[i, j + 1]))
                if rng.random() < 0.85:
                    self.streets.append(self._gapped(knots[j, i], knots[j + 1, i]))
        self.streets.append(shapely.LineString(knots[np.arange(n), np.arange(n)]))  # not cut
        along = rng.choice(len(self.streets) - 1, rng.integers(60, 500))
        lines = np.array(self.streets, dtype=object)[along]
        at = shapely.get_coordinates(
            shapely.line_interpolate_point(lines, rng.random(len(along)), normalized=True)
        )
        farms = rng.uniform([-1000, 0], [5000, 6000], (rng.integers(0, 60), 2))
        self.addresses = np.vstack([at + rng.normal(0, 12, at.shape), farms])
        middle = 1000 + side / 2
        self.districts = {
            "West": shapely.box(-1000, 0, middle, 6000),
            "East": shapely.union_all(
                [shapely.box(middle, 0, 4000, 5000), shapely.box(4500, 5500, 5000, 6000)]
            ),
        }
        self.rows = np.vstack(
            [
                rng.uniform([900, 1900], [1100 + side, 2100 + side], (150, 2)),
                rng.uniform([-1500, -500], [5500, 6500], (60, 2)),
            ]
        )

    def _gapped(self, start, end):
        return shapely.LineString([start + self.rng.uniform(-0.3, 0.3, 2), end])

    def places(self, spec=SPEC):
        return make_public_places(self.streets, self.districts, self.addresses, spec)


def homes_of(public, addresses):
    """How many different addresses the rule gives each site, by snapping every one of them."""
    homes = np.unique(np.round(addresses, 1), axis=0)
    return np.bincount(snap(public, *homes.T).site, minlength=len(public.sites))


@SOME
@given(seeds, st.integers(2, 12))
def test_whatever_is_published_is_shared_by_k_addresses_or_is_a_place_of_none(seed, k):
    town = Town(seed)
    spec = MaskingSpec(k=k, reach_units=250.0, cell_units=500.0, tolerance_units=1.0)
    public = town.places(spec)
    sharing = homes_of(public, town.addresses)
    rule = public.sites.rule
    places, cells, districts = (sharing[rule == name] for name in ("place", "cell", "district"))
    assert ((places >= k) | (places == 0)).all()
    assert (cells >= k).all()
    for position, left in enumerate(districts):
        own = sharing[public.sites.district == position].sum()
        assert left == 0 or left >= k or own < k
    known = public.sites.addresses >= 0
    np.testing.assert_array_equal(public.sites.addresses[known], sharing[known])


@SOME
@given(seeds)
def test_a_row_gets_the_nearest_place_of_its_own_district_within_reach(seed):
    town = Town(seed)
    public = town.places()
    given_ = snap(public, *town.rows.T)
    is_place = public.sites.rule == "place"
    assert is_place.any()
    for i, (x, y) in enumerate(town.rows):
        inside = [shape.intersects(shapely.Point(x, y)) for shape in town.districts.values()]
        if not any(inside):
            assert given_.rule[i] == "outside"
            assert np.isnan(given_.x[i])
            continue
        own = inside.index(True)
        assert given_.district[i] == own
        away = np.hypot(public.sites.x - x, public.sites.y - y)
        away[~(is_place & (public.sites.district == own))] = np.inf
        if away.min() <= SPEC.reach_units:
            assert given_.rule[i] == "place"
            assert away[given_.site[i]] == away.min()
        else:
            assert given_.rule[i] in ("cell", "district")


@SOME
@given(seeds)
def test_sites_lie_in_their_district_and_their_circle_holds_every_row(seed):
    town = Town(seed)
    public = town.places()
    for x, y, district in zip(public.sites.x, public.sites.y, public.sites.district, strict=True):
        if district >= 0:
            shape = list(town.districts.values())[district]
            assert shape.distance(shapely.Point(x, y)) < 1e-6
    rows = snap(public, *town.rows.T)
    placed = rows.rule != "outside"
    away = np.hypot(rows.x - town.rows[:, 0], rows.y - town.rows[:, 1])
    assert (away[placed] <= rows.radius_units[placed]).all()
    assert (rows.radius_units[placed] >= SPEC.reach_units / 5).all()  # never a pin


@SOME
@given(seeds)
def test_a_row_gets_the_same_place_whatever_the_other_rows_and_their_order(seed):
    town = Town(seed)
    public = town.places()
    name = snap(public, *town.rows.T).name
    turned = town.rng.permutation(len(town.rows))
    np.testing.assert_array_equal(snap(public, *town.rows[turned].T).name, name[turned])
    for i in turned[:5]:
        assert snap(public, town.rows[i : i + 1, 0], town.rows[i : i + 1, 1]).name[0] == name[i]


@SOME
@given(seeds)
def test_the_order_of_streets_and_addresses_changes_no_site(seed):
    town = Town(seed)
    here = town.places()
    town.rng.shuffle(town.streets)
    town.streets = [line.reverse() for line in town.streets]
    twice = np.vstack([town.addresses, town.addresses[:30]])  # a repeated address counts once
    town.addresses = town.rng.permutation(twice)
    there = town.places()
    for name in ("name", "rule", "district", "addresses"):
        np.testing.assert_array_equal(getattr(here.sites, name), getattr(there.sites, name))
    np.testing.assert_allclose(here.sites.radius_units, there.sites.radius_units)


def test_the_real_shape_of_a_town_keeps_most_rows_on_a_street():
    town = Town(1, n=12)
    public = town.places()
    rows = snap(public, *town.rows[:150].T)
    assert 12 < (public.sites.rule == "place").sum() < public.candidates
    assert (rows.rule == "place").mean() > 0.8
    assert len(np.unique(public.sites.name)) == len(public.sites)


lattice = hnp.arrays(
    float, st.tuples(st.integers(0, 40), st.just(2)), elements=st.integers(0, 12).map(float)
)


@settings(max_examples=150, deadline=None)
@given(lattice, lattice, st.integers(2, 9), st.sampled_from([1.0, 2.5, 30.0]))
def test_thinning_leaves_k_or_none_even_where_distances_tie(candidates, addresses, k, reach):
    candidates = np.unique(candidates, axis=0)
    kept = candidates[thin(candidates, addresses, k, reach)]
    sharing = np.zeros(len(kept), dtype=int)
    for home in addresses:
        away = np.hypot(*(kept - home).T)
        if len(kept) and away.min() <= reach:
            sharing[np.argmin(away)] += 1  # the first of several
    assert ((sharing >= k) | (sharing == 0)).all()
    within = [
        len(candidates) and np.hypot(*(candidates - home).T).min() <= reach for home in addresses
    ]
    if reach > 20 and sum(map(bool, within)) >= k:
        assert sharing.sum() == len(addresses)  # everybody still is in reach of a place


def test_thinning_drops_the_smallest_first_and_asks_further_when_the_near_ones_are_gone():
    line = np.column_stack([np.arange(200.0), np.zeros(200)])
    one_each = line + np.array([0.1, 0.0])
    kept = thin(line, one_each, 8, 1e3)
    assert kept.sum() >= 10
    end = thin(line, np.repeat(line[:1], 7, axis=0), 8, 1e3)
    assert (np.flatnonzero(~end) == np.arange(200)).all()  # seven can be shared nowhere
    two = np.array([[0.0, 0.0], [10.0, 0.0]])
    near = np.array([[1.0, i] for i in range(5)] + [[9.0, i] for i in range(4)])
    assert thin(two, near, 6, 100.0).tolist() == [True, False]


@settings(max_examples=60, deadline=None)
@given(lattice.filter(len), st.sampled_from([1.5, 6.0]))
def test_no_point_of_a_catchment_lies_beyond_its_radius(places, reach):
    places = np.unique(places, axis=0)
    radius = catchment_radii(places, reach)
    rng = np.random.default_rng(len(places))
    points = rng.uniform(-3, 15, (400, 2))
    away = np.hypot(*(points[:, None] - places[None]).transpose(2, 0, 1))
    own = away.argmin(axis=1)
    near = away.min(axis=1) <= reach
    assert (away.min(axis=1)[near] <= radius[own[near]] + 1e-9).all()
    assert (radius <= reach).all()


# One street, a crossing at either end and a middle; k of 3.
BOX = {"D": shapely.box(-5000, -5000, 5000, 5000)}
SMALL = MaskingSpec(k=3, reach_units=250.0, cell_units=500.0, tolerance_units=1.0)
AWAY = 3000.0
CROSSROADS = [
    shapely.LineString(line)
    for x in (0.0, AWAY)
    for line in ([(x - 600, 0), (x + 600, 0)], [(x, -600), (x, 600)])
]


def around(x, y, n):
    return [(x + 10.0 + 5 * i, y + 10.0) for i in range(n)]


def test_addresses_that_would_be_left_alone_take_a_place_with_them():
    homes = [*around(0, 0, 5), *around(AWAY, 0, 5)]
    public = make_public_places(CROSSROADS, BOX, homes, SMALL)
    assert {"place/D/0.0/0.0", "place/D/3000.0/0.0"} <= set(public.sites.name)
    lonely = make_public_places(CROSSROADS, BOX, [*homes, (4500.0, 4500.0)], SMALL)
    assert "place/D/0.0/0.0" in lonely.sites.name
    assert "place/D/3000.0/0.0" not in lonely.sites.name  # the nearest to the lonely one
    farm = snap(lonely, [4500.0], [4500.0])
    assert farm.rule.tolist() == ["district"]
    assert farm.sites.addresses[farm.site].tolist() == [6]


def test_far_addresses_share_the_smallest_square_that_holds_enough_of_them():
    farms = [(1001.0, 1001.0), (1400.0, 1400.0), (1100.0, 1450.0)]  # one square of 500
    pair = [(-1001.0, -1001.0), (-1400.0, -1400.0), (-1990.0, -1990.0)]  # one of 1000, not of 500
    public = make_public_places(CROSSROADS, BOX, [*around(0, 0, 5), *farms, *pair], SMALL)
    rows = snap(public, [1250.0, -1700.0, 2900.0], [1250.0, -1200.0, 2900.0])
    assert rows.name.tolist() == ["cell/D/500/2/2", "cell/D/1000/-2/-2", "district/D"]
    assert rows.x.tolist()[:2] == [1250.0, -1500.0]
    assert rows.rule.tolist() == ["cell", "cell", "district"]


def test_without_addresses_there_are_only_squares_and_they_say_so():
    public = make_public_places(CROSSROADS, BOX, None, SMALL)
    rows = snap(public, [1.0, 4999.0], [1.0, 4999.0])
    assert rows.rule.tolist() == ["uncounted_cell", "uncounted_cell"]
    assert rows.name[0] == "cell/D/500/0/0"
    assert (public.sites.addresses == -1).all()
    assert "place" not in public.sites.rule


def test_a_district_that_the_address_list_leaves_out_has_no_places():
    half = {"A": shapely.box(-5000, -5000, 1500, 5000), "B": shapely.box(1500, -5000, 5000, 5000)}
    public = make_public_places(CROSSROADS, half, around(0, 0, 5), SMALL)
    assert snap(public, [1.0, AWAY], [1.0, 1.0]).rule.tolist() == ["place", "uncounted_cell"]


def test_a_sliver_of_a_district_gives_no_square_of_its_own():
    shape = shapely.box(0, 0, 1020, 1000)
    squares = lay_squares(shape, 500.0)
    assert squares.col.max() == 1
    assert squares.left == pytest.approx(1.08)  # the sliver, and a whole square given up for it
    rows = snap(make_public_places([], {"D": shape}, None, SMALL), [1015.0, 600.0], [10.0, 10.0])
    assert rows.rule.tolist() == ["district", "uncounted_cell"]


def test_a_given_district_is_kept_and_an_unknown_one_refused():
    half = {"A": shapely.box(-5000, -5000, 5, 5000), "B": shapely.box(5, -5000, 5000, 5000)}
    homes = [*around(0, 0, 5), *around(-300, 0, 5)]
    public = make_public_places(CROSSROADS, half, homes, SMALL)
    x = [1.0] * 4 + [np.nan] * 2
    rows = snap(public, x, [1.0] * 6, ["A", "B", None, "", "B", None])
    here = ["outside", "outside", "district", "outside"]
    assert rows.rule[2:].tolist() == here
    assert rows.district.tolist() == [0, 1, -1, -1, 1, -1]
    assert rows.x[0] <= 5 <= rows.x[1]
    with pytest.raises(MaskingError, match="no district C"):
        snap(public, [1.0], [1.0], ["C"])


def test_bad_lists_are_refused():
    with pytest.raises(MaskingError, match="no district"):
        make_public_places(CROSSROADS, {}, None, SMALL)
    for bad in ([(1.0, np.nan)], [1.0, 2.0], [(1.0, 2.0, 3.0)]):
        with pytest.raises(MaskingError, match="pairs of finite"):
            make_public_places(CROSSROADS, BOX, bad, SMALL)
    with pytest.raises(MaskingError, match="unit of the city's crs"):
        make_public_places([], BOX, None, MaskingSpec.for_unit(100.0))
    assert len(snap(make_public_places([], BOX, [], SMALL), [], [])) == 0


def test_times_become_a_day_and_four_hours_of_the_wall_clock():
    local = ["2024-03-01T00:00", "2024-03-01T03:59:59.9", "2024-03-01T04:00", "2024-12-31T23:59"]
    coarse = coarsen_time(np.array([*local, "NaT"], dtype="datetime64[ms]"))
    assert coarse.band.tolist() == [0, 0, 1, 5, -1]
    assert coarse.day[:4].astype(str).tolist() == ["2024-03-01"] * 3 + ["2024-12-31"]
    assert np.isnat(coarse.day[4])
    assert coarsen_time([datetime(1969, 7, 20, 20, 17)]).band.tolist() == [5]  # before the epoch
    assert coarsen_time(pd.Series(pd.to_datetime(local[2:], format="mixed"))).band.tolist() == [
        1,
        5,
    ]


def test_a_time_with_a_zone_is_refused():
    with pytest.raises(MaskingError, match="local time"):
        coarsen_time([datetime(2024, 3, 1, tzinfo=UTC)])
    with pytest.raises(MaskingError, match="local time"):
        coarsen_time(pd.Series(pd.to_datetime(["2024-03-01"], utc=True)))


def test_a_row_is_public_after_the_delay():
    days = np.array(
        ["2024-02-22", "2024-02-23", "2024-02-29", "2024-03-09", "NaT"], "datetime64[D]"
    )
    assert is_old_enough(days, date(2024, 3, 1)).tolist() == [True, True, False, False, False]
    assert is_old_enough(days, datetime(2024, 3, 1, 23, 59)).tolist()[:2] == [True, True]
    assert is_old_enough(days[:3], np.datetime64("2024-03-01"), delay_days=1).all()
    with pytest.raises(MaskingError, match="delay_days"):
        is_old_enough(days, date(2024, 3, 1), -1)
