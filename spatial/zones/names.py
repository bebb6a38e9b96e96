"""What a zone is called: by the streets that it covers, their crossings, its neighborhood.

A name is made from public geography alone (streets, crossings, neighborhoods, parks and water),
never from incidents. It is kept as its parts, so that pages can say it in any language; the words
are in :mod:`spatial.zones.name_words`, what parts fit a zone is found in
:mod:`spatial.zones.naming`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Form = Literal[
    "from_to",
    "between",
    "at",
    "near",
    "past",
    "street",
    "around",
    "away",
    "inside",
    "neighbourhood",
    "district",
]
Direction = Literal[
    "north", "northeast", "east", "southeast", "south", "southwest", "west", "northwest"
]
DIRECTIONS: tuple[Direction, ...] = (
    "east",
    "northeast",
    "north",
    "northwest",
    "west",
    "southwest",
    "south",
    "southeast",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StretchOf:
    """A further street of a zone and how much of it, in blocks: a half, or whole ones."""

    street: str
    blocks: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Nearby:
    """Streets in a zone, the longest first, the crossing nearest its middle, its neighborhood.

    ``crossing`` and ``neighbourhood`` are empty where there is none.
    """

    streets: tuple[str, ...] = ()
    crossing: str = ""
    neighbourhood: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceName:
    """The parts of a name.

    ``form`` says which of the others count: ``from_to`` (several blocks), ``between`` (within a
    block), ``at`` a crossing, ``near`` one just outside, ``past`` the next crossing by
    ``distance_m``, the ``street`` as it is, ``around`` a crossing where no street prevails,
    ``away`` from a crossing, street or place by ``distance_m`` and ``direction``, ``inside`` a park
    or water, the ``neighbourhood`` or the ``district`` and ``code`` alone. ``street`` is a street
    or a place, ``start`` and ``end`` the streets that cross it. ``beside`` is a motorway that runs
    through. ``side`` and ``number`` set zones apart that would share a name. ``us_units`` says that
    distances are in feet and miles.
    """

    form: Form
    street: str = ""
    start: str = ""
    end: str = ""
    also: tuple[StretchOf, ...] = ()
    distance_m: float = 0.0
    direction: Direction | None = None
    beside: str = ""
    neighbourhood: str = ""
    district: str = ""
    code: str = ""
    side: Direction | None = None
    number: int = 0
    us_units: bool = False
    near: Nearby = Nearby()
