import numpy as np

from spatial.patrol.compliance import judge_plan


def test_what_was_done_beside_what_was_planned():
    judged = judge_plan(
        [2, 1, 0, 1],
        np.array([0, 0, 0, 1, -1, 2, 1]),
        np.array([10.0, 100.0, -5.0, 480.0, 20.0, 30.0, 479.0]),
        np.array([25.0, 110.0, 8.0, 495.0, 30.0, 40.0, 495.0]),
        480.0,
    )
    assert [(z.zone, z.planned, z.done, z.met) for z in judged] == [
        (0, 2, 2, True),
        (1, 1, 1, True),  # the visit that started when the shift was over belongs to the next
        (3, 1, 0, False),
    ]
    assert [z.longest_gap_min for z in judged] == [370.0, 479.0, 480.0]


def test_a_visit_without_an_end_has_no_length_and_overlaps_leave_no_gap():
    (zone,) = judge_plan(
        [1],
        np.zeros(4, dtype=int),
        np.array([50.0, 55.0, 200.0, 300.0]),
        np.array([150.0, 60.0, np.nan, 290.0]),
        400.0,
    )
    assert (zone.done, zone.longest_gap_min) == (4, 100.0)
