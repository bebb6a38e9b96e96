"""What is stated of a zone in words: its kind, the reasons for it, and the parts of its score.

Which factors are reasons, and in which order, is decided in :mod:`spatial.zones.describe`. The
larger part of a zone's score, its surroundings or past incidents, is named first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask_babel import gettext as _
from flask_babel import ngettext

from app.i18n import numbers
from app.i18n.language import N_, translated
from spatial.zones.describe import LEAST_HISTORY, MOSTLY, reasons_of, zone_kind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

KINDS = {"hot spot": N_("Hot spot"), "risk terrain zone": N_("Risk terrain zone")}


def kind(zone: Any) -> str:
    """Return what a zone is called by the larger part of its score."""
    return translated(KINDS[zone_kind(zone.environment_share)])


def reasons(zone: Any, units: numbers.Units) -> tuple[str, ...]:
    """Return every reason of a zone as a sentence, the larger part of its score first."""
    found = [reason(factor, units) for factor in reasons_of(zone.factors)]
    return tuple(_with_past(found, zone.environment_share, _past(zone.environment_share)))


def brief(zone: Any, units: numbers.Units) -> str:
    """Return a zone's reasons in a line, the larger part of its score first."""
    found = [numbers.brief(factor, units) for factor in reasons_of(zone.factors)]
    past = _brief_past(zone.environment_share)
    return "; ".join(_with_past(found, zone.environment_share, past, least=0.0))


def reason(factor: Mapping[str, Any], units: numbers.Units) -> str:
    """Return one factor as a reason."""
    place = numbers.where(factor, units)
    return _(
        "%(place)s: incidents are %(times)s there (%(extent)s)",
        place=f"{place[0].upper()}{place[1:]}",
        times=numbers.times(factor["rrv"]),
        extent=extent(factor),
    )


def extent(factor: Mapping[str, Any]) -> str:
    """Return how much of a zone, and of all cells, a factor reaches."""
    return _(
        "%(zone)s, %(all)s of all cells",
        zone=numbers.extent(factor["share"]),
        all=numbers.share(factor["covers"]),
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
