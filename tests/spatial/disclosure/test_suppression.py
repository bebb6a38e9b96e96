import itertools

import numpy as np
import pytest
from count_tables import audit, suppress, with_totals
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.optimize import Bounds, LinearConstraint, milp

from spatial.disclosure.linked import FEWER, HELD, HIDDEN, SHOWN, PublicTable

MUCH = 10_000
shapes = st.one_of(
    st.tuples(st.integers(1, 9)),
    st.tuples(st.integers(1, 5), st.integers(1, 6)),
    st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(1, 4)),
)
counts = st.one_of(st.sampled_from([0, 1, 4, 5, 6]), st.integers(0, 12), st.integers(0, 200))
tables = shapes.flatmap(lambda shape: hnp.arrays(np.int64, shape, elements=counts))
THOROUGH = settings(max_examples=60, deadline=None)


class Outsider:
    """Knows what is shown, the labels and the sums; asks an integer program what else can be.

    Written over whole tables instead of deviations, apart from the code under test.
    """

    def __init__(self, public, least_held=0):
        shape = public.label.shape
        place = np.arange(public.label.size).reshape(shape)
        rows = []
        for axis in range(len(shape)):
            for line in np.moveaxis(place, axis, -1).reshape(-1, shape[axis]):
                row = np.zeros(place.size)
                row[line[:-1]], row[line[-1]] = 1, -1
                rows.append(row)
        self.sums = LinearConstraint(np.array(rows), 0, 0)
        label, value = public.label.ravel(), public.value.ravel()
        self.low = np.select([label == SHOWN, label == FEWER], [value, 1], least_held)
        self.high = np.select([label == SHOWN, label == FEWER], [value, 4], MUCH)

    def range_of(self, cell):
        ends = []
        for sign in (1, -1):
            cost = np.zeros(self.low.size)
            cost[cell] = sign
            found = milp(
                cost,
                integrality=np.ones(self.low.size),
                bounds=Bounds(self.low, self.high),
                constraints=self.sums,
            )
            assert found.success
            ends.append(sign * round(found.fun))
        return tuple(ends)


def least_held(public, table):
    """The tightest of the two statements that the outsider may hold for true."""
    return 5 if (with_totals(table)[public.label == HELD] >= 5).all() else 1


@THOROUGH
@given(tables)
def test_nothing_hidden_can_be_computed_back_or_narrowed(table):
    public = suppress(table)
    outsider = Outsider(public, least_held(public, table))
    for cell in np.flatnonzero(public.label):
        low, high = outsider.range_of(cell)
        if public.label.ravel()[cell] == FEWER:
            assert (low, high) == (1, 4)
        else:
            assert high - low >= 3


@THOROUGH
@given(tables)
def test_what_is_shown_is_true_and_zeros_are_shown(table):
    public, whole = suppress(table), with_totals(table)
    shown = public.label == SHOWN
    np.testing.assert_array_equal(public.value[shown], whole[shown])
    assert (public.value[~shown] == HIDDEN).all()
    assert shown[whole == 0].all()
    assert not shown[(whole > 0) & (whole < 5)].any()
    inner = tuple(slice(-1) for _ in table.shape)
    small = (table > 0) & (table < 5)
    assert (whole[public.label == FEWER] < 5).all()
    assert (public.label[inner][small] != SHOWN).all()


@THOROUGH
@given(tables)
def test_the_audit_gives_the_outsiders_ranges_and_finds_no_fault(table):
    public = suppress(table)
    found = audit(table, public)
    assert found.faults == ()
    outsider = Outsider(public, least_held(public, table))
    for cell in np.flatnonzero(public.label):
        low, high = outsider.range_of(cell)
        assert found.low.ravel()[cell] == low
        assert found.high.ravel()[cell] == (np.inf if high > MUCH / 2 else high)
    shown = public.label == SHOWN
    np.testing.assert_array_equal(found.low[shown], public.value[shown])
    np.testing.assert_array_equal(found.high[shown], public.value[shown])


@THOROUGH
@given(tables, st.integers(0, 2**31))
def test_the_audit_names_exactly_what_a_worse_table_exposes(table, seed):
    """Show again one count that was held back, or hide small ones alone."""
    good, whole = suppress(table), with_totals(table)
    label = np.where((whole > 0) & (whole < 5), FEWER, SHOWN)
    held = np.flatnonzero((good.label == HELD) & (whole >= 5))
    if len(held) and seed % 2:
        label = good.label.copy()
        label.ravel()[held[seed % len(held)]] = SHOWN
    worse = PublicTable(label=label, value=np.where(label == SHOWN, whole, HIDDEN))
    outsider = Outsider(worse, least_held(worse, table))
    exposed = set()
    for cell in np.flatnonzero(label):
        low, high = outsider.range_of(cell)
        if (low, high) != (1, 4) if label.ravel()[cell] == FEWER else high - low < 3:
            exposed.add(cell)
    assert len(audit(table, worse).faults) == len(exposed)


def test_every_table_that_agrees_is_in_the_range_by_brute_force():
    table = np.array([[3, 7], [6, 2]])
    public = suppress(table)
    options = [
        [v] if lab == SHOWN else range(1, 5) if lab == FEWER else range(30)
        for v, lab in zip(public.value[:-1, :-1].flat, public.label[:-1, :-1].flat, strict=True)
    ]
    agreeing = []
    for cells in itertools.product(*options):
        whole = with_totals(np.reshape(cells, (2, 2)))
        same = (whole == public.value) | (public.label != SHOWN)
        fewer = ((whole > 0) & (whole < 5)) | (public.label != FEWER)
        held = (whole >= least_held(public, table)) | (public.label != HELD)
        if (same & fewer & held).all():
            agreeing.append(whole)
    found = audit(table, public)
    np.testing.assert_array_equal(np.min(agreeing, axis=0), found.low)
    bounded = np.isfinite(found.high)
    np.testing.assert_array_equal(np.max(agreeing, axis=0)[bounded], found.high[bounded])


def test_large_counts_and_zeros_alone_are_all_shown():
    for table in ([0, 5, 90], np.zeros((2, 3)), [[5, 0], [0, 7]], np.full((2, 2, 2), 8)):
        public = suppress(table)
        assert (public.label == SHOWN).all()
        np.testing.assert_array_equal(public.value, with_totals(table))


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ([3, 10, 20], [FEWER, HELD, SHOWN, SHOWN]),  # the smaller of the others
        ([3, 2, 20], [FEWER, FEWER, SHOWN, SHOWN]),  # 3 and 2 hide each other
        ([3, 1, 20], [FEWER, FEWER, HELD, SHOWN]),  # but 24 - 20 leaves neither of these a 4
        ([4, 4, 20], [FEWER, FEWER, HELD, SHOWN]),  # 28 - 20 would make both 4
        ([3, 0, 0], [FEWER, SHOWN, SHOWN, FEWER]),  # the total is the count itself
        ([1, 1, 1, 1], [FEWER, FEWER, FEWER, FEWER, HELD]),  # else all four must be 1
        ([3, 5], [FEWER, SHOWN, HELD]),  # hiding 5, which is at least 5, would not do
    ],
)
def test_a_row_with_its_total(row, expected):
    assert suppress(row).label.tolist() == expected


def test_a_count_is_held_back_in_its_row_and_in_its_column_and_where_they_meet():
    table = np.full((4, 5), 30)
    table[1, 2], table[1, 4], table[3, 2], table[3, 4] = 2, 11, 12, 13
    label = suppress(table).label
    held = {tuple(place) for place in np.argwhere(label == HELD).tolist()}
    assert held == {(1, 4), (3, 2), (3, 4)}
    assert np.argwhere(label == FEWER).tolist() == [[1, 2]]


def test_four_dispositions_and_their_sum_are_audited_as_one():
    """Each measure's table is safe alone; their sum, shown beside them, gives 2 away."""
    confirmed, unfounded = np.array([[2, 9], [9, 9]]), np.array([[20, 20], [20, 20]])
    both = np.stack([confirmed, unfounded])
    alone = [suppress(one) for one in (confirmed, unfounded, confirmed + unfounded)]
    label = np.stack([one.label for one in alone])
    value = np.stack([one.value for one in alone])
    assert audit(both, PublicTable(label=label, value=value)).faults[0] == (
        "the count at (0, 0, 0) can be narrowed to 2 to 2"
    )
    assert audit(both, suppress(both)).faults == ()


def test_the_same_counts_give_the_same_table_and_are_left_alone():
    rng = np.random.default_rng(4)
    table = rng.poisson(6, (5, 12))
    before = table.copy()
    first, second = suppress(table), suppress(table)
    np.testing.assert_array_equal(first.label, second.label)
    np.testing.assert_array_equal(table, before)


def test_a_table_of_three_years_and_ten_districts():
    table = np.random.default_rng(2).poisson(6, (10, 36))
    public = suppress(table)
    assert audit(table, public).faults == ()
    whole = with_totals(table)
    assert whole[public.label == HELD].sum() < 0.05 * whole.sum()


def test_what_an_earlier_release_hid_stays_hidden():
    table = np.array([[30, 40], [50, 2], [60, 70]])
    before = np.array([[SHOWN, SHOWN], [SHOWN, SHOWN], [HELD, SHOWN]])
    assert suppress(table, before).label[2, 0] == HELD
    assert suppress(table).label[2, 0] == SHOWN
    assert audit(table, suppress(table, before)).faults == ()


@pytest.mark.parametrize(
    ("place", "label", "value", "fault"),
    [
        ((0, 0), SHOWN, 3, "the count at (0, 0) is shown although it is 1 to 4"),
        ((0, 1), SHOWN, 9, "the count at (0, 1) is shown with another number"),
        ((1, 2), FEWER, -1, "the count at (1, total) is labelled fewer than 5 but is not 1 to 4"),
        ((0, 0), FEWER, 3, "the count at (0, 0) is hidden but given"),
        ((0, 0), 7, -1, "the count at (0, 0) has a label that is none"),
    ],
)
def test_the_audit_names_what_is_not_true(place, label, value, fault):
    table = np.array([[3, 10], [20, 30]])
    labels, values = np.full((3, 3), HELD), np.full((3, 3), HIDDEN)
    labels[0, 0] = FEWER
    labels[place], values[place] = label, value
    found = audit(table, PublicTable(label=labels, value=values))
    assert fault in found.faults
    assert np.isnan(found.low).all()


def test_a_total_alone_does_not_protect():
    table = [3, 10, 20]
    label = np.array([FEWER, SHOWN, SHOWN, SHOWN])
    found = audit(table, PublicTable(label=label, value=np.array([-1, 10, 20, 33])))
    assert found.faults == ("the count at (0) can be narrowed to 3 to 3",)
