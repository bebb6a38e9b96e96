"""How well the combined risk places later incidents, as the public method page says it.

Geometric means of its PAI over that of the best of prior counts, kernel density and random forest,
picked with hindsight: 1 is as good as that. ``docs/combined-risk.md`` and the README say the same,
which a test holds to these.

What the page of a validation shows, as typed values.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask_babel import gettext as _

from app.i18n import numbers, run_words
from app.i18n.language import translated
from app.i18n.numbers import number
from geodata.analysis_documents import LevelScore

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from app.public.published_city import PublicRun, RunContext
    from geodata.analysis_documents import (
        BacktestDocument,
        PooledLevel,
        ScoreLevel,
        ValidationDocument,
    )


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
    found = context.validations[0] if context.validations else None
    pooled = context.backtests[0] if context.backtests else None
    return ValidationPage(
        scored=_scored(run, found) if found else None,
        rolling=_rolling(pooled) if pooled else None,
        heads=tuple(translated(name) for name in numbers.SCORES.values()),
        charts=charts,
    )


def _scored(run: PublicRun, found: ValidationDocument) -> ScoredPart:
    zones = found.zones
    return ScoredPart(
        period=_period(found.start, found.end),
        trained=_period(found.trained_from, found.trained_to),
        incidents=numbers.number(found.incidents),
        # a release hides hits where they would give a small count away
        hits=numbers.number(zones.hits) if zones.hits is not None else "",
        hit_rate=numbers.share(zones.hit_rate) if zones.hit_rate is not None else "",
        hit_rate_interval=_interval(zones.hit_rate_low, zones.hit_rate_high),
        area=numbers.share(zones.area_share),
        pai=numbers.number(zones.pai, 1) if zones.pai is not None else "–",
        zones=len(run.zones),
        rows=_level_rows(found.levels),
        under=tuple(numbers.number(found.under_curve[name], 3) for name in numbers.SCORES),
        calibration=tuple(
            (
                numbers.share(level.share),
                numbers.number(calibration, 2),
            )
            for level in found.levels
            if (calibration := level.scores["combined"].calibration) is not None
        ),
        warnings=run_words.sentences(found.warnings),
    )


def _rolling(pooled: BacktestDocument) -> RollingPart:
    windows = pooled.origins
    return RollingPart(
        windows=tuple(
            (
                _period(window.start, window.end),
                numbers.number(window.trained_on),
                numbers.number(window.incidents),
                *(numbers.number(window.levels[2].scores[name].pai, 1) for name in numbers.SCORES),
            )
            for window in windows
        ),
        share=numbers.share(windows[0].levels[2].share),
        rows=_level_rows(pooled.levels),
    )


def _level_rows(levels: Sequence[ScoreLevel | PooledLevel]) -> tuple[LevelRow, ...]:
    rows = []
    for level in levels:
        found = [level.scores[name] for name in numbers.SCORES]
        best = max(score.pai for score in found)
        rows.append(
            LevelRow(
                share=numbers.share(level.share),
                cells=numbers.number(level.cells),
                figures=tuple(
                    ScoreFigure(
                        pai=numbers.number(score.pai, 1),
                        interval=(
                            f"{numbers.number(score.pai_low, 1)}"
                            f"–{numbers.number(score.pai_high, 1)}"
                        ),
                        hit_rate=numbers.share(score.hit_rate),
                        pei=numbers.number(score.pei, 2),
                        tied=score.tied if isinstance(score, LevelScore) else 1,
                        best=score.pai >= best - 1e-9,
                    )
                    for score in found
                ),
            )
        )
    return tuple(rows)


def _interval(low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return ""
    return numbers.interval(numbers.share(low), numbers.share(high))


def _period(start: dt.date, end: dt.date) -> str:
    return numbers.period(numbers.day(start), numbers.last_day(end))
