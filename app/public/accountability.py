"""Charts of the accountability page, drawn as those of :mod:`app.charts.charts`.

How the zones of earlier releases did, and on whom zones and alerts fall.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, current_app, render_template, request
from flask_babel import gettext as _
from matplotlib.figure import Figure
from werkzeug.exceptions import NotFound

from app import forms
from app.charts import charts
from app.charts.charts import INK, QUIET
from app.i18n.language import by_address
from app.public import pages
from app.public.accountability_pages import account_page, scores
from app.public.decorators import release_of, releases_of, with_city, with_release
from app.public.method_words import notices

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flask.typing import ResponseReturnValue
    from matplotlib.axes import Axes

    from app.public.accountability_pages import Score
    from app.public.published_city import PublicCityView
    from geodata.releases.folder import ReleaseFolder


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
    text = f"{rate:.0f} %"
    _label(axes, _("zones: %(share)s", share=text) if named else text, (rate, y), 9, ZONES)
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
    text = f"{prior:.0f} %"
    _label(axes, _("prior counts: %(share)s", share=text) if named else text, (prior, y), -20, INK)


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


bp = Blueprint("open", __name__)


@bp.get("/accountability/")
@with_city
def accountability(published: PublicCityView) -> ResponseReturnValue:
    """Tell how zones did, where they and alerts fall, who lives there, what was enforced."""
    release = release_of(published)
    withdrawn = {one.id for one in releases_of(published) if one.state == "withdrawn"}
    page = account_page(release, withdrawn)
    return render_template(
        "public/accountability.html",
        frame=pages.frame(published),
        page=page,
        notices=notices(release),
    )


@bp.get("/accountability/chart.svg")
@by_address
@with_release
def chart(_shown: PublicCityView, release: ReleaseFolder) -> ResponseReturnValue:
    """Draw what the zones of earlier releases held; ``narrow`` is the form for small screens."""
    narrow = forms.choice(request.args, "narrow", ["1"]) is not None
    found = scores(release)
    if not found:
        raise NotFound
    response = current_app.response_class(
        charts.draw(later_hits, found, narrow), mimetype="image/svg+xml"
    )
    response.cache_control.public = True
    response.cache_control.max_age = 300
    return response


@bp.get("/accessibility/")
@with_city
def accessibility(published: PublicCityView) -> ResponseReturnValue:
    """Say who can use these pages, how that was tested, and whom to tell of what is missing."""
    return render_template(
        "public/accessibility.html",
        frame=pages.frame(published),
        notices=notices(release_of(published)),
    )
