"""What must be known of a run or its validation, in the reader's language: sentences of its codes.

Sentences of runs of earlier versions are in English and stay as they were stored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask_babel import gettext as _
from flask_babel import ngettext
from markupsafe import Markup

from app.i18n import numbers
from app.i18n.language import DATA, N_, code, translated
from geodata.analysis_documents import ValidationDocument
from geodata.stored_documents import EARLIER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from geodata.analysis_documents import RunAnalysis
    from geodata.run_document import RunDocument
    from spatial.notes import Note


def sentence_of(note: Note) -> str:
    """Return the words of a code, in the language of the answer."""
    return SENTENCES[note.code](**note.parameters)


def sentences(notes: Iterable[Note]) -> tuple[str, ...]:
    """Return notes as sentences of a page; those in another language than the page say so."""
    return tuple(
        _in_english(sentence_of(note))
        if note.code == EARLIER and code() != DATA
        else numbers.sentence(sentence_of(note))
        for note in notes
    )


def printed(document: RunDocument) -> dict[str, object]:
    """Return a run as scripts read it, with its warnings as English sentences and as codes."""
    return {**document.as_json(), **_printed(document.notes)}


def printed_analysis(document: RunAnalysis) -> dict[str, object]:
    """Return what was worked out about a run as scripts read it; as :func:`printed`."""
    found = document.as_json()
    if isinstance(document, ValidationDocument):
        found |= _printed(document.warnings)
    return found


def _printed(notes: Sequence[Note]) -> dict[str, object]:
    lines = [sentence_of(note) for note in notes]
    return {
        "warnings": lines,
        "warning_codes": [
            {"code": note.code, "parameters": note.parameters, "warning": line}
            for note, line in zip(notes, lines, strict=True)
        ],
    }


def _in_english(text: str) -> Markup:
    english = Markup('<span lang="{}">{}</span>').format(DATA, numbers.sentence(text))
    return Markup(_("From an earlier version, in English:")) + " " + english  # noqa: S704 - ours


def _fixed(message: str) -> Callable[..., str]:
    """Return what makes a sentence of a message of the catalogue and the parameters as they are."""
    return lambda **values: _(message, **values) if values else translated(message)


def _column(name: str, operation: str, distance: float) -> str:
    return f"{name} {translated(OPERATIONS[operation])} {distance:g}"


def _outside(*, incidents: int) -> str:
    return ngettext(
        "%(num)d incident lies in no cell of the study area and does not count",
        "%(num)d incidents lie in no cell of the study area and do not count",
        incidents,
    )


def _shared(*, district: str, own_share: float) -> str:
    return _(
        "district %(district)s shares strength with the city: its own incidents decide %(share)s "
        "of how its factors differ from the city's",
        district=district,
        share=f"{own_share:.0%}",
    )


def _populated_land(*, name: str, operation: str, distance: float, share: float) -> str:
    return _(
        "%(column)s marks %(share)s of the cells: it may stand for populated land rather than for "
        "a cause",
        column=_column(name, operation, distance),
        share=f"{share:.0%}",
    )


def _inflation(*, name: str, operation: str, distance: float, inflation: float) -> str:
    return _(
        "%(column)s shares most of its variance with the other factors (inflation %(inflation)s): "
        "its relative risk is uncertain",
        column=_column(name, operation, distance),
        inflation=f"{inflation:.1f}",
    )


def _pattern_left(*, i: float) -> str:
    return _(
        "what the factors leave unexplained still gathers in space (Moran's I %(i)s): something "
        "that no layer describes is at work, and the intervals of relative risk are too narrow",
        i=f"{i:.2f}",
    )


def _no_zone(*, districts: Sequence[str]) -> str:
    return _("no zone in %(districts)s: its scores are all alike", districts=", ".join(districts))


def _too_quiet(*, zones: int, least: float, districts: Sequence[str]) -> str:
    text = ngettext(
        "%(num)d zone is left out: it would expect fewer than %(least)s incidents a year",
        "%(num)d zones are left out: each would expect fewer than %(least)s incidents a year",
        zones,
        least=f"{least:g}",
    )
    if not districts:
        return text
    return text + _("; no other is left in %(districts)s", districts=", ".join(districts))


def _budget_unused(*, area_share: float, held_share: float) -> str:
    return _(
        "zones hold %(held)s of the area, %(budget)s was the budget: the rest makes no zone within "
        "the limits of size and shape or is not above the mean of its district",
        held=two_digits(held_share),
        budget=two_digits(area_share),
    )


def _city_capped(*, area_share: float, held_share: float, city_zones: int) -> str:
    return ngettext(
        "zones hold %(held)s of the area, %(budget)s was the budget: %(num)d zone of the city was "
        "allowed",
        "zones hold %(held)s of the area, %(budget)s was the budget: %(num)d zones of the city "
        "were allowed",
        city_zones,
        held=two_digits(held_share),
        budget=two_digits(area_share),
    )


def _budget_capped(
    *,
    area_share: float,
    held_share: float,
    max_zones: int,
    max_zones_needed: int,
    share_without_limit: float,
    reaches_budget: bool,
) -> str:
    values = {
        "held": two_digits(held_share),
        "budget": two_digits(area_share),
        "zones": max_zones,
        "needed": max_zones_needed,
    }
    if reaches_budget:
        return _(
            "zones hold %(held)s of the area, %(budget)s was the budget: %(zones)s zones a "
            "district were allowed; to use all of it, allow %(needed)s",
            **values,
        )
    return _(
        "zones hold %(held)s of the area, %(budget)s was the budget: %(zones)s zones a district "
        "were allowed; with %(needed)s they hold %(free)s, and the rest makes no zone within the "
        "limits of size and shape or is not above the mean of its district",
        free=two_digits(share_without_limit),
        **values,
    )


def two_digits(share: float) -> str:
    """Return a share in percent with two digits that count.

    >>> two_digits(0.0174), two_digits(0.2), two_digits(0.05)
    ('1.7 %', '20 %', '5 %')
    """
    return f"{100 * share:.2g} %"


OPERATIONS = {"proximity": N_("proximity"), "density": N_("density")}
SENTENCES: dict[str, Callable[..., str]] = {
    "incidents.outside": _outside,
    "district.city_factors": _fixed(
        N_(
            "district %(district)s has %(incidents)s incidents, fewer than the %(least)s that a "
            "model of its own needs: these are the city's factors with the district's own level"
        )
    ),
    "district.shared": _shared,
    "model.few_incidents": _fixed(
        N_("only %(incidents)s incidents: the factors chosen and their values are uncertain")
    ),
    "model.no_column": _fixed(
        N_("no factor has a usable column: the terrain is flat and has no zones")
    ),
    "model.path_unsettled": _fixed(N_("the elastic net did not settle at every penalty")),
    "model.not_converged": _fixed(
        N_("the %(family)s fit did not converge; do not use its intervals")
    ),
    "model.flat": _fixed(N_("no factor lowers the BIC: the terrain is flat and has no zones")),
    "model.populated_land": _populated_land,
    "model.inflation": _inflation,
    "model.pattern_left": _pattern_left,
    "zones.none": _no_zone,
    "zones.too_quiet": _too_quiet,
    "zones.city_capped": _city_capped,
    "zones.budget_unused": _budget_unused,
    "zones.budget_capped": _budget_capped,
    "validation.incidents_changed": _fixed(
        N_(
            "the run was trained on %(trained_on)s incidents, the database now holds %(stored)s of "
            "that period; baselines use the latter"
        )
    ),
    "validation.few_incidents": _fixed(
        N_("only %(incidents)s incidents in the test period: a few of them decide every figure")
    ),
    EARLIER: lambda text: str(text),
}
