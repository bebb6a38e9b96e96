import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from spatial.errors import DosageError
from spatial.patrol.matching import MatchSpec, match_visits

MINUTE = 60_000
ZONES = [shapely.box(0, 0, 100, 100), shapely.box(300, 0, 400, 100)]
SPEC = MatchSpec(buffer_units=20, joined_minutes=4, least_minutes=3, silent_minutes=5)


def match(*track, spec=SPEC, zones=ZONES):
    """Match a track of one unit: minute, x, with y in the middle of the zones."""
    minute, x = (np.array(values, dtype=float) for values in zip(*track, strict=True))
    return match_visits(
        np.zeros(len(x), dtype=np.int64),
        (minute * MINUTE).astype(np.int64),
        x,
        np.full(len(x), 50.0),
        zones,
        spec,
    )


def told(found):
    return [
        (int(z), s / MINUTE, e / MINUTE)
        for z, s, e in zip(found.zone, found.start_ms, found.end_ms, strict=True)
    ]


def test_a_visit_begins_inside_and_ends_with_the_buffer():
    track = [(0, -15), (1, 5), (2, 50), (4, 95), (5, 115), (6, 130), (7, 150)]
    found = match(*track)
    assert told(found) == [(0, 1, 5)]  # 115 lies in the buffer; -15 did too, but had not entered
    assert (found.positions.tolist(), found.in_no_zone, found.short) == ([4], 3, 0)
    assert found.at.tolist() == [2]  # of those inside, the one in the middle
    assert told(match(*track, spec=MatchSpec(buffer_units=0))) == [(0, 1, 4)]


def test_pauses_are_joined_but_not_across_another_zone():
    out_and_in = [(0, 50), (3, 50), (4, 200), (6, 50), (9, 50)]
    assert told(match(*out_and_in)) == [(0, 0, 9)]
    apart = MatchSpec(buffer_units=20, joined_minutes=2)
    assert told(match(*out_and_in, spec=apart)) == [(0, 0, 3), (0, 6, 9)]
    by_the_other = [(0, 50), (3, 50), (4, 350), (6, 50), (9, 50)]
    found = match(*by_the_other)
    assert told(found) == [(0, 0, 3), (0, 6, 9)]
    assert found.short == 1  # a moment in the other zone


def test_drives_through_and_silences_are_no_visits():
    assert told(match((0, 50), (2.9, 50), (4, 200))) == []
    assert told(match((0, 50), (3, 50), (4, 200))) == [(0, 0, 3)]
    silent = [(0, 50), (3, 50), (8.1, 50), (12, 50)]
    assert told(match(*silent)) == [(0, 0, 3), (0, 8.1, 12)]
    joined = MatchSpec(buffer_units=20, joined_minutes=6)
    assert told(match(*silent, spec=joined)) == [(0, 0, 12)]


def test_zones_side_by_side_share_no_moment():
    side = [shapely.box(0, 0, 100, 100), shapely.box(100, 0, 200, 100)]
    track = [(0, 50), (4, 95), (5, 105), (9, 150), (10, 95), (14, 50)]
    assert told(match(*track, zones=side)) == [(0, 0, 4), (1, 5, 9), (0, 10, 14)]


def test_nothing_given_is_nothing_found():
    empty = np.array([], dtype=np.int64)
    found = match_visits(empty, empty, empty.astype(float), empty.astype(float), ZONES, SPEC)
    assert (len(found), found.short, found.in_no_zone) == (0, 0, 0)


@pytest.mark.parametrize(
    "wrong", [{"buffer_units": -1}, {"silent_minutes": 0}, {"joined_minutes": float("nan")}]
)
def test_numbers_that_cannot_be_are_refused(wrong):
    with pytest.raises(DosageError, match=next(iter(wrong))):
        MatchSpec(**{"buffer_units": 1, **wrong})


tracks = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 120), st.integers(-60, 460), st.integers(-40, 140)),
    min_size=1,
    max_size=60,
)


def columns(track):
    unit, minute, x, y = (np.array(values) for values in zip(*track, strict=True))
    return unit, minute * MINUTE, x.astype(float), y.astype(float)


@given(tracks, st.randoms())
@settings(max_examples=150, deadline=None)
def test_what_holds_of_every_track(track, shuffled):
    unit, ms, x, y = columns(track)
    found = match_visits(unit, ms, x, y, ZONES, SPEC)
    length = found.end_ms - found.start_ms
    assert (length >= SPEC.least_minutes * MINUTE).all()
    assert found.in_no_zone + found.positions.sum() <= len(track)
    for number in set(found.unit.tolist()):
        mine = found.unit == number
        assert (found.start_ms[mine][1:] >= found.end_ms[mine][:-1]).all()  # at one place at a time
    for zone, at in zip(found.zone, found.at, strict=True):
        assert ZONES[zone].intersects(shapely.Point(x[at], y[at]))
    order = list(range(len(track)))
    shuffled.shuffle(order)
    again = match_visits(unit[order], ms[order], x[order], y[order], ZONES, SPEC)
    for name in ("zone", "unit", "start_ms", "end_ms", "positions"):
        assert (getattr(again, name) == getattr(found, name)).all()


@given(tracks, st.floats(0, 8), st.floats(0, 8))
@settings(max_examples=100, deadline=None)
def test_joining_more_makes_no_more_visits_and_no_less_time(track, one, other):
    low, high = sorted((one, other))
    made = [
        match_visits(
            *columns(track), ZONES, MatchSpec(buffer_units=20, joined_minutes=m, least_minutes=0)
        )
        for m in (low, high)
    ]
    few, many = made[1], made[0]
    assert len(few) <= len(many)
    spent = [int((m.end_ms - m.start_ms).sum()) for m in made]
    assert spent[1] >= spent[0]


@given(tracks, st.floats(0, 90), st.floats(0, 90))
@settings(max_examples=100, deadline=None)
def test_a_wider_buffer_takes_no_time_from_a_zone_that_stands_alone(track, one, other):
    spent = []
    for buffer in sorted((one, other)):
        found = match_visits(
            *columns(track), ZONES[:1], MatchSpec(buffer_units=buffer, least_minutes=0)
        )
        spent.append(int((found.end_ms - found.start_ms).sum()))
    assert spent[1] >= spent[0]
