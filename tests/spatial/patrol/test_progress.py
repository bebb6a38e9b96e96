import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spatial.patrol.compliance import judge_plan
from spatial.patrol.progress import ProgressSpec, match_visits, shift_progress

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
        (100, ((0, 80, 90),), "late", 1, 10),  # 70 minutes from the first, 70 from the second
        (200, ((0, 12, 26), (0, 30, 40)), "late", 1, 160),  # two visits make no two planned ones
        (170, ((0, 12, 26),), "late", 1, 144),
        (170, ((0, 12, 26), (0, 165, NAN)), "under way", 0, None),
        (200, ((0, 12, 26), (0, 165, 180)), "done", 0, 20),
        (400, ((0, 12, 26), (0, 165, 180)), "done", 0, 220),
        (480, ((0, 12, 26),), "missed", 1, 454),
        (490, ((0, 12, 26), (0, 478, NAN)), "missed", 1, None),  # too late for the second
        (490, ((0, 12, 26), (0, 190, 200)), "done", 0, 280),
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


ROWS = st.lists(
    st.tuples(st.integers(-1, 1), st.integers(-30, 500), st.integers(0, 40)), max_size=20
)


@given(ROWS)
@settings(max_examples=100, deadline=None)
def test_when_the_shift_is_over_the_board_counts_the_visits_that_compliance_counts(visits):
    rows = [(zone, float(start), float(start + length)) for zone, start, length in visits]
    found = progress(1000, *rows)
    zone, start, end = zip(*rows, strict=True) if rows else ((), (), ())
    judged = judge_plan(
        [2, 1], np.array(zone, dtype=np.int64), np.array(start, float), np.array(end, float), 480
    )
    assert [z.made for z in found] == [z.done for z in judged]
    assert all(j.met for z, j in zip(found, judged, strict=True) if z.state == "done")
    assert all(z.next_min is None and z.overdue_min is None for z in found)


@given(ROWS, st.integers(-60, 600), st.lists(st.integers(0, 479), max_size=6, unique=True))
@settings(max_examples=200, deadline=None)
def test_waiting_next_and_late_are_of_one_definition_at_every_moment(visits, now, planned):
    rows = [(zone, float(start), float(start + length)) for zone, start, length in visits]
    for one in progress(now, *rows, planned=(tuple(map(float, planned)), ())):
        assert one.waits == (one.since_min is not None and one.since_min > SPEC.gap_min)
        if one.state in ("gap", "waiting"):
            assert (one.state == "gap") == one.waits
        if one.next_min is not None:
            assert one.next_min >= now
            assert one.next_min not in one.kept
        if one.overdue_min is not None:
            assert one.overdue_min + SPEC.late_min < now <= one.overdue_min + SPEC.window_min
            assert one.overdue_min not in one.kept
        assert len(one.kept) <= min(one.planned, one.made)
        assert (one.state == "done") <= (len(one.kept) == one.planned)


@given(
    st.lists(st.integers(0, 100), max_size=5),
    st.lists(st.integers(0, 100), max_size=5),
    st.integers(1, 60),
)
@settings(max_examples=200, deadline=None)
def test_visits_make_planned_ones_one_to_one_within_the_window(planned, starts, window):
    made = match_visits(planned, np.array(starts, float), window)
    best = best_pairs(tuple(planned), tuple(starts), window)
    assert len(made) == best
    for i in made:
        assert any(abs(planned[i] - start) <= window for start in starts)


def best_pairs(planned, starts, window):
    """Count, trying every way, the most pairs that lie within the window."""
    if not planned:
        return 0
    first, rest = planned[0], planned[1:]
    best = best_pairs(rest, starts, window)
    for i, start in enumerate(starts):
        if abs(first - start) <= window:
            best = max(best, 1 + best_pairs(rest, starts[:i] + starts[i + 1 :], window))
    return best


def test_of_as_many_pairs_the_nearest_in_time_are_taken():
    assert match_visits([0.0, 50.0], np.array([45.0]), 60) == {1}
    assert match_visits([0.0, 50.0], np.array([20.0]), 60) == {0}
    assert match_visits([0.0, 50.0], np.array([45.0, 50.0]), 60) == {0, 1}
    assert match_visits([17.93 * 60], np.array([22.6 * 60]), 60) == set()  # 17:56 and 22:36
