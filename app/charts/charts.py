"""Charts, one function a chart: direct labels, one palette, the same bytes every time.

A chart is a function that gives a figure; :func:`draw` makes it a picture.
"""

from __future__ import annotations

import base64
import contextvars
import datetime as dt
import io
import math
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
import shapely
from flask_babel import gettext
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path as MplPath
from matplotlib.patheffects import withStroke
from PIL import Image

from app.i18n import numbers
from app.i18n.evaluation_words import STEPS, area_name
from app.i18n.language import N_, translated
from app.maps import palette
from spatial.zones.name_words import FOOT_M

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import geopandas as gpd
    from matplotlib.axes import Axes
    from matplotlib.text import Text
    from matplotlib.transforms import Bbox
    from shapely.geometry.base import BaseGeometry

    from app.usecases.evaluation.evaluation_document import EvaluationDocument
    from geodata.analysis_documents import ResampledFactor, ScoreLevel
    from geodata.repositories.runs import RunRecord
    from geodata.run_document import FactorEffect

INK, QUIET, GRID = "#16233b", "#5b6475", "#e3e6ea"
# At least this far around a stop is drawn: two blocks of most cities, so that an officer sees the
# next crossing on each side.
SURROUNDINGS_M = 250.0
NAMES = {
    "combined": N_("combined risk"),
    "rtm": N_("risk terrain alone"),
    "prior": N_("prior counts"),
    "kde": N_("kernel density"),
    "forest": N_("random forest"),
}
STYLES: dict[str, dict[str, Any]] = {
    "combined": {"color": "#b8431b", "linewidth": 2.6, "zorder": 5},
    "rtm": {"color": "#2f5d8a", "linewidth": 1.8, "zorder": 4},
    "prior": {"color": "#5b6475", "linewidth": 1.4, "linestyle": (0, (5, 2))},
    "kde": {"color": "#7d7a3c", "linewidth": 1.4, "linestyle": (0, (2, 1.5))},
    "forest": {"color": "#8a6a9c", "linewidth": 1.4, "linestyle": (0, (6, 2, 1, 2))},
}
SETTINGS: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "saferground",
    "font.family": ["DejaVu Sans", "sans-serif"],
    "font.size": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": QUIET,
    "axes.labelcolor": INK,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "text.color": INK,
    "axes.grid": True,
    "grid.color": GRID,
    "axes.axisbelow": True,
}


# Matplotlib's settings belong to the whole process, and it opens each font for each thread anew and
# keeps it open: one thread draws everything.
_DRAWING = ThreadPoolExecutor(max_workers=1, thread_name_prefix="drawing")


def draw(chart: Callable[..., Figure], *values: Any, form: str = "svg") -> bytes:
    """Draw a chart as ``svg`` or ``png``; its title is the first line of its description."""
    language = contextvars.copy_context()
    return _DRAWING.submit(language.run, _draw, chart, values, form).result()


def _draw(chart: Callable[..., Figure], values: Sequence[Any], form: str) -> bytes:
    with mpl.rc_context(SETTINGS):
        figure = chart(*values)
        target = io.BytesIO()
        title = translated(title_of(chart))
        if form == "svg":
            figure.savefig(target, format="svg", metadata={"Date": None, "Title": title})
        else:
            figure.savefig(target, format="png", dpi=200, metadata={"Software": None})
            return _with_palette(target)
        return target.getvalue()


def _with_palette(png: io.BytesIO) -> bytes:
    """Return a picture in 64 colors: a map of flat areas and lines is a quarter of the size so."""
    target = io.BytesIO()
    Image.open(png).convert("RGB").quantize(64).save(target, "PNG", optimize=True)
    return target.getvalue()


def as_png(picture: bytes) -> str:
    """Return a PNG as an address that holds it."""
    return "data:image/png;base64," + base64.b64encode(picture).decode()


def title_of(chart: Callable[..., Figure]) -> str:
    """Return the title of a chart: what its function does."""
    return (chart.__doc__ or "").strip().splitlines()[0]


def capture_curves(curves: Mapping[str, Sequence[float]]) -> Figure:
    """Draw the share of later incidents against the share of the area, up to a fifth of it."""
    figure = Figure(figsize=(7.4, 4.6), layout="constrained")
    axes = figure.add_subplot()
    area = [100 * a for a in curves["area"]]
    visible = [i for i, a in enumerate(area) if a <= 20.0 + 1e-9]
    ends = []
    for name, style in STYLES.items():
        rates = [100 * curves[name][i] for i in visible]
        axes.plot([area[i] for i in visible], rates, **style)
        ends.append((rates[-1], name))
    axes.plot([0, 20], [0, 20], color=GRID, linewidth=1.4, zorder=1)
    ends.append((20.0, N_("chance")))
    last = area[visible[-1]]
    top = max(rate for rate, _ in ends) * 1.08
    ends.sort()
    for (_, name), height in zip(ends, _apart(ends, top / 17), strict=True):
        axes.annotate(
            translated(NAMES.get(name, name)),
            (last + 0.6, height),
            va="center",
            color=STYLES.get(name, {"color": QUIET})["color"],
            fontweight="bold" if name == "combined" else "normal",
            annotation_clip=False,
        )
    axes.set(xlim=(0, 20), ylim=(0, min(100, top)))
    axes.set_xlabel(gettext("Share of the area, highest risk first (%)"))
    axes.set_ylabel(gettext("Later incidents in it (%)"))
    return figure


def calibration(levels: Sequence[ScoreLevel]) -> Figure:
    """Draw expected against found incidents of the combined risk at the standard shares."""
    figure = Figure(figsize=(5.2, 4.6), layout="constrained")
    axes = figure.add_subplot()
    found = [level.scores["combined"].hits for level in levels]
    ratio = [level.scores["combined"].calibration or 0.0 for level in levels]
    expected = [a * b for a, b in zip(found, ratio, strict=True)]
    most = max([*found, *expected, 1.0]) * 1.12
    axes.plot([0, most], [0, most], color=QUIET, linewidth=1, linestyle=(0, (4, 3)))
    axes.plot(expected, found, color="#b8431b", marker="o", linewidth=1.4)
    for level, x, y in zip(levels, expected, found, strict=True):
        axes.annotate(
            f"{100 * level.share:g} %", (x, y), xytext=(8, -10), textcoords="offset points"
        )
    axes.text(
        0.98,
        0.03,
        gettext("dashed: as many as expected"),
        transform=axes.transAxes,
        ha="right",
        color=QUIET,
    )
    axes.set(xlim=(0, most), ylim=(0, most))
    axes.set_xlabel(gettext("Expected incidents"))
    axes.set_ylabel(gettext("Found incidents"))
    return figure


def relative_risks(factors: Sequence[FactorEffect], labels: Sequence[str]) -> Figure:
    """Draw each factor's RRV with its interval, on a log scale."""
    figure = Figure(figsize=(7.4, 0.9 + 0.46 * max(1, len(factors))), layout="constrained")
    axes = figure.add_subplot()
    _intervals(axes, factors, labels)
    axes.set_xscale("log")
    ticks = [t for t in (0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 20, 50, 100) if _within(t, factors)]
    axes.set_xticks(ticks, [f"{t:g}" for t in ticks])
    axes.minorticks_off()
    axes.axvline(1, color=QUIET, linewidth=1)
    axes.set_xlabel(gettext("Relative risk value (log scale), with 95 % interval"))
    return figure


def _within(tick: float, factors: Sequence[FactorEffect]) -> bool:
    low = min([1.0, *(f.rrv_low for f in factors)])
    high = max([1.0, *(f.rrv_high for f in factors)])
    return low * 0.8 <= tick <= high * 1.25


def _intervals(axes: Axes, factors: Sequence[FactorEffect], labels: Sequence[str]) -> None:
    for row, (factor, label) in enumerate(zip(factors, labels, strict=True)):
        y = len(factors) - row
        axes.plot([factor.rrv_low, factor.rrv_high], [y, y], color=INK, linewidth=2)
        axes.plot(factor.rrv, y, marker="o", color="#b8431b", markersize=7)
        axes.annotate(
            numbers.number(factor.rrv, 2),
            (factor.rrv, y),
            xytext=(0, 7),
            textcoords="offset points",
            ha="center",
            fontsize=10,
        )
        axes.text(0, y, f"{label}  ", transform=axes.get_yaxis_transform(), ha="right", va="center")
    axes.set_yticks([])
    axes.set_ylim(0.4, len(factors) + 0.8)
    axes.spines["left"].set_visible(False)


def _apart(ends: Sequence[tuple[float, str]], gap: float) -> list[float]:
    """Move labels apart so that none covers another; ``ends`` ascend."""
    places: list[float] = []
    for rate, _ in ends:
        places.append(max(rate, places[-1] + gap) if places else rate)
    return places


def selection(
    factors: Sequence[ResampledFactor],
    labels: Sequence[str],
    length: Callable[[float], str],
) -> Figure:
    """Draw how often each factor was chosen, and at which distance."""
    visible = [(f, label) for f, label in zip(factors, labels, strict=True) if f.chosen > 0]
    figure = Figure(figsize=(7.4, 1.3 + 0.42 * max(1, len(visible))), layout="constrained")
    axes = figure.add_subplot()
    distances = sorted({band.distance for f, _ in visible for band in f.bands})
    place = {distance: i for i, distance in enumerate(distances)}
    for row, (factor, label) in enumerate(visible):
        y = len(visible) - row
        for band in factor.bands:
            near = band.operation == "proximity"
            axes.scatter(
                place[band.distance] + (-0.12 if near else 0.12),
                y,
                s=260 * band.share,
                facecolor="#2f5d8a" if near else "none",
                edgecolor="#2f5d8a" if near else "#b8431b",
                linewidth=1.6,
                zorder=3,
            )
        weight = "bold" if factor.in_model else "normal"
        axes.text(
            0,
            y,
            f"{label}  ",
            transform=axes.get_yaxis_transform(),
            ha="right",
            va="center",
            fontweight=weight,
        )
        axes.text(
            1.01,
            y,
            numbers.percent(factor.chosen),
            transform=axes.get_yaxis_transform(),
            va="center",
            fontweight=weight,
        )
    axes.set_yticks([])
    axes.set_ylim(0.4, len(visible) + 0.8)
    axes.set_xlim(-0.5, max(1, len(distances)) - 0.5)
    axes.set_xticks(range(len(distances)), [length(d) for d in distances], rotation=40, ha="right")
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(
        gettext("Distance chosen; larger: more often")
        + "\n"
        + gettext("filled: near, open: dense; bold: in the model")
    )
    return figure


def risk_map(run: RunRecord, districts: gpd.GeoDataFrame, units: numbers.Units) -> Figure:
    """Draw the relative risk classes, the districts and the zones with their ranks."""
    west, south, east, north = run.grid.bounds
    aspect = (north - south) / (east - west)
    figure = Figure(figsize=(7.4, min(9.0, 7.4 * aspect)), layout="constrained")
    axes = figure.add_subplot()
    raster = run.grid.to_raster(run.cells["risk_class"].to_numpy().astype(float))
    colours = ListedColormap([palette.GROUND, *palette.RISK_HEX[1:]])
    axes.imshow(
        np.ma.masked_invalid(raster),
        origin="lower",
        extent=(west, east, south, north),
        cmap=colours,
        vmin=-0.5,
        vmax=3.5,
        interpolation="nearest",
    )
    districts.boundary.plot(ax=axes, color=palette.DISTRICT, linewidth=0.9)
    if len(run.zones):
        run.zones.boundary.plot(ax=axes, color=palette.CASING, linewidth=2.4)
        run.zones.boundary.plot(ax=axes, color=palette.ZONE, linewidth=1.3)
    for zone in run.zones.itertuples():
        spot = zone.geometry.representative_point()
        axes.annotate(
            str(zone.rank),
            (spot.x, spot.y),
            xytext=(6, 6),
            textcoords="offset points",
            fontsize=7,
            color=palette.ZONE,
            fontweight="bold",
        )
    length, result = round_length((east - west) / 5, units)
    axes.plot(
        [west, west + length],
        [south - 0.02 * (north - south)] * 2,
        color=INK,
        linewidth=2,
        clip_on=False,
    )
    axes.text(west, south - 0.035 * (north - south), result, va="top", fontsize=9)
    axes.set_axis_off()
    return figure


def patrol_map(
    zones: gpd.GeoDataFrame, mine: Sequence[str], streets: gpd.GeoSeries, units: numbers.Units
) -> Figure:
    """Draw the zones that a unit visits with their ranks, the other zones and the streets."""
    chosen = zones["id"].isin(mine)
    west, south, east, north = (zones[chosen] if chosen.any() else zones).total_bounds
    reach = max(east - west, north - south, 800.0 / units.metres) * 0.62
    middle = (west + east) / 2, (south + north) / 2
    figure = Figure(figsize=(5.6, 4.4), layout="constrained")
    axes = figure.add_subplot()
    west, east = middle[0] - 1.27 * reach, middle[0] + 1.27 * reach
    south, north = middle[1] - reach, middle[1] + reach
    near = streets.cx[west:east, south:north]
    if len(near):
        near.plot(ax=axes, color="#aab1bd", linewidth=0.6)
    for ours, edge, face in ((False, QUIET, "none"), (True, palette.ZONE, "#f3ddd4")):
        rows = zones[chosen == ours]
        if len(rows):
            rows.plot(ax=axes, facecolor=face, edgecolor=edge, linewidth=1.6 if ours else 0.9)
    for zone in zones[chosen].itertuples():
        write_rank(axes, zone)
    axes.set(xlim=(west, east), ylim=(south, north), aspect="equal")
    draw_scale(axes, (west, south, east, north), units)
    axes.set_axis_off()
    return figure


def write_rank(axes: Axes, zone: Any) -> None:
    """Write the rank of a zone, a named row, beside it: a number would hide a zone of two cells."""
    _, _, right, top = zone.geometry.bounds
    label = axes.annotate(
        str(zone.rank),
        (right, top),
        xytext=(1, -1),
        textcoords="offset points",
        ha="left",
        va="center",
        fontweight="bold",
        zorder=6,
    )
    label.set_path_effects([withStroke(linewidth=3, foreground="#ffffff")])


def stop_map(
    zone: str, zones: gpd.GeoDataFrame, base: gpd.GeoDataFrame, units: numbers.Units
) -> Figure:
    """Draw one zone with the named streets, parks and waters around it."""
    outline = zones.geometry[zones["id"] == zone].iloc[0]
    west, south, east, north = outline.bounds
    reach = max((east - west) / 1.4, north - south, SURROUNDINGS_M / units.metres) * 0.75
    middle = (west + east) / 2, (south + north) / 2
    west, east = middle[0] - 1.4 * reach, middle[0] + 1.4 * reach
    south, north = middle[1] - reach, middle[1] + reach
    figure = Figure(figsize=(3.5, 2.5))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(west, east), ylim=(south, north), aspect="equal")
    near = base.cx[west:east, south:north]
    for kind, colour in (("park", "#dfe9d8"), ("water", "#d3e3ec")):
        if (rows := near[near["kind"] == kind]).size:
            rows.plot(ax=axes, color=colour, linewidth=1.0, aspect=None)
    streets = near[near["kind"] == "street"]
    for rank, width in ((False, 0.8), (True, 2.0)):
        if (rows := streets[(streets["rank"] == 1) == rank]).size:
            rows.plot(ax=axes, color="#aab1bd", linewidth=width, aspect=None)
    axes.add_patch(
        PathPatch(_path(outline), facecolor="#f3ddd4", edgecolor=palette.ZONE, lw=1.8, alpha=0.75)
    )
    axes.set_axis_off()
    draw_scale(axes, (west, south, east, north), units, 7)
    _label_streets(axes, streets, (west, south, east, north))
    return figure


def _path(outline: shapely.Polygon) -> MplPath:
    rings = [outline.exterior, *outline.interiors]
    return MplPath.make_compound_path(*(MplPath(shapely.get_coordinates(r)) for r in rings))


def _label_streets(
    axes: Axes, streets: gpd.GeoDataFrame, window: tuple[float, float, float, float]
) -> None:
    """Write each street's name once along it, majors and longer ones first; others give way."""
    named = streets[streets["name"] != ""]
    seen = shapely.clip_by_rect(named.geometry.to_numpy(), *window)
    parts, row = shapely.get_parts(seen, return_index=True)
    order = np.lexsort((-shapely.length(parts), named["rank"].to_numpy()[row] != 1))
    frame = axes.get_window_extent()
    kept: list[Bbox] = []
    written: set[str] = set()
    for place in order:
        name, line = named["name"].iloc[row[place]], parts[place]
        for share in (0.5, 0.3, 0.7) if name not in written else ():
            box, label = _written_along(axes, name, line, share)
            inside = frame.contains(box.x0, box.y0) and frame.contains(box.x1, box.y1)
            if inside and not any(box.overlaps(other) for other in kept):
                kept.append(box)
                written.add(name)
                break
            label.remove()


def _written_along(axes: Axes, name: str, line: BaseGeometry, share: float) -> tuple[Bbox, Text]:
    """Write a name at a share of a line, in the direction that the line has about there."""
    about = shapely.line_interpolate_point(
        [line] * 3, [share - 0.1, share, share + 0.1], normalized=True
    )
    (x0, y0), (x, y), (x1, y1) = shapely.get_coordinates(about)
    turn = (math.degrees(math.atan2(y1 - y0, x1 - x0)) + 90) % 180 - 90
    label = axes.text(x, y, name, fontsize=6.5, rotation=turn, ha="center", va="center")
    label.set(color=INK, rotation_mode="anchor")
    label.set_path_effects([withStroke(linewidth=2.2, foreground="#ffffff")])
    return label.get_window_extent(), label


def draw_scale(
    axes: Axes, window: tuple[float, float, float, float], units: numbers.Units, size: float = 9
) -> None:
    """Draw a scale in the lower left corner of a map, its name in points of ``size``."""
    west, south, east, north = window
    length, result = round_length((east - west) / 5, units)
    left, low = west + 0.03 * (east - west), south + 0.035 * (north - south)
    line = axes.plot([left, left + length], [low, low], color=INK, linewidth=2, zorder=6)
    line[0].set_path_effects([withStroke(linewidth=5, foreground="#ffffff")])
    above = low + 0.015 * (north - south)
    name = axes.text(left, above, result, va="bottom", fontsize=size, zorder=6)
    name.set_path_effects([withStroke(linewidth=3, foreground="#ffffff")])


def round_length(length: float, units: numbers.Units) -> tuple[float, str]:
    """Return a round length near one in units of the reference system, and its name in the city's.

    It is in feet or meters where it is short, in miles or kilometers else.
    """
    small = (FOOT_M if units.us else 1.0) / units.metres
    whole = small * (5280 if units.us else 1000)
    if length < 0.2 * whole:
        short = min((50, 100, 200, 500), key=lambda step: abs(step * small - length))
        return small * short, f"{short} {'ft' if units.us else 'm'}"
    step = min((0.1, 0.25, 0.5, 1, 2, 5, 10, 20), key=lambda step: abs(step * whole - length))
    return whole * step, f"{step:g} {'mi' if units.us else 'km'}"


def treated_and_controls(evaluation: EvaluationDocument) -> Figure:
    """Draw incidents of the treated area and of its control areas, before and after."""
    series = evaluation.series
    figure = Figure(figsize=(7.4, 4.2), layout="constrained")
    axes = figure.add_subplot()
    edges = [_number(step.start) for step in series]
    days = [(_number(step.start) + _number(step.end)) / 2 for step in series]
    start = next(day for day, step in zip(edges, series, strict=True) if step.period == "after")
    lines = [
        (area_name(control.name), [step.controls[i] for step in series])
        for i, control in enumerate(evaluation.controls)
    ]
    gap = next((i for i in range(1, len(series)) if edges[i] > _number(series[i - 1].end)), None)
    dashes = [(0, (5, 2)), (0, (2, 1.5)), (0, (6, 2, 1, 2))]
    ends = []
    for i, (name, counts) in enumerate(lines):
        style: dict[str, Any] = {
            "color": QUIET,
            "linewidth": 1.3,
            "linestyle": dashes[i % len(dashes)],
        }
        axes.plot(*_apart_at(gap, days, counts), **style)
        ends.append((float(counts[-1]), name))
    treated, own = [step.treated for step in series], area_name("treated")
    axes.plot(*_apart_at(gap, days, treated), color="#b8431b", linewidth=2.6, zorder=5)
    ends.append((float(treated[-1]), own))
    top = max([1, *treated, *(count for _, counts in lines for count in counts)]) * 1.12
    axes.set(ylim=(0, top), xlim=(edges[0], _number(series[-1].end)))
    axes.axvline(start, color=INK, linewidth=1, linestyle=(0, (4, 3)))
    axes.annotate(
        gettext("after"), (start, top), xytext=(4, -11), textcoords="offset points", color=QUIET
    )
    ends.sort()
    for (_, name), height in zip(ends, _apart(ends, top / 15), strict=True):
        ours = name == own
        axes.annotate(
            name,
            (1.015, height),
            xycoords=axes.get_yaxis_transform(),
            va="center",
            color="#b8431b" if ours else QUIET,
            fontweight="bold" if ours else "normal",
            annotation_clip=False,
        )
    _date_axis(axes, edges)
    axes.set_ylabel(translated(STEPS[evaluation.step]))
    return figure


def _apart_at(
    gap: int | None, days: Sequence[float], counts: Sequence[float]
) -> tuple[list[float], list[float]]:
    """Break a line where days lie between the two periods: nothing is known of them."""
    if gap is None:
        return list(days), list(counts)
    middle = (days[gap - 1] + days[gap]) / 2
    return (
        [*days[:gap], middle, *days[gap:]],
        [*counts[:gap], float("nan"), *counts[gap:]],
    )


def running_difference(evaluation: EvaluationDocument) -> Figure:
    """Draw the difference to each control area so far, with its widened interval."""
    controls = evaluation.controls
    across = min(3, len(controls))
    down = -(-len(controls) // across)
    figure = Figure(figsize=(2.6 * across + 0.8, 2.6 * down + 0.5), layout="constrained")
    panels = figure.subplots(down, across, sharex=True, sharey=True, squeeze=False).ravel()
    for axes, control in zip(panels, controls, strict=False):
        steps = control.running
        days = [_number(evaluation.after[0]), *(_number(step.to) for step in steps)]
        low = [0.0, *(step.low_widened for step in steps)]
        middle = [0.0, *(step.wdd for step in steps)]
        high = [0.0, *(step.high_widened for step in steps)]
        axes.fill_between(days, low, high, color="#2f5d8a", alpha=0.18, linewidth=0)
        axes.plot(days, middle, color="#2f5d8a", linewidth=2)
        axes.axhline(0, color=QUIET, linewidth=1)
        axes.set_title(area_name(control.name), fontsize=11, loc="left")
        axes.annotate(
            f"{middle[-1]:+.0f}",
            (days[-1], middle[-1]),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            color="#2f5d8a",
            annotation_clip=False,
        )
        _date_axis(axes, days, most=3)
    for axes in panels[len(controls) :]:
        axes.set_visible(False)
    figure.supylabel(gettext("Incidents more than\nexpected so far"), fontsize=10, color=INK)
    return figure


def _number(day: dt.date) -> float:
    return float(day.toordinal())


def _date_axis(axes: Axes, days: Sequence[float], *, most: int = 7) -> None:
    """Name at most so many of the days, evenly spread from the first."""
    visible = list(days)[:: max(1, -(-len(days) // most))]
    dates = [dt.date.fromordinal(int(day)) for day in visible]
    names = [numbers.dated(day, "yMMM").replace(" ", "\n") for day in dates]
    axes.set_xticks(visible, names, fontsize=9)
