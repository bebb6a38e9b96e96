import numpy as np
import pytest

from app.charts.charts import draw
from app.charts.measure_charts import LINE, Axis, Point, course, districts

SHARE = Axis(unit="Percent", counted=False, percent=True, target=90.0, target_told="at least 90 %")
COUNT = Axis(unit="Alerts", counted=True, percent=False)


def point(value, **options):
    told = "no data" if value is None else f"{value:g}"
    return Point(label=f"M{value}", told=told, value=value, **options)


def test_a_gap_breaks_the_line_and_is_no_zero():
    axes = course([point(80.0), point(70.0), point(None), point(60.0)], SHARE, narrow=False).axes[0]
    lines = [line for line in axes.lines if line.get_color() == LINE]
    assert [list(line.get_ydata()) for line in lines] == [[80.0, 70.0], [60.0]]
    assert [list(line.get_xdata()) for line in lines] == [[0, 1], [3]]


def test_a_missing_month_has_no_bar_and_a_zero_has_one():
    axes = course([point(3.0), point(None), point(0.0)], COUNT, narrow=False).axes[0]
    assert [round(bar.get_x() + bar.get_width() / 2) for bar in axes.patches] == [0, 2]
    assert [bar.get_height() for bar in axes.patches] == [3.0, 0.0]


def test_hollow_figures_are_drawn_hollow():
    axes = course([point(3.0), point(2.0, hollow=True)], COUNT, narrow=False).axes[0]
    whole, hollow = (bar.get_facecolor() for bar in axes.patches)
    assert hollow == (1.0, 1.0, 1.0, 1.0)
    assert whole != hollow
    axes = course([point(70.0), point(60.0, hollow=True)], SHARE, narrow=False).axes[0]
    filled, open_ = (one for one in axes.collections if len(one.get_offsets()))
    assert tuple(open_.get_facecolor()[0]) == (1.0, 1.0, 1.0, 1.0)
    assert tuple(filled.get_facecolor()[0]) != (1.0, 1.0, 1.0, 1.0)
    assert np.asarray(open_.get_offsets()).tolist() == [[1.0, 60.0]]


def test_what_is_withheld_is_marked_and_not_drawn():
    axes = course([point(6.0), point(None, withheld=True)], COUNT, narrow=False).axes[0]
    assert len(axes.patches) == 1
    assert [text.get_text() for text in axes.texts if text.get_text() == "×"] == ["×"]


def test_the_target_is_drawn_and_named():
    axes = course([point(80.0)], SHARE, narrow=False).axes[0]
    assert any(set(line.get_ydata()) == {90.0} for line in axes.lines)
    assert "target at least 90 %" in [text.get_text() for text in axes.texts]
    without = course([point(1.0)], COUNT, narrow=False).axes[0]
    assert "target" not in str([text.get_text() for text in without.texts])


def test_the_last_figure_is_labelled():
    axes = course([point(80.0), point(70.0), point(None)], SHARE, narrow=False).axes[0]
    assert "70" in [text.get_text() for text in axes.texts]
    assert "80" not in [text.get_text() for text in axes.texts]


def test_intervals_lie_inside_the_axes():
    points = [point(50.0, low=30.0, high=70.0), point(40.0, low=-5.0, high=120.0)]
    axes = course(points, Axis(unit="Minutes", counted=False, percent=False), narrow=False).axes[0]
    bottom, top = axes.get_ylim()
    assert bottom < -5.0
    assert top > 120.0


@pytest.mark.parametrize("narrow", [False, True])
@pytest.mark.parametrize("chart", [course, districts])
@pytest.mark.parametrize("axis", [SHARE, COUNT])
def test_every_chart_draws_whatever_it_is_given(chart, axis, narrow):
    for points in ([], [point(None)], [point(0.0)], [point(5.0, low=1.0, high=9.0)] * 40):
        first = draw(chart, points, axis, narrow)
        assert first.startswith(b"<?xml")
        assert first == draw(chart, points, axis, narrow)
