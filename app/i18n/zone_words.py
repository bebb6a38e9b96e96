"""What is stated of a zone in words: its kind, the reasons for it, and the parts of its score.

Which factors are reasons, and in which order, is decided in :mod:`spatial.zones.describe`. The
larger part of a zone's score, its surroundings or past incidents, is named first.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from flask_babel import gettext as _
from flask_babel import ngettext

from app.i18n import numbers
from app.i18n.language import N_, translated
from spatial.zones.describe import LEAST_HISTORY, MOSTLY, reasons_of, zone_kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spatial.zones.describe import ZoneFactor

KINDS = {"hot spot": N_("Hot spot"), "risk terrain zone": N_("Risk terrain zone")}


def kind(zone: Any) -> str:
    """Return what a zone is called by the larger part of its score."""
    return translated(KINDS[zone_kind(zone.environment_share)])


def reasons(zone: Any, units: numbers.Units) -> tuple[str, ...]:
    """Return every reason of a zone as a sentence, the larger part of its score first."""
    found = [reason(factor, units) for factor in reasons_of(zone.factors)]
    return tuple(_with_past(found, zone.environment_share, _past(zone.environment_share)))


def matrix(
    zones: Any, units: numbers.Units
) -> tuple[list[tuple[str, str, str]], dict[str, list[str]]]:
    """Return the reasons of a run's zones as a table of zones by factors.

    Returns
    -------
    Of each factor that is a reason for any zone the place, how many times as frequent incidents
    are there, and its share of all cells: those of the fewest zones last. And by each zone's id
    the share of the zone that each factor reaches, empty where it is no reason.
    """
    by_zone = {one.id: {factor.key: factor for factor in reasons_of(one.factors)} for one in zones}
    number = Counter(key for found in by_zone.values() for key in found)
    factors = {factor.key: factor for found in by_zone.values() for factor in found.values()}
    order = sorted(factors, key=lambda key: (-number[key], -factors[key].rrv, key))
    heads = [
        (
            sentence_case(numbers.where(factors[key], units)),
            numbers.times(factors[key].rrv),
            numbers.share(factors[key].covers or 0.0),
        )
        for key in order
    ]
    shares = {
        zone: [numbers.share(found[key].share) if key in found else "" for key in order]
        for zone, found in by_zone.items()
    }
    return heads, shares


def sentence_case(text: str) -> str:
    """Return a text with its first letter as a sentence begins."""
    return f"{text[:1].upper()}{text[1:]}"


def brief(zone: Any, units: numbers.Units) -> str:
    """Return a zone's reasons in a line, the larger part of its score first."""
    found = [numbers.brief(factor, units) for factor in reasons_of(zone.factors)]
    past = _brief_past(zone.environment_share)
    return "; ".join(_with_past(found, zone.environment_share, past, least=0.0))


def reason(factor: ZoneFactor, units: numbers.Units) -> str:
    """Return one factor as a reason."""
    return _(
        "%(place)s: incidents are %(times)s there (%(extent)s)",
        place=sentence_case(numbers.where(factor, units)),
        times=numbers.times(factor.rrv),
        extent=extent(factor),
    )


def extent(factor: ZoneFactor) -> str:
    """Return how much of a zone, and of all cells, a factor reaches."""
    return _(
        "%(zone)s, %(all)s of all cells",
        zone=numbers.extent(factor.share),
        all=numbers.share(factor.covers or 0.0),
    )


def parts(environment_share: float) -> str:
    """Return the two parts of a zone's score in a clause, the larger first."""
    surroundings, past = numbers.share(environment_share), numbers.share(1.0 - environment_share)
    if environment_share > MOSTLY:
        return _(
            "The model's score here: %(surroundings)s from the surroundings, %(past)s from past "
            "incidents",
            surroundings=surroundings,
            past=past,
        )
    return _(
        "The model's score here: %(past)s from past incidents, %(surroundings)s from the "
        "surroundings",
        surroundings=surroundings,
        past=past,
    )


def kinds(environment_shares: Sequence[float]) -> str:
    """Return how many of the zones are hot spots as a sentence, nothing where none is."""
    hot = sum(zone_kind(share) == "hot spot" for share in environment_shares)
    if not hot:
        return ""
    if hot == len(environment_shares):
        return _(
            "All of them are hot spots: less than a quarter of the model's score there is from the "
            "surroundings, the rest from past incidents."
        )
    return ngettext(
        "%(num)d of them is a hot spot: less than a quarter of the model's score there is from the "
        "surroundings, the rest from past incidents.",
        "%(num)d of them are hot spots: less than a quarter of the model's score there is from the "
        "surroundings, the rest from past incidents.",
        hot,
    )


def _with_past(
    found: list[str], share: float, past: str, least: float = LEAST_HISTORY
) -> list[str]:
    if 1.0 - share >= MOSTLY:
        return [past, *found]
    return [*found, past] if 1.0 - share >= least else found


def _past(environment_share: float) -> str:
    share = numbers.share(1.0 - environment_share)
    if zone_kind(environment_share) == "hot spot":
        return _(
            "Hot spot: past incidents here and nearby make %(share)s of the model's score",
            share=share,
        )
    if 1.0 - environment_share >= MOSTLY:
        return _(
            "Past incidents here and nearby make most of the model's score: %(share)s", share=share
        )
    return _("Past incidents here and nearby make %(share)s of the model's score", share=share)


def _brief_past(environment_share: float) -> str:
    share = numbers.share(1.0 - environment_share)
    if zone_kind(environment_share) == "hot spot":
        return _("hot spot, past incidents %(share)s", share=share)
    return _("past incidents %(share)s", share=share)
