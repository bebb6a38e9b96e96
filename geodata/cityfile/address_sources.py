"""``[addresses]`` of the city file: what says where an address lies."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from geodata.cityfile.schema import ANY_VALUE, TagFilter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geodata.cityfile.schema import SourcePlace, Tables

PARSERS = ("us", "plain")
MOST_SPELLINGS = 2  # letters of a name that may be wrong
OSM_TAGS = ("addr:housenumber", "addr:street", "addr:postcode")
NUMBER_FIRST = re.compile(  # time zones of the United States and Canada
    r"US/|Canada/|Pacific/Honolulu|America/(?:New_York|Detroit|Chicago|Denver|Boise|Phoenix|Indiana"
    r"|Kentucky|North_Dakota|Los_Angeles|Anchorage|Juneau|Nome|Toronto|Winnipeg|Regina|Edmonton"
    r"|Vancouver|Halifax|Moncton|St_Johns|Menominee)"
)
COLUMN_KEYS = ("number", "street", "address", "left", "right", "postcode")
ADDRESS_KEYS = frozenset([*COLUMN_KEYS, "parser", "spelling", "street_only"])


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressSource:
    """Address points, or street segments with ranges of numbers.

    ``number`` and ``street`` name columns, as ``address`` one with both; where neither is named,
    points say only how many homes share a place. ``street`` may be several columns that make a
    name together. ``left`` and ``right`` are the first and the last number on each side of a
    segment. ``parser`` says how addresses of rows are taken apart, ``spelling`` how many letters of
    a street's name may be wrong; ``street_only`` keeps rows of which only the street is known.
    ``homes`` tells whether the points are all of the city's, so that homes are counted by them.
    """

    place: SourcePlace
    number: str | None = None
    street: tuple[str, ...] = ()
    address: str | None = None
    left: tuple[str, ...] = ()
    right: tuple[str, ...] = ()
    postcode: str | None = None
    parser: str = PARSERS[0]
    spelling: int = MOST_SPELLINGS
    street_only: bool = False
    homes: bool = True

    @property
    def finds_places(self) -> bool:
        """Whether streets are named, so that addresses can be found."""
        return bool(self.street or self.address)

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that must be there."""
        single = [name for name in (self.number, self.address, self.postcode) if name is not None]
        return (*single, *self.street, *self.left, *self.right)


def read_addresses(tables: Tables) -> AddressSource | None:
    """Read ``[addresses]``, and hold against it the sections that want addresses found."""
    table, where = tables.one("addresses"), "[addresses]"
    place = tables.place(where, table) if table else None
    if place is None and not table and (extract := tables.one_place("osm")) is not None:
        city = tables.content.get("city")
        zone = str(city.get("timezone")) if isinstance(city, dict) else ""
        return of_extract(extract, zone)
    if place is None:
        _require_none(tables, finds_places=False)
        return None
    source = AddressSource(
        place=place,
        number=tables.text(where, table, "number"),
        street=_columns(tables, table, "street", 1, 6),
        address=tables.text(where, table, "address"),
        left=_columns(tables, table, "left", 2, 2),
        right=_columns(tables, table, "right", 2, 2),
        postcode=tables.text(where, table, "postcode"),
        parser=_one_of(tables, table, "parser", PARSERS),
        spelling=_one_of(tables, table, "spelling", (MOST_SPELLINGS, 1, 0)),
        street_only=_one_of(tables, table, "street_only", (False, True)),
    )
    if source.address and (source.number or source.street):
        tables.faults.append(f"{where}: name address, or number and street, not both")
    if (source.number or source.left or source.right) and not source.street:
        tables.faults.append(f"{where}: street is missing; name the column of the street's name")
    if source.number and (source.left or source.right):
        tables.faults.append(
            f"{where}: name number (of points), or left and right (of segments), not both"
        )
    _require_none(tables, finds_places=source.finds_places)
    return source


def of_extract(extract: SourcePlace, timezone: str) -> AddressSource:
    """Return the addresses that an OpenStreetMap extract has, outlines of buildings as a point.

    The time zone says how addresses are written there: the number first, or after the street.

    They are some of a city's addresses: they find places, and never say how many homes there are.
    """
    number, street, postcode = OSM_TAGS
    tags = TagFilter(tags=((number, (ANY_VALUE,)),), keys=OSM_TAGS, as_points=True)
    place = replace(extract, label=f"{extract.label}: addresses", tags=tags)
    return AddressSource(
        place=place,
        number=number,
        street=(street,),
        postcode=postcode,
        parser=PARSERS[0 if NUMBER_FIRST.match(timezone) else 1],
        homes=False,
    )


def _columns(
    tables: Tables, table: Mapping[str, Any], key: str, least: int, most: int
) -> tuple[str, ...]:
    value = table.get(key)
    named = [value] if isinstance(value, str) else value
    if named is None:
        return ()
    ok = isinstance(named, list) and least <= len(named) <= most
    if not ok or not all(isinstance(one, str) and one for one in named):
        example = '["L_FROM", "L_TO"]' if least > 1 else '"STREET" or ["PREDIR", "NAME", "TYPE"]'
        tables.faults.append(f"[addresses]: {key} must be {example}, got {value!r:.60}")
        return ()
    return tuple(named)


def _one_of(tables: Tables, table: Mapping[str, Any], key: str, values: tuple[Any, ...]) -> Any:
    """Read one of a few values; the first where it is absent or faulty."""
    value = table.get(key, values[0])
    if value not in values or type(value) is not type(values[0]):
        known = ", ".join(str(one).lower() for one in values)
        tables.faults.append(f"[addresses]: {key} must be one of {known}, got {value!r:.60}")
        return values[0]
    return value


def _require_none(tables: Tables, *, finds_places: bool) -> None:
    """Tell the sections that name a column of addresses which nothing can find."""
    if finds_places:
        return
    for section, entries in tables.content.items():
        for number, entry in enumerate(entries if isinstance(entries, list) else [], start=1):
            fields = entry.get("fields") if isinstance(entry, dict) else None
            named = [entry, fields] if isinstance(fields, dict) else [entry]
            if any(isinstance(one, dict) and "address" in one for one in named):
                tables.faults.append(
                    f"[[{section}]] {number}: address needs [addresses] with number and street, or "
                    "with address, to be found by"
                )
