"""Measures of gunshot alerts: how fast, how well placed, what became of them, what was found."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from geodata.measures.figures import NOTHING, count, quantile, ratio, share_of_rows, shares, total
from geodata.measures.record import Figure, Measure
from spatial.gunshots import number_codes

if TYPE_CHECKING:
    from geodata.measures.ledger import MeasureData
    from geodata.measures.record import Direction
    from spatial.measures.scopes import Scopes

SOURCES = ("alerts",)
LIMIT_S = 60.0
FAST, PLACED, CAME_OF_IT = "How fast", "How well detected and placed", "What came of it"
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


def _published(ledger: MeasureData, scopes: Scopes, column: str) -> list[Figure]:
    seconds = ledger.alerts[column]
    return share_of_rows(
        ledger.slices("alerts", scopes), met=seconds <= LIMIT_S, known=seconds.notna()
    )


def _seconds(ledger: MeasureData, scopes: Scopes, column: str, q: float) -> list[Figure]:
    return quantile(ledger.slices("alerts", scopes), ledger.alerts[column], q)


def _disposed(ledger: MeasureData, scopes: Scopes, disposition: str) -> list[Figure]:
    result = ledger.alerts["disposition"]
    return share_of_rows(
        ledger.slices("alerts", scopes), met=result == disposition, known=result.notna()
    )


def _found(ledger: MeasureData, scopes: Scopes, column: str) -> list[Figure]:
    return total(ledger.slices("alerts", scopes), ledger.alerts[column])


def _located(ledger: MeasureData, scopes: Scopes) -> list[Figure]:
    rows = ledger.slices("verified", scopes).where(ledger.verified["counts"].to_numpy(dtype=bool))
    state = ledger.verified["state"]
    return share_of_rows(rows, met=state == "accurate", known=state != "unknown")


def _performance(ledger: MeasureData, scopes: Scopes, *, holidays: bool) -> list[Figure]:
    """Work out the vendor's formula: every other published alert counts as accurate."""
    alerts, verified = ledger.alerts, ledger.verified
    if not (ledger.has("verified") or alerts["verified_x"].notna().any()):
        return [NOTHING] * len(scopes)
    chosen = verified["counts"].to_numpy(dtype=bool)
    published = ledger.slices("alerts", scopes)
    if not holidays:
        chosen = chosen & ~verified["holiday"].to_numpy(dtype=bool)
        published = published.where(~alerts["holiday"].to_numpy(dtype=bool))
    rows = ledger.slices("verified", scopes).where(chosen)
    codes = number_codes(alerts["row_key"].tolist(), verified["alert"].tolist())
    others = np.array(
        [
            np.isin(own, named, invert=True).sum()
            for own, named in zip(published.pieces(codes[0]), rows.pieces(codes[1]), strict=True)
        ],
        dtype=np.int64,
    )
    state = verified["state"]
    accurate, mislocated, missed, unknown = (
        rows.counts((state == one).to_numpy(dtype=bool))
        for one in ("accurate", "mislocated", "not detected", "unknown")
    )
    good = accurate + others
    return shares(good, good + mislocated + missed, unknown.tolist())


def _speed(clock: str) -> Measure:
    column, words = CLOCKS[clock]
    return Measure(
        id=f"alerts.published_60s.{clock}",
        title=f"Published within 60 seconds of the {'trigger' if clock == 'trigger' else 'review'}",
        unit="share",
        direction="up",
        definition=f"Share of alerts that were published within 60 seconds of {words}.",
        formula=f"alerts with published - {clock} <= 60.0 s / alerts with both clocks in order",
        figures=partial(_published, column=column),
        sources=SOURCES,
        numerator="alerts published within 60.0 seconds",
        denominator="alerts whose two clocks are known and in order",
        target=0.9,
        target_source=SPEED_TARGET,
        caveat="The two clocks differ by the time before the review starts; contracts usually use "
        "the review's, residents wait from the trigger.",
        disclosure="open",
        part=FAST,
        key=1 if clock == "trigger" else 0,
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
        figures=partial(_seconds, column=column, q=q),
        sources=SOURCES,
        disclosure="open",
        part=FAST,
    )


def _disposition(name: str, disposition: str, words: str) -> Measure:
    return Measure(
        id=f"alerts.{name}",
        title=f"Alerts {disposition}" if name != "no_disposition" else "Alerts without disposition",
        unit="share",
        direction="neither",
        definition=f"Share of all alerts {words}.",
        formula=f"alerts {disposition} / alerts of a source that tells dispositions",
        figures=partial(_disposed, disposition=disposition),
        sources=SOURCES,
        numerator=f"alerts with disposition {disposition}",
        denominator="alerts of a source that tells dispositions",
        caveat="Confirmed, unconfirmed, unfounded and no disposition add up to 100 %. Unconfirmed "
        "does not mean that nobody fired: no evidence was found or looked for.",
        sensitive=True,
        disclosure="part",
        part="What officers found",
    )


def _outcome(column: str, unit: str, title: str, words: str) -> Measure:
    direction: Direction = "neither"
    return Measure(
        id=f"alerts.{column}",
        title=title,
        unit=unit,
        direction=direction,
        definition=f"{words}.",
        formula=f"sum of {column} over alerts, once for alerts of one event number",
        figures=partial(_found, column=column),
        sources=SOURCES,
        caveat=ONCE,
        sensitive=True,
        disclosure="count",
        part=CAME_OF_IT,
        enforcement="Arrests after gunshot alerts" if column == "arrests" else "",
    )


def _per_100(column: str, title: str) -> Measure:
    return Measure(
        id=f"alerts.{column}_per_100",
        title=title,
        unit="per 100 events",
        direction="neither",
        definition=f"{column.capitalize()} from alerts for every 100 gunfire events with an alert.",
        formula=f"100 x sum of {column} / events with an alert",
        figures=partial(_rate, column=column),
        sources=("alerts", "calls"),
        numerator=column,
        denominator="events with an alert",
        caveat=ONCE,
        sensitive=True,
        disclosure="follows",
        follows=f"alerts.{column}",
        part=CAME_OF_IT,
    )


def _rate(ledger: MeasureData, scopes: Scopes, column: str) -> list[Figure]:
    events = ledger.slices("events", scopes)
    with_alert = events.counts(~ledger.events["call_only"].to_numpy(dtype=bool)).tolist()
    return [
        ratio(found, Figure(value=float(some), n=n), 100.0)
        for found, some, n in zip(
            _found(ledger, scopes, column), with_alert, events.sizes.tolist(), strict=True
        )
    ]


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
        figures=partial(_performance, holidays=holidays),
        sources=SOURCES,
        numerator="accurate and all other published alerts",
        denominator="published alerts and verified gunfire missed or misplaced",
        target=0.9,
        target_source=CONTRACT_TARGET,
        caveat=PERFORMANCE_CAVEAT,
        disclosure="coarse",
        part=PLACED,
        key=2 if holidays else 0,
    )


MEASURES = (
    Measure(
        id="alerts.count",
        title="Gunshot alerts",
        unit="alerts",
        direction="neither",
        definition="Alerts of gunfire that the detection system published.",
        formula="number of alert rows",
        figures=partial(count, section="alerts"),
        sources=SOURCES,
        caveat="Every alert row counts as published; the time of publication may be unknown.",
        disclosure="open",
        key=7,
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
        figures=_located,
        sources=SOURCES,
        numerator="verified gunfire located within 25 m",
        denominator="verified gunfire inside the coverage area",
        caveat="Verified gunfire is what left evidence that was found; it is not all gunfire.",
        sensitive=True,
        disclosure="coarse",
        part=PLACED,
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
