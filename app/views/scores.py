"""What the page of a validation shows, as typed values."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app import words
from app.language import translated

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.site.shown import PublicRun, RunContext


@dataclass(frozen=True, kw_only=True)
class Figure:
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
    figures: tuple[Figure, ...]


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


def validation_page(shown: RunContext, run: PublicRun, charts: Mapping[str, str]) -> ValidationPage:
    """Tell how a run did on the newest later period that it was scored on."""
    found = shown.validations[0].document if shown.validations else None
    pooled = shown.backtests[0].document if shown.backtests else None
    return ValidationPage(
        scored=_scored(run, found) if found else None,
        rolling=_rolling(pooled) if pooled else None,
        heads=tuple(translated(name) for name in words.SCORES.values()),
        charts=charts,
    )


def _scored(run: PublicRun, found: dict[str, Any]) -> ScoredPart:
    zones = found["zones"]
    told = zones["hits"] is not None  # a release hides it where it would give a small count away
    return ScoredPart(
        period=_period(found["from"], found["to"]),
        trained=_period(found["trained_from"], found["trained_to"]),
        incidents=words.number(found["incidents"]),
        hits=words.number(zones["hits"]) if told else "",
        hit_rate=words.share(zones["hit_rate"]) if told else "",
        hit_rate_interval=words.interval(
            words.share(zones["hit_rate_low"]), words.share(zones["hit_rate_high"])
        )
        if told
        else "",
        area=words.share(zones["area_share"]),
        pai=words.number(zones["pai"], 1) if zones["pai"] is not None else "–",
        zones=len(run.zones),
        rows=_level_rows(found["levels"]),
        under=tuple(words.number(found["under_curve"][name], 3) for name in words.SCORES),
        calibration=tuple(
            (
                words.share(level["share"]),
                words.number(level["scores"]["combined"]["calibration"], 2),
            )
            for level in found["levels"]
            if level["scores"]["combined"]["calibration"] is not None
        ),
        warnings=tuple(words.sentence(warning) for warning in found["warnings"]),
    )


def _rolling(pooled: dict[str, Any]) -> RollingPart:
    windows = pooled["origins"]
    return RollingPart(
        windows=tuple(
            (
                _period(window["from"], window["to"]),
                words.number(window["trained_on"]),
                words.number(window["incidents"]),
                *(
                    words.number(window["levels"][2]["scores"][name]["pai"], 1)
                    for name in words.SCORES
                ),
            )
            for window in windows
        ),
        share=words.share(windows[0]["levels"][2]["share"]),
        rows=_level_rows(pooled["levels"]),
    )


def _level_rows(levels: list[dict[str, Any]]) -> tuple[LevelRow, ...]:
    rows = []
    for level in levels:
        scores = level["scores"]
        best = max(scores[name]["pai"] for name in words.SCORES)
        rows.append(
            LevelRow(
                share=words.share(level["share"]),
                cells=words.number(level["cells"]),
                figures=tuple(
                    Figure(
                        pai=words.number(scores[name]["pai"], 1),
                        interval=(
                            f"{words.number(scores[name]['pai_low'], 1)}"
                            f"–{words.number(scores[name]['pai_high'], 1)}"
                        ),
                        hit_rate=words.share(scores[name]["hit_rate"]),
                        pei=words.number(scores[name]["pei"], 2),
                        tied=scores[name].get("tied", 1),
                        best=scores[name]["pai"] >= best - 1e-9,
                    )
                    for name in words.SCORES
                ),
            )
        )
    return tuple(rows)


def _period(start: str, end: str) -> str:
    first, last = dt.date.fromisoformat(start), dt.date.fromisoformat(end)
    return words.period(words.day(first), words.last_day(last))
