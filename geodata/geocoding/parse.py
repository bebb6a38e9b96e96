"""The text of an address -> its house number and street, a block, or two streets that cross.

Addresses of the United States are taken apart by usaddress, a model of how people write them; what
no such model knows is found by rules before it: blocks and crossings as police records have them.
Elsewhere, a plain parser finds the number before or after the street.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import usaddress

from geodata.geocoding.words import (
    DIRECTIONS,
    KING,
    ORDINAL_WORDS,
    PARTICLES,
    PLAIN_WORDS,
    ROUTES,
    TYPES,
    WITHIN,
    ordinal,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Known = Callable[[str], "StreetName | None"]

TOWN_LABELS = ("PlaceName", "StateName", "ZipCode")
LONGEST = 200  # letters; what is longer is a narrative
HUNDRED = 100
MOST_REMEMBERED = 65_536  # texts of streets

# Texts are compared as normal_text writes them: with single spaces.
BLOCK_WORD = r"(?:BLOCK|BLK|BLCK|BLOC|BK)\b(?: OF\b)?"
BLOCK = re.compile(rf"(?P<number>\d{{1,6}}|UNIT) ?-? ?(?:HUNDRED )?{BLOCK_WORD}(?P<rest>.*)")
MASKED = re.compile(rf"(?P<number>\d{{0,4}})(?:XX|\*\*)(?: {BLOCK_WORD})? (?P<rest>.*)")
TRAILING_BLOCK = re.compile(r" (?P<number>\d{1,4}00) ?(?:BLOCK|BLK)$")
SPAN = re.compile(r"(\d{1,6}) ?- ?(\d{1,6})\b(.*)")
LEAD = re.compile(r"(?:(?:THE )?(?:INTERSECTION|CORNER|INTER|INT)(?: OF)?|NEAR|AT|@) (.*)")
BETWEEN = re.compile(r"\s*(?:(?<!\d)/|/(?!\d)|[\\;&@+]|\b(?:AND|AT|NEAR)\b)\s*")
NUMBERED = re.compile(r"(\d{1,6})(?:-?[A-Z]|\s?-\s?\d{1,6})?(?:\s+\d/\d)?\s+(?=\S)")
TRAILING_NUMBER = re.compile(r"\s(?:NO?\s*)?(\d{1,6})\s?(?:-?[A-Z]|-\s?\d{1,6})?$")
BRACKETS = re.compile(r"\([^)]*\)")
POINT = re.compile(r"(?<=\w\w)\.(?=\w\w)")  # "MAIN ST.APT 4", not "N.W."
SILENT = re.compile(r"['’`.\"]")
ODD = re.compile(r"[^\w/\\&@#,;+*-]|_")
POSTCODE = re.compile(r"\b(\d{5})(?:-\d{4})?$")
TYPE_ONLY = re.compile(rf"(?:{'|'.join(sorted(TYPES, key=len, reverse=True))})\b")
GLUED_ROUTE = re.compile(r"\b(HWY|HIGHWAY|RTE|RT|SR|US|NC|I)(\d+)\b")


class StreetName(NamedTuple):
    """A street as everybody writes it: its name, its type and the sides of town, where it has them.

    >>> street_of("No. 1st Ave."), street_of("West Martin L. King Jr Blvd")
    (1ST AVENUE N, MARTIN LUTHER KING BOULEVARD W)
    """

    name: str
    kind: str = ""
    sides: str = ""

    def __repr__(self) -> str:
        return " ".join(filter(None, self))


@dataclass(frozen=True, slots=True)
class ParsedAddress:
    """What a text says: no street where it cannot be read, two where they cross.

    ``number`` is missing where only a street is named; of a ``block`` it is the first number.
    """

    streets: tuple[StreetName, ...] = ()
    number: int | None = None
    block: bool = False
    postcode: str = ""


def normal_text(text: str) -> str:
    """Write a text in capitals without accents, points and brackets.

    >>> normal_text("12 O'Neal  St., (rear) N.W.")
    '12 ONEAL ST, NW'
    """
    plain = text[: 2 * LONGEST].upper()
    if not plain.isascii():
        plain = unicodedata.normalize("NFKD", plain)
        plain = "".join(sign for sign in plain if not unicodedata.combining(sign))
    plain = SILENT.sub("", POINT.sub(" ", BRACKETS.sub(" ", plain)))
    return " ".join(ODD.sub(" ", plain).replace(" ,", ",").split()).strip(" ,;-")


def _not_known(_: str) -> StreetName | None:
    return None


def parse_us(text: str, known: Known = _not_known) -> ParsedAddress:
    """Take an address of the United States apart.

    Parameters
    ----------
    text
        The address, as it was written.
    known
        Finds the street of the city that a text begins with; where there is one, nothing needs to
        be supposed about the rest.

    >>> parse_us("1200 BLK OF N MAIN ST").block, parse_us("12XX N MAIN ST").number
    (True, 1200)
    >>> parse_us("5TH ST / Main St").streets
    (5TH STREET, MAIN STREET)
    >>> parse_us("123-A Main St Apt 4, Durham, NC 27701")
    ParsedAddress(streets=(MAIN STREET,), number=123, block=False, postcode='27701')
    """
    return _parse(text, _us_piece, known)


def parse_plain(text: str, known: Known = _not_known) -> ParsedAddress:
    """Take an address apart whose number stands before or after its street.

    >>> parse_plain("R. de Santa Catarina, 112, Porto")
    ParsedAddress(streets=(RUA SANTA CATARINA,), number=112, block=False, postcode='')
    """
    return _parse(text, _plain_piece, known)


def _parse(text: str, piece: Callable[[str, Known], ParsedAddress], known: Known) -> ParsedAddress:
    """Find blocks and crossings; what is left is one address or one street."""
    plain = normal_text(text)
    if not plain or len(plain) > LONGEST:
        return ParsedAddress()
    if lead := LEAD.fullmatch(plain):
        plain = lead[1]
    if (block := _block(plain)) is not None:
        number, rest = block
        found = piece(BETWEEN.split(rest)[0], known)
        return replace(found, number=number, block=number is not None)
    parts = [part for part in BETWEEN.split(plain) if part.strip(" ,-")]
    if len(parts) < 2 or house_number(parts[0])[0] is not None:
        return piece(parts[0] if parts else plain, known)
    if house_number(parts[1])[0] is not None:  # a place, then its address
        return piece(parts[1], known)
    one, other = piece(parts[0], known), piece(parts[1], known)
    if not one.streets or not other.streets:
        return ParsedAddress()
    return ParsedAddress(one.streets + other.streets, postcode=other.postcode)


def _block(text: str) -> tuple[int | None, str] | None:
    """Return the first number of a block and what follows; a block of unclear hundreds has none."""
    if found := MASKED.match(text):
        return int(found["number"] or 0) * HUNDRED, found["rest"].strip()
    if found := BLOCK.match(text):
        if found["number"] == "UNIT":
            return 0, found["rest"]
        number = int(found["number"])
        if 1 < number < HUNDRED and "HUNDRED" in found[0]:
            return number * HUNDRED, found["rest"]
        return (None if 1 < number < HUNDRED else number // HUNDRED * HUNDRED), found["rest"]
    if (found := TRAILING_BLOCK.search(text)) and house_number(text)[0] is None:
        return int(found["number"]), text[: found.start()]
    if (found := SPAN.match(text)) and found[1][:-2] == found[2][:-2]:
        first, last = int(found[1]), int(found[2])
        if first % HUNDRED <= 1 and last % HUNDRED >= HUNDRED - 2:
            return first // HUNDRED * HUNDRED, found[3].strip()
    return None


def house_number(text: str) -> tuple[int | None, str]:
    """Return the house number that a text begins with, and the rest; "5 AVE" is a street."""
    found = NUMBERED.match(text)
    if found is None or TYPE_ONLY.fullmatch(text[found.end() :]):
        return None, text
    return int(found[1]), text[found.end() :]


def _us_piece(text: str, known: Known) -> ParsedAddress:
    """Let usaddress say which words are the number, the street and the postcode."""
    number, tail = house_number(text)
    if (street := known(tail)) is not None:
        found = POSTCODE.search(tail)
        return ParsedAddress((street,), number, postcode=found[1] if found else "")
    words: list[str] = []
    postcode, done = "", False
    for token, label in usaddress.parse(text.replace("\\", " ")):
        word = token.strip(",;")
        if label == "AddressNumber" and not words and (digits := re.match(r"\d{1,6}", word)):
            number = int(digits[0]) if number is None else number
        elif _is_street(word, label, started=bool(words)):
            if not done:
                words.append(word)
        elif label == "ZipCode" and POSTCODE.fullmatch(word):
            postcode = word[:5]
        else:
            done = bool(words)
        done = done or (bool(words) and token.endswith(","))
    street = street_of(" ".join(words) or tail.partition(",")[0])
    return ParsedAddress((street,) if street.name else (), number, postcode=postcode)


def _is_street(word: str, label: str, *, started: bool) -> bool:
    """Return whether a word belongs to a street; a second type does: it is of another street."""
    if label.startswith("StreetName") or (label == "AddressNumber" and not started):
        return True
    return started and label not in TOWN_LABELS and (word in TYPES or word in DIRECTIONS)


def _plain_piece(text: str, known: Known) -> ParsedAddress:
    number, first = house_number(text)
    first, _, rest = first.partition(",")
    if number is None and not rest and (street := known(first)) is not None:
        return ParsedAddress((street,))  # one whose name ends in a number
    if number is None:
        if found := TRAILING_NUMBER.search(first):
            number, first = int(found[1]), first[: found.start()]
        elif found := TRAILING_NUMBER.match(f" {rest.partition(',')[0].strip()}"):
            number = int(found[1])
    street = plain_street(first)
    return ParsedAddress((street,) if street.name else (), number)


@functools.lru_cache(maxsize=MOST_REMEMBERED)
def street_of(text: str) -> StreetName:
    """Return a street of the United States by the parts of its name.

    >>> street_of("E ST NW"), street_of("NORTH ST"), street_of("N POINTE DR"), street_of("AVENUE N")
    (E STREET NW, NORTH STREET, POINT DRIVE N, AVENUE N)
    >>> street_of("NC HWY 54"), street_of("ST MARYS ST"), street_of("MLK BLVD"), street_of("5 AVE")
    (HIGHWAY 54, SAINT MARYS STREET, MARTIN LUTHER KING BOULEVARD, 5TH AVENUE)
    """
    words = GLUED_ROUTE.sub(r"\1 \2", normal_text(text).replace("-", " ").replace(",", " ")).split()
    words = [word for word in words if word != "#"]
    if route := _route(words):
        return route
    sides: list[str] = []
    words = _ordinals(words)
    if len(words) > 1 and words[-1] in DIRECTIONS and (len(words) > 2 or words[0] not in TYPES):
        sides.append(DIRECTIONS[words.pop()])
        if len(words) > 2 and words[-1] in ("N", "S") and sides[0] in ("E", "W"):
            sides = [words.pop() + sides[0]]
    while len(words) > 1 and words[0] in DIRECTIONS and (len(words) > 2 or words[1] not in TYPES):
        sides.append(DIRECTIONS[words.pop(0)])
    kind = TYPES[words.pop()] if len(words) > 1 and words[-1] in TYPES else ""
    return StreetName(_name(words, kind), kind, _sides(sides))


def _route(words: Sequence[str]) -> StreetName | None:
    """Return a numbered route, whoever numbers it; nothing where the words are no route."""
    digits = [word for word in words if word.isdigit()]
    others = [word for word in words if not word.isdigit() and word not in DIRECTIONS]
    if not digits or not others or not all(word in ROUTES for word in others):
        return None
    sides = [DIRECTIONS[word] for word in words if word in DIRECTIONS]
    return StreetName(f"HIGHWAY {' '.join(digits)}", "", _sides(sides))


def _sides(found: Sequence[str]) -> str:
    if sorted(found) in (["E", "N"], ["N", "W"], ["E", "S"], ["S", "W"]) and len(found) == 2:
        return "".join(sorted(found, key="NSEW".index))  # "N W 5TH ST" is of the northwest
    return " ".join(sorted(set(found)))


def _ordinals(words: list[str]) -> list[str]:
    """Write ordinal words in digits: FIFTH is 5TH, TWENTY FIRST is 21ST."""
    joined: list[str] = []
    for word in words:
        if joined and f"{joined[-1]} {word}" in ORDINAL_WORDS:
            joined[-1] = ORDINAL_WORDS[f"{joined[-1]} {word}"]
        else:
            joined.append(ORDINAL_WORDS.get(word, word))
    return joined


def _name(words: Sequence[str], kind: str) -> str:
    """Write the words of a name in full, so that HILL and HL are one."""
    if len(words) == 1 and words[0].isdigit():
        return ordinal(int(words[0])) if kind else ""
    full = [TYPES.get(word, word) for word in words]
    if words and (len(words) > 1 or words[0] in TYPES):
        full[0] = WITHIN.get(words[0], full[0])
    name = " ".join(word for word in full if word not in ("JR", "SR"))
    return "MARTIN LUTHER KING" if KING.fullmatch(name) else name


@functools.lru_cache(maxsize=MOST_REMEMBERED)
def plain_street(text: str) -> StreetName:
    """Return a street by the words of its name, without little words and abbreviations."""
    words = normal_text(text).replace("-", " ").replace(",", " ").split()
    words = [re.sub(r"(?<=\w\w)STR$", "STRASSE", PLAIN_WORDS.get(word, word)) for word in words]
    kept = [word for word in words if word not in PARTICLES]
    return StreetName(" ".join(kept if len(kept) > 1 else words))
