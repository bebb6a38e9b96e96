import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spatial.dosage.compliance import judge_plan
from spatial.dosage.progress import ProgressSpec, shift_progress

NAN = float("nan")
SPEC = ProgressSpec(gap_min=120, late_min=15, open_min=60)


def progress(now, *visits, planned=((10.0, 150.0), (60.0,)), shift=480):
    zone, start, end = zip(*visits, strict=True) if visits else ((), (), ())
    return shift_progress(
        planned,
        np.array(zone, dtype=np.int64),
        np.array(start, dtype=float),
        np.array(end, dtype=float),
        now,
        shift,
        SPEC,
    )


@pytest.mark.parametrize(
    ("now", "visits", "state", "late", "since"),
    [
        (-5, (), "waiting", 0, 0),
        (20, (), "waiting", 0, 20),
        (25.1, (), "late", 1, 25.1),
        (25, (), "waiting", 0, 25),
        (30, ((0, 12, NAN),), "under way", 0, None),
        (73, ((0, 12, NAN),), "waiting", 0, 61),  # nobody ended it
        (40, ((0, 12, 26),), "waiting", 0, 14),
        (147, ((0, 12, 26),), "gap", 0, 121),
        (170, ((0, 12, 26),), "late", 1, 144),
        (170, ((0, 12, 26), (0, 165, NAN)), "under way", 0, None),
        (200, ((0, 12, 26), (0, 165, 180)), "done", 0, 20),
        (400, ((0, 12, 26), (0, 165, 180)), "done", 0, 220),
        (480, ((0, 12, 26),), "missed", 1, 454),
        (490, ((0, 12, 26), (0, 478, NAN)), "done", 0, None),
        (40, ((0, 12, 5),), "waiting", 0, 28),  # ended before it began: of no length
    ],
)
def test_how_a_zone_stands(now, visits, state, late, since):
    first = progress(now, *visits)[0]
    assert (first.state, first.late) == (state, late)
    assert first.since_min == (None if since is None else pytest.approx(since))


def test_counts_are_of_the_shift_and_by_zone():
    found = progress(100, (0, -1, 9), (0, 20, 30), (1, 99, NAN), (1, 101, 110), (-1, 50, 60))
    assert [(z.planned, z.made, z.due, z.next_min) for z in found] == [
        (2, 1, 1, 150.0),
        (1, 1, 1, None),
    ]


@given(
    st.lists(st.tuples(st.integers(-1, 1), st.integers(-30, 500), st.integers(0, 40)), max_size=20)
)
@settings(max_examples=100, deadline=None)
def test_when_the_shift_is_over_the_board_says_what_compliance_says(visits):
    rows = [(zone, float(start), float(start + length)) for zone, start, length in visits]
    found = progress(1000, *rows)
    zone, start, end = zip(*rows, strict=True) if rows else ((), (), ())
    judged = judge_plan(
        [2, 1], np.array(zone, dtype=np.int64), np.array(start, float), np.array(end, float), 480
    )
    assert [z.made for z in found] == [z.done for z in judged]
    assert [z.state == "done" for z in found] == [z.met for z in judged]
