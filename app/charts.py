"""Charts as SVG, one function a chart: direct labels, one palette, the same bytes every time."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

INK, QUIET, GRID = "#16233b", "#5b6475", "#e3e6ea"
NAMES = {
    "combined": "combined risk",
    "rtm": "risk terrain alone",
    "prior": "prior counts",
    "kde": "kernel density",
    "forest": "random forest",
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
    "font.family": ["Public Sans", "DejaVu Sans", "sans-serif"],
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


def capture_curves(curves: Mapping[str, Sequence[float]]) -> bytes:
    """Draw the share of later incidents against the share of the area, up to a fifth of it."""
    with mpl.rc_context(SETTINGS):
        figure = Figure(figsize=(7.4, 4.6), layout="constrained")
        axes = figure.add_subplot()
        area = [100 * a for a in curves["area"]]
        shown = [i for i, a in enumerate(area) if a <= 20.0 + 1e-9]
        ends = []
        for name, style in STYLES.items():
            rates = [100 * curves[name][i] for i in shown]
            axes.plot([area[i] for i in shown], rates, **style)
            ends.append((rates[-1], name))
        axes.plot([0, 20], [0, 20], color=GRID, linewidth=1.4, zorder=1)
        ends.append((20.0, "chance"))
        last = area[shown[-1]]
        top = max(rate for rate, _ in ends) * 1.08
        ends.sort()
        for (_, name), height in zip(ends, _apart(ends, top / 17), strict=True):
            axes.annotate(
                NAMES.get(name, name),
                (last + 0.6, height),
                va="center",
                color=STYLES.get(name, {"color": QUIET})["color"],
                fontweight="bold" if name == "combined" else "normal",
                annotation_clip=False,
            )
        axes.set(xlim=(0, 20), ylim=(0, min(100, top)))
        axes.set_xlabel("Share of the area, highest risk first (%)")
        axes.set_ylabel("Later incidents in it (%)")
        return _svg(figure, "Share of later incidents captured by share of area")


def calibration(levels: Sequence[Mapping[str, Any]]) -> bytes:
    """Draw expected against found incidents of the combined risk at the standard shares."""
    with mpl.rc_context(SETTINGS):
        figure = Figure(figsize=(5.2, 4.6), layout="constrained")
        axes = figure.add_subplot()
        found = [level["scores"]["combined"]["hits"] for level in levels]
        ratio = [level["scores"]["combined"]["calibration"] or 0.0 for level in levels]
        expected = [a * b for a, b in zip(found, ratio, strict=True)]
        most = max([*found, *expected, 1.0]) * 1.12
        axes.plot([0, most], [0, most], color=QUIET, linewidth=1, linestyle=(0, (4, 3)))
        axes.plot(expected, found, color="#b8431b", marker="o", linewidth=1.4)
        for level, x, y in zip(levels, expected, found, strict=True):
            axes.annotate(
                f"{100 * level['share']:g} %", (x, y), xytext=(8, -10), textcoords="offset points"
            )
        axes.annotate(
            "as expected",
            (most * 0.86, most * 0.9),
            rotation=0,
            color=QUIET,
            ha="right",
            va="bottom",
        )
        axes.set(xlim=(0, most), ylim=(0, most))
        axes.set_xlabel("Expected incidents")
        axes.set_ylabel("Found incidents")
        return _svg(figure, "Expected and found incidents in the cells of highest risk")


def relative_risks(factors: Sequence[Mapping[str, Any]], labels: Sequence[str]) -> bytes:
    """Draw each factor's RRV with its interval, on a log scale."""
    with mpl.rc_context(SETTINGS):
        figure = Figure(figsize=(7.4, 0.9 + 0.46 * max(1, len(factors))), layout="constrained")
        axes = figure.add_subplot()
        _intervals(axes, factors, labels)
        axes.set_xscale("log")
        ticks = [t for t in (0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 20, 50, 100) if _within(t, factors)]
        axes.set_xticks(ticks, [f"{t:g}" for t in ticks])
        axes.minorticks_off()
        axes.axvline(1, color=QUIET, linewidth=1)
        axes.set_xlabel("Relative risk value (log scale), with 95 % interval")
        return _svg(figure, "Relative risk values of the factors")


def _within(tick: float, factors: Sequence[Mapping[str, Any]]) -> bool:
    low = min([1.0, *(f["rrv_low"] for f in factors)])
    high = max([1.0, *(f["rrv_high"] for f in factors)])
    return low * 0.8 <= tick <= high * 1.25


def _intervals(axes: Axes, factors: Sequence[Mapping[str, Any]], labels: Sequence[str]) -> None:
    for row, (factor, label) in enumerate(zip(factors, labels, strict=True)):
        y = len(factors) - row
        axes.plot([factor["rrv_low"], factor["rrv_high"]], [y, y], color=INK, linewidth=2)
        axes.plot(factor["rrv"], y, marker="o", color="#b8431b", markersize=7)
        axes.annotate(
            f"{factor['rrv']:.2f}",
            (factor["rrv"], y),
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


def _svg(figure: Figure, title: str) -> bytes:
    target = io.BytesIO()
    figure.savefig(target, format="svg", metadata={"Date": None, "Title": title})
    return target.getvalue()
