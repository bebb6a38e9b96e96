"""Measures of gunshot alerts: how fast, how well placed, what became of them, what was found."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from geodata.measures.figures import NOTHING, count, quantile, ratio, share, share_of_rows, total
from geodata.measures.record import Figure, Measure

if TYPE_CHECKING:
    import pandas as pd

    from geodata.measures.ledger import Ledger
    from geodata.measures.record import Direction, Scope, Unit

SOURCES = ("alerts",)
LIMIT_S = 60.0
CLOCKS = {
    "trigger": ("publish_s", "the trigger, when the sensors heard the sound"),
    "review": ("review_publish_s", "the start of the vendor's review"),
}
SPEED_TARGET = "commonly stated as 90 % within 60 seconds; no public contract text for it was found"
CONTRACT_TARGET = "contract: 90 % of detectable gunfire detected and accurately located"
ONCE = (
    "Alerts that share an event number tell of one police event: what they report is counted once, "
    "as the most that one of them says."
)


def _published(ledger: Ledger, scope: Scope, column: str) -> Figure:
    seconds = ledger.rows("alerts", scope)[column]
    return share_of_rows(seconds <= LIMIT_S, seconds.notna())


def _seconds(ledger: Ledger, scope: Scope, column: str, q: float) -> Figure:
    return quantile(ledger.rows("alerts", scope)[column], q)


def _disposed(ledger: Ledger, scope: Scope, disposition: str) -> Figure:
    told = ledger.rows("alerts", scope)["disposition"]
    return share_of_rows(told == disposition, told.notna())


def _found(ledger: Ledger, scope: Scope, column: str) -> Figure:
    return total(ledger.rows("alerts", scope)[column])


def _located(ledger: Ledger, scope: Scope) -> Figure:
    state = _verified(ledger, scope, holidays=True)
    return share(
        float((state == "accurate").sum()),
        float((state != "unknown").sum()),
        missing=int((state == "unknown").sum()),
    )


def _performance(ledger: Ledger, scope: Scope, *, holidays: bool) -> Figure:
    """Work out the vendor's formula: every other published alert counts as accurate."""
    if not (ledger.has("verified") or ledger.alerts["verified_x"].notna().any()):
        return NOTHING
    rows = ledger.rows("verified", scope)
    rows = rows[rows["counts"] & (holidays | ~rows["holiday"])]
    alerts = ledger.rows("alerts", scope)
    alerts = alerts if holidays else alerts[~alerts["holiday"]]
    others = int((~alerts["row_key"].isin(set(rows["alert"].dropna()))).sum())
    accurate = int((rows["state"] == "accurate").sum())
    failed = int(rows["state"].isin(("mislocated", "not detected")).sum())
    return share(
        float(accurate + others),
        float(accurate + others + failed),
        missing=int((rows["state"] == "unknown").sum()),
    )


def _verified(ledger: Ledger, scope: Scope, *, holidays: bool) -> pd.Series:
    rows = ledger.rows("verified", scope)
    return rows.loc[rows["counts"] & (holidays | ~rows["holiday"]), "state"]


def _speed(clock: str) -> Measure:
    column, words = CLOCKS[clock]
    return Measure(
        id=f"alerts.published_60s.{clock}",
        title=f"Published within 60 seconds of the {'trigger' if clock == 'trigger' else 'review'}",
        unit="share",
        direction="up",
        definition=f"Share of alerts that were published within 60 seconds of {words}.",
        formula=f"alerts with published - {clock} <= 60.0 s / alerts with both clocks in order",
        compute=partial(_published, column=column),
        sources=SOURCES,
        numerator="alerts published within 60.0 seconds",
        denominator="alerts whose two clocks are known and in order",
        target=0.9,
        target_source=SPEED_TARGET,
        caveat="The two clocks differ by the time before the review starts; contracts usually use "
        "the review's, residents wait from the trigger.",
    )


def _delay(column: str, name: str, words: str, q: float) -> Measure:
    percent = round(100 * q)
    label = "Median" if percent == 50 else f"{percent}th percentile of"
    return Measure(
        id=f"alerts.{name}.p{percent}",
        title=f"{label} seconds from {words} to publication",
        unit="seconds",
        direction="down",
        definition=f"{'Half' if percent == 50 else f'{percent} %'} of alerts were published within "
        f"this many seconds of the {words}.",
        formula=f"quantile {q:g} of published - {words} over alerts with both clocks in order; "
        "bootstrap interval",
        compute=partial(_seconds, column=column, q=q),
        sources=SOURCES,
    )


def _disposition(name: str, disposition: str, words: str) -> Measure:
    return Measure(
        id=f"alerts.{name}",
        title=f"Alerts {disposition}" if name != "no_disposition" else "Alerts without disposition",
        unit="share",
        direction="neither",
        definition=f"Share of all alerts {words}.",
        formula=f"alerts {disposition} / alerts of a source that tells dispositions",
        compute=partial(_disposed, disposition=disposition),
        sources=SOURCES,
        numerator=f"alerts with disposition {disposition}",
        denominator="alerts of a source that tells dispositions",
        caveat="Confirmed, unconfirmed, unfounded and no disposition add up to 100 %. Unconfirmed "
        "does not mean that nobody fired: no evidence was found or looked for.",
        sensitive=True,
    )


def _outcome(column: str, unit: Unit, title: str, words: str) -> Measure:
    direction: Direction = "neither"
    return Measure(
        id=f"alerts.{column}",
        title=title,
        unit=unit,
        direction=direction,
        definition=f"{words}.",
        formula=f"sum of {column} over alerts, once for alerts of one event number",
        compute=partial(_found, column=column),
        sources=SOURCES,
        caveat=ONCE,
        sensitive=True,
    )


def _per_100(column: str, title: str) -> Measure:
    return Measure(
        id=f"alerts.{column}_per_100",
        title=title,
        unit="per 100 events",
        direction="neither",
        definition=f"{column.capitalize()} from alerts for every 100 gunfire events with an alert.",
        formula=f"100 x sum of {column} / events with an alert",
        compute=partial(_rate, column=column),
        sources=("alerts", "calls"),
        numerator=column,
        denominator="events with an alert",
        caveat=ONCE,
        sensitive=True,
    )


def _rate(ledger: Ledger, scope: Scope, column: str) -> Figure:
    events = ledger.rows("events", scope)
    with_alert = float((~events["call_only"]).sum())
    return ratio(_found(ledger, scope, column), Figure(value=with_alert, n=len(events)), 100.0)


PERFORMANCE = (
    "Verified gunfire inside the coverage area is accurate when its alert lies within 25 m (82 ft) "
    "of the verified place, mislocated when further, not detected without an alert. The contract "
    "formula adds every other published alert to the accurate ones"
)
PERFORMANCE_CAVEAT = (
    "Most alerts are never checked against evidence, and this formula takes them as accurate: it "
    "can be high beside a low share of confirmed alerts from the same rows. See the share among "
    "verified gunfire only."
)


def _contract(identity: str, title: str, *, holidays: bool) -> Measure:
    left_out = (
        ""
        if holidays
        else (", leaving out the 48 hours around the midnights that end 31 December and 4 July")
    )
    return Measure(
        id=identity,
        title=title,
        unit="share",
        direction="up",
        definition=f"{PERFORMANCE}{left_out}.",
        formula="(accurate + other published) / (accurate + other published + not detected + "
        "mislocated)",
        compute=partial(_performance, holidays=holidays),
        sources=SOURCES,
        numerator="accurate and all other published alerts",
        denominator="published alerts and verified gunfire missed or misplaced",
        target=0.9,
        target_source=CONTRACT_TARGET,
        caveat=PERFORMANCE_CAVEAT,
    )


MEASURES = (
    Measure(
        id="alerts.count",
        title="Gunshot alerts",
        unit="alerts",
        direction="neither",
        definition="Alerts of gunfire that the detection system published.",
        formula="number of alert rows",
        compute=partial(count, section="alerts"),
        sources=SOURCES,
        caveat="Every alert row counts as published; the time of publication may be unknown.",
    ),
    _speed("trigger"),
    _speed("review"),
    _delay("publish_s", "publish_seconds", "trigger", 0.5),
    _delay("publish_s", "publish_seconds", "trigger", 0.9),
    _delay("review_publish_s", "review_seconds", "start of review", 0.5),
    _delay("review_publish_s", "review_seconds", "start of review", 0.9),
    _contract("alerts.performance", "Detection and location, contract formula", holidays=True),
    _contract(
        "alerts.performance.excluding_holidays",
        "Detection and location, contract formula without holidays",
        holidays=False,
    ),
    Measure(
        id="alerts.located_25m",
        title="Verified gunfire detected and located within 25 m",
        unit="share",
        direction="up",
        definition="Share of verified gunfire inside the coverage area whose alert lies within "
        "25 m (82 ft) of the verified place. Nothing unverified counts.",
        formula="accurate / (accurate + not detected + mislocated)",
        compute=_located,
        sources=SOURCES,
        numerator="verified gunfire located within 25 m",
        denominator="verified gunfire inside the coverage area",
        caveat="Verified gunfire is what left evidence that was found; it is not all gunfire.",
        sensitive=True,
    ),
    _disposition("confirmed", "confirmed", "with evidence or a witness of gunfire"),
    _disposition("unconfirmed", "unconfirmed", "without evidence either way"),
    _disposition("unfounded", "unfounded", "that turned out not to be gunfire"),
    _disposition("no_disposition", "no disposition", "of which the source tells no result"),
    _outcome("guns", "guns", "Guns recovered", "Guns recovered at alerts"),
    _outcome("arrests", "arrests", "Arrests", "Arrests that came of alerts"),
    _outcome("casings", "casings", "Shell casings collected", "Casings collected at alerts"),
    _outcome("victims", "people", "Wounded people", "People wounded by gunfire found at alerts"),
    _per_100("guns", "Guns recovered per 100 events"),
    _per_100("arrests", "Arrests per 100 events"),
)
