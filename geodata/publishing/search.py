"""Find a named place by what somebody typed: words in any order, cut short, misspelt a little.

The page's own script searches by the same rules (``app/static/search.js``); a test holds the two
against each other.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from geodata.publishing.gazetteer import Gazetteer, Spot

MOST = 12
LONGEST = 120  # characters that are looked at
SHORT = {  # words that people write in several ways, each to one of them
    **dict.fromkeys(("street", "str"), "st"),
    **dict.fromkeys(("saint",), "st"),
    **dict.fromkeys(("avenue", "av", "avenida"), "ave"),
    **dict.fromkeys(("boulevard", "boul"), "blvd"),
    **dict.fromkeys(("parkway", "pky"), "pkwy"),
    **dict.fromkeys(("turnpike",), "tpke"),
    **dict.fromkeys(("terrace",), "ter"),
    **{"road": "rd", "drive": "dr", "lane": "ln", "court": "ct", "place": "pl", "circle": "cir"},
    **{"highway": "hwy", "square": "sq", "trail": "trl", "mount": "mt", "fort": "ft"},
    **{"north": "n", "south": "s", "east": "e", "west": "w", "northeast": "ne"},
    **{"northwest": "nw", "southeast": "se", "southwest": "sw"},
    **{"first": "1st", "second": "2nd", "third": "3rd", "fourth": "4th", "fifth": "5th"},
    **{"sixth": "6th", "seventh": "7th", "eighth": "8th", "ninth": "9th", "tenth": "10th"},
    **{"eleventh": "11th", "twelfth": "12th"},
}
BETWEEN = re.compile(r"\s*[&/@+]\s*|\s+(?:and|at|y|con)\s+", re.IGNORECASE)
WORD = re.compile(r"[a-z0-9]+")
EXACT, BEGINS, ALIKE, LEFT = 0.0, 1.0, 3.0, 0.1  # what a word costs; LEFT a word not asked for
LEAST_ALIKE = 4  # letters of a word that may be misspelt
ORDER = ("neighbourhood", "street", "crossing", "park", "water")


def words_of(text: str) -> tuple[str, ...]:
    """Take a name apart into plain words, each in its one way of writing.

    >>> words_of("North Peña Street"), words_of("Fifth Av."), words_of("O'Neill Rd")
    (('n', 'pena', 'st'), ('5th', 'ave'), ('oneill', 'rd'))
    """
    apart = unicodedata.normalize("NFKD", text[:LONGEST].lower())
    plain = "".join(c for c in apart if not unicodedata.combining(c) and c not in "'’")
    return tuple(SHORT.get(word, word) for word in WORD.findall(plain))


def find_spots(gazetteer: Gazetteer, text: str, most: int = MOST) -> tuple[Spot, ...]:
    """Give the places whose names fit a text, the likeliest first.

    Two names with "and", "at", "&" or "/" between them ask for a crossing. A misspelt letter is
    forgiven only where nothing fits without. Of streets that do not meet each is given.

    Parameters
    ----------
    gazetteer
        Where to look.
    text
        What was typed.
    most
        How many places to give at most.
    """
    text = text[:LONGEST]
    parts = [words for part in BETWEEN.split(text) if (words := words_of(part))]
    for alike in (False, True):
        found = _crossings(gazetteer, parts, alike=alike) if len(parts) == 2 else []
        found = found or _single(gazetteer, words_of(text), alike=alike)
        if found:
            found.sort(key=lambda one: (round(one[0], 6), ORDER.index(one[1].kind), one[1].name))
            return tuple(spot for _, spot in found[:most])
    if len(parts) == 2:  # these streets do not meet: say where each is
        return tuple(
            spot for part in parts for spot in find_spots(gazetteer, " ".join(part), most // 2)
        )
    return ()


def cost(asked: Sequence[str], name: Sequence[str], *, alike: bool) -> float | None:
    """Say how far a name is from what was asked for; nothing where a word of it is missing.

    >>> cost(("main",), ("main", "st"), alike=False)
    0.1
    >>> cost(("mian", "st"), ("main", "st"), alike=True)
    3.0
    >>> cost(("elm",), ("main", "st"), alike=True) is None
    True
    """
    left, total = list(name), 0.0
    for word in asked:
        fits = [(price, i) for i, other in enumerate(left) if (price := _price(word, other, alike))]
        if not fits:
            return None
        price, place = min(fits)
        total += price - 1.0
        left.pop(place)
    return total + LEFT * len(left)


def _price(word: str, other: str, alike: bool) -> float:
    """Say what it costs to take one word for another, and 1; 0 where it cannot be."""
    if word == other:
        return 1.0 + EXACT
    if other.startswith(word):
        return 1.0 + BEGINS
    if alike and len(word) >= LEAST_ALIKE and one_slip(word, other):
        return 1.0 + ALIKE
    return 0.0


def one_slip(word: str, other: str) -> bool:
    """Tell whether two words differ by one letter: another, a missing or a swapped one.

    >>> [one_slip("maple", w) for w in ("mapel", "mple", "mapple", "marble", "elm")]
    [True, True, True, False, False]
    """
    if abs(len(word) - len(other)) > 1:
        return False
    start = next(
        (i for i, (a, b) in enumerate(zip(word, other, strict=False)) if a != b),
        min(len(word), len(other)),
    )
    a, b = word[start:], other[start:]
    swapped = len(a) > 1 and len(b) > 1 and (a[0], a[1]) == (b[1], b[0]) and a[2:] == b[2:]
    return a[1:] == b[1:] or a[1:] == b or a == b[1:] or swapped


def _costs(names: Iterable[str], asked: Sequence[str], *, alike: bool) -> dict[str, float]:
    found = {name: cost(asked, words_of(name), alike=alike) for name in set(names)}
    return {name: price for name, price in found.items() if price is not None}


def _single(gazetteer: Gazetteer, asked: Sequence[str], *, alike: bool) -> list[tuple[float, Spot]]:
    if not asked:
        return []
    spots = [spot for spot in gazetteer.spots if spot.kind != "crossing"]
    prices = _costs((spot.names[0] for spot in spots), asked, alike=alike)
    return [(prices[spot.names[0]], spot) for spot in spots if spot.names[0] in prices]


def _crossings(
    gazetteer: Gazetteer, parts: Sequence[Sequence[str]], *, alike: bool
) -> list[tuple[float, Spot]]:
    spots = gazetteer.of("crossing")
    names = [name for spot in spots for name in spot.names]
    one, two = (_costs(names, part, alike=alike) for part in parts)
    found = []
    for spot in spots:
        a, b = spot.names
        ways = [one[x] + two[y] for x, y in ((a, b), (b, a)) if x in one and y in two]
        if ways:
            found.append((min(ways), spot))
    return found
