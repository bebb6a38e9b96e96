"""What a city file says to the public: who answers, under which license, and who lives where."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geodata.cityfile.tables import Place

CONTACT_KEYS = ("name", "email", "phone", "address", "url")
LICENSE_KEYS = ("license", "license_url")
RESIDENTS_KEYS = ("total", "groups", "about")
LONGEST = 300
MOST_GROUPS = 12
EMAIL = re.compile(r"[^@\s<>\"']+@[^@\s<>\"']+\.[^@\s<>\"']+")
WEB = re.compile(r"https?://[^\s<>\"']+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """The office that answers for what is published, and how it is reached."""

    name: str
    email: str = ""
    phone: str = ""
    address: str = ""
    url: str = ""

    def as_json(self) -> dict[str, str]:
        """Give what is told, as it is stored and published."""
        return {key: value for key, value in asdict(self).items() if value}


@dataclass(frozen=True, slots=True, kw_only=True)
class License:
    """Under what terms the city gives its data away."""

    name: str
    url: str = ""

    def as_json(self) -> dict[str, str]:
        """Give what is told, as it is stored and published."""
        return {key: value for key, value in asdict(self).items() if value}


@dataclass(frozen=True, slots=True, kw_only=True)
class ResidentsSource:
    """Polygons with the people who live in them; ``groups`` has a column by the group's name.

    Groups may overlap and need not add up to everybody. ``about`` says whose counts they are and
    of which year.
    """

    place: Place
    total: str
    groups: Mapping[str, str]
    about: str


def read_contact(table: Mapping[str, Any], faults: list[str]) -> Contact | None:
    """Read ``[contact]``, adding what is wrong with it to the faults."""
    if not table:
        return None
    where = "[contact]"
    given = {key: _line(where, table, key, faults) for key in CONTACT_KEYS}
    if "name" not in table:
        faults.append(f"{where}: name is missing; name the office that answers, not a person")
    if len(table) < 2:
        faults.append(f"{where}: give a way to reach it: email, phone, address or url")
    if given["email"] and not EMAIL.fullmatch(given["email"]):
        faults.append(f"{where}: email {given['email']!r} is no address such as data@example.org")
    _require_web(where, "url", given["url"], faults)
    return Contact(**given)


def read_license(table: Mapping[str, Any], faults: list[str]) -> License | None:
    """Read the license of ``[publish]``, adding what is wrong with it to the faults."""
    where = "[publish]"
    name, url = (_line(where, table, key, faults) for key in LICENSE_KEYS)
    _require_web(where, "license_url", url, faults)
    if url and not name:
        faults.append(f"{where}: license_url needs license, the name of the license, beside it")
    return License(name=name, url=url) if name else None


def read_residents(
    table: Mapping[str, Any], place: Place | None, faults: list[str]
) -> ResidentsSource | None:
    """Read ``[residents]``, adding what is wrong with it to the faults."""
    if not table:
        return None
    where = "[residents]"
    total = _line(where, table, "total", faults)
    if "total" not in table:
        faults.append(f"{where}: total is missing; name the column that counts the people")
    groups = table.get("groups", {})
    ok = isinstance(groups, dict) and all(
        isinstance(column, str) and column and 0 < len(name.strip()) <= LONGEST
        for name, column in groups.items()
    )
    if not ok:
        faults.append(
            f'{where}: groups must be names and columns, as in {{ "Hispanic or Latino" = "hisp" }}'
        )
        return None
    if len(groups) > MOST_GROUPS:
        faults.append(
            f"{where}: {len(groups)} groups are too many to be read; {MOST_GROUPS} at most"
        )
    about = _line(where, table, "about", faults)
    if place is None or not total:
        return None
    return ResidentsSource(
        place=place,
        total=total,
        groups={name.strip(): column for name, column in groups.items()},
        about=about,
    )


def _line(where: str, table: Mapping[str, Any], key: str, faults: list[str]) -> str:
    """Read one line of text; nothing where it is absent or faulty."""
    value = table.get(key, "")
    if not isinstance(value, str) or (key in table and not value.strip()):
        faults.append(f"{where}: {key} must be text, got {value!r:.60}")
        return ""
    line = " ".join(value.split())
    if len(line) > LONGEST:
        faults.append(f"{where}: {key} is longer than {LONGEST} characters")
    return line


def _require_web(where: str, key: str, url: str, faults: list[str]) -> None:
    if url and not WEB.fullmatch(url):
        faults.append(f"{where}: {key} {url!r} is no web address; start it with https://")
