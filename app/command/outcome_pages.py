"""What a pilot could find, as the power page shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app import words
from app.outcome.coverage import found_words
from app.outcome.power import DROPS

if TYPE_CHECKING:
    from app.outcome.power import Power, PowerAt


@dataclass(frozen=True, kw_only=True)
class PowerRow:
    """A pilot of some months: what is expected, and the drops that would be found."""

    months: int
    expected: str
    half: str
    likely: str
    around: str
    chances: tuple[str, ...]
    asked: bool


@dataclass(frozen=True, kw_only=True)
class PowerPage:
    """What a pilot could find."""

    told: tuple[str, ...]
    drops: tuple[str, ...]
    rows: tuple[PowerRow, ...]


def power_page(found: Power) -> PowerPage:
    """Tell what a pilot could find; rows by the length of the pilot."""
    asked = found.at[0]
    return PowerPage(
        told=tuple(words.sentence(text) for text in _told(found, asked)),
        drops=tuple(words.share(drop) for drop in DROPS),
        rows=tuple(
            _row(one, asked=one is asked) for one in sorted(found.at, key=lambda at: at.months)
        ),
    )


def _told(found: Power, at: PowerAt) -> list[str]:
    zones = "1 zone" if found.zones == 1 else f"{found.zones} zones"
    told = [
        f"{zones[0].upper()}{zones[1:]} had {found.before} incidents in the period before; "
        f"{words.about(at.expected)} are expected in {at.months} months if nothing changes",
    ]
    if at.likely < at.expected:
        told.append(
            f"A drop of {_sized(at.half, at.expected)} would be found half of the time, one of "
            f"{_sized(at.likely, at.expected)} in 80 of 100 cases; smaller ones are mostly missed"
        )
    elif at.half < at.expected:
        told.append(
            f"A drop of {_sized(at.half, at.expected)} would be found half of the time; no drop "
            "would be found in 80 of 100 cases, not even to nothing"
        )
    else:
        told.append(
            "Even if nothing happened there any more, that would be found less than half of the "
            "time: treat more zones, run the pilot longer, or do not promise a measured effect"
        )
    if found.around:
        told.append(
            f"The surroundings had {found.around}; counted together with them, a drop has to be of "
            f"{_sized(at.with_around or 0.0, at.expected)} to be found half of the time"
        )
    if found.dispersion > 1.2:
        told.append(
            f"Counts varied {found.dispersion:.1f} times as much as chance alone makes them; that "
            "is allowed for"
        )
    told.append(
        f"Simulated with the rule of an evaluation: a drop counts as found when the intervals "
        f"against all {found.controls} control areas lie below 0. That takes {found.controls} "
        "areas with as many incidents to be found, and all to run alike but for the pilot. Where "
        "they do not, no length of a pilot makes up for it"
    )
    told.append(found_words())
    return told


def _sized(drop: float, of: float) -> str:
    return f"{drop:.0f} incidents ({words.share(drop / of)})" if of else f"{drop:.0f} incidents"


def _row(at: PowerAt, *, asked: bool) -> PowerRow:
    return PowerRow(
        months=at.months,
        expected=words.about(at.expected),
        half=_drop(at.half, at.expected),
        likely=_drop(at.likely, at.expected),
        around="–" if at.with_around is None else _drop(at.with_around, at.expected),
        chances=tuple(words.share(chance) for chance in at.chances),
        asked=asked,
    )


def _drop(drop: float, of: float) -> str:
    return words.share(drop / of) if drop < of else "more than all"
