"""What a city file says to the public: who answers, under which license, and who lives where.

A city file (TOML) -> a checked description; every fault is gathered and reported at once.
"""

from __future__ import annotations

import datetime as dt
import re
import zoneinfo
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any

from geodata.cityfile.address_sources import ADDRESS_KEYS, AddressSource, read_addresses
from geodata.cityfile.measures import DeclaredMeasure, read_measures
from geodata.cityfile.risk_factors import title_of
from geodata.cityfile.round_schedule import REMEDY, read_schedule
from geodata.cityfile.schema import PLACE_KEYS, Tables
from geodata.cityfile.sections import (
    RECORD_KINDS,
    outcomes_of,
    read_base,
    read_districts,
    read_factors,
    read_incidents,
    read_named_areas,
    read_records,
)
from geodata.cityfile.toml import hint, load_toml
from geodata.errors import CityFileError
from spatial.errors import SpecError
from spatial.spec import GridSpec

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from geodata.cityfile.schema import SourcePlace
    from geodata.cityfile.sections import (
        BaseSource,
        DistrictSource,
        FactorSource,
        IncidentSource,
        NamedAreas,
        RecordSource,
    )


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
        """Return what is reported, as it is stored and published."""
        return {key: value for key, value in asdict(self).items() if value}


@dataclass(frozen=True, slots=True, kw_only=True)
class License:
    """Under what terms the city gives its data away."""

    name: str
    url: str = ""

    def as_json(self) -> dict[str, str]:
        """Return what is reported, as it is stored and published."""
        return {key: value for key, value in asdict(self).items() if value}


@dataclass(frozen=True, slots=True, kw_only=True)
class ResidentsSource:
    """Polygons with the people who live in them; ``groups`` has a column by the group's name.

    Groups may overlap and need not add up to everybody. ``about`` says whose counts they are and
    of which year.
    """

    place: SourcePlace
    total: str
    groups: Mapping[str, str]
    about: str


def read_contact(table: Mapping[str, object], faults: list[str]) -> Contact | None:
    """Read ``[contact]``, adding what is wrong with it to the faults."""
    if not table:
        return None
    where = "[contact]"
    values = {key: _line(where, table, key, faults) for key in CONTACT_KEYS}
    if "name" not in table:
        faults.append(f"{where}: name is missing; name the office that answers, not a person")
    if len(table) < 2:
        faults.append(f"{where}: give a way to reach it: email, phone, address or url")
    if values["email"] and not EMAIL.fullmatch(values["email"]):
        faults.append(f"{where}: email {values['email']!r} is no address such as data@example.org")
    _require_web(where, "url", values["url"], faults)
    return Contact(**values)


def read_license(table: Mapping[str, object], faults: list[str]) -> License | None:
    """Read the license of ``[publish]``, adding what is wrong with it to the faults."""
    where = "[publish]"
    name, url = (_line(where, table, key, faults) for key in LICENSE_KEYS)
    _require_web(where, "license_url", url, faults)
    if url and not name:
        faults.append(f"{where}: license_url needs license, the name of the license, beside it")
    return License(name=name, url=url) if name else None


def read_residents(
    table: Mapping[str, Any], place: SourcePlace | None, faults: list[str]
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


def _line(where: str, table: Mapping[str, object], key: str, faults: list[str]) -> str:
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


LONGEST_ACTIVITY = 120
OSM_ATTRIBUTION = "© OpenStreetMap contributors"  # as its license, the ODbL, asks
SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,79}")

PLACELESS_KEYS = PLACE_KEYS - {
    "x",
    "y",
    "latlon",
}  # in shapes, or named under fields
UNITS = ("us", "metric")
KEYS: dict[str, frozenset[str] | set[str]] = {
    "city": {"slug", "name", "crs", "timezone", "units", "synthetic", "today"},
    "grid": {"cell", "block"},
    "districts": PLACE_KEYS | {"id", "name"},
    "boundary": PLACE_KEYS,
    "incidents": PLACE_KEYS
    | {"outcome", "outcome_field", "outcomes", "id", "date", "time", "date_format", "updated"}
    | {"address"},
    "factors": PLACE_KEYS | {"name", "title", "osm", "operation", "max_blocks", "step"},
    "osm": {"source"},
    "basemap": {"source", "attribution"},
    "outcomes": set(),
    "base": PLACE_KEYS | {"kind", "name", "rank", "class"},
    "areas": PLACE_KEYS | {"kind", "name"},
    "coverage": PLACE_KEYS,
    "dosage": {"activities"},
    "addresses": PLACE_KEYS | ADDRESS_KEYS,
    "publish": {"sensitive_outcomes", *LICENSE_KEYS},
    "contact": {*CONTACT_KEYS},
    "residents": PLACELESS_KEYS | {*RESIDENTS_KEYS},
    "files": set(),
    "schedule": {"round"},
    "measures": {one.name for one in fields(DeclaredMeasure)},
    **{
        kind.section: (PLACE_KEYS if kind.placed else PLACELESS_KEYS)
        | {"fields", "date_format", "measure", "updated", *kind.words}
        for kind in RECORD_KINDS.values()
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CityFile:
    """A city as its file describes it.

    ``today`` is the day at which the calendar of a synthetic city stands; a real city has none.
    ``sensitive_outcomes`` are those of which only counts by district and month may be published.
    ``contact``, ``license`` and ``residents`` are for the public pages; each may be missing.
    ``activities`` are what officers may say that they did on a visit, nothing for the usual ones.
    ``basemap`` is the city's own file of tiles, nothing where the base map is made of its shapes;
    ``attribution`` says whose data the base map is drawn from.
    ``measures`` are those that the city declares, the usual ones where it declares none.
    ``titles`` are what pages call factors and outcomes, by their names, where the file says so;
    pages write lengths in ``units``, empty for those of the country of ``crs``.
    ``content`` is what the file says as it was read, and ``root`` the folder that its sources start
    from.
    """

    path: str
    slug: str
    name: str
    crs: str
    timezone: str
    synthetic: bool
    today: dt.date | None
    grid: GridSpec
    districts: DistrictSource | None
    boundary: SourcePlace | None
    incidents: tuple[IncidentSource, ...]
    factors: tuple[FactorSource, ...]
    base: tuple[BaseSource, ...]
    areas: tuple[NamedAreas, ...]
    coverage: SourcePlace | None
    addresses: AddressSource | None
    osm: SourcePlace | None
    basemap: SourcePlace | None
    records: tuple[RecordSource, ...]
    sensitive_outcomes: tuple[str, ...] = ()
    contact: Contact | None = None
    license: License | None = None
    residents: ResidentsSource | None = None
    activities: tuple[str, ...] | None = None
    measures: tuple[DeclaredMeasure, ...] = ()
    titles: Mapping[str, str] = field(default_factory=dict)
    units: str = ""
    content: Mapping[str, object] = field(default_factory=dict)
    root: str = ""
    attribution: str = ""

    @property
    def outcomes(self) -> tuple[str, ...]:
        """Outcomes that the file names, in its order."""
        return outcomes_of(self.incidents)


def read_city_file(path: Path, data_root: Path | None = None) -> CityFile:
    """Read and check a city file.

    Parameters
    ----------
    path
        The TOML file.
    data_root
        Folder that relative sources start from; the file's own folder if left out.

    Raises
    ------
    CityFileError
        If the file cannot be read, or with every fault that it has.
    """
    content = load_toml(path, CityFileError, "name the city's TOML file")
    return read_content(content, path, data_root or path.parent)


def read_content(content: Mapping[str, object], path: Path, root: Path) -> CityFile:
    """Check what a city file says, wherever it comes from.

    Parameters
    ----------
    content
        Its sections, as TOML or JSON have them.
    path, root
        What the file is called in its faults; the folder that relative sources start from.

    Raises
    ------
    CityFileError
        With every fault that it has.
    """
    tables = Tables(dict(content), root, KEYS)
    city, grid = tables.one("city", required=True), tables.one("grid", required=True)
    districts, boundary = read_districts(tables), tables.area("boundary")
    if districts is None and boundary is None and "districts" not in content:
        tables.faults.append("needs [districts] or [boundary]: without them there is no area")
    coverage, publish = tables.area("coverage"), tables.one("publish")
    incidents, factors = read_incidents(tables), read_factors(tables)
    tiles, attribution = _basemap(tables)
    outcomes, sensitive = _outcomes(tables, incidents)
    described = CityFile(
        path=str(path),
        slug=_slug(tables, city),
        name=tables.text("[city]", city, "name", required=True) or "",
        crs=_crs(tables, city),
        timezone=_timezone(tables, city),
        synthetic=city.get("synthetic") is True,
        today=_today(tables, city),
        grid=_grid(tables, grid),
        districts=districts,
        boundary=boundary,
        incidents=incidents,
        factors=factors,
        base=read_base(tables),
        areas=read_named_areas(tables),
        coverage=coverage,
        addresses=read_addresses(tables),
        osm=tables.area("osm"),
        basemap=tiles,
        records=read_records(tables),
        sensitive_outcomes=_once(*_sensitive(tables, publish, incidents), *sensitive),
        contact=read_contact(tables.one("contact"), tables.faults),
        license=read_license(publish, tables.faults),
        residents=_residents(tables),
        activities=_activities(tables),
        measures=read_measures(tables),
        titles=_titles(tables, factors, outcomes),
        units=_units(tables, city),
        content=tables.content,
        root=str(root),
        attribution=attribution,
    )
    _check_schedule(tables)
    if tables.faults:
        raise CityFileError(str(path), tables.faults)
    return described


def _check_schedule(tables: Tables) -> None:
    table = tables.one("schedule")
    text = table.get("round", "")
    if text != "" and (not isinstance(text, str) or read_schedule(text) is None):
        tables.faults.append(f"[schedule]: round {text!r} is no time; {REMEDY}")


def _once(*names: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _slug(tables: Tables, city: Mapping[str, object]) -> str:
    slug = tables.text("[city]", city, "slug", required=True)
    if slug and not SLUG.fullmatch(slug):
        tables.faults.append(
            f"[city] slug {slug!r}: use small letters, digits and hyphens, 80 at most"
        )
    return slug or ""


def _crs(tables: Tables, city: Mapping[str, object]) -> str:
    value = tables.text("[city]", city, "crs", required=True)
    crs = tables.known_crs("[city]", value)
    if crs is not None and not crs.is_projected:
        tables.faults.append(
            f"[city] crs {value!r} is not projected (its unit is degrees); choose the state "
            "plane or UTM system of the city, such as EPSG:2264 for North Carolina in feet"
        )
    return value or ""


def _timezone(tables: Tables, city: Mapping[str, object]) -> str:
    value = tables.text("[city]", city, "timezone", required=True)
    try:
        zoneinfo.ZoneInfo(value or "UTC")
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        tables.faults.append(f"[city] timezone {value!r} is not known; as in America/New_York")
    return value or ""


def _units(tables: Tables, city: Mapping[str, object]) -> str:
    value = tables.text("[city]", city, "units")
    if value and value not in UNITS:
        tables.faults.append(f"[city] units {value!r} are not known; use {' or '.join(UNITS)}")
    return value or ""


def _today(tables: Tables, city: Mapping[str, object]) -> dt.date | None:
    today = city.get("today")
    if today is None:
        return None
    if city.get("synthetic") is not True:
        tables.faults.append("[city]: only a synthetic city has a today of its own; remove it")
    try:
        return parse_day(today)
    except ValueError:
        tables.faults.append(f"[city]: today must be a date such as 2026-01-31, got {today!r}")
        return None


def _grid(tables: Tables, grid: Mapping[str, object]) -> GridSpec:
    """Read the lengths of cells and blocks; 1 stands for those that are faulty."""
    lengths = {}
    for key in ("cell", "block"):
        value = grid.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float):
            if grid:
                tables.faults.append(f"[grid]: {key} must be a number, got {value!r}")
            return GridSpec(cell_units=1, block_units=1)
        lengths[f"{key}_units"] = value
    try:
        return GridSpec(**{name: float(length) for name, length in lengths.items()})
    except (SpecError, OverflowError) as error:
        tables.faults.append(f"[grid]: {error}")
        return GridSpec(cell_units=1, block_units=1)


def _sensitive(
    tables: Tables, table: Mapping[str, object], sources: tuple[IncidentSource, ...]
) -> tuple[str, ...]:
    sensitive_outcomes = table.get("sensitive_outcomes", [])
    if not isinstance(sensitive_outcomes, list) or not all(
        isinstance(one, str) for one in sensitive_outcomes
    ):
        tables.faults.append(
            f'[publish]: sensitive_outcomes must be a list such as ["assault"], '
            f"got {sensitive_outcomes!r:.60}"
        )
        return ()
    known = outcomes_of(sources)
    for name in sensitive_outcomes:
        if name not in known and len(sources) == len(tables.content.get("incidents", [])):
            tables.faults.append(
                f"[publish]: sensitive_outcomes: no incidents have the outcome {name!r}"
                f"{hint(name, known)}"
            )
    return tuple(dict.fromkeys(sensitive_outcomes))


def _outcomes(
    tables: Tables, sources: tuple[IncidentSource, ...]
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Read ``[outcomes.NAME]``: titles by outcome, and the outcomes that are sensitive."""
    content = tables.content.get("outcomes", {})
    if not isinstance(content, dict):
        tables.faults.append("[outcomes] must have a table for each outcome: [outcomes.robbery]")
        return {}, ()
    known, titles, sensitive = outcomes_of(sources), {}, []
    for name, table in content.items():
        where = f"[outcomes.{name}]"
        if not isinstance(table, dict):
            tables.faults.append(f'{where} must be a table, as in title = "robbery"')
            continue
        tables.unknown(where, table, {"title", "sensitive"})
        if name not in known and len(sources) == len(tables.content.get("incidents", [])):
            tables.faults.append(f"{where}: no incidents have that outcome{hint(name, known)}")
        if title := _line(where, table, "title", tables.faults):
            titles[name] = title
        if not isinstance(table.get("sensitive", False), bool):
            tables.faults.append(f"{where}: sensitive must be true or false")
        elif table.get("sensitive"):
            sensitive.append(name)
    return titles, tuple(sensitive)


def _titles(
    tables: Tables, factors: tuple[FactorSource, ...], outcomes: Mapping[str, str]
) -> dict[str, str]:
    """Return what pages call factors and outcomes; what the library says of a name is left out."""
    titles = dict(outcomes)
    for source in factors:
        name, title = source.factor.name, source.title
        if not title or title == title_of(name):
            continue
        if titles.get(name, title) != title:
            tables.faults.append(f"{name!r} is a factor and an outcome with different titles")
        titles[name] = title
    return titles


def _residents(tables: Tables) -> ResidentsSource | None:
    table = tables.one("residents")
    place = tables.place("[residents]", table) if table else None
    return read_residents(table, place, tables.faults)


def _basemap(tables: Tables) -> tuple[SourcePlace | None, str]:
    """Read the city's own file of tiles, and whose data the base map is drawn from."""
    where, table = "[basemap]", tables.one("basemap")
    attribution = _line(where, table, "attribution", tables.faults)
    place = tables.place(where, table) if "source" in table else None
    if place is not None and WEB.match(place.path):
        tables.faults.append(f"{where}: source must be a file; fetch {place.label} and name that")
    usual = OSM_ATTRIBUTION if "osm" in tables.content and place is None else ""
    return place, attribution or usual


def _activities(tables: Tables) -> tuple[str, ...] | None:
    activities = tables.one("dosage").get("activities")
    if activities is None:
        return None
    if (
        not isinstance(activities, list)
        or not activities
        or not all(isinstance(one, str) and one.strip() for one in activities)
        or any(len(one.strip()) > LONGEST_ACTIVITY for one in activities)
    ):
        tables.faults.append(
            '[dosage]: activities must be a list such as ["foot patrol"], each of at most '
            f"{LONGEST_ACTIVITY} characters, got {activities!r:.60}"
        )
        return None
    return tuple(dict.fromkeys(one.strip() for one in activities))


def parse_day(value: Any) -> dt.date:
    """Read a day that TOML or a person wrote.

    Raises
    ------
    ValueError
        If it is no day.
    """
    text = value.isoformat() if hasattr(value, "isoformat") else value
    return dt.date.fromisoformat(str(text))
