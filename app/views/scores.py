"""What the page of a validation shows, as typed values."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app import words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.shown import PublicRun, Shown


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


def validation_page(shown: Shown, run: PublicRun, charts: Mapping[str, str]) -> ValidationPage:
    """Tell how a run did on the newest later period that it was scored on."""
    found = shown.validations[0].document if shown.validations else None
    pooled = shown.backtests[0].document if shown.backtests else None
    return ValidationPage(
        scored=_scored(run, found) if found else None,
        rolling=_rolling(pooled) if pooled else None,
        heads=tuple(words.SCORES[name] for name in words.SCORES),
        charts=charts,
    )


def _scored(run: PublicRun, found: dict[str, Any]) -> ScoredPart:
    zones = found["zones"]
    return ScoredPart(
        period=_period(found["from"], found["to"]),
        trained=_period(found["trained_from"], found["trained_to"]),
        incidents=f"{found['incidents']:,}",
        hits=f"{zones['hits']:,}",
        hit_rate=words.share(zones["hit_rate"]),
        hit_rate_interval=(
            f"{words.share(zones['hit_rate_low'])} to {words.share(zones['hit_rate_high'])}"
        ),
        area=words.share(zones["area_share"]),
        pai=f"{zones['pai']:.1f}" if zones["pai"] is not None else "–",
        zones=len(run.zones),
        rows=_level_rows(found["levels"]),
        under=tuple(f"{found['under_curve'][name]:.3f}" for name in words.SCORES),
        calibration=tuple(
            (words.share(level["share"]), f"{level['scores']['combined']['calibration']:.2f}")
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
                f"{window['trained_on']:,}",
                f"{window['incidents']:,}",
                *(f"{window['levels'][2]['scores'][name]['pai']:.1f}" for name in words.SCORES),
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
                cells=f"{level['cells']:,}",
                figures=tuple(
                    Figure(
                        pai=f"{scores[name]['pai']:.1f}",
                        interval=(f"{scores[name]['pai_low']:.1f}–{scores[name]['pai_high']:.1f}"),
                        hit_rate=words.share(scores[name]["hit_rate"]),
                        pei=f"{scores[name]['pei']:.2f}",
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
    return f"{words.day(first)} to {words.last_day(last)}"
