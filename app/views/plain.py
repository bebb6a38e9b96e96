"""What the plain words about the method need: rules and gaps of the release that is shown."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app import words, words_measures
from app.language import translated
from app.views.notices import Notices, notices

if TYPE_CHECKING:
    from geodata.publishing.folder import ReleaseFolder


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainWords:
    """Numbers of the rules in words, what k counts, the records there are, and who answers."""

    k: str
    addresses: bool
    reach: str
    square: str
    delay: str
    hours: str
    least: str
    sensitive: tuple[str, ...]
    records: tuple[tuple[str, str], ...]
    notices: Notices


def plain_words(release: ReleaseFolder) -> PlainWords:
    """Read them from a release."""
    said = release.manifest
    rules = said["rules"]
    return PlainWords(
        k=str(rules["k"]),
        addresses=bool(said["k_counts"]["addresses"]),
        reach=words.number(rules["reach_m"]),
        square=words.number(rules["square_m"]),
        delay=str(rules["delay_days"]),
        hours=str(rules["band_hours"]),
        least=str(rules["least_shown"]),
        sensitive=tuple(words.plain(name) for name in said["sensitive_outcomes"]),
        records=tuple(
            (
                words_measures.capital(translated(words_measures.SECTIONS.get(name, name))),
                _days(days),
            )
            for name, days in said["sections"].items()
        ),
        notices=notices(release),
    )


def _days(days: dict[str, str]) -> str:
    first, last = (dt.date.fromisoformat(days[key]) for key in ("from", "through"))
    return f"{words.day(first)} – {words.day(last)}"
