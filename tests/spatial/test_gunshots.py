import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from spatial.errors import SpecError
from spatial.gunshots import (
    LinkSpec,
    Reports,
    covered,
    link_events,
    location_error,
    number_codes,
    sensitivity,
)

MINUTE = 60_000.0
SPEC = LinkSpec()


def reports(*rows):
    """Rows of (minutes, x) or (minutes, x, number)."""
    full = [(*row, -1)[:3] for row in rows]
    return Reports(
        ms=np.array([row[0] * MINUTE for row in full]),
        x=np.array([float(row[1]) for row in full]),
        y=np.zeros(len(full)),
        number=np.array([row[2] for row in full], dtype=np.int64),
    )


def together(events, alert, call):
    return events.alert_event[alert] == events.call_event[call]


@pytest.mark.parametrize(
    ("minutes", "away", "linked"),
    [
        (0, 0, True),
        (10, 400, True),
        (-2, 400, True),
        (10.01, 0, False),
        (-2.01, 0, False),
        (5, 400.1, False),
    ],
)
def test_the_window_includes_its_edges(minutes, away, linked):
    events = link_events(reports((100, 0)), reports((100 + minutes, away)), SPEC)
    assert together(events, 0, 0) == linked
    assert len(events) == (1 if linked else 2)
    assert events.both.sum() == linked


def test_a_shared_number_goes_before_the_window():
    events = link_events(reports((0, 0, 7), (9, 5000, -1)), reports((9, 5000, 7)), SPEC)
    assert together(events, 0, 0)
    assert not together(events, 1, 0)


def test_a_shared_number_beyond_the_span_is_another_event():
    events = link_events(reports((0, 0, 7)), reports((15.01, 0, 7)), SPEC)
    assert len(events) == 2
    assert len(link_events(reports((0, 0, 7)), reports((15, 0, 7)), SPEC)) == 1


def test_alerts_of_one_number_are_one_event():
    events = link_events(reports((0, 0, 3), (4, 900, 3), (5, 0, 4)), reports(), SPEC)
    assert events.alert_event.tolist() == [0, 0, 1]
    assert events.alert_only.all()


def test_a_call_joins_the_alert_nearest_in_time_then_in_place():
    events = link_events(reports((0, 0), (3, 0)), reports((4, 0)), SPEC)
    assert together(events, 1, 0)
    events = link_events(reports((0, 0), (0, 300)), reports((1, 250)), SPEC)
    assert together(events, 1, 0)


def test_calls_of_one_number_join_together_and_a_call_alone_is_an_event():
    calls = reports((1, 100, 9), (12, 4000, 9), (50, 0))
    events = link_events(reports((0, 0)), calls, SPEC)
    assert together(events, 0, 0)
    assert together(events, 0, 1)
    assert events.call_only.tolist() == [False, True]


def test_no_event_outgrows_its_span_by_joining():
    calls = reports((9, 0, 9), (15.5, 0, 9))
    events = link_events(reports((0, 0)), calls, SPEC)
    assert not together(events, 0, 0)
    assert len(events) == 2


def test_nothing_links_to_nothing():
    assert len(link_events(reports(), reports(), SPEC)) == 0
    assert link_events(reports(), reports((0, 0)), SPEC).call_only.tolist() == [True]


rows = st.lists(
    st.tuples(st.integers(0, 60), st.sampled_from([0, 150, 390, 700, 2000]), st.integers(-1, 4)),
    max_size=25,
)


@given(rows, rows, st.randoms())
@settings(max_examples=150, deadline=None)
def test_every_row_is_in_one_event_whatever_the_order(alert_rows, call_rows, shuffler):
    alerts, calls = reports(*alert_rows), reports(*call_rows)
    events = link_events(alerts, calls, SPEC)
    assert events.alerts.sum() == len(alerts)
    assert events.calls.sum() == len(calls)
    assert ((events.alerts + events.calls) > 0).all()
    assert (events.last_ms - events.first_ms <= SPEC.span_s * 1000).all()
    assert (np.diff(events.first_ms) >= 0).all()
    assert events.alert_only.sum() + events.both.sum() + events.call_only.sum() == len(events)
    shuffled_alerts, shuffled_calls = list(alert_rows), list(call_rows)
    shuffler.shuffle(shuffled_alerts)
    shuffler.shuffle(shuffled_calls)
    again = link_events(reports(*shuffled_alerts), reports(*shuffled_calls), SPEC)
    assert sorted(zip(again.first_ms, again.alerts, again.calls, strict=True)) == sorted(
        zip(events.first_ms, events.alerts, events.calls, strict=True)
    )


@given(rows, rows)
@settings(max_examples=100, deadline=None)
def test_linked_by_the_window_means_near_some_alert_of_the_event(alert_rows, call_rows):
    plain_alerts = [(m, x, -1) for m, x, _ in alert_rows]
    plain_calls = [(m, x, -1) for m, x, _ in call_rows]
    alerts, calls = reports(*plain_alerts), reports(*plain_calls)
    events = link_events(alerts, calls, SPEC)
    for call in range(len(calls)):
        mates = np.flatnonzero(events.alert_event == events.call_event[call])
        gap = (calls.ms[call] - alerts.ms[mates]) / 1000
        near = np.abs(calls.x[call] - alerts.x[mates]) <= SPEC.reach_units
        possible = (
            (calls.ms[call] - alerts.ms >= -SPEC.before_s * 1000)
            & (calls.ms[call] - alerts.ms <= SPEC.after_s * 1000)
            & (np.abs(calls.x[call] - alerts.x) <= SPEC.reach_units)
        )
        if len(mates):
            assert ((gap >= -SPEC.before_s) & (gap <= SPEC.after_s) & near).any()
        elif possible.any():  # then only the span can have kept it out
            assert events.last_ms.max() - events.first_ms.min() > SPEC.span_s * 1000 - 600_000


def test_wider_windows_link_no_fewer_events():
    rng = np.random.default_rng(5)
    n = 400
    alerts = Reports(
        ms=rng.uniform(0, 6e7, n),
        x=rng.uniform(0, 4000, n),
        y=rng.uniform(0, 4000, n),
        number=np.full(n, -1),
    )
    calls = Reports(
        ms=rng.uniform(0, 6e7, n),
        x=rng.uniform(0, 4000, n),
        y=rng.uniform(0, 4000, n),
        number=np.full(n, -1),
    )
    table = {(m, r): int(e.both.sum()) for m, r, e in sensitivity(alerts, calls, SPEC, 1.0)}
    assert set(table) == {(m, r) for m in (5.0, 10.0, 15.0) for r in (200.0, 400.0, 800.0)}
    for minutes in (5.0, 10.0, 15.0):
        assert table[minutes, 200.0] <= table[minutes, 400.0] <= table[minutes, 800.0]
    assert table[10.0, 400.0] == int(link_events(alerts, calls, SPEC).both.sum())
    feet = [
        Reports(ms=r.ms, x=r.x / 0.3048, y=r.y / 0.3048, number=r.number) for r in (alerts, calls)
    ]
    in_feet = sensitivity(*feet, SPEC, 1 / 0.3048)
    assert {(m, r): int(e.both.sum()) for m, r, e in in_feet} == table


def test_a_window_that_cannot_be_is_refused():
    with pytest.raises(SpecError, match="reach_units must be a number from 0"):
        LinkSpec(reach_units=-1)
    with pytest.raises(SpecError, match="span_s"):
        LinkSpec(span_s=float("nan"))


def test_numbers_and_places():
    first, second = number_codes(["a", None, "b"], ["b", "c"])
    assert first[2] == second[0]
    assert first[1] == -1
    assert len({*first, *second} - {-1}) == 3
    error = location_error(
        np.array([0.0, 0.0]), np.array([0.0, 0.0]), np.array([3.0, np.nan]), np.array([4.0, 1.0])
    )
    assert error[0] == 5.0
    assert np.isnan(error[1])
    area = shapely.box(0, 0, 10, 10)
    assert covered(np.array([5.0, 10.0, 11.0]), np.zeros(3), area).tolist() == [1.0, 1.0, 0.0]
    assert np.isnan(covered(np.array([5.0]), np.zeros(1), None)).all()
