"""Measures of gunfire events (alerts and calls linked) and of response time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from geodata.measures.figures import (
    difference_of_medians,
    in_reach,
    quantile,
    share,
    shares,
)
from geodata.measures.ledger import LINK_METRES
from geodata.measures.record import Figure, Measure
from spatial.gunshots import LinkSpec, sensitivity

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geodata.measures.ledger import MeasureData
    from spatial.measures.days import Slices
    from spatial.measures.scopes import Scopes

SOURCES = ("alerts", "calls")
LINKING = (
    "Alerts and 911 calls belong to one event when they share an event number, else when the call "
    "comes from 2 minutes before to 10 minutes after the trigger within 400 m; an event spans at "
    "most 15 minutes and no call is in two."
)
KINDS = {
    "alert_only": ("Events with an alert only", "that nobody called 911 about"),
    "both": ("Events with an alert and a call", "with both an alert and a 911 call"),
    "call_only": ("Events with a call only", "that 911 callers reported and no alert did"),
}
INSIDE = " inside the coverage area"
COVERED = "Inside the coverage area"


def _events(ledger: MeasureData, scopes: Scopes, *, inside: bool) -> list[Figure]:
    rows = ledger.slices("events", scopes)
    counted, known = rows.sizes, _both_known(ledger, scopes)
    if inside:
        counted = rows.counts((ledger.events["covered"] == 1).to_numpy())
        known = known & (ledger.city.coverage is not None)
    return [
        Figure(value=float(n), n=n) if linkable else Figure(value=None, n=0, missing=every)
        for n, linkable, every in zip(counted.tolist(), known, rows.sizes.tolist(), strict=True)
    ]


def _both_known(ledger: MeasureData, scopes: Scopes) -> NDArray[np.bool_]:
    """Tell where both alerts and calls are known: of one alone, nothing can be linked."""
    return in_reach(ledger, "alerts", scopes) & in_reach(ledger, "calls", scopes)


def _kind(ledger: MeasureData, scopes: Scopes, *, kind: str, inside: bool) -> list[Figure]:
    rows = every = ledger.slices("events", scopes)
    unknown = np.zeros(len(scopes), dtype=np.int64)
    if inside:
        covered = ledger.events["covered"]
        unknown = rows.counts(covered.isna().to_numpy())
        rows = rows.where((covered == 1).to_numpy())
    hits = rows.counts(ledger.events[kind].to_numpy(dtype=bool))
    found = shares(hits, rows.sizes, unknown.tolist())
    return [
        figure if linkable else Figure(value=None, n=0, missing=n)
        for figure, linkable, n in zip(
            found, _both_known(ledger, scopes), every.sizes.tolist(), strict=True
        )
    ]


def _response(ledger: MeasureData, scopes: Scopes, *, column: str) -> list[Figure]:
    return difference_of_medians(
        (_inside(ledger, "alerts", scopes), ledger.alerts[column]),
        (_inside(ledger, "calls", scopes), ledger.calls["response_min"]),
    )


def _median(ledger: MeasureData, scopes: Scopes, *, section: str) -> list[Figure]:
    return quantile(_inside(ledger, section, scopes), ledger.table(section)["response_min"], 0.5)


def _inside(ledger: MeasureData, section: str, scopes: Scopes) -> Slices:
    """Return alerts or calls inside the coverage area, or all where it is not known."""
    inside = (ledger.table(section)["covered"] != 0).to_numpy()
    return ledger.slices(section, scopes).where(inside)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """How many events have both an alert and a call when calls are linked in another window."""

    minutes: float
    metres: float
    both: Figure
    used: bool


def link_windows(ledger: MeasureData, scopes: Scopes) -> list[list[Window]]:
    """Link alerts and calls again in wider and narrower windows.

    Returns
    -------
    The windows of each scope, none where nothing can be linked; ``used`` marks the one of the
    measures themselves.
    """
    found: list[list[Window]] = [[] for _ in scopes]
    known = _both_known(ledger, scopes)
    if not known.any():
        return found
    spec, metre_units = LinkSpec(reach_units=LINK_METRES * ledger.metre_units), ledger.metre_units
    for minutes, metres, linked in sensitivity(*ledger.reports, spec, metre_units):
        frame = ledger.describe_events(linked)
        rows = ledger.cut(frame, scopes)
        both = rows.counts(frame["both"].to_numpy(dtype=bool)).tolist()
        used = minutes * 60 == spec.after_s and metres == LINK_METRES
        for windows, linkable, hits, of in zip(
            found, known, both, rows.sizes.tolist(), strict=True
        ):
            if linkable:
                linked_both = share(float(hits), float(of))
                windows.append(Window(minutes=minutes, metres=metres, both=linked_both, used=used))
    return found


def _count(*, inside: bool) -> Measure:
    where = INSIDE if inside else ""
    return Measure(
        id="events.covered.count" if inside else "events.count",
        title=f"Gunfire events{where}",
        unit="events",
        direction="neither",
        definition=f"Reports of gunfire{where}; alerts and calls about the same gunfire count "
        f"once. {LINKING}",
        formula="number of linked sets of alerts and calls",
        figures=partial(_events, inside=inside),
        sources=SOURCES,
        caveat="Alerts, calls and events are three different numbers; each share names its own.",
        disclosure="open",
        part=COVERED if inside else "",
    )


def _share(kind: str, *, inside: bool) -> Measure:
    title, words = KINDS[kind]
    where = INSIDE if inside else ""
    return Measure(
        id=f"events.covered.{kind}" if inside else f"events.{kind}",
        title=f"{title}{where}",
        unit="share",
        direction="neither",
        definition=f"Share of gunfire events{where} {words}. {LINKING}",
        formula=f"events of that kind{where} / events{where}",
        figures=partial(_kind, kind=kind, inside=inside),
        sources=SOURCES,
        numerator=f"events {words}",
        denominator=f"gunfire events{where}",
        caveat="A wider window links more: the table of windows shows by how much."
        + ("" if inside else " Outside the coverage area there can be no alert."),
        disclosure="open",
        part=COVERED if inside else "",
        key=3 if kind == "both" and not inside else 0,
    )


def _difference(identity: str, title: str, column: str, clock: str) -> Measure:
    return Measure(
        id=identity,
        title=title,
        unit="minutes",
        direction="down",
        definition=f"Median minutes from {clock} to the first arrival at alerts, minus the median "
        "minutes from a 911 call to the first arrival at calls, inside the coverage area. Below "
        "zero, officers reach alerts sooner.",
        formula=f"median(arrived - {clock}) of alerts - median(arrived - received) of calls; "
        "bootstrap interval",
        figures=partial(_response, column=column),
        sources=SOURCES,
        caveat="Alerts and calls differ in kind, hour and priority: the difference is not what "
        "alerts caused. Where no coverage area is known, the whole city counts.",
        disclosure="open",
    )


def _time(section: str, start: str) -> Measure:
    return Measure(
        id=f"response.{section[:-1]}_minutes.p50",
        title=f"Median minutes from {start} to arrival",
        unit="minutes",
        direction="down",
        definition=f"Half of the {section} inside the coverage area saw the first officer arrive "
        f"within this many minutes of the {start}.",
        formula=f"median of arrived - {start}; bootstrap interval",
        figures=partial(_median, section=section),
        sources=(section,),
        disclosure="open",
    )


MEASURES = (
    _count(inside=False),
    *(_share(kind, inside=False) for kind in KINDS),
    _count(inside=True),
    *(_share(kind, inside=True) for kind in KINDS),
    _difference(
        "response.difference_minutes",
        "Response to alerts against calls, from the trigger",
        "response_min",
        "trigger",
    ),
    _difference(
        "response.difference_minutes.published",
        "Response to alerts against calls, from publication",
        "after_publish_min",
        "publication",
    ),
    _time("alerts", "trigger"),
    _time("calls", "call"),
)
