"""The map of a district on its sheet: ground, streets, the district's limit, zones by number.

Charts of measures: their course by month or week, and their districts side by side.

Nothing is drawn where there is no figure: a gap is not a zero. A figure from few rows, or of a
month that is not over, is drawn hollow.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask_babel import gettext
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from app.charts.charts import GRID, INK, QUIET, draw_scale, write_rank
from app.maps import palette

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd
    from matplotlib.axes import Axes

    from app.i18n import numbers


WIDE, TALL = 6.4, 5.2  # inches
ROOM = 0.06  # of the district's size, around it
STREETS = {1: 1.5, 2: 0.9, 3: 0.55}  # width of a line by rank


def district_map(
    zones: gpd.GeoDataFrame, district: gpd.GeoSeries, base: gpd.GeoDataFrame, units: numbers.Units
) -> Figure:
    """Draw the zones of a district with their numbers."""
    west, south, east, north = district.total_bounds
    room = ROOM * max(east - west, north - south)
    west, south, east, north = west - room, south - room, east + room, north + room
    tall = min(TALL, max(2.6, WIDE * (north - south) / (east - west)))
    wide = min(WIDE, tall * (east - west) / (north - south))
    figure = Figure(figsize=(wide, tall))
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_facecolor(palette.GROUND)
    _ground(axes, base.cx[west:east, south:north])
    district.boundary.plot(ax=axes, color=palette.DISTRICT, linewidth=1.8, zorder=4)
    zones.plot(ax=axes, facecolor="#f3ddd4", edgecolor=palette.ZONE, linewidth=1.6, zorder=5)
    for zone in zones.itertuples():
        write_rank(axes, zone)
    axes.set(xlim=(west, east), ylim=(south, north), aspect="equal")
    axes.grid(visible=False)
    axes.set_xticks([])
    axes.set_yticks([])
    for side in axes.spines.values():
        side.set_visible(False)
    draw_scale(axes, (west, south, east, north), units)
    return figure


def _ground(axes: Axes, base: gpd.GeoDataFrame) -> None:
    for kind, colour in (("park", palette.PARK), ("water", palette.WATER)):
        rows = base[base["kind"] == kind]
        if len(rows):
            rows.plot(ax=axes, color=colour, linewidth=0, zorder=1)
    streets = base[base["kind"] == "street"]
    for rank in (3, 2, 1):
        rows = streets[streets["rank"] == rank]
        if len(rows):
            rows.plot(ax=axes, color=palette.STREET[rank], linewidth=STREETS[rank], zorder=2)


LINE, FILL, BAND, AIM = "#2f5d8a", "#5b86b0", "#d5e0ec", "#b8431b"
WIDE_MEASURE, NARROW = (9.5, 3.6), (3.9, 3.3)
SMALL = 9.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One month, week or district: its names, its figure as it is drawn, and how sure it is.

    ``value``, ``low`` and ``high`` are in the unit of the axis: percent for a share. ``hollow``
    marks a figure from few rows or of unfinished days; ``withheld`` one that is not reported.
    """

    label: str
    told: str
    value: float | None
    low: float | None = None
    high: float | None = None
    hollow: bool = False
    withheld: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """What the figures are: the unit on the axis, whether they are counted, and their target."""

    unit: str
    counted: bool
    percent: bool
    target: float | None = None
    target_told: str = ""


def course(points: Sequence[Point], axis: Axis, narrow: bool) -> Figure:
    """Draw the course of a measure."""
    figure = Figure(figsize=NARROW if narrow else WIDE_MEASURE, layout="constrained")
    axes = figure.add_subplot()
    if axis.counted:
        _bars(axes, points)
    else:
        _line(axes, points)
    _withheld(axes, points)
    _limits(axes, points, axis)
    _target(axes, axis)
    _last(axes, points)
    _ticks(axes, points, most=4 if narrow else 8)
    axes.grid(visible=False, axis="x")
    axes.set_title(axis.unit, loc="left", fontsize=SMALL, color=QUIET)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=5, integer=axis.counted))
    if axis.percent:
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g} %"))
    return figure


def _bars(axes: Axes, points: Sequence[Point]) -> None:
    for place, point in enumerate(points):
        if point.value is None:
            continue
        axes.bar(
            place,
            point.value,
            width=0.72,
            facecolor="white" if point.hollow else FILL,
            edgecolor=FILL,
            linewidth=1.3,
            linestyle=(0, (3, 2)) if point.hollow else "solid",
        )


def _line(axes: Axes, points: Sequence[Point]) -> None:
    for run in _runs(points):
        sure = [(i, points[i].low, points[i].high) for i in run]
        known = [(i, low, high) for i, low, high in sure if low is not None and high is not None]
        if known:
            places, lows, highs = zip(*known, strict=True)
            axes.fill_between(places, lows, highs, color=BAND, linewidth=0, zorder=1)
            if len(known) == 1:
                axes.vlines(places, lows, highs, color=BAND, linewidth=7, zorder=1)
        axes.plot(run, [points[i].value or 0.0 for i in run], color=LINE, linewidth=1.8, zorder=3)
    for hollow in (False, True):
        visible = [i for i, p in enumerate(points) if p.value is not None and p.hollow is hollow]
        axes.scatter(
            visible,
            [points[i].value or 0.0 for i in visible],
            s=30,
            facecolor="white" if hollow else LINE,
            edgecolor=LINE,
            linewidth=1.5,
            zorder=4,
        )


def _runs(points: Sequence[Point]) -> list[list[int]]:
    """Return the places of points that follow one another without a gap."""
    runs: list[list[int]] = []
    for i, point in enumerate(points):
        if point.value is None:
            continue
        if runs and runs[-1][-1] == i - 1:
            runs[-1].append(i)
        else:
            runs.append([i])
    return runs


def _withheld(axes: Axes, points: Sequence[Point]) -> None:
    for place in (i for i, point in enumerate(points) if point.withheld):
        axes.annotate(
            "×",
            (place, 0),
            xycoords=("data", "axes fraction"),
            xytext=(0, 5),
            textcoords="offset points",
            ha="center",
            color=QUIET,
            fontsize=10,
        )


def _limits(axes: Axes, points: Sequence[Point], axis: Axis) -> None:
    edges = [edge for p in points for edge in (p.value, p.low, p.high) if edge is not None]
    edges += [axis.target] if axis.target is not None else []
    top, bottom = max([*edges, 0.0]), min([*edges, 0.0])
    if axis.percent and top > 60:
        top, bottom = 100.0, 0.0
    room = 0.14 * (top - bottom or 1.0)
    axes.set_ylim(bottom - (room if bottom < 0 else 0), top + room)
    axes.set_xlim(-0.6, max(len(points), 1) - 0.4)
    if bottom < 0:
        axes.axhline(0, color=QUIET, linewidth=1)


def _target(axes: Axes, axis: Axis) -> None:
    if axis.target is None:
        return
    axes.axhline(axis.target, color=AIM, linewidth=1.3, linestyle=(0, (5, 3)), zorder=2)
    axes.annotate(
        gettext("target %(aim)s", aim=axis.target_told),
        (0, axis.target),
        xycoords=("axes fraction", "data"),
        xytext=(4, 4),
        textcoords="offset points",
        color=AIM,
        fontsize=SMALL,
        zorder=6,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.0, "alpha": 0.8},
    )


def _last(axes: Axes, points: Sequence[Point]) -> None:
    """Label the last figure of the course beside it."""
    visible = [i for i, point in enumerate(points) if point.value is not None]
    if not visible:
        axes.text(0.5, 0.5, gettext("no data"), transform=axes.transAxes, ha="center", color=QUIET)
        return
    last = points[visible[-1]]
    axes.annotate(
        last.told,
        (visible[-1], last.value or 0.0),
        xytext=(0, 8),
        textcoords="offset points",
        ha="right" if len(points) > 6 else "center",
        color=INK,
        fontweight="bold",
        zorder=7,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.0, "alpha": 0.75},
    )


def _ticks(axes: Axes, points: Sequence[Point], most: int) -> None:
    every = -(-len(points) // most) if points else 1
    places = list(range(len(points) - 1, -1, -every))[::-1]
    axes.set_xticks(places, [points[i].label for i in places])
    axes.tick_params(axis="both", length=0, labelsize=SMALL)
    axes.spines["left"].set_visible(False)
    axes.spines["bottom"].set_color(GRID if not points else QUIET)


def districts(points: Sequence[Point], axis: Axis, narrow: bool) -> Figure:
    """Draw the districts side by side, each with its interval."""
    width = NARROW[0] if narrow else WIDE_MEASURE[0]
    figure = Figure(figsize=(width, 0.9 + 0.4 * max(1, len(points))), layout="constrained")
    axes = figure.add_subplot()
    for row, point in enumerate(points):
        y = len(points) - row
        axes.text(
            -0.01, y, point.label, transform=axes.get_yaxis_transform(), ha="right", va="center"
        )
        if point.low is not None and point.high is not None:
            axes.plot([point.low, point.high], [y, y], color="#9fb6cf", linewidth=5, zorder=2)
        if point.value is not None and axis.counted:
            axes.barh(y, point.value, height=0.56, color=FILL)
        elif point.value is not None:
            axes.scatter(
                point.value,
                y,
                s=42,
                facecolor="white" if point.hollow else LINE,
                edgecolor=LINE,
                linewidth=1.6,
                zorder=3,
            )
        axes.annotate(
            point.told,
            (_edge(point), y),
            xytext=(8, 0),
            textcoords="offset points",
            va="center",
            color=INK if point.value is not None else QUIET,
            fontsize=10,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5},
        )
    edges = [edge for p in points for edge in (p.value, p.low, p.high) if edge is not None]
    edges += [axis.target] if axis.target is not None else []
    low, high = min([*edges, 0.0]), max([*edges, 0.0]) or 1.0
    axes.set_xlim(low, high + 0.22 * (high - low))
    axes.set_ylim(0.4, len(points) + 0.7)
    axes.set_yticks([])
    axes.grid(visible=False, axis="y")
    axes.spines["left"].set_color(QUIET)
    axes.spines["bottom"].set_visible(False)
    axes.tick_params(axis="x", length=0, labelsize=SMALL)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=4, integer=axis.counted))
    if axis.percent:
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g} %"))
    if axis.target is not None:
        axes.axvline(axis.target, color=AIM, linewidth=1.3, linestyle=(0, (5, 3)), zorder=1)
        text = gettext("dashed: target %(aim)s", aim=axis.target_told)
        axes.set_title(text, loc="left", fontsize=SMALL, color=AIM)
    return figure


def _edge(point: Point) -> float:
    """Return where the figure of a row ends."""
    return max([edge for edge in (point.value, point.high) if edge is not None], default=0.0)
