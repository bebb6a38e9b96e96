"""Whether there were more or fewer than a year before, in one sentence, by one rule.

A direction is told only where the interval of the ratio holds one. The interval is widened where
months scatter more about the common ratio than chance does (:mod:`spatial.intervals`): crimes come
in series.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from flask_babel import gettext as _

from app.i18n import measure_words, numbers
from app.public.released_figures import SMALL
from spatial.intervals import dispersion_of_pairs, ratio_of_counts

if TYPE_CHECKING:
    from app.public.released_figures import MeasureDetail, PublicValue

# Of ten incidents in both years together no split but 9 to 1 and 10 to 0 lies outside of chance.
FEW = 10


@dataclass(frozen=True, kw_only=True)
class Headline:
    """One outcome and what became of it: ``sentence`` first, ``how_sure`` beside it.

    ``compared`` is whether the year before is known and told.
    """

    measure: str
    title: str
    sentence: str
    how_sure: str = ""
    compared: bool = True


def headline_of(detail: MeasureDetail) -> Headline | None:
    """Tell one count beside the year before; nothing where the release has no such rows.

    Parameters
    ----------
    detail
        A count in a period, and its months.
    """
    public = detail.value
    if public.value.figure.value is None and not public.withheld:
        return None
    sentence, how_sure = _sentences(public, _dispersion(detail))
    return Headline(
        measure=public.value.measure.id,
        title=measure_words.title(public.value.measure),
        sentence=sentence,
        how_sure=how_sure,
        compared=public.value.figure.value is None or public.value.figure.year_before is not None,
    )


def _sentences(public: PublicValue, dispersion: float) -> tuple[str, str]:
    figure, scope = public.value.figure, public.value.scope
    days = measure_words.span(scope.start, scope.end)
    if figure.value is None:
        if public.withheld == SMALL:
            return _("Fewer than 5 from %(days)s.", days=days), ""
        return (
            _("Not told for %(days)s.", days=days),
            _("The number would give a small count away."),
        )
    now = numbers.number(figure.value)
    if figure.year_before is None:
        return _("%(now)s from %(days)s.", now=now, days=days), ""
    before = numbers.number(figure.year_before)
    both = _(
        "%(now)s from %(days)s; %(before)s in the same days of the year before.",
        now=now,
        days=days,
        before=before,
    )
    if figure.value + figure.year_before < FEW:
        return both, _("These are too few to tell a change.")
    low, high = ratio_of_counts(figure.value, figure.year_before, dispersion=dispersion)
    if low <= 1.0 <= high:
        return both, _("Chance alone could make this difference, so no rise or fall is claimed.")
    if figure.year_before == 0.0:
        return (
            _(
                "%(now)s from %(days)s; none in the same days of the year before.",
                now=now,
                days=days,
            ),
            _("Chance alone would seldom make such a difference."),
        )
    return _changed(now, before, figure.value / figure.year_before, (low, high), days)


def _changed(
    now: str, before: str, ratio: float, interval: tuple[float, float], days: str
) -> tuple[str, str]:
    """Tell a rise or a fall that chance alone would seldom make, and how sure its size is."""
    ends = sorted(abs(1.0 - end) for end in interval)
    values = {
        "now": now,
        "before": before,
        "days": days,
        "change": numbers.percent(abs(1.0 - ratio)),
        "low": numbers.percent(ends[0]),
        "high": numbers.percent(ends[1]),
    }
    if ratio > 1.0:
        return (
            _(
                "%(now)s from %(days)s, %(change)s more than in the same days of the year before "
                "(%(before)s).",
                **values,
            ),
            _(
                "Chance alone would seldom make such a difference. The rise may be anything from "
                "%(low)s to %(high)s.",
                **values,
            ),
        )
    return (
        _(
            "%(now)s from %(days)s, %(change)s fewer than in the same days of the year before "
            "(%(before)s).",
            **values,
        ),
        _(
            "Chance alone would seldom make such a difference. The fall may be anything from "
            "%(low)s to %(high)s.",
            **values,
        ),
    )


def _dispersion(detail: MeasureDetail) -> float:
    """Return how much the months scatter about the ratio; of those that are told with theirs."""
    figures = [one.value.figure for one in detail.series]
    pairs = np.array(
        [
            (figure.value, figure.year_before)
            for figure in figures
            if figure.value is not None and figure.year_before is not None
        ]
    ).reshape(-1, 2)
    return dispersion_of_pairs(pairs[:, 0], pairs[:, 1])
