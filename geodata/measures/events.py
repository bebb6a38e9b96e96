"""Measures of gunfire events (alerts and calls linked) and of response time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from geodata.measures.figures import (
    difference_of_medians,
    in_reach,
    quantile,
    share,
)
from geodata.measures.ledger import LINK_METRES
from geodata.measures.record import Figure, Measure
from spatial.gunshots import LinkSpec, sensitivity

if TYPE_CHECKING:
    import pandas as pd

    from geodata.measures.ledger import Ledger
    from geodata.measures.record import Scope

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


def _events(ledger: Ledger, scope: Scope, *, inside: bool) -> Figure:
    frame = ledger.rows("events", scope)
    if not _both_told(ledger, scope):
        return Figure(value=None, n=0, missing=len(frame))
    if not inside:
        return Figure(value=float(len(frame)), n=len(frame))
    if ledger.city.coverage is None:
        return Figure(value=None, n=0, missing=len(frame))
    within = int((frame["covered"] == 1).sum())
    return Figure(value=float(within), n=within)


def _both_told(ledger: Ledger, scope: Scope) -> bool:
    """Tell whether both alerts and calls are known: of one alone, nothing can be linked."""
    return in_reach(ledger, "alerts", scope) and in_reach(ledger, "calls", scope)


def _kind(ledger: Ledger, scope: Scope, *, kind: str, inside: bool) -> Figure:
    frame = ledger.rows("events", scope)
    if not _both_told(ledger, scope):
        return Figure(value=None, n=0, missing=len(frame))
    unknown = int(frame["covered"].isna().sum()) if inside else 0
    if inside:
        frame = frame[frame["covered"] == 1]
    return share(float(frame[kind].sum()), float(len(frame)), missing=unknown)


def _response(ledger: Ledger, scope: Scope, *, column: str) -> Figure:
    alerts, calls = _inside(ledger, scope)
    return difference_of_medians(alerts[column], calls["response_min"])


def _median(ledger: Ledger, scope: Scope, *, section: str) -> Figure:
    alerts, calls = _inside(ledger, scope)
    return quantile((alerts if section == "alerts" else calls)["response_min"], 0.5)


def _inside(ledger: Ledger, scope: Scope) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give alerts and calls inside the coverage area, or all where it is not known."""
    alerts, calls = ledger.rows("alerts", scope), ledger.rows("calls", scope)
    return alerts[alerts["covered"] != 0], calls[calls["covered"] != 0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """How many events have both an alert and a call when calls are linked in another window."""

    minutes: float
    metres: float
    both: Figure
    used: bool


def link_windows(ledger: Ledger, scope: Scope) -> list[Window]:
    """Link alerts and calls again in wider and narrower windows; empty where they cannot be.

    ``used`` marks the window of the measures themselves.
    """
    if not _both_told(ledger, scope):
        return []
    spec, metre_units = LinkSpec(reach_units=LINK_METRES * ledger.metre_units), ledger.metre_units
    found = []
    for minutes, metres, linked in sensitivity(*ledger.reports, spec, metre_units):
        frame = ledger.cut(ledger.describe_events(linked, ledger.alerts, ledger.calls), scope)
        found.append(
            Window(
                minutes=minutes,
                metres=metres,
                both=share(float(frame["both"].sum()), float(len(frame))),
                used=minutes * 60 == spec.after_s and metres == LINK_METRES,
            )
        )
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
        compute=partial(_events, inside=inside),
        sources=SOURCES,
        caveat="Alerts, calls and events are three different numbers; each share names its own.",
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
        compute=partial(_kind, kind=kind, inside=inside),
        sources=SOURCES,
        numerator=f"events {words}",
        denominator=f"gunfire events{where}",
        caveat="A wider window links more: the table of windows shows by how much."
        + ("" if inside else " Outside the coverage area there can be no alert."),
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
        compute=partial(_response, column=column),
        sources=SOURCES,
        caveat="Alerts and calls differ in kind, hour and priority: the difference is not what "
        "alerts caused. Where no coverage area is known, the whole city counts.",
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
        compute=partial(_median, section=section),
        sources=(section,),
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
