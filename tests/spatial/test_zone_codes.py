"""Which zones of two runs are the same place."""

import itertools

import shapely
from hypothesis import given
from hypothesis import strategies as st

from spatial.zones.describe import match_zones


def box(x, y=0, wide=4, high=4):
    return shapely.box(x, y, x + wide, y + high)


def test_half_of_the_smaller_zone_is_enough_and_less_is_not():
    assert match_zones([box(0)], [box(2)]) == {0: 0}  # 2 of 4 columns
    assert match_zones([box(0)], [box(2.1)]) == {}
    assert match_zones([box(0)], [box(4)]) == {}  # they only touch
    assert match_zones([box(0, wide=40)], [box(10)]) == {0: 0}  # all of the smaller one
    assert match_zones([], [box(0)]) == {} == match_zones([box(0)], [])


def test_of_parts_of_a_zone_the_most_alike_one_is_the_same_place():
    whole, large, small = box(0, wide=10), box(0, wide=7), box(7, wide=3)
    assert match_zones([whole], [small, large]) == {1: 0}
    assert match_zones([large, small], [whole]) == {0: 0}


def iou(one, other):
    return one.intersection(other).area / one.union(other).area


def can_be(one, other):
    return one.intersection(other).area >= 0.5 * min(one.area, other.area) * (1 - 1e-9)


def totals(before, after):
    """Give the sum of every way to match one to one, by looking at all of them."""
    numbers = [*range(len(before)), *[None] * len(after)]
    for chosen in set(itertools.permutations(numbers, len(after))):
        pairs = [(before[o], after[n]) for n, o in enumerate(chosen) if o is not None]
        if all(can_be(*pair) for pair in pairs):
            yield sum(iou(*pair) for pair in pairs)


rows = st.lists(st.tuples(st.integers(0, 12), st.integers(1, 6)), max_size=3)


@given(rows, rows)
def test_no_other_matching_is_better(before, after):
    old = [box(x, wide=wide) for x, wide in before]
    new = [box(x, wide=wide) for x, wide in after]
    found = match_zones(old, new)
    assert len(set(found.values())) == len(found)
    assert all(can_be(old[o], new[n]) for n, o in found.items())
    best = max(totals(old, new), default=0.0)
    assert abs(sum(iou(old[o], new[n]) for n, o in found.items()) - best) < 1e-9


def test_the_same_zones_match_themselves():
    zones = [box(5 * i, wide=4) for i in range(7)]
    assert match_zones(zones, zones[::-1]) == {i: 6 - i for i in range(7)}
