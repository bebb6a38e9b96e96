"""How well the combined risk places later incidents, as the public method page says it.

Geometric means of its PAI over that of the best of prior counts, kernel density and random forest,
picked with hindsight: 1 is as good as that. ``docs/combined-risk.md`` and the README say the same,
which a test holds to these.

What the page of a validation shows, as typed values.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask_babel import gettext as _

from app.i18n import numbers
from app.i18n.language import translated
from app.i18n.numbers import number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.public.published_city import PublicRun, RunContext


TUNED = 1.040  # python -m benchmarks.bench_forecast, 2026-11-25: sets its design was chosen on
HELD_OUT = 0.996  # five sets never used for choosing; an independent reading of commit 43f4e6e


def gain_words() -> str:
    """Return the sentences of the method page that claim what was measured, and no more."""
    return _(
        "How well it places later incidents, where 1 means as well as the best of prior counts, "
        "kernel density and a random forest, picked with hindsight: %(tuned)s on the data that its "
        "design was chosen on, and %(held_out)s on five sets of data that were held out, in an "
        "independent reading. In that reading it was never significantly behind a simpler way. "
        "Where incidents are many there was no measurable gain; where they are few there was one.",
        tuned=number(TUNED, 3),
        held_out=number(HELD_OUT, 3),
    )


@dataclass(frozen=True, kw_only=True)
class ScoreFigure:
    """What one score found on one share of the area; ``tied`` cells share the score at its edge."""

    pai: str
    interval: str
    hit_rate: str
    pei: str
    tied: int
    best: bool


@dataclass(frozen=True, kw_only=True)
class LevelRow:
    """One share of the area, every score beside the others."""

    share: str
    cells: str
    figures: tuple[ScoreFigure, ...]


@dataclass(frozen=True, kw_only=True)
class ScoredPart:
    """One later period."""

    period: str
    trained: str
    incidents: str
    hits: str
    hit_rate: str
    hit_rate_interval: str
    area: str
    pai: str
    zones: int
    rows: tuple[LevelRow, ...]
    under: tuple[str, ...]
    calibration: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class RollingPart:
    """Refits within the run's own period, each scored on what followed."""

    windows: tuple[tuple[str, ...], ...]
    share: str
    rows: tuple[LevelRow, ...]


@dataclass(frozen=True, kw_only=True)
class ValidationPage:
    """How a run did on incidents that it had not seen."""

    scored: ScoredPart | None
    rolling: RollingPart | None
    heads: tuple[str, ...]
    charts: Mapping[str, str]


def validation_page(
    context: RunContext, run: PublicRun, charts: Mapping[str, str]
) -> ValidationPage:
    """Tell how a run did on the newest later period that it was scored on."""
    found = context.validations[0].document if context.validations else None
    pooled = context.backtests[0].document if context.backtests else None
    return ValidationPage(
        scored=_scored(run, found) if found else None,
        rolling=_rolling(pooled) if pooled else None,
        heads=tuple(translated(name) for name in numbers.SCORES.values()),
        charts=charts,
    )


def _scored(run: PublicRun, found: dict[str, Any]) -> ScoredPart:
    zones = found["zones"]
    known = zones["hits"] is not None  # a release hides it where it would give a small count away
    return ScoredPart(
        period=_period(found["from"], found["to"]),
        trained=_period(found["trained_from"], found["trained_to"]),
        incidents=numbers.number(found["incidents"]),
        hits=numbers.number(zones["hits"]) if known else "",
        hit_rate=numbers.share(zones["hit_rate"]) if known else "",
        hit_rate_interval=numbers.interval(
            numbers.share(zones["hit_rate_low"]), numbers.share(zones["hit_rate_high"])
        )
        if known
        else "",
        area=numbers.share(zones["area_share"]),
        pai=numbers.number(zones["pai"], 1) if zones["pai"] is not None else "–",
        zones=len(run.zones),
        rows=_level_rows(found["levels"]),
        under=tuple(numbers.number(found["under_curve"][name], 3) for name in numbers.SCORES),
        calibration=tuple(
            (
                numbers.share(level["share"]),
                numbers.number(level["scores"]["combined"]["calibration"], 2),
            )
            for level in found["levels"]
            if level["scores"]["combined"]["calibration"] is not None
        ),
        warnings=tuple(numbers.sentence(warning) for warning in found["warnings"]),
    )


def _rolling(pooled: dict[str, Any]) -> RollingPart:
    windows = pooled["origins"]
    return RollingPart(
        windows=tuple(
            (
                _period(window["from"], window["to"]),
                numbers.number(window["trained_on"]),
                numbers.number(window["incidents"]),
                *(
                    numbers.number(window["levels"][2]["scores"][name]["pai"], 1)
                    for name in numbers.SCORES
                ),
            )
            for window in windows
        ),
        share=numbers.share(windows[0]["levels"][2]["share"]),
        rows=_level_rows(pooled["levels"]),
    )


def _level_rows(levels: list[dict[str, Any]]) -> tuple[LevelRow, ...]:
    rows = []
    for level in levels:
        scores = level["scores"]
        best = max(scores[name]["pai"] for name in numbers.SCORES)
        rows.append(
            LevelRow(
                share=numbers.share(level["share"]),
                cells=numbers.number(level["cells"]),
                figures=tuple(
                    ScoreFigure(
                        pai=numbers.number(scores[name]["pai"], 1),
                        interval=(
                            f"{numbers.number(scores[name]['pai_low'], 1)}"
                            f"–{numbers.number(scores[name]['pai_high'], 1)}"
                        ),
                        hit_rate=numbers.share(scores[name]["hit_rate"]),
                        pei=numbers.number(scores[name]["pei"], 2),
                        tied=scores[name].get("tied", 1),
                        best=scores[name]["pai"] >= best - 1e-9,
                    )
                    for name in numbers.SCORES
                ),
            )
        )
    return tuple(rows)


def _period(start: str, end: str) -> str:
    first, last = dt.date.fromisoformat(start), dt.date.fromisoformat(end)
    return numbers.period(numbers.day(first), numbers.last_day(last))
