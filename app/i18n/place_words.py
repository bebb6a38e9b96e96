"""What zones are called, in the language of the reader.

Names are kept as parts (:mod:`spatial.zones.names`); the sentences they are told in stand in
:mod:`spatial.zones.name_words` in English and are marked here for the catalogue.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from flask_babel import gettext as _

from app.i18n.language import N_, translated
from app.i18n.titles import chosen_units
from spatial.zones import name_words

if TYPE_CHECKING:
    from spatial.zones.names import Direction, PlaceName

MARKED = (
    N_("%(street)s from %(start)s to %(end)s"),
    N_("%(street)s between %(start)s and %(end)s"),
    N_("%(street)s at %(start)s"),
    N_("%(street)s near %(start)s"),
    N_("%(street)s, %(distance)s %(direction)s of %(start)s"),
    N_("%(one)s & %(other)s"),
    N_("Around %(street)s & %(start)s"),
    N_("%(distance)s %(direction)s of %(place)s"),
    N_("In %(street)s"),
    N_("District %(district)s, zone %(code)s"),
    N_("Beside %(beside)s, %(name)s"),
    N_("%(neighbourhood)s: %(name)s"),
    N_("%(name)s, and %(others)s"),
    N_("%(one)s and %(other)s"),
    N_("half a block of %(street)s"),
    N_("a block of %(street)s"),
    N_("%(blocks)d blocks of %(street)s"),
    N_("%(name)s, %(side)s"),
    N_("%(name)s (%(number)d)"),
    *(N_("north"), N_("north side"), N_("northeast"), N_("northeast side")),
    *(N_("east"), N_("east side"), N_("southeast"), N_("southeast side")),
    *(N_("south"), N_("south side"), N_("southwest"), N_("southwest side")),
    *(N_("west"), N_("west side"), N_("northwest"), N_("northwest side")),
    *(N_("%(n)s m"), N_("%(n)s km"), N_("%(n)s feet"), N_("%(n)s miles")),
)


def _measured(name: PlaceName) -> PlaceName:
    """Return a name with its distance in the units that the city's file chose, if it did."""
    chosen = chosen_units()
    return replace(name, us_units=chosen == "us") if chosen else name


def whole(name: PlaceName) -> str:
    """Return all of a zone's name."""
    return name_words.long_name(_measured(name), translated)


def brief(name: PlaceName) -> str:
    """Return a zone's name in at most 60 characters."""
    return name_words.short_name(_measured(name), translated)


def called(zone: Any) -> str:
    """Return what a zone is called: as a person did, else by its streets; empty if by neither.

    ``zone`` is a named row of a run's zones or a record of one, with ``name`` and ``place_name``.
    """
    own = getattr(zone, "name", "") or ""
    name = getattr(zone, "place_name", None)
    return str(own) or (brief(name) if name else "")


def called_whole(zone: Any) -> str:
    """Return what a zone is called as :func:`called` does, at any length."""
    own = getattr(zone, "name", "") or ""
    name = getattr(zone, "place_name", None)
    return str(own) or (whole(name) if name else "")


def crossing(one: str, other: str) -> str:
    """Return what a crossing is called."""
    return name_words.crossing_name(one, other, translated)


def way(metres: float, direction: Direction, *, us_units: bool) -> str:
    """Return how far and which way something is, such as "400 m northeast"."""
    return _(
        "%(distance)s %(direction)s",
        distance=name_words.distance(metres, translated, us_units=us_units),
        direction=name_words.direction_word(direction, translated),
    )
