"""Places of addresses: exactly, by parts, by spelling, by range; nothing is resolved by a guess.

Two places far apart that fit alike are none. The riskiest step that an address took names its
method; its score says how well methods and parts fit, and is no probability.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from rapidfuzz.distance import OSA
from rapidfuzz.process import extract

from geodata.geocoding.index import NOWHERE
from geodata.geocoding.parse import NUMBERED, normal_text
from geodata.geocoding.words import TYPES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from geodata.geocoding.index import AddressIndex
    from geodata.geocoding.parse import ParsedAddress, StreetName

    Floats = NDArray[np.float64]

# Methods, the surest first; what fits in two ways is called by the later.
METHODS = ("exact", "parts", "range", "intersection", "block", "spelling", "street")
SCORES = {"point": 1.0, "range": 0.9, "neighbours": 0.85, "intersection": 0.95, "block": 0.75}
FITS = (1.0, 0.95, 0.8, 0.7)  # the street as it is, a part missing, another type, another spelling
STREET_SCORE = 0.2
EXACT_SCORE, PARTS_SCORE = 1.0, 0.98

TOGETHER_METRES = 100.0  # candidates within are one place: units of a house, lanes of a crossing
BLOCK_METRES = 400.0  # a block that spreads farther is two
MOST_SPELLINGS = 2
# Types that people mistake for each other; places, courts and terraces are side streets that have
# their name from the street beside them, so that both are there.
THROUGH = ("STREET", "AVENUE", "ROAD", "DRIVE", "BOULEVARD", "PARKWAY", "HIGHWAY", "PIKE", "WAY")
SHORTEST_NAME = 3  # letters; 8TH PLACE beside 8TH STREET, and M STREET, are other streets
FULL_TYPES = sorted({name for name in TYPES.values() if len(name) > 3})
COMMONEST = 10
LEAST_TOLD = 2  # rows that name a street before the account does: one row may hold anything

UNREAD, UNKNOWN = "cannot be read as an address", "street not known"
NOT_THERE, ONLY_STREET = "number not on the street", "only a street"
AMBIGUOUS, APART = "ambiguous", "streets do not cross"


class AddressMatch(NamedTuple):
    """Where an address lies, or ``why`` that is not known and which ``street`` it names."""

    x: float = np.nan
    y: float = np.nan
    score: float = 0.0
    method: str = ""
    why: str = ""
    street: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchRules:
    """What may be done to find an address.

    ``spelling`` is how many letters of a street's name may be wrong. ``street_only`` allows a place
    where only the street is known.
    """

    spelling: int = MOST_SPELLINGS
    street_only: bool = False


def find_all(index: AddressIndex, texts: Sequence[str], rules: MatchRules) -> list[AddressMatch]:
    """Find the place of each address."""
    found = {text: _find(index, text, rules) for text in dict.fromkeys(texts)}
    return [found[text] for text in texts]


def account(found: Iterable[AddressMatch]) -> dict[str, object]:
    """Count what was found by method and the rest by reason, with the streets missed most.

    House numbers are never in it, nor streets that one row alone names.
    """
    rows = list(found)
    methods = Counter(one.method for one in rows if one.method)
    reasons = Counter(one.why for one in rows if one.why)
    misses = Counter((one.street, one.why) for one in rows if one.why and one.street)
    return {
        "rows": len(rows),
        "matched": {name: methods[name] for name in METHODS if methods[name]},
        "not_matched": dict(reasons.most_common()),
        "misses": [
            {"street": street, "why": why, "rows": number}
            for (street, why), number in misses.most_common(COMMONEST)
            if number >= LEAST_TOLD
        ],
    }


def _find(index: AddressIndex, text: str, rules: MatchRules) -> AddressMatch:
    if (found := _as_written(index, text)) is not None:
        return found
    address = index.parse(text, index.known_start)
    if not address.streets:
        return AddressMatch(why=UNREAD)
    if len(address.streets) == 2:
        return _crossing(index, address, rules)
    found = _numbered(index, address, rules) if address.number is not None else None
    if found is not None and found.why != NOT_THERE:
        return found
    return _street(index, address, rules, ONLY_STREET if found is None else NOT_THERE)


def _as_written(index: AddressIndex, text: str) -> AddressMatch | None:
    """Find the number and the name exactly as the city writes them."""
    plain = normal_text(text)
    number = NUMBERED.match(plain)
    if number is None or not plain[: number.end()].strip().isdigit():
        return None
    street = index.as_written.get(plain[number.end() :])
    if street is None:
        return None
    xy = index.at_number(street, int(number[1]), "")
    if len(xy) and _together(index, xy, TOGETHER_METRES):
        return _found(xy, EXACT_SCORE, "exact")
    return None


def _numbered(index: AddressIndex, address: ParsedAddress, rules: MatchRules) -> AddressMatch:
    """Find a number or a block on the streets that fit, those that fit best first."""
    street = address.streets[0]
    known = False
    for level, streets in enumerate(_levels(index, street, rules)):
        known = known or bool(streets)
        kind, xy = _on(index, address, streets)
        if len(xy) == 0:
            continue
        if not _together(index, xy, BLOCK_METRES if kind == "block" else TOGETHER_METRES):
            return AddressMatch(why=AMBIGUOUS, street=repr(street))
        score = SCORES[kind] * (PARTS_SCORE if level == 0 else FITS[level])
        return _found(xy, score, _method(kind, level))
    return AddressMatch(why=NOT_THERE if known else UNKNOWN, street=repr(street))


def _on(index: AddressIndex, address: ParsedAddress, streets: Sequence[int]) -> tuple[str, Floats]:
    """Return where a number or block lies on streets, and how that is known; the surest way."""
    number, postcode = address.number or 0, address.postcode
    if address.block:
        return "block", _stack(index.in_block(one, number, postcode) for one in streets)
    ways: dict[str, Callable[[int], Floats]] = {
        "point": lambda one: index.at_number(one, number, postcode),
        "range": lambda one: index.in_range(one, number, postcode),
        "neighbours": lambda one: index.between_neighbours(one, number),
    }
    for kind, way in ways.items():
        xy = _stack(way(one) for one in streets)
        if len(xy):
            return kind, xy
    return "", NOWHERE


def _crossing(index: AddressIndex, address: ParsedAddress, rules: MatchRules) -> AddressMatch:
    one, other = address.streets
    name = f"{one!r} / {other!r}"
    firsts: list[int] = []
    seconds: list[int] = []
    steps = zip(_levels(index, one, rules), _levels(index, other, rules), strict=True)
    for level, (more, others) in enumerate(steps):
        firsts, seconds = [*firsts, *more], [*seconds, *others]
        xy = _stack(index.crossings(a, b) for a in firsts for b in seconds)
        if len(xy) == 0:
            continue
        if not _together(index, xy, TOGETHER_METRES):
            return AddressMatch(why=AMBIGUOUS, street=name)
        score = SCORES["intersection"] * FITS[level]
        return _found(xy.mean(axis=0)[None], score, _method("intersection", level))
    return AddressMatch(why=APART if firsts and seconds else UNKNOWN, street=name)


def _street(
    index: AddressIndex, address: ParsedAddress, rules: MatchRules, why: str
) -> AddressMatch:
    """Fall back on the street, if that is allowed and there is but one."""
    street = address.streets[0]
    streets = next((some for some in _levels(index, street, rules) if some), ())
    if not streets:
        return AddressMatch(why=UNKNOWN, street=repr(street))
    if not rules.street_only:
        return AddressMatch(why=why, street=repr(street))
    if len(streets) > 1:
        return AddressMatch(why=AMBIGUOUS, street=repr(street))
    return _found(index.somewhere(streets[0]), STREET_SCORE, "street")


def _levels(index: AddressIndex, street: StreetName, rules: MatchRules) -> Iterator[list[int]]:
    """Yield the streets that fit exactly, with a part missing, of another type, spelled alike.

    A street on another side of town never fits.
    """
    same = _fitting(index, street, index.by_name.get(street.name, ()))
    yield from same
    alike = [] if any(same) else _spelled_alike(index, street, rules.spelling)
    yield alike


def _fitting(
    index: AddressIndex, wanted: StreetName, streets: Sequence[int]
) -> tuple[list[int], list[int], list[int]]:
    """Return which streets of one name fit: exactly, with a part missing, of another type.

    A side that is named is needed where any street of the name has one.
    """
    found: tuple[list[int], list[int], list[int]] = ([], [], [])
    sided = any(index.streets[one].sides for one in streets)
    for one in streets:
        there = index.streets[one]
        if wanted.sides != there.sides and wanted.sides and (there.sides or sided):
            continue
        if wanted.kind and there.kind and wanted.kind != there.kind:
            through = wanted.kind in THROUGH and there.kind in THROUGH
            if through and len(wanted.name) >= SHORTEST_NAME and not wanted.name[0].isdigit():
                found[2].append(one)
        else:
            found[int(wanted != there)].append(one)
    return found


def _spelled_alike(index: AddressIndex, street: StreetName, most: int) -> list[int]:
    """Return the streets whose name is nearest, with the type as it is or as it may be meant."""
    for meant in (street, *_type_meant(street)):
        names = [meant.name] if meant.name in index.by_name else []
        found: list[int] = []
        for name in names or index.spelled_alike(meant.name, most):
            exact, missing, _ = _fitting(index, meant._replace(name=name), index.by_name[name])
            found += exact + missing
        if found or most == 0:
            return found
    return []


def _type_meant(street: StreetName) -> list[StreetName]:
    """Return a street whose last word may be a type with one letter wrong."""
    name, _, last = street.name.rpartition(" ")
    if street.kind or not name:
        return []
    near = extract(last, FULL_TYPES, scorer=OSA.distance, score_cutoff=1, limit=2)
    return [street._replace(name=name, kind=near[0][0])] if len(near) == 1 else []


def _method(kind: str, level: int) -> str:
    if level == len(FITS) - 1:
        return "spelling"
    return {"point": "parts", "neighbours": "range"}.get(kind, kind)


def _found(xy: Floats, score: float, method: str) -> AddressMatch:
    """Return the middle of several places that are one: of those, the nearest to their mean."""
    at = 0 if len(xy) == 1 else int(np.hypot(*(xy - xy.mean(axis=0)).T).argmin())
    x, y = xy[at]
    return AddressMatch(float(x), float(y), round(score, 2), method)


def _together(index: AddressIndex, xy: Floats, metres: float) -> bool:
    return len(xy) == 1 or bool(np.hypot(*np.ptp(xy, axis=0)) <= metres * index.metre)


def _stack(places: Iterable[Floats]) -> Floats:
    found = [xy for xy in places if len(xy)]
    return np.vstack(found) if found else NOWHERE
