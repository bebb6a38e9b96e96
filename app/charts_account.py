"""Charts of the accountability page, drawn as those of :mod:`app.charts`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask_babel import gettext as _
from matplotlib.figure import Figure

from app.charts import INK, QUIET

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.views.account_pages import Score

ZONES, ROW_INCH = "#b8431b", 0.78


def later_hits(scores: Sequence[Score]) -> Figure:
    """Share of later incidents in the zones of each run, beside prior counts and chance."""
    figure = Figure(figsize=(7.4, 1.35 + ROW_INCH * len(scores)), layout="constrained")
    axes = figure.add_subplot()
    ends = [100 * value for s in scores for value in (s.high, s.prior or 0.0)]
    most = max([5.0, *ends]) * 1.18
    for row, score in enumerate(scores):
        y = len(scores) - row
        first = row == 0
        axes.plot([100 * score.low, 100 * score.high], [y, y], color=ZONES, linewidth=2.2)
        axes.plot(100 * score.rate, y, marker="o", color=ZONES, markersize=9, zorder=4)
        told = f"{100 * score.rate:.0f} %"
        name = _("zones: %(share)s", share=told) if first else told
        _label(axes, name, 100 * score.rate, y, above=True, colour=ZONES, bold=True)
        if score.prior is not None:
            axes.plot(
                100 * score.prior,
                y,
                marker="D",
                markersize=7,
                markerfacecolor="white",
                markeredgecolor=INK,
                zorder=5,
            )
            told = f"{100 * score.prior:.0f} %"
            name = _("prior counts: %(share)s", share=told) if first else told
            _label(axes, name, 100 * score.prior, y, above=False, colour=INK)
        axes.plot([100 * score.area] * 2, [y - 0.16, y + 0.16], color=QUIET, linewidth=2.2)
        if first:
            _label(axes, _("by chance"), 100 * score.area, y, above=False, colour=QUIET)
        axes.text(
            0,
            y,
            f"{score.label}  ",
            transform=axes.get_yaxis_transform(),
            ha="right",
            va="center",
            linespacing=1.35,
        )
    axes.set(xlim=(0, min(100.0, most)), ylim=(0.45, len(scores) + 0.62))
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(_("Share of later incidents that happened there, in percent"))
    return figure


def _label(
    axes: object, text: str, x: float, y: float, *, above: bool, colour: str, bold: bool = False
) -> None:
    axes.annotate(  # type: ignore[attr-defined]
        text,
        (x, y),
        xytext=(0, 9 if above else -18),
        textcoords="offset points",
        ha="center",
        fontsize=10,
        color=colour,
        fontweight="bold" if bold else "normal",
        annotation_clip=False,
    )
