"""What every measure of the demonstration city truly is, counted on what was drawn.

Nothing here reads a file or calls what measures are computed with: the figures come from the
generator's own tables, in which each row knows its true event and each verified shot what became of
it. Periods are local and half-open; a row belongs to the period of its first clock and to the
district of its place.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geodata.demo.gunfire import KINDS, MINUTE, SECOND, is_holiday, milliseconds
from geodata.demo.responses import CONFIRMED, FOUND, NONE, UNCONFIRMED, UNFOUNDED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geodata.demo.recording import Recorded

YEAR = 2025
DISPOSITIONS = {
    "confirmed": CONFIRMED,
    "unconfirmed": UNCONFIRMED,
    "unfounded": UNFOUNDED,
    "no_disposition": NONE,
}
LIMIT_S, SHORTEST_MIN, LONGEST_MIN = 60, 10, 16


@dataclass(frozen=True, slots=True, kw_only=True)
class TrueScope:
    """A period, and one district or the whole city."""

    start: pd.Timestamp
    end: pd.Timestamp
    district: str | None = None

    def of(self, table: pd.DataFrame, clock: str) -> pd.DataFrame:
        """Keep the rows of the scope by a clock in milliseconds or a column of days."""
        when = table[clock]
        if pd.api.types.is_datetime64_any_dtype(when):
            inside = (when >= self.start) & (when < self.end)
        else:
            inside = (when >= float(milliseconds(self.start))) & (
                when < float(milliseconds(self.end))
            )
        if self.district is not None:
            inside &= table["district"] == self.district
        return table[inside]


def true_measures(recorded: Recorded, accounts: Mapping[str, object]) -> dict[str, object]:
    """Return the truth of every measure for a year, each month and each district of it.

    ``accounts`` are the rows of each file, as :func:`geodata.demo.recording.write_records` says.
    """
    start, end = pd.Timestamp(YEAR, 1, 1), pd.Timestamp(YEAR + 1, 1, 1)
    months = pd.date_range(start, end, freq="MS", inclusive="left")
    districts = sorted(recorded.totals["district"][recorded.totals["district"] != ""].unique())
    return {
        "from": f"{start:%Y-%m-%d}",
        "to": f"{end:%Y-%m-%d}",
        "files": dict(accounts),
        "year": _measure(recorded, TrueScope(start=start, end=end)),
        "months": {
            f"{month:%Y-%m}": _measure(
                recorded, TrueScope(start=month, end=month + pd.offsets.MonthBegin())
            )
            for month in months
        },
        "districts": {
            code: _measure(recorded, TrueScope(start=start, end=end, district=code))
            for code in districts
        },
    }


def _measure(recorded: Recorded, scope: TrueScope) -> dict[str, object]:
    gunfire = recorded.gunfire
    alerts = scope.of(gunfire.alerts, "triggered")
    verified = scope.of(gunfire.verified, "occurred")
    calls = scope.of(gunfire.calls, "received")
    return {
        "alerts.count": len(alerts),
        "calls.count": len(calls),
        "alerts.published_60s.trigger": _published(alerts, "triggered"),
        "alerts.published_60s.review": _published(alerts, "review_started"),
        "alerts.performance": _performance(alerts, verified),
        "alerts.performance.excluding_holidays": _performance(
            alerts[~is_holiday(alerts["triggered"].to_numpy())],
            verified[~is_holiday(verified["occurred"].to_numpy())],
        ),
        "alerts.located_25m": _located(verified),
        **{
            f"alerts.{name}": _share(int((alerts["disposition"] == word).sum()), len(alerts))
            for name, word in DISPOSITIONS.items()
        },
        **{f"alerts.{name}": _found_once(alerts, name) for name in FOUND},
        "events": _events(scope.of(gunfire.events, "moment")),
        "response": _response(alerts, calls[calls["covered"]]),
        "dosage": _dosage(scope.of(recorded.visits, "start")),
        **_dirt_bikes(recorded, scope),
    }


def _share(numerator: int, denominator: int) -> dict[str, object]:
    value = numerator / denominator if denominator else None
    return {"numerator": numerator, "denominator": denominator, "value": value}


def _between(table: pd.DataFrame, first: str, last: str) -> pd.Series:
    """Return the milliseconds between two clocks where both are reported and in order."""
    gap = table[last] - table[first]
    return gap[gap >= 0]


def _published(alerts: pd.DataFrame, first: str) -> dict[str, object]:
    """Count alerts published within 60 seconds, that limit included."""
    gap = _between(alerts, first, "published")
    return {
        **_share(int((gap <= LIMIT_S * SECOND).sum()), len(gap)),
        "missing": len(alerts) - len(gap),
        "impossible": int((alerts["published"] < alerts[first]).sum()),
        "exactly_60s": int((gap == LIMIT_S * SECOND).sum()),
        "seconds_p50": _quantile(gap / SECOND, 0.5),
        "seconds_p90": _quantile(gap / SECOND, 0.9),
    }


def _performance(alerts: pd.DataFrame, verified: pd.DataFrame) -> dict[str, object]:
    """Count what the contract's formula adds; gunfire outside coverage is no part of it."""
    truth = verified["truth"]
    accurate, mislocated = int((truth == "accurate").sum()), int((truth == "mislocated").sum())
    missed = int((truth == "not detected").sum())
    other = len(alerts) - accurate - mislocated
    whole = accurate + other + missed + mislocated
    return {
        "accurate": accurate,
        "mislocated": mislocated,
        "not_detected": missed,
        "other": other,
        "outside_coverage": int((truth == "outside").sum()),
        **_share(accurate + other, whole),
    }


def _located(verified: pd.DataFrame) -> dict[str, object]:
    """Count what was located among verified gunfire inside coverage only."""
    truth = verified["truth"]
    return _share(int((truth == "accurate").sum()), int((truth != "outside").sum()))


def _found_once(alerts: pd.DataFrame, name: str) -> dict[str, int]:
    """Count what was found once for each event number; beside it what counting rows would give."""
    known = alerts[alerts[name] >= 0]
    police_event = known["number"].where(known["number"] != "", known["id"])
    most = known[name].groupby(police_event).max()
    return {"value": int(most.sum()), "summed_over_rows": int(known[name].sum())}


def _events(events: pd.DataFrame) -> dict[str, object]:
    """Count events by kind and those that evidence confirms, inside coverage and in all."""
    return {
        name: {
            "count": len(some),
            **{kind.replace(" ", "_"): int((some["kind"] == kind).sum()) for kind in KINDS},
            "confirmed": {
                kind.replace(" ", "_"): int(((some["kind"] == kind) & some["confirmed"]).sum())
                for kind in KINDS
            },
        }
        for name, some in (("inside_coverage", events[events["covered"]]), ("all", events))
    }


def _response(alerts: pd.DataFrame, calls: pd.DataFrame) -> dict[str, object]:
    """Return the median minutes until officers arrive, inside coverage, and how they differ."""
    alert = _between(alerts, "triggered", "arrived") / MINUTE
    call = _between(calls, "received", "arrived") / MINUTE
    first, second = _quantile(alert, 0.5), _quantile(call, 0.5)
    return {
        "alert_median_minutes": first,
        "alert_n": len(alert),
        "alert_missing": len(alerts) - len(alert),
        "call_median_minutes": second,
        "call_n": len(call),
        "call_missing": len(calls) - len(call),
        "difference_minutes": None if first is None or second is None else first - second,
    }


def _dosage(visits: pd.DataFrame) -> dict[str, object]:
    """Count visits, their minutes, and those of 10 to 16 minutes, both included."""
    minutes = _between(visits, "start", "end") / MINUTE
    right = int(((minutes >= SHORTEST_MIN) & (minutes <= LONGEST_MIN)).sum())
    return {
        "visits": len(visits),
        "minutes": float(minutes.sum()),
        "without_minutes": len(visits) - len(minutes),
        "share_10_16": _share(right, len(minutes)),
    }


def _dirt_bikes(recorded: Recorded, scope: TrueScope) -> dict[str, object]:
    """Add up complaints and totals, by kind where there are kinds."""
    complaints = scope.of(recorded.complaints, "date")
    found: dict[str, object] = {
        "dirtbike.complaints": {
            "value": len(complaints),
            "by_kind": {str(k): int(n) for k, n in complaints["kind"].value_counts().items()},
        }
    }
    totals = scope.of(recorded.totals, "from")
    for measure, rows in totals.groupby("measure"):
        kinds = rows[rows["kind"] != ""].groupby("kind")["value"].sum()
        found[str(measure)] = {
            "value": int(rows["value"].sum()),
            "by_kind": {str(kind): int(number) for kind, number in kinds.items()},
        }
    return found


def _quantile(values: pd.Series, share: float) -> float | None:
    """Return a quantile, linear between two values."""
    return float(np.quantile(values.to_numpy(), share)) if len(values) else None
