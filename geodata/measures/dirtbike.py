"""Measures of dirt-bike mitigation, from dated points and from totals."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from geodata.measures.declared import add_up
from geodata.measures.ids import TALLIED
from geodata.measures.record import Measure

if TYPE_CHECKING:
    from geodata.measures.record import Unit

WORDS: dict[str, tuple[str, Unit, str]] = {
    "dirtbike.complaints": ("Dirt-bike complaints", "complaints", "Complaints and calls"),
    "dirtbike.ride_outs": ("Ride-outs", "ride-outs", "Group rides that police counted"),
    "dirtbike.seizures": ("Vehicles seized", "vehicles", "Dirt bikes and other vehicles seized"),
    "dirtbike.citations": ("Citations", "citations", "Citations written"),
    "dirtbike.arrests": ("Arrests", "arrests", "Arrests made"),
    "dirtbike.injury_crashes": ("Crashes with injury", "crashes", "Crashes with an injured person"),
    "dirtbike.contacts": ("Education contacts", "contacts", "Contacts to inform riders and others"),
}


def _measure(identity: str) -> Measure:
    title, unit, words = WORDS[identity]
    return Measure(
        id=identity,
        title=title,
        unit=unit,
        direction="neither",
        definition=f"{words} in connection with dirt bikes and other off-road vehicles on streets.",
        formula="sum of totals whose days lie in the period, and of dated points on other days",
        figures=partial(add_up, measure=identity),
        sources=("occurrences", "counts"),
        caveat="Riding is seasonal: compare with the same weeks of earlier years. A total that "
        "reaches beyond the period cannot be split; it is left out and counted as missing.",
        sensitive=identity in ("dirtbike.arrests", "dirtbike.injury_crashes"),
    )


MEASURES = tuple(_measure(identity) for identity in TALLIED)
