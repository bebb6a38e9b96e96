"""How often intervals of evaluations kept the truth where it was known, as measured.

The figures are what ``python -m benchmarks.bench_outcome 200`` printed on the day named: 200
generated cities in each of 16 settings, with no effect and with a true drop of a fifth, one of the
hottest blocks treated, control areas chosen by the engine. ``docs/evaluation.md`` has all rows. Run
it again and change both when the estimates, or the way control areas are chosen, change.

What an evaluation allows one to say, in plain words that claim no more than the data do.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.i18n import numbers
from spatial.evaluation.design import FEWER, MORE, NEITHER, call, side

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from geodata.repositories.run_analyses import FindingRecord


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
        f"In {CITIES} generated cities in each of {SETTINGS} settings, intervals that say 95 % and "
        f"are widened as here held the true effect in {range_of(SMOOTH.widened)} of the cities "
        f"where trends were smooth over the city, and in {range_of(LOCAL.widened)} where they were "
        "local",
        f"As the formula alone gives them they held it in {range_of(SMOOTH.plain)} and in "
        f"{range_of(LOCAL.plain)}; those of the synthetic control, widened, in "
        f"{range_of(SMOOTH.synthetic)} and in {range_of(LOCAL.synthetic)}",
        found_words(),
        "Nobody knows which of the two a real city is; take the lower figures",
    ]


def found_words() -> str:
    """Tell how often a drop stated to be found half of the time was called where it was made."""
    return (
        f"In {POWER_CITIES} generated cities in each of 12 settings, a drop that is said to be "
        f"found half of the time was called in {range_of(FOUND_SMOOTH)} of cases where trends were "
        f"smooth over the city, and in {range_of(FOUND_LOCAL)} where they were local"
    )


if TYPE_CHECKING:
    Document = Mapping[str, Any]
    Days = tuple[dt.date, dt.date]

UNCOVERED = dt.timedelta(days=14)  # without any incident at an end of the two periods
FEW_STEPS = 6
NARROW = (
    "the intervals are too narrow: they take counts to vary by chance alone and the areas to have "
    "run alike; where trends were local, 95 % intervals held the truth in 68 to 76 % of published "
    f"simulations and, as widened here, in {range_of(LOCAL.widened)} of our own"
)
OLD_POWER = (
    "this evaluation was made by a version that called too small a drop one that is found half of "
    "the time: drops of that size were found in 11 to 28 % of simulated cities; ask for it again"
)
WAYS = {FEWER: "fewer", MORE: "more"}


@dataclass(frozen=True, kw_only=True)
class ComparedAreaRow:
    """One area of an evaluation, as a page shows it; a treated area has no difference."""

    name: str
    before: str
    after: str
    difference: str
    interval: str
    ratio: str
    ratio_interval: str
    like: str


@dataclass(frozen=True, kw_only=True)
class EvaluationPage:
    """One evaluation as a page shows it."""

    title: str
    before: str
    after: str
    zones: str
    level: str
    treated: ComparedAreaRow
    controls: tuple[ComparedAreaRow, ...]
    displacement: tuple[ComparedAreaRow, ...]
    synthetic: ComparedAreaRow
    verdict: tuple[str, ...]
    warnings: tuple[str, ...]
    made: str


def add_calls(document: dict[str, Any]) -> None:
    """Add what the rule calls: ``called``, of the treated area and of the total with surroundings.

    ``"fewer"``, ``"more"`` or nothing. Where an area was not alike before, nothing is called.
    """
    controls, moved = document["controls"], document["displacement"]
    document["called"] = WAYS.get(_called(controls, alike=_alike(controls)))
    if moved is not None:
        both = [found["total"] for found in moved["controls"]]
        alike = _alike(controls) and _alike(moved["controls"])
        moved["called"] = WAYS.get(_called(both, alike=alike))


def verdict(document: Document) -> list[str]:
    """Say what the control areas show together, and what they do not."""
    treated, unit = document["treated"], _per(document)
    lines = [
        f"the treated area had {_incidents(treated['before'])} before and {treated['after']} after"
        + (f"; differences are {unit}" if unit else "")
        + f"; a change of that size or more would come by chance {_chance(treated['e_test'])}"
    ]
    if _chosen_on(document, "before"):
        lines.append(
            "that test does not hold here: the zones were chosen for their incidents in part of "
            "the period before, and places chosen so have fewer later without any intervention"
        )
    lines.append(_compared(document))
    lines += _on_both_scales(document)
    lines += _moved(document)
    lines.append(
        "an evaluation compares places; it does not tell what made the difference, and other "
        "things may have changed there at the same time"
    )
    return lines


def warnings_of(document: Document, *, wanted: int, covered: Days) -> list[str]:
    """Gather what a reader must know before using the figures.

    Parameters
    ----------
    document
        The evaluation.
    wanted
        How many control areas were requested.
    covered
        First and last day with an incident in either period.
    """
    return [
        NARROW,
        *_about_controls(document, wanted),
        *_about_size(document),
        *_about_time(document, covered),
    ]


def evaluation_page(finding: FindingRecord) -> EvaluationPage:
    """Return the page value of a stored evaluation."""
    document = finding.document
    moved, weighed = document["displacement"], document["synthetic_control"]
    return EvaluationPage(
        title=numbers.sentence(
            f"{numbers.plain(document['outcome'])} in {zones_of(document)}"
        ).rstrip("."),
        before=days_of(document["before"]),
        after=days_of(document["after"]),
        zones=f"run {finding.run}{changed_by(document)}",
        level=numbers.share(1 - document["alpha"]),
        treated=_row("treated", document["treated"]),
        controls=tuple(_row(found["name"], found) for found in document["controls"]),
        displacement=()
        if moved is None
        else (
            _row("around the zones", moved),
            *(_row(found["name"], found) for found in moved["controls"]),
        ),
        synthetic=_row("synthetic control", weighed),
        verdict=tuple(numbers.sentence(text) for text in document["verdict"]),
        warnings=tuple(
            numbers.sentence(text)
            for text in [*document["warnings"], *([] if "power" in document else [OLD_POWER])]
        ),
        made=numbers.day(finding.created_at.date()),
    )


def zones_of(document: Document) -> str:
    """Say how many zones were treated."""
    number = len(document["treated"]["zones"])
    return f"{number} zone{'' if number == 1 else 's'}"


def changed_by(document: Document) -> str:
    """Say behind the run that its zones were those of a person, and after which step."""
    edited = document.get("edited")  # evaluations of before editions were reported apart have none
    if not edited:
        return ""
    on = numbers.day(dt.date.fromisoformat(edited["on"]))
    return f", changed by a person, step {edited['edition']} of {on}"


def _row(name: str, found: Document) -> ComparedAreaRow:
    ratio = found.get("rate_ratio")
    like = found.get("passes")
    return ComparedAreaRow(
        name=name,
        before=numbers.about(found["before"]) if "method" in found else f"{found['before']:,}",
        after=numbers.about(found["after"]) if "method" in found else f"{found['after']:,}",
        difference=f"{found['wdd']:+.1f}" if "wdd" in found else "",
        interval=f"{found['low_widened']:+.1f} to {found['high_widened']:+.1f}"
        if "wdd" in found
        else "",
        ratio="" if ratio is None else f"{ratio:.2f}",
        ratio_interval=""
        if ratio is None
        else f"{found['rate_ratio_low']:.2f} to {found['rate_ratio_high']:.2f}",
        like="" if like is None else ("yes" if like else "no"),
    )


def _side(found: Document) -> int:
    """On which side of no difference the whole wider interval lies, if on one."""
    return side(found["low_widened"], found["high_widened"])


def _alike(areas: Iterable[Document]) -> bool:
    return all(found["passes"] for found in areas)


def _called(differences: Iterable[Document], *, alike: bool) -> int:
    """Return what the rule calls of the differences to several control areas."""
    found = call((one["low_widened"], one["high_widened"]) for one in differences)
    return found if alike else NEITHER


def _compared(document: Document) -> str:
    controls = document["controls"]
    sides = {_side(found) for found in controls}
    signs = {found["wdd"] > 0 for found in controls if found["wdd"] != 0}
    several = len(controls) > 1
    called = _called(controls, alike=_alike(controls))
    if not _alike(controls):
        return (
            "no area was enough like the treated one before, so these differences say little: "
            "they may have come about without any intervention"
        )
    if called != NEITHER:
        edge = min(abs(found["wdd"]) for found in controls)
        far = max(abs(found["wdd"]) for found in controls)
        against = f"each of the {len(controls)} control areas" if several else "the control area"
        size = f"{edge:.0f} to {far:.0f}" if round(edge) != round(far) else f"{far:.0f}"
        caution = "" if several else "; with one control area nothing can be cross-checked"
        return (
            f"against {against} the treated area had {WAYS[called]} incidents than expected, "
            f"by {size}, more than chance alone explains{caution}"
        )
    if sides == {NEITHER}:
        apart = " and they do not agree on the direction" if len(signs) > 1 else ""
        return (
            "against none of the control areas is the difference more than chance alone would "
            f"bring{apart}: neither an effect nor its absence is shown"
            if several
            else "against the control area the difference is no more than chance alone would "
            "bring: neither an effect nor its absence is shown"
        )
    beyond = [found["name"] for found in controls if _side(found) != NEITHER]
    direction = "even on the direction" if {FEWER, MORE} <= sides or len(signs) > 1 else ""
    return (
        f"the control areas disagree {direction}".rstrip()
        + f": only against {numbers.listed(beyond)} is the difference more than chance alone would "
        "bring; do not claim an effect"
    )


def _on_both_scales(document: Document) -> list[str]:
    differ = [
        found["name"]
        for found in document["controls"]
        if found["rate_ratio"] is not None
        and (found["low"] > 0 or found["high"] < 0)
        != (found["rate_ratio_low"] > 1 or found["rate_ratio_high"] < 1)
    ]
    if not differ:
        return []
    return [
        f"against {numbers.listed(differ)} the difference is beyond chance on one scale (numbers "
        "or ratios) and not on the other: it depends on which of the two would have run alike"
    ]


def _moved(document: Document) -> list[str]:
    moved = document["displacement"]
    if moved is None:
        return []
    if moved["before"] == 0:
        return ["the surroundings had no incident before, so displacement cannot be told"]
    if not moved["controls"]:
        return ["no area like the surroundings was found, so displacement cannot be told"]
    sides = {_side(found) for found in moved["controls"]}
    if sides == {MORE}:
        around = (
            "in the surroundings there were more incidents than expected: some may have been "
            "displaced there, and the total of both counts them"
        )
    elif sides == {FEWER}:
        around = (
            "in the surroundings there were fewer incidents than expected too; the total counts "
            "both"
        )
    elif sides == {NEITHER}:
        around = (
            "in the surroundings the difference is within what chance alone would bring: "
            "displacement is neither shown nor ruled out"
        )
    else:
        around = "about displacement the control areas disagree"
    return [around, _together(document)]


def _together(document: Document) -> str:
    """Say what the rule calls of the zones and their surroundings counted together."""
    moved = document["displacement"]["controls"]
    alike = _alike(document["controls"]) and _alike(moved)
    called = _called([found["total"] for found in moved], alike=alike)
    if called == NEITHER:
        return (
            "of zones and surroundings counted together, neither fewer nor more incidents are shown"
        )
    return (
        f"zones and surroundings counted together had {WAYS[called]} incidents than expected "
        "against each of their controls, more than chance alone explains"
    )


def _about_controls(document: Document, wanted: int) -> list[str]:
    controls, result = document["controls"], []
    failing = [found["name"] for found in controls if not found["passes"]]
    if failing:
        result.append(
            f"{', '.join(failing)}: not like the treated area before (a check is above 1), and "
            "there only because no area passed"
        )
    if len(controls) < wanted:
        result.append(
            f"only {len(controls)} of {wanted} control areas were found that differ enough from "
            "each other; one alone can mislead"
        )
    overlap = max(found["shared"] for found in controls)
    if overlap > 0:
        result.append(
            f"control areas share up to {numbers.share(overlap)} of their cells, so that they "
            "agree is partly a matter of course"
        )
    missing = [found["name"] for found in controls if found["rate_ratio"] is None]
    if missing:
        result.append(f"{', '.join(missing)}: no ratio, since a count is 0")
    return result + _about_surroundings(document)


def _about_surroundings(document: Document) -> list[str]:
    """Tell how many areas the surroundings are compared with, and how far these overlap."""
    controls, moved = document["controls"], document["displacement"]
    if moved is None or not moved["before"]:
        return []
    result, number = [], len(moved["controls"])
    if number < len(controls):
        result.append(
            f"the surroundings are compared with {number} of {len(controls)} areas only: no other "
            "was found that differs enough from the rest"
        )
    overlap = max((found["shared"] for found in moved["controls"]), default=0.0)
    if overlap > 0:
        result.append(
            f"areas that the surroundings are compared with share up to {numbers.share(overlap)} "
            "of their cells"
        )
    return result


def _about_size(document: Document) -> list[str]:
    expected = document["treated"]["before"] / document["time_weights"][0]
    drop, result = document["detectable_drop"], []
    number = len(document["controls"])
    rule = f"all {number} widened intervals" if number > 1 else "the widened interval"
    result.append(
        f"a drop of {drop:.0f} incidents, of {expected:.3g} expected, is found half of the time "
        f"where places run alike otherwise (simulated: {rule} below 0), in "
        f"{range_of(FOUND_LOCAL)} of generated cities where they do not; smaller ones are mostly "
        "missed"
        if drop < expected
        else f"too few incidents: even if all {expected:.3g} expected had not happened, "
        "a comparison of this size would find it less than half of the time"
    )
    if document["dispersion"] > 1.2:
        result.append(
            f"the variance from one {document['step']} to the next in the treated area was "
            f"{document['dispersion']:.1f} times what chance alone would make it; the widened "
            "intervals allow for that"
        )
    return result


def _about_time(document: Document, covered: Days) -> list[str]:
    before, after, trained = (_range(document[name]) for name in ("before", "after", "trained"))
    lines = []
    if _chosen_on(document, "before"):
        lines.append(
            f"the zones were chosen on incidents from {trained[0]} to {trained[1]}, which is part "
            "of the period before, so a drop is exaggerated; let the period before start on "
            f"{trained[1]} or later"
        )
    if _chosen_on(document, "after"):
        lines.append(
            f"the zones were chosen on incidents from {trained[0]} to {trained[1]}, which is part "
            "of the period after, so an increase is exaggerated"
        )
    if document["steps_before"] < FEW_STEPS:
        lines.append(
            f"the period before has only {document['steps_before']} whole {document['step']}s: "
            "nearly any area of the same size passes the checks"
        )
    if covered[0] - before[0] > UNCOVERED:
        lines.append(f"no incident is stored before {covered[0]}: is the period before covered?")
    if after[1] - covered[1] > UNCOVERED:
        lines.append(f"no incident is stored after {covered[1]}: is the period after covered?")
    if _seasons_differ(before, after):
        lines.append(
            "the periods are of different times of the year; the comparison holds only as far as "
            "seasons are the same in the control areas"
        )
    return lines


def _chosen_on(document: Document, period: str) -> bool:
    """Return whether the zones were chosen on incidents of a period."""
    (start, end), (first, last) = _range(document[period]), _range(document["trained"])
    return first < end and start < last


def _range(period: Mapping[str, str]) -> Days:
    return dt.date.fromisoformat(period["from"]), dt.date.fromisoformat(period["to"])


def _seasons_differ(before: Days, after: Days) -> bool:
    """Return whether the periods miss each other's months by more than one."""
    months = [
        {(start + dt.timedelta(days=day)).month for day in range(min(366, (end - start).days))}
        for start, end in (before, after)
    ]
    return len(months[0] ^ months[1]) > 1


def _per(document: Document) -> str:
    """Tell the unit of differences where the periods differ in length."""
    return "" if document["time_weights"][0] == 1 else "for a period as long as the one after"


def _incidents(number: int) -> str:
    return f"{number:,} incident{'' if number == 1 else 's'}"


def _chance(p: float) -> str:
    return "less than once in 1,000 times" if p < 0.001 else f"in {numbers.share(p)} of cases"


def days_of(period: Mapping[str, str]) -> str:
    """Write a period of an evaluation from its first to its last day."""
    start, end = _range(period)
    return f"{numbers.day(start)} to {numbers.last_day(end)}"
