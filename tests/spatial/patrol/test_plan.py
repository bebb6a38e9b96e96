import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spatial.errors import DosageError
from spatial.patrol.allocation import PlanSpec
from spatial.patrol.compliance import plan_faults
from spatial.patrol.plan import least_ways, plan_visits, worth_bound
from spatial.patrol.routing import Pin, draw_starts, gaps_of

CALM = settings(max_examples=25, deadline=None)


def spec_of(**change):
    return PlanSpec(**{"shift_min": 480, "units": 3, "limit_s": 60.0, **change})


def visits_of(plan):
    return [[(visit.zone, visit.start_min) for visit in unit.visits] for unit in plan.units]


@CALM
@given(
    st.integers(1, 12),
    st.integers(1, 5),
    st.integers(60, 900),
    st.integers(5, 40),
    st.sampled_from([0, 20, 30]),
    st.integers(0, 99),
)
def test_every_plan_can_be_carried_out(zones, units, shift, visit, rest, seed):
    rng = np.random.default_rng(seed)
    xy = rng.uniform(0, 15, (zones, 2))
    travel = np.ceil(np.abs(xy[:, None] - xy[None]).sum(axis=2)).astype(np.int64)
    rest = min(rest, shift - visit)
    spec = spec_of(shift_min=shift, units=units, visit_min=visit, break_min=rest, seed=seed)
    plan = plan_visits(rng.gamma(1, 1, zones), travel, spec)
    assert plan_faults(plan, travel, spec) == []
    assert len(plan.units) == units
    assert plan.total.worth <= plan.bound + 1e-9
    assert 0 <= plan.gap <= 1
    assert all(zone.visits <= zone.target for zone in plan.zones)
    assert plan.finished


@pytest.mark.parametrize("seed", range(40))
def test_drawn_visits_leave_minutes_to_spare_on_both_sides(seed):
    """Of a rule of 120 minutes gaps take 95, so that travel does not break it; none is under 30."""
    spec = spec_of(shift_min=480, visit_min=15)
    rng = np.random.default_rng(seed)
    four, eight = (draw_starts(number, spec, rng) for number in (4, 8))
    assert max(gaps_of(four, 15, 480)) <= 96  # starts are whole minutes
    assert min(gaps_of(eight, 15, 480)[1:-1]) >= 29


def test_drawn_visits_are_spread_and_never_even():
    """Gaps are up to 60 % longer than their mean, which is 40 minutes here."""
    spec = spec_of(shift_min=480, visit_min=15)
    starts = [draw_starts(8, spec, np.random.default_rng(seed)) for seed in range(40)]
    longest = [max(gaps_of(one, 15, 480)) for one in starts]
    assert 60 < max(longest) <= 65
    assert len({tuple(one) for one in starts}) == 40


def test_the_same_seed_gives_the_same_plan_and_another_seed_another_order(town):
    expected, travel = town(10)
    one, same, other = (plan_visits(expected, travel, spec_of(seed=seed)) for seed in (7, 7, 8))
    assert one == same
    assert visits_of(one) != visits_of(other)
    orders = [
        tuple(tuple(zone for zone, _ in unit) for unit in visits_of(plan)) for plan in (one, other)
    ]
    assert orders[0] != orders[1]


def test_where_units_are_many_no_zone_waits_longer_than_two_hours(town):
    expected, travel = town(8, 3000.0)
    for seed in range(3):
        plan = plan_visits(expected, travel, spec_of(shift_min=720, units=4, seed=seed))
        assert max(zone.longest_gap_min for zone in plan.zones) <= 120
        assert not [found for found in plan.gave_way if found.kind == "gaps"]


def test_where_they_are_few_it_is_told_what_gives_way(town):
    expected, travel = town(12)
    plan = plan_visits(expected, travel, spec_of(units=1))
    told = {found.kind: found.zones for found in plan.gave_way}
    waiting = [i for i, zone in enumerate(plan.zones) if zone.visits and zone.longest_gap_min > 120]
    assert told["gaps"] == tuple(waiting)
    assert waiting
    assert plan.units_for_rule > 1
    short = plan_visits(expected, travel, spec_of(units=1, shift_min=120, break_min=0))
    told = {found.kind: found.zones for found in short.gave_way}
    without = [i for i, zone in enumerate(short.zones) if zone.visits == 0]
    assert told["unvisited"] == tuple(without)
    least = max(expected[i] for i in without)
    assert all(expected[i] >= least for i in range(12) if i not in without)


def test_the_solver_is_no_worse_than_the_rule_and_travels_less(town):
    expected, travel = town(15)
    plan = plan_visits(expected, travel, spec_of(shift_min=600, units=4))
    assert plan.total.worth >= plan.greedy.worth - 1e-9
    assert plan.total.excess_min <= plan.greedy.excess_min
    assert plan.total.travel_min < plan.greedy.travel_min


def test_pins_are_kept_and_the_rest_fits_around_them(town):
    expected, travel = town(9)
    pins = [
        Pin(unit=0, zone=4, start_min=100),
        Pin(unit=0, zone=2, start_min=300),
        Pin(unit=1, zone=4, start_min=203),
        Pin(unit=2, zone=8, start_min=465),
    ]
    plan = plan_visits(expected, travel, spec_of(), pins=pins)
    assert plan_faults(plan, travel, spec_of()) == []
    kept = {
        (unit, visit.zone, visit.start_min)
        for unit, own in enumerate(plan.units)
        for visit in own.visits
        if visit.pinned
    }
    assert kept == {(pin.unit, pin.zone, pin.start_min) for pin in pins}


def test_two_units_may_be_pinned_to_one_place_at_once(town):
    expected, travel = town(5)
    pins = [Pin(unit=unit, zone=0, start_min=60) for unit in (0, 1)]
    plan = plan_visits(expected, travel, spec_of(), pins=pins)
    assert plan_faults(plan, travel, spec_of()) == []
    assert plan.zones[0].visits >= 2


def test_a_dropped_zone_gets_no_visit(town):
    expected, travel = town(6)
    plan = plan_visits(expected, travel, spec_of(), dropped=[3, 5])
    assert [zone.visits > 0 for zone in plan.zones] == [True, True, True, False, True, False]
    assert plan.zones[3].target == 0
    assert not any({3, 5} & set(found.zones) for found in plan.gave_way)


@pytest.mark.parametrize(
    ("pins", "dropped", "told"),
    [
        ([Pin(unit=0, zone=1, start_min=-1)], [], "not within the shift"),
        ([Pin(unit=0, zone=1, start_min=470)], [], "not within the shift"),
        ([Pin(unit=3, zone=1, start_min=0)], [], "there are 3"),
        (
            [Pin(unit=0, zone=1, start_min=50), Pin(unit=0, zone=2, start_min=60)],
            [],
            "start 10 minutes apart",
        ),
        ([Pin(unit=0, zone=1, start_min=50)], [1], "both pinned and dropped"),
        ([], [0, 1, 2, 3], "no zone to patrol"),
        ([Pin(unit=0, zone=0, start_min=s) for s in range(0, 466, 31)], [], "no room for a break"),
    ],
)
def test_asks_that_contradict_themselves_are_refused(town, pins, dropped, told):
    expected, travel = town(4)
    with pytest.raises(DosageError, match=told):
        plan_visits(expected, travel, spec_of(), pins=pins, dropped=dropped)


def test_a_search_that_is_cut_short_says_so_and_is_still_a_plan(town):
    expected, travel = town(30)
    spec = spec_of(shift_min=720, units=6, limit_s=1e-9)
    plan = plan_visits(expected, travel, spec)
    assert not plan.finished
    assert plan_faults(plan, travel, spec) == []


def test_the_bound_is_the_best_that_can_be_by_hand():
    travel = np.array([[0, 5], [5, 0]])
    spec = spec_of(shift_min=60, units=1, break_min=0)
    worths = [np.array([4.0, 1.0]), np.array([3.0])]
    # 15 + 5 minutes each, the first without the 5: 65 minutes of room hold three visits and 5 more
    assert least_ways(travel, spec, []).tolist() == [5, 5]
    assert worth_bound(worths, travel, spec, []) == pytest.approx(8.0)
    less = dataclasses.replace(spec, shift_min=45)
    assert worth_bound(worths, travel, less, []) == pytest.approx(7.0 + 1.0 * 10 / 20)


def test_faults_are_seen(town):
    expected, travel = town(5)
    spec = spec_of()
    plan = plan_visits(expected, travel, spec)
    first = plan.units[0]
    visit = first.visits[1]

    def with_visit(**change):
        moved = dataclasses.replace(visit, **change)
        unit = dataclasses.replace(first, visits=(first.visits[0], moved, *first.visits[2:]))
        return dataclasses.replace(plan, units=(unit, *plan.units[1:]))

    early = first.visits[0].end_min
    assert any(
        "too little time" in f
        for f in plan_faults(with_visit(start_min=early - 1, end_min=early + 14), travel, spec)
    )
    assert any(
        "out of the shift" in f
        for f in plan_faults(with_visit(start_min=470, end_min=485), travel, spec)
    )
    assert any(
        "too short" in f for f in plan_faults(with_visit(end_min=visit.end_min - 1), travel, spec)
    )
    assert any(
        "longest gap" in f for f in plan_faults(with_visit(zone=(visit.zone + 1) % 5), travel, spec)
    )
    unbroken = dataclasses.replace(first, break_min=None)
    assert any(
        "no break" in f
        for f in plan_faults(
            dataclasses.replace(plan, units=(unbroken, *plan.units[1:])), travel, spec
        )
    )
    within = dataclasses.replace(first, break_min=first.visits[0].start_min)
    assert any(
        "in the break" in f
        for f in plan_faults(
            dataclasses.replace(plan, units=(within, *plan.units[1:])), travel, spec
        )
    )
