"""How often intervals of evaluations kept the truth where it was known, as measured.

The figures are what ``python -m benchmarks.bench_outcome 200`` printed on the day named: 200
generated cities in each of 16 settings, with no effect and with a true drop of a fifth, one of the
hottest blocks treated, control areas chosen by the engine. ``docs/evaluation.md`` has all rows. Run
it again and change both when the estimates, or the way control areas are chosen, change.

What an evaluation allows one to say, in the reader's language: sentences of its codes.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask_babel import gettext as _
from flask_babel import ngettext

from app.i18n import numbers
from app.i18n.language import N_, translated
from geodata.documents import to_json

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from app.usecases.evaluation.evaluation_document import EvaluationDocument
    from geodata.stored_documents import Note


CITIES, SETTINGS = 200, 16
MEASURED_ON = dt.date(2026, 11, 25)
COMMAND = "python -m benchmarks.bench_outcome 200"
POWER_CITIES, POWER_MEASURED_ON = 120, dt.date(2026, 11, 30)
POWER_COMMAND = "python -m benchmarks.bench_power"
# Lowest and highest share, over six settings each, of years after in which the drop that is said to
# be found half of the time was called, as POWER_COMMAND printed it: trends smooth over the city, or
# also local.
FOUND_SMOOTH, FOUND_LOCAL = (0.39, 0.47), (0.26, 0.39)


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Lowest and highest share of cities, over the settings, whose interval kept the truth.

    ``plain`` is of the interval as the formula gives it, ``widened`` of the one that the words go
    by, ``synthetic`` of the widened one around the synthetic control; all say 95 %.
    """

    plain: tuple[float, float]
    widened: tuple[float, float]
    synthetic: tuple[float, float]


SMOOTH = Coverage(plain=(0.785, 0.950), widened=(0.845, 0.965), synthetic=(0.675, 0.940))
LOCAL = Coverage(plain=(0.620, 0.785), widened=(0.715, 0.805), synthetic=(0.455, 0.740))


def range_of(shares: tuple[float, float]) -> str:
    """Write two shares in whole percent.

    >>> range_of((0.845, 0.965))
    '84 to 96 %'
    """
    low, high = (numbers.percent(value, 0) for value in shares)
    return numbers.interval(low.removesuffix(" %"), high)


def coverage_words() -> list[str]:
    """Tell how often intervals that say 95 % kept the truth."""
    return [
        _(
            "In %(cities)s generated cities in each of %(settings)s settings, intervals that say "
            "95 %% and are widened as here held the true effect in %(smooth)s of the cities where "
            "trends were smooth over the city, and in %(local)s where they were local",
            cities=CITIES,
            settings=SETTINGS,
            smooth=range_of(SMOOTH.widened),
            local=range_of(LOCAL.widened),
        ),
        _(
            "As the formula alone gives them they held it in %(smooth)s and in %(local)s; those of "
            "the synthetic control, widened, in %(smooth_synthetic)s and in %(local_synthetic)s",
            smooth=range_of(SMOOTH.plain),
            local=range_of(LOCAL.plain),
            smooth_synthetic=range_of(SMOOTH.synthetic),
            local_synthetic=range_of(LOCAL.synthetic),
        ),
        found_words(),
        _("Nobody knows which of the two a real city is; take the lower figures"),
    ]


def found_words() -> str:
    """Tell how often a drop stated to be found half of the time was called where it was made."""
    return _(
        "In %(cities)s generated cities in each of 12 settings, a drop that is said to be found "
        "half of the time was called in %(smooth)s of cases where trends were smooth over the "
        "city, and in %(local)s where they were local",
        cities=POWER_CITIES,
        smooth=range_of(FOUND_SMOOTH),
        local=range_of(FOUND_LOCAL),
    )


def sentence_of(note: Note) -> str:
    """Make the sentence of a code of an evaluation, in the language of the answer."""
    return SENTENCES[note.code](**note.parameters)


def printed(document: EvaluationDocument) -> dict[str, object]:
    """Return an evaluation as scripts read it: its figures, with the sentences in English."""
    content = to_json(document)
    del content["form"]
    for name, notes in (("verdict", document.verdict), ("warnings", document.warnings)):
        content[name] = [sentence_of(note) for note in notes]
    return content


def area_name(name: str) -> str:
    """Call an area of an evaluation in the language of the answer.

    >>> area_name("displacement control 2"), area_name("treated")
    ('displacement control 2', 'treated')
    """
    kind, _space, number = name.rpartition(" ") if name[-1:].isdigit() else (name, "", "")
    if kind == "control":
        return _("control %(number)s", number=number)
    if number:
        return _("displacement control %(number)s", number=number)
    return translated(AREAS.get(name, name))


def zones_of(document: EvaluationDocument) -> str:
    """Say how many zones were treated."""
    return ngettext("%(num)s zone", "%(num)s zones", len(document.treated.zones))


def changed_by(document: EvaluationDocument) -> str:
    """Say that the zones were those of a person, and after which step; else nothing."""
    if document.edited is None:
        return ""
    return _(
        "changed by a person, step %(step)s of %(day)s",
        step=document.edited.edition,
        day=numbers.day(document.edited.on),
    )


def title_of(document: EvaluationDocument) -> str:
    """Name what was evaluated."""
    return _(
        "%(outcome)s in %(zones)s",
        outcome=numbers.plain(document.outcome),
        zones=zones_of(document),
    )


def days_of(period: tuple[dt.date, dt.date]) -> str:
    """Write a period of an evaluation from its first to its last day."""
    start, end = period
    return numbers.interval(numbers.day(start), numbers.last_day(end))


def _listed(names: Sequence[str]) -> str:
    return numbers.listed([area_name(name) for name in names])


def _treated(*, before: int, after: int, chance: float, weighed: bool) -> str:
    values = {
        "before": ngettext("%(num)s incident", "%(num)s incidents", before),
        "after": after,
        "chance": _("less than once in 1,000 times")
        if chance < 0.001
        else _("in %(share)s of cases", share=numbers.share(chance)),
    }
    if weighed:
        return _(
            "the treated area had %(before)s before and %(after)s after; differences are for a "
            "period as long as the one after; a change of that size or more would come by chance "
            "%(chance)s",
            **values,
        )
    return _(
        "the treated area had %(before)s before and %(after)s after; a change of that size or more "
        "would come by chance %(chance)s",
        **values,
    )


def _drop_called(*, way: str, controls: int, least: float, most: float) -> str:
    size = f"{most:.0f}"
    if round(least) != round(most):
        size = numbers.interval(f"{least:.0f}", size)
    if controls > 1:
        return _(
            "against each of the %(controls)s control areas the treated area had %(way)s incidents "
            "than expected, by %(size)s, more than chance alone explains",
            controls=controls,
            way=translated(WAYS[way]),
            size=size,
        )
    return _(
        "against the control area the treated area had %(way)s incidents than expected, by "
        "%(size)s, more than chance alone explains; with one control area nothing can be "
        "cross-checked",
        way=translated(WAYS[way]),
        size=size,
    )


def _within_chance(*, controls: int, agree: bool) -> str:
    if controls == 1:
        return _(
            "against the control area the difference is no more than chance alone would bring: "
            "neither an effect nor its absence is shown"
        )
    if agree:
        return _(
            "against none of the control areas is the difference more than chance alone would "
            "bring: neither an effect nor its absence is shown"
        )
    return _(
        "against none of the control areas is the difference more than chance alone would bring "
        "and they do not agree on the direction: neither an effect nor its absence is shown"
    )


def _disagree(*, names: Sequence[str], on_direction: bool) -> str:
    if on_direction:
        return _(
            "the control areas disagree even on the direction: only against %(names)s is the "
            "difference more than chance alone would bring; do not claim an effect",
            names=_listed(names),
        )
    return _(
        "the control areas disagree: only against %(names)s is the difference more than chance "
        "alone would bring; do not claim an effect",
        names=_listed(names),
    )


def _together(*, way: str = "") -> str:
    if not way:
        return _(
            "of zones and surroundings counted together, neither fewer nor more incidents are shown"
        )
    return _(
        "zones and surroundings counted together had %(way)s incidents than expected against each "
        "of their controls, more than chance alone explains",
        way=translated(WAYS[way]),
    )


def _detectable(*, drop: float, expected: float, controls: int) -> str:
    rule = (
        _("all %(number)s widened intervals", number=controls)
        if controls > 1
        else _("the widened interval")
    )
    return _(
        "a drop of %(drop)s incidents, of %(expected)s expected, is found half of the time where "
        "places run alike otherwise (simulated: %(rule)s below 0), in %(share)s of generated "
        "cities where they do not; smaller ones are mostly missed",
        drop=f"{drop:.0f}",
        expected=f"{expected:.3g}",
        rule=rule,
        share=range_of(FOUND_LOCAL),
    )


def _too_few(*, expected: float) -> str:
    return _(
        "too few incidents: even if all %(expected)s expected had not happened, a comparison of "
        "this size would find it less than half of the time",
        expected=f"{expected:.3g}",
    )


def _varied(*, step: str, dispersion: float) -> str:
    times = f"{dispersion:.1f}"
    if step == "week":
        return _(
            "the variance from one week to the next in the treated area was %(times)s times what "
            "chance alone would make it; the widened intervals allow for that",
            times=times,
        )
    return _(
        "the variance from one month to the next in the treated area was %(times)s times what "
        "chance alone would make it; the widened intervals allow for that",
        times=times,
    )


def _few_steps(*, steps: int, step: str) -> str:
    if step == "week":
        return _(
            "the period before has only %(steps)s whole weeks: nearly any area of the same size "
            "passes the checks",
            steps=steps,
        )
    return _(
        "the period before has only %(steps)s whole months: nearly any area of the same size "
        "passes the checks",
        steps=steps,
    )


def _fixed(message: str) -> Callable[..., str]:
    """Return what makes a sentence of a message of the catalogue and the parameters as they are."""
    return lambda **values: _(message, **values) if values else translated(message)


def _of_names(message: str) -> Callable[..., str]:
    return lambda names: _(message, names=_listed(names))


def _of_share(message: str) -> Callable[..., str]:
    return lambda share: _(message, share=numbers.share(share))


def _narrow() -> str:
    return _(
        "the intervals are too narrow: they take counts to vary by chance alone and the areas to "
        "have run alike; where trends were local, 95 %% intervals held the truth in 68 to 76 %% of "
        "published simulations and, as widened here, in %(share)s of our own",
        share=range_of(LOCAL.widened),
    )


AREAS = {
    "treated": N_("treated"),
    "displacement": N_("around the zones"),
    "synthetic": N_("synthetic control"),
}
WAYS = {"fewer": N_("fewer"), "more": N_("more")}
STEPS = {"week": N_("Incidents a week"), "month": N_("Incidents a month")}
SENTENCES: dict[str, Callable[..., str]] = {
    "treated": _treated,
    "chosen_so": _fixed(
        N_(
            "that test does not hold here: the zones were chosen for their incidents in part of "
            "the period before, and places chosen so have fewer later without any intervention"
        )
    ),
    "not_alike": _fixed(
        N_(
            "no area was enough like the treated one before, so these differences say little: "
            "they may have come about without any intervention"
        )
    ),
    "called": _drop_called,
    "within_chance": _within_chance,
    "disagree": _disagree,
    "one_scale": _of_names(
        N_(
            "against %(names)s the difference is beyond chance on one scale (numbers or ratios) "
            "and not on the other: it depends on which of the two would have run alike"
        )
    ),
    "around_no_incident": _fixed(
        N_("the surroundings had no incident before, so displacement cannot be told")
    ),
    "around_no_area": _fixed(
        N_("no area like the surroundings was found, so displacement cannot be told")
    ),
    "around_more": _fixed(
        N_(
            "in the surroundings there were more incidents than expected: some may have been "
            "displaced there, and the total of both counts them"
        )
    ),
    "around_fewer": _fixed(
        N_(
            "in the surroundings there were fewer incidents than expected too; the total counts "
            "both"
        )
    ),
    "around_within_chance": _fixed(
        N_(
            "in the surroundings the difference is within what chance alone would bring: "
            "displacement is neither shown nor ruled out"
        )
    ),
    "around_disagree": _fixed(N_("about displacement the control areas disagree")),
    "together": _together,
    "compares_places": _fixed(
        N_(
            "an evaluation compares places; it does not tell what made the difference, and other "
            "things may have changed there at the same time"
        )
    ),
    "narrow": _narrow,
    "failing": _of_names(
        N_(
            "%(names)s: not like the treated area before (a check is above 1), and there only "
            "because no area passed"
        )
    ),
    "few_controls": _fixed(
        N_(
            "only %(found)s of %(wanted)s control areas were found that differ enough from each "
            "other; one alone can mislead"
        )
    ),
    "shared_cells": _of_share(
        N_(
            "control areas share up to %(share)s of their cells, so that they agree is partly a "
            "matter of course"
        )
    ),
    "no_ratio": _of_names(N_("%(names)s: no ratio, since a count is 0")),
    "around_few": _fixed(
        N_(
            "the surroundings are compared with %(found)s of %(wanted)s areas only: no other was "
            "found that differs enough from the rest"
        )
    ),
    "around_shared_cells": _of_share(
        N_("areas that the surroundings are compared with share up to %(share)s of their cells")
    ),
    "detectable": _detectable,
    "too_few": _too_few,
    "varied": _varied,
    "chosen_before": _fixed(
        N_(
            "the zones were chosen on incidents from %(first)s to %(last)s, which is part of the "
            "period before, so a drop is exaggerated; let the period before start on %(last)s or "
            "later"
        )
    ),
    "chosen_after": _fixed(
        N_(
            "the zones were chosen on incidents from %(first)s to %(last)s, which is part of the "
            "period after, so an increase is exaggerated"
        )
    ),
    "few_steps": _few_steps,
    "uncovered_before": _fixed(
        N_("no incident is stored before %(day)s: is the period before covered?")
    ),
    "uncovered_after": _fixed(
        N_("no incident is stored after %(day)s: is the period after covered?")
    ),
    "seasons": _fixed(
        N_(
            "the periods are of different times of the year; the comparison holds only as far as "
            "seasons are the same in the control areas"
        )
    ),
    "old_power": _fixed(
        N_(
            "this evaluation was made by a version that called too small a drop one that is found "
            "half of the time: drops of that size were found in 11 to 28 of 100 simulated "
            "cities; ask for it again"
        )
    ),
}
