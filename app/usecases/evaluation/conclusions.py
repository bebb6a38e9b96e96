"""What an evaluation allows one to say, and what must be known before using it: codes and figures.

It claims no more than the data do. ``app/i18n/evaluation_words.py`` makes the sentences.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING

from geodata.stored_documents import Note
from spatial.evaluation.design import FEWER, MORE, NEITHER, call, side

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from app.usecases.evaluation.evaluation_document import (
        AreaDifference,
        Called,
        ComparedArea,
        Displacement,
        DisplacementControl,
        EvaluationDocument,
    )

    Period = tuple[dt.date, dt.date]

UNCOVERED = dt.timedelta(days=14)  # without any incident at an end of the two periods
FEW_STEPS = 6
VARIED = 1.2  # times the variance of chance: worth a word
WAYS: dict[int, Called] = {FEWER: "fewer", MORE: "more"}
AROUND = {MORE: "around_more", FEWER: "around_fewer", NEITHER: "around_within_chance"}
ABOUT_CONTROLS = ("not_alike", "called", "within_chance", "disagree")  # one of them in a verdict


def conclude(document: EvaluationDocument, *, wanted: int, covered: Period) -> EvaluationDocument:
    """Return an evaluation with what the rule calls, what may be said, and what must be known.

    Parameters
    ----------
    document
        The evaluation.
    wanted
        How many control areas were requested.
    covered
        First and last day with an incident in either period.
    """
    controls, moved = document.controls, document.displacement
    if moved is not None:
        both = _called(
            (found.total for found in moved.controls),
            alike=_alike(controls) and _alike(moved.controls),
        )
        moved = replace(moved, called=WAYS.get(both))
    document = replace(
        document,
        called=WAYS.get(_called(controls, alike=_alike(controls))),
        displacement=moved,
    )
    return replace(
        document,
        verdict=tuple(_verdict(document)),
        warnings=(
            Note("narrow"),
            *_about_controls(document, wanted),
            *_about_size(document),
            *_about_time(document, covered),
            *([] if document.power else [Note("old_power")]),
        ),
    )


def about_controls(document: EvaluationDocument) -> Note:
    """Return the part of a verdict that tells what the control areas show."""
    return next(note for note in document.verdict if note.code in ABOUT_CONTROLS)


def _verdict(document: EvaluationDocument) -> Iterator[Note]:
    treated = document.treated
    yield Note(
        "treated",
        {
            "before": treated.before,
            "after": treated.after,
            "chance": treated.e_test,
            "weighed": document.time_weights[0] != 1,
        },
    )
    if _chosen_on(document, document.before):
        yield Note("chosen_so")
    yield _compared(document)
    differ = tuple(
        found.name
        for found in document.controls
        if found.rate_ratio_low is not None
        and found.rate_ratio_high is not None
        and (found.low > 0 or found.high < 0)
        != (found.rate_ratio_low > 1 or found.rate_ratio_high < 1)
    )
    if differ:
        yield Note("one_scale", {"names": differ})
    if document.displacement is not None:
        yield from _moved(document.displacement)
    yield Note("compares_places")


def _compared(document: EvaluationDocument) -> Note:
    controls = document.controls
    sides = {_side(found) for found in controls}
    signs = {found.wdd > 0 for found in controls if found.wdd != 0}
    if not _alike(controls):
        return Note("not_alike")
    if document.called:
        sizes = [abs(found.wdd) for found in controls]
        return Note(
            "called",
            {
                "way": document.called,
                "controls": len(controls),
                "least": min(sizes),
                "most": max(sizes),
            },
        )
    if sides == {NEITHER}:
        return Note("within_chance", {"controls": len(controls), "agree": len(signs) < 2})
    beyond = tuple(found.name for found in controls if _side(found) != NEITHER)
    apart = {FEWER, MORE} <= sides or len(signs) > 1
    return Note("disagree", {"names": beyond, "on_direction": apart})


def _moved(moved: Displacement) -> Iterator[Note]:
    if moved.before == 0:
        yield Note("around_no_incident")
        return
    if not moved.controls:
        yield Note("around_no_area")
        return
    sides = {_side(found) for found in moved.controls}
    yield Note(AROUND[sides.pop()] if len(sides) == 1 else "around_disagree")
    yield Note("together", {"way": moved.called} if moved.called else {})


def _about_controls(document: EvaluationDocument, wanted: int) -> Iterator[Note]:
    controls = document.controls
    if failing := tuple(found.name for found in controls if not found.passes):
        yield Note("failing", {"names": failing})
    if len(controls) < wanted:
        yield Note("few_controls", {"found": len(controls), "wanted": wanted})
    if (overlap := max(found.shared for found in controls)) > 0:
        yield Note("shared_cells", {"share": overlap})
    if missing := tuple(found.name for found in controls if found.rate_ratio is None):
        yield Note("no_ratio", {"names": missing})
    moved = document.displacement
    if moved is None or not moved.before:
        return
    if len(moved.controls) < len(controls):
        yield Note("around_few", {"found": len(moved.controls), "wanted": len(controls)})
    if (overlap := max((found.shared for found in moved.controls), default=0.0)) > 0:
        yield Note("around_shared_cells", {"share": overlap})


def _about_size(document: EvaluationDocument) -> Iterator[Note]:
    expected = document.treated.before / document.time_weights[0]
    drop = document.detectable_drop
    if drop < expected:
        size = {"drop": drop, "expected": expected, "controls": len(document.controls)}
        yield Note("detectable", {**size})
    else:
        yield Note("too_few", {"expected": expected})
    if document.dispersion > VARIED:
        yield Note("varied", {"step": document.step, "dispersion": document.dispersion})


def _about_time(document: EvaluationDocument, covered: Period) -> Iterator[Note]:
    first, last = (day.isoformat() for day in document.trained)
    for code, period in (("chosen_before", document.before), ("chosen_after", document.after)):
        if _chosen_on(document, period):
            yield Note(code, {"first": first, "last": last})
    if document.steps_before < FEW_STEPS:
        yield Note("few_steps", {"steps": document.steps_before, "step": document.step})
    if covered[0] - document.before[0] > UNCOVERED:
        yield Note("uncovered_before", {"day": covered[0].isoformat()})
    if document.after[1] - covered[1] > UNCOVERED:
        yield Note("uncovered_after", {"day": covered[1].isoformat()})
    if _seasons_differ(document.before, document.after):
        yield Note("seasons")


def _side(found: AreaDifference) -> int:
    """On which side of no difference the whole wider interval lies, if on one."""
    return side(found.low_widened, found.high_widened)


def _alike(areas: Iterable[ComparedArea | DisplacementControl]) -> bool:
    return all(found.passes for found in areas)


def _called(differences: Iterable[AreaDifference], *, alike: bool) -> int:
    """Return what the rule calls of the differences to several control areas."""
    found = call((one.low_widened, one.high_widened) for one in differences)
    return found if alike else NEITHER


def _chosen_on(document: EvaluationDocument, period: Period) -> bool:
    """Return whether the zones were chosen on incidents of a period."""
    (start, end), (first, last) = period, document.trained
    return first < end and start < last


def _seasons_differ(before: Period, after: Period) -> bool:
    """Return whether the periods miss each other's months by more than one."""
    months = [
        {(start + dt.timedelta(days=day)).month for day in range(min(366, (end - start).days))}
        for start, end in (before, after)
    ]
    return len(months[0] ^ months[1]) > 1
