"""The words of other people's exports -> ours: classes of alerts and dispositions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geodata.cityfile.sections import DISPOSITIONS

if TYPE_CHECKING:
    from collections.abc import Mapping

CLASS_WORDS = (  # the first that a word holds decides: "gunshot or firecracker" is a maybe
    ("probable", ("probable", "possible", "firecracker", "firework", "pg", "ps")),
    ("multiple", ("multiple", "mg")),
    ("single", ("single", "sg")),
)


def class_of(text: str, values: Mapping[str, str]) -> str | None:
    """Return the class of an alert; nothing where the word is not known.

    >>> [class_of(word, {}) for word in ("Multiple_Gunshots", "Gunshot_or_Firecracker", "Fog")]
    ['multiple', 'probable', None]
    """
    folded = text.strip().casefold()
    if folded == "":
        return ""
    if folded in values:
        return values[folded]
    words = folded.replace("_", " ").replace("-", " ")
    for ours, theirs in CLASS_WORDS:
        if any(word in words if len(word) > 2 else word == words for word in theirs):
            return ours
    return None


def disposition_of(text: str, values: Mapping[str, str]) -> str | None:
    """Return the disposition of an alert; an empty one is "no disposition".

    >>> disposition_of("Report to follow", {"report to follow": "confirmed"})
    'confirmed'
    >>> disposition_of(" Unfounded", {}), disposition_of("", {}), disposition_of("GOA", {})
    ('unfounded', 'no disposition', None)
    """
    folded = text.strip().casefold()
    if folded == "":
        return DISPOSITIONS[-1]
    if folded in values:
        return values[folded]
    return folded if folded in DISPOSITIONS else None
