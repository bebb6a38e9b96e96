"""Charts of the accountability page, drawn as those of :mod:`app.drawing.charts`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask_babel import gettext as _
from matplotlib.figure import Figure

from app.drawing.charts import INK, QUIET

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from app.views.account_pages import Score

ZONES = "#b8431b"
WIDE, NARROW = (7.4, 0.82), (3.8, 1.3)  # width, and height of a row, in inches


def later_hits(scores: Sequence[Score], narrow: bool) -> Figure:
    """Share of later incidents in the zones of each run, beside prior counts and chance."""
    width, row_height = NARROW if narrow else WIDE
    figure = Figure(figsize=(width, 0.75 + row_height * len(scores)), layout="constrained")
    axes = figure.add_subplot()
    ends = [100 * value for s in scores for value in (s.high, s.prior or 0.0)]
    most = min(100.0, max([5.0, *ends]) * 1.22)
    for row, score in enumerate(scores):
        _row(axes, score, len(scores) - row, named=row == 0)
        if narrow:
            axes.text(0, len(scores) - row + 0.4, score.label, va="center", linespacing=1.3)
        else:
            axes.text(
                0,
                len(scores) - row,
                f"{score.label}  ",
                transform=axes.get_yaxis_transform(),
                ha="right",
                va="center",
                linespacing=1.35,
            )
    axes.set(xlim=(0, most), ylim=(0.5, len(scores) + (0.62 if narrow else 0.5)))
    axes.set_yticks([])
    axes.locator_params(axis="x", nbins=4 if narrow else 7, integer=True)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(_("Later incidents that happened there, in percent"))
    return figure


def _row(axes: Axes, score: Score, y: float, *, named: bool) -> None:
    """Draw one set of zones: chance below all, prior counts open, the zones with their interval."""
    chance, rate = 100 * score.area, 100 * score.rate
    axes.plot([chance] * 2, [y - 0.14, y + 0.14], color=QUIET, linewidth=2.2)
    axes.plot([100 * score.low, 100 * score.high], [y, y], color=ZONES, linewidth=2.2)
    axes.plot(rate, y, marker="o", color=ZONES, markersize=9, zorder=4)
    told = f"{rate:.0f} %"
    _label(axes, _("zones: %(share)s", share=told) if named else told, (rate, y), 9, ZONES)
    if named:
        _label(axes, _("chance"), (chance, y), -20, QUIET)
    if score.prior is None:
        return
    prior = 100 * score.prior
    axes.plot(
        prior,
        y,
        marker="D",
        markersize=7,
        markerfacecolor="white",
        markeredgecolor=INK,
        zorder=5,
    )
    told = f"{prior:.0f} %"
    _label(axes, _("prior counts: %(share)s", share=told) if named else told, (prior, y), -20, INK)


def _label(axes: Axes, text: str, at: tuple[float, float], lift: int, colour: str) -> None:
    axes.annotate(
        text,
        at,
        xytext=(0, lift),
        textcoords="offset points",
        ha="center",
        fontsize=10,
        color=colour,
        fontweight="bold" if colour == ZONES else "normal",
        annotation_clip=False,
    )
