"""Names of zones in words: English, or any language that somebody says the same sentences in.

``say`` turns one of :data:`SENTENCES` or :data:`WORDS` into another language; without it they stay
English.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from spatial.zones.names import Direction, PlaceName, StretchOf

    Say = Callable[[str], str]

SHORTEST = 60  # characters of a short name, at most
FOOT_M, MILE_M = 0.3048, 1609.344
NEAR_M = 500.0  # a crossing within that is near, where there is no room for how near
NEAR_MILE = 1000.0  # feet; farther away distances are in miles
SENTENCES = {
    "from_to": "%(street)s from %(start)s to %(end)s",
    "between": "%(street)s between %(start)s and %(end)s",
    "at": "%(street)s at %(start)s",
    "near": "%(street)s near %(start)s",
    "past": "%(street)s, %(distance)s %(direction)s of %(start)s",
    "street": "%(street)s",
    "crossing": "%(one)s & %(other)s",
    "around": "Around %(street)s & %(start)s",
    "away": "%(distance)s %(direction)s of %(place)s",
    "inside": "In %(street)s",
    "district": "District %(district)s, zone %(code)s",
    "beside": "Beside %(beside)s, %(name)s",
    "neighbourhood": "%(neighbourhood)s: %(name)s",
    "also": "%(name)s, and %(others)s",
    "both": "%(one)s and %(other)s",
    "half": "half a block of %(street)s",
    "block": "a block of %(street)s",
    "blocks": "%(blocks)d blocks of %(street)s",
    "side": "%(name)s, %(side)s",
    "number": "%(name)s (%(number)d)",
}
WORDS = {
    "north": ("north", "north side"),
    "northeast": ("northeast", "northeast side"),
    "east": ("east", "east side"),
    "southeast": ("southeast", "southeast side"),
    "south": ("south", "south side"),
    "southwest": ("southwest", "southwest side"),
    "west": ("west", "west side"),
    "northwest": ("northwest", "northwest side"),
}
BRIEF_LAST = {  # as the United States Postal Service shortens them, Publication 28, appendix C1
    "Avenue": "Ave",
    "Boulevard": "Blvd",
    "Circle": "Cir",
    "Court": "Ct",
    "Drive": "Dr",
    "Highway": "Hwy",
    "Lane": "Ln",
    "Parkway": "Pkwy",
    "Place": "Pl",
    "Road": "Rd",
    "Square": "Sq",
    "Street": "St",
    "Terrace": "Ter",
    "Trail": "Trl",
    "Turnpike": "Tpke",
}
BRIEF_FIRST = {"Avenida": "Av.", "Calle": "C.", "Rua": "R.", "Travessa": "Tv."}
BRIEF_SIDES = {"North": "N", "South": "S", "East": "E", "West": "W"}
UNITS = {"m": "%(n)s m", "km": "%(n)s km", "ft": "%(n)s feet", "mi": "%(n)s miles"}


def _english(text: str) -> str:
    return text


def long_name(name: PlaceName, say: Say = _english) -> str:
    """Return the whole name: neighborhood, streets from where to where, what else is covered.

    >>> from spatial.zones.names import PlaceName
    >>> long_name(PlaceName(form="at", street="Main St", start="3rd St", neighbourhood="Old Town"))
    'Old Town: Main St at 3rd St'
    """
    text = _main(name, say)
    if name.also:
        others = [_stretch(one, say) for one in name.also]
        told = (
            others[0]
            if len(others) == 1
            else say(SENTENCES["both"]) % {"one": others[0], "other": others[1]}
        )
        text = say(SENTENCES["also"]) % {"name": text, "others": told}
    return _first_large(_apart(_in_place(text, name, say), name, say))


def short_name(name: PlaceName, say: Say = _english) -> str:
    """Return a name of at most 60 characters: as much of the whole as they hold."""
    brief = dataclasses.replace(
        name,
        street=brief_street(name.street),
        start=brief_street(name.start),
        end=brief_street(name.end),
    )
    tries = [
        spoken(_main(one, say), one, say)
        for spoken in (_in_place, _beside, _bare)
        for one in (name, brief)
    ]
    if name.form in ("from_to", "between") or (
        0 < name.distance_m <= NEAR_M and name.form == "past"
    ):
        tries.append(say(SENTENCES["near"]) % {"street": brief.street, "start": brief.start})
    if name.form == "away":
        tries.append(_main(dataclasses.replace(brief, start=""), say))
    elif name.street:
        tries += [name.street, brief.street]
    for text in tries:
        told = _first_large(_apart(text, name, say))
        if len(told) <= SHORTEST:
            return told
    room = SHORTEST - len(_apart("", name, say)) - 1
    return _first_large(_apart(tries[-1][:room].rstrip() + "…", name, say))


def brief_street(name: str) -> str:
    """Return a street's name with its kind and direction shortened, where that is usual.

    >>> brief_street("North Washington Street"), brief_street("Rua de Cedofeita")
    ('N Washington St', 'R. de Cedofeita')
    >>> brief_street("North Street"), brief_street("Broadway")
    ('North St', 'Broadway')
    """
    first, *rest = name.split() or [""]
    if not rest:
        return name
    if rest[-1] in BRIEF_LAST:
        first = BRIEF_SIDES.get(first, first) if len(rest) > 1 else first
        rest[-1] = BRIEF_LAST[rest[-1]]
    else:
        first = BRIEF_FIRST.get(first, first)
    return " ".join([first, *rest])


def crossing_name(one: str, other: str, say: Say = _english) -> str:
    """Return what a crossing is called.

    >>> crossing_name("Main St", "3rd St")
    'Main St & 3rd St'
    """
    return say(SENTENCES["crossing"]) % {"one": one, "other": other}


def distance(metres: float, say: Say = _english, *, us_units: bool = False) -> str:
    """Return a distance as people tell it, rounded.

    >>> distance(333), distance(1260), distance(100, us_units=True), distance(2000, us_units=True)
    ('350 m', '1.3 km', '300 feet', '1.2 miles')
    """
    if us_units and metres / FOOT_M < NEAR_MILE:
        return say(UNITS["ft"]) % {"n": f"{max(1, round(metres / FOOT_M / 100)) * 100}"}
    if us_units:
        return say(UNITS["mi"]) % {"n": f"{metres / MILE_M:.1f}"}
    if metres < 975:
        return say(UNITS["m"]) % {"n": f"{max(1, round(metres / 50)) * 50}"}
    return say(UNITS["km"]) % {"n": f"{metres / 1000:.1f}"}


def direction_word(direction: Direction, say: Say = _english) -> str:
    """Return a direction of the compass in words."""
    return say(WORDS[direction][0])


def _main(name: PlaceName, say: Say) -> str:
    if name.form == "neighbourhood":
        return name.neighbourhood
    place = crossing_name(name.street, name.start, say) if name.start else name.street
    about = {
        "street": name.street,
        "start": name.start,
        "end": name.end,
        "district": name.district,
        "code": name.code,
        "place": place,
        "distance": distance(name.distance_m, say, us_units=name.us_units),
        "direction": direction_word(name.direction, say) if name.direction else "",
    }
    return say(SENTENCES[name.form]) % about


def _stretch(one: StretchOf, say: Say) -> str:
    if one.blocks < 1:
        return say(SENTENCES["half"]) % {"street": one.street}
    if one.blocks < 2:
        return say(SENTENCES["block"]) % {"street": one.street}
    return say(SENTENCES["blocks"]) % {"street": one.street, "blocks": int(one.blocks)}


def _located(text: str, name: PlaceName, say: Say) -> str:
    if not name.neighbourhood or name.form == "neighbourhood":
        return text
    return say(SENTENCES["neighbourhood"]) % {"neighbourhood": name.neighbourhood, "name": text}


def _beside(text: str, name: PlaceName, say: Say) -> str:
    if not name.beside:
        return text
    return say(SENTENCES["beside"]) % {"beside": name.beside, "name": text}


def _first_large(text: str) -> str:
    large = text[:1].upper()
    return large + text[1:] if len(large) == 1 else text  # some letters become two


def _in_place(text: str, name: PlaceName, say: Say) -> str:
    return _beside(_located(text, name, say), name, say)


def _bare(text: str, name: PlaceName, say: Say) -> str:
    del name, say
    return text


def _apart(text: str, name: PlaceName, say: Say) -> str:
    """Add what sets a zone apart from others of the same name."""
    if name.side:
        text = say(SENTENCES["side"]) % {"name": text, "side": say(WORDS[name.side][1])}
    if name.number:
        text = say(SENTENCES["number"]) % {"name": text, "number": name.number}
    return text
