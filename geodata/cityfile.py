"""A city file (TOML) -> a checked description; every fault is gathered and told at once."""

from __future__ import annotations

import datetime as dt
import re
import zoneinfo
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pyproj import CRS
from pyproj.exceptions import CRSError

from geodata.disclosure import (
    CONTACT_KEYS,
    LICENSE_KEYS,
    RESIDENTS_KEYS,
    read_contact,
    read_license,
    read_residents,
)
from geodata.errors import CityFileError
from geodata.filters import Filter
from geodata.records import CLASSES, DISPOSITIONS, RECORD_KINDS, RecordKind, RecordSource
from geodata.tomlfile import hint, load_toml, unknown_keys
from spatial.errors import SpecError
from spatial.spec import GridSpec, RiskFactor

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from geodata.disclosure import Contact, License, ResidentsSource

DEGREES = "EPSG:4326"
PLACE_FIELDS = {True: ("x", "y", "latlon"), False: ()}
BASE_KINDS = ("street", "water", "park", "rail", "neighbourhood")
LONGEST_ACTIVITY = 120
SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,79}")

PLACE_KEYS = {"source", "layer", "x", "y", "crs", "where"}
KEYS: dict[str, set[str]] = {
    "city": {"slug", "name", "crs", "timezone", "synthetic", "today"},
    "grid": {"cell", "block"},
    "districts": PLACE_KEYS | {"id", "name"},
    "boundary": PLACE_KEYS,
    "incidents": PLACE_KEYS
    | {"outcome", "outcome_field", "outcomes", "id", "date", "time", "date_format"},
    "factors": PLACE_KEYS | {"name", "operation", "max_blocks", "step"},
    "base": PLACE_KEYS | {"kind", "name", "rank"},
    "coverage": PLACE_KEYS,
    "dosage": {"activities"},
    "addresses": PLACE_KEYS,
    "publish": {"sensitive_outcomes", *LICENSE_KEYS},
    "contact": {*CONTACT_KEYS},
    "residents": (PLACE_KEYS - {"x", "y"}) | {*RESIDENTS_KEYS},
    "files": set(),
    **{
        kind.section: (PLACE_KEYS - {"x", "y"}) | {"fields", "date_format", "measure", *kind.words}
        for kind in RECORD_KINDS.values()
    },
}
WORDS = {"classes": CLASSES, "dispositions": DISPOSITIONS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where rows come from and how their place is told; ``notes`` are told with its account."""

    label: str  # as the city file writes it
    path: str  # resolved path, or an http(s) address
    layer: str | None = None
    x: str | None = None
    y: str | None = None
    crs: str | None = None
    where: Filter = field(default_factory=Filter)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DistrictSource:
    """Polygons of districts; rows with one id are one district."""

    place: Place
    id: str
    name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentSource:
    """Incident points: of one outcome, or of several told apart by a column."""

    place: Place
    outcomes: Mapping[str, str] | str
    outcome_field: str | None
    id: str | None
    date: str
    time: str | None
    date_format: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorSource:
    """One layer of the environment."""

    place: Place
    factor: RiskFactor


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseSource:
    """Shapes drawn under the map."""

    place: Place
    kind: str
    name: str | None
    rank: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CityFile:
    """A city as its file describes it.

    ``today`` is the day at which the calendar of a synthetic city stands; a real city has none.
    ``sensitive_outcomes`` are those of which only counts by district and month may be published.
    ``contact``, ``license`` and ``residents`` are for the public pages; each may be missing.
    ``activities`` are what officers may say that they did on a visit, nothing for the usual ones.
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
    boundary: Place | None
    incidents: tuple[IncidentSource, ...]
    factors: tuple[FactorSource, ...]
    base: tuple[BaseSource, ...]
    coverage: Place | None
    addresses: Place | None
    records: tuple[RecordSource, ...]
    sensitive_outcomes: tuple[str, ...] = ()
    contact: Contact | None = None
    license: License | None = None
    residents: ResidentsSource | None = None
    activities: tuple[str, ...] | None = None
    content: Mapping[str, Any] = field(default_factory=dict)
    root: str = ""

    @property
    def outcomes(self) -> tuple[str, ...]:
        """Outcomes that the file names, in its order."""
        return outcomes_of(self.incidents)


def outcomes_of(sources: Iterable[IncidentSource]) -> tuple[str, ...]:
    """Give the outcomes that sources name, in their order."""
    found: dict[str, None] = {}
    for source in sources:
        named = source.outcomes
        found.update(dict.fromkeys([named] if isinstance(named, str) else named.values()))
    return tuple(found)


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


def read_content(content: Mapping[str, Any], path: Path, root: Path) -> CityFile:
    """Check what a city file says, wherever it comes from.

    Parameters
    ----------
    content
        Its sections, as TOML or JSON have them.
    path
        What the file is called when its faults are told.
    root
        Folder that relative sources start from.

    Raises
    ------
    CityFileError
        With every fault that it has.
    """
    return _Reader(path, root, dict(content)).read()


class _Reader:
    """Walks the sections and gathers faults instead of stopping at the first."""

    def __init__(self, path: Path, root: Path, content: dict[str, Any]) -> None:
        self.path, self.root, self.content = path, root, content
        self.faults: list[str] = []
        self.files = self._files()

    def read(self) -> CityFile:
        self._unknown("the city file", self.content, set(KEYS))
        city = self._table("city", required=True)
        grid = self._table("grid", required=True)
        districts = self._districts()
        boundary = self._area("boundary")
        coverage = self._area("coverage")
        addresses = self._area("addresses")
        if districts is None and boundary is None and "districts" not in self.content:
            self.faults.append("needs [districts] or [boundary]: without them there is no area")
        incidents = [self._incident(*entry) for entry in self._entries("incidents")]
        factors = [self._factor(*entry) for entry in self._entries("factors")]
        base = [self._base(*entry) for entry in self._entries("base")]
        records = [
            self._record(kind, *entry)
            for kind in RECORD_KINDS.values()
            for entry in self._entries(kind.section)
        ]
        slug = self._text("[city]", city, "slug", required=True)
        if slug and not SLUG.fullmatch(slug):
            self.faults.append(
                f"[city] slug {slug!r}: use small letters, digits and hyphens, 80 at most"
            )
        name = self._text("[city]", city, "name", required=True)
        crs = self._crs(city)
        timezone = self._timezone(city)
        today = self._today(city)
        spec = self._grid(grid)
        self._twice([f for f in factors if f])
        kept = [source for source in incidents if source]
        publish = self._table("publish")
        sensitive = self._sensitive(publish, kept)
        license_ = read_license(publish, self.faults)
        contact = read_contact(self._table("contact"), self.faults)
        residents = self._residents()
        activities = self._activities()
        if self.faults:
            raise CityFileError(str(self.path), self.faults)
        return CityFile(
            path=str(self.path),
            slug=slug or "",
            name=name or "",
            crs=crs or "",
            timezone=timezone or "",
            synthetic=city.get("synthetic") is True,
            today=today,
            grid=spec or GridSpec(cell_units=1, block_units=1),
            districts=districts,
            boundary=boundary,
            incidents=tuple(kept),
            factors=tuple(source for source in factors if source),
            base=tuple(source for source in base if source),
            coverage=coverage,
            addresses=addresses,
            records=tuple(source for source in records if source),
            sensitive_outcomes=sensitive,
            contact=contact,
            license=license_,
            residents=residents,
            activities=activities,
            content=self.content,
            root=str(self.root),
        )

    def _files(self) -> dict[str, str]:
        """Read where sources are kept that are kept elsewhere than they are called."""
        table = self.content.get("files", {})
        if not isinstance(table, dict) or not all(isinstance(one, str) for one in table.values()):
            self.faults.append('[files] must say where sources are kept: "called" = "files/kept"')
            return {}
        return table

    def _sensitive(
        self, table: Mapping[str, Any], sources: list[IncidentSource]
    ) -> tuple[str, ...]:
        given = table.get("sensitive_outcomes", [])
        if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
            self.faults.append(
                '[publish]: sensitive_outcomes must be a list such as ["assault"], got '
                f"{given!r:.60}"
            )
            return ()
        known = outcomes_of(sources)
        for name in given:
            if name not in known and len(sources) == len(self.content.get("incidents", [])):
                self.faults.append(
                    f"[publish]: sensitive_outcomes: no incidents have the outcome {name!r}"
                    f"{hint(name, known)}"
                )
        return tuple(dict.fromkeys(given))

    def _unknown(self, where: str, table: Mapping[str, Any], known: set[str]) -> None:
        self.faults += unknown_keys(where, table, known)

    def _table(self, section: str, *, required: bool = False) -> dict[str, Any]:
        value = self.content.get(section)
        if value is None:
            if required:
                self.faults.append(f"section [{section}] is missing")
            return {}
        if not isinstance(value, dict):
            self.faults.append(f"[{section}] must be one table, written [{section}]")
            return {}
        self._unknown(f"[{section}]", value, KEYS[section])
        return value

    def _entries(self, section: str) -> list[tuple[str, dict[str, Any]]]:
        value = self.content.get(section, [])
        if not isinstance(value, list) or any(not isinstance(entry, dict) for entry in value):
            self.faults.append(f"[{section}] must be a list of tables, written [[{section}]]")
            return []
        found = []
        for number, entry in enumerate(value, start=1):
            where = f"[[{section}]] {number}"
            self._unknown(where, entry, KEYS[section])
            found.append((where, entry))
        return found

    def _text(
        self, where: str, table: Mapping[str, Any], key: str, *, required: bool = False
    ) -> str | None:
        value = table.get(key)
        if value is None:
            if required and table:
                self.faults.append(f"{where}: {key} is missing")
            return None
        if not isinstance(value, str) or not value.strip():
            self.faults.append(f"{where}: {key} must be text, got {value!r}")
            return None
        return value

    def _crs(self, city: Mapping[str, Any]) -> str | None:
        given = self._text("[city]", city, "crs", required=True)
        crs = self._known_crs("[city]", given)
        if crs is None:
            return None
        if not crs.is_projected:
            self.faults.append(
                f"[city] crs {given!r} is not projected (its unit is degrees); choose the state "
                "plane or UTM system of the city, such as EPSG:2264 for North Carolina in feet"
            )
            return None
        return given

    def _known_crs(self, where: str, given: str | None) -> CRS | None:
        if given is None:
            return None
        try:
            return CRS.from_user_input(given)
        except CRSError:
            self.faults.append(f"{where}: crs {given!r} is not known; write it as EPSG:2264")
            return None

    def _timezone(self, city: Mapping[str, Any]) -> str | None:
        given = self._text("[city]", city, "timezone", required=True)
        if given is None:
            return None
        try:
            zoneinfo.ZoneInfo(given)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            self.faults.append(f"[city] timezone {given!r} is not known; as in America/New_York")
            return None
        return given

    def _today(self, city: Mapping[str, Any]) -> dt.date | None:
        given = city.get("today")
        if given is None:
            return None
        if city.get("synthetic") is not True:
            self.faults.append("[city]: only a synthetic city has a today of its own; remove it")
        try:
            return parse_day(given)
        except ValueError:
            self.faults.append(f"[city]: today must be a date such as 2026-01-31, got {given!r}")
            return None

    def _grid(self, grid: Mapping[str, Any]) -> GridSpec | None:
        numbers = {}
        for key in ("cell", "block"):
            value = grid.get(key)
            if isinstance(value, bool) or not isinstance(value, int | float):
                if grid:
                    self.faults.append(f"[grid]: {key} must be a number, got {value!r}")
                return None
            numbers[key] = float(value)
        try:
            return GridSpec(cell_units=numbers["cell"], block_units=numbers["block"])
        except SpecError as error:
            self.faults.append(f"[grid]: {error}")
            return None

    def _place(self, where: str, table: Mapping[str, Any]) -> Place | None:
        source = self._text(where, table, "source", required=True)
        x, y = self._text(where, table, "x"), self._text(where, table, "y")
        if (x is None) != (y is None):
            self.faults.append(f"{where}: x and y belong together; name both columns or none")
        crs = self._text(where, table, "crs")
        self._known_crs(where, crs)
        given = table.get("where", {})
        rows = Filter()
        if isinstance(given, dict):
            rows, faults = Filter.parse(given)
            self.faults += [f"{where}: where: {fault}" for fault in faults]
        else:
            self.faults.append(f'{where}: where must be a table such as {{ types = "bar" }}')
        if source is None:
            return None
        return Place(
            label=source,
            path=self._resolve(source),
            layer=self._text(where, table, "layer"),
            x=x,
            y=y,
            crs=crs or (DEGREES if x else None),
            where=rows,
        )

    def _resolve(self, source: str) -> str:
        if source.startswith(("http://", "https://")):
            return source
        return str(self.root / self.files.get(source, source))

    def _districts(self) -> DistrictSource | None:
        table = self._table("districts")
        if not table:
            return None
        place = self._place("[districts]", table)
        code = self._text("[districts]", table, "id", required=True)
        name = self._text("[districts]", table, "name")
        if place is None or code is None:
            return None
        return DistrictSource(place=place, id=code, name=name)

    def _area(self, section: str) -> Place | None:
        table = self._table(section)
        return self._place(f"[{section}]", table) if table else None

    def _residents(self) -> ResidentsSource | None:
        table = self._table("residents")
        place = self._place("[residents]", table) if table else None
        return read_residents(table, place, self.faults)

    def _activities(self) -> tuple[str, ...] | None:
        given = self._table("dosage").get("activities")
        if given is None:
            return None
        if (
            not isinstance(given, list)
            or not given
            or not all(isinstance(one, str) and one.strip() for one in given)
            or any(len(one.strip()) > LONGEST_ACTIVITY for one in given)
        ):
            self.faults.append(
                '[dosage]: activities must be a list such as ["foot patrol"], each of at most '
                f"{LONGEST_ACTIVITY} characters, got {given!r:.60}"
            )
            return None
        return tuple(dict.fromkeys(one.strip() for one in given))

    def _incident(self, where: str, table: Mapping[str, Any]) -> IncidentSource | None:
        place = self._place(where, table)
        date = self._text(where, table, "date", required=True)
        outcomes = self._outcomes(where, table)
        if place is None or date is None or outcomes is None:
            return None
        return IncidentSource(
            place=place,
            outcomes=outcomes,
            outcome_field=self._text(where, table, "outcome_field"),
            id=self._text(where, table, "id"),
            date=date,
            time=self._text(where, table, "time"),
            date_format=self._text(where, table, "date_format"),
        )

    def _outcomes(self, where: str, table: Mapping[str, Any]) -> Mapping[str, str] | str | None:
        single = self._text(where, table, "outcome")
        column, several = table.get("outcome_field"), table.get("outcomes")
        if single is not None:
            if column is not None or several is not None:
                self.faults.append(
                    f"{where}: give outcome, or outcome_field with outcomes, not both"
                )
            return single
        if column is None and several is None:
            self.faults.append(
                f"{where}: outcome is missing; name it, or outcome_field and outcomes"
            )
            return None
        ok = (
            isinstance(several, dict)
            and several
            and all(isinstance(value, str) and value for value in several.values())
        )
        if column is None or not ok:
            self.faults.append(
                f'{where}: outcome_field needs outcomes = {{ "Robbery" = "robbery" }} beside it'
            )
            return None
        return dict(several)  # type: ignore[arg-type]

    def _factor(self, where: str, table: Mapping[str, Any]) -> FactorSource | None:
        place = self._place(where, table)
        name = self._text(where, table, "name", required=True)
        if place is None or name is None:
            return None
        try:
            factor = RiskFactor(
                name=name,
                operation=table.get("operation", "both"),
                max_blocks=table.get("max_blocks", 3),
                step=table.get("step", "half"),
            )
        except (SpecError, TypeError, ValueError) as error:
            self.faults.append(f"{where}: {error}")
            return None
        return FactorSource(place=place, factor=factor)

    def _base(self, where: str, table: Mapping[str, Any]) -> BaseSource | None:
        place = self._place(where, table)
        kind = self._text(where, table, "kind", required=True)
        if kind is not None and kind not in BASE_KINDS:
            self.faults.append(
                f"{where}: kind must be one of {', '.join(BASE_KINDS)}, got {kind!r}"
            )
        if place is None or kind is None:
            return None
        return BaseSource(
            place=place,
            kind=kind,
            name=self._text(where, table, "name"),
            rank=self._text(where, table, "rank"),
        )

    def _record(
        self, kind: RecordKind, where: str, table: Mapping[str, Any]
    ) -> RecordSource | None:
        fields = table.get("fields")
        if not isinstance(fields, dict):
            self.faults.append(f'{where}: needs [{kind.section}.fields], as in id = "id"')
            return None
        known = {"id", *(f.name for f in kind.fields), *PLACE_FIELDS[kind.placed]}
        known |= {"verified_x", "verified_y"} if kind.section == "alerts" else set()
        self._unknown(f"{where} fields", fields, known)
        columns = {name: self._columns(where, name, fields[name]) for name in fields}
        for wanted in kind.fields:
            if wanted.required and wanted.name not in columns:
                self.faults.append(f"{where}: fields: {wanted.name} is missing")
        place = self._place(where, {**_without(table, "fields"), **_axes(fields)})
        given = columns.get("latlon", ()), columns.get("x", ())
        if kind.placed and all(given):
            self.faults.append(f"{where}: fields: name x and y, or latlon, not both")
        if place is None:
            return None
        return RecordSource(
            section=kind.section,
            place=place,
            columns={f.name: columns[f.name] for f in kind.fields if f.name in columns}
            | {axis: columns[axis] for axis in ("verified_x", "verified_y") if axis in columns},
            id=(columns.get("id") or (None,))[0],
            latlon=(given[0] or (None,))[0],
            date_format=self._text(where, table, "date_format"),
            measure=self._text(where, table, "measure"),
            words={name: self._words(where, name, table.get(name, {})) for name in kind.words},
        )

    def _columns(self, where: str, name: str, given: Any) -> tuple[str, ...]:
        """Read the column of a field: a name, or a date and a time column of a clock."""
        named = [given] if isinstance(given, str) else given
        ok = isinstance(named, list) and 1 <= len(named) <= 2
        if not ok or not all(isinstance(column, str) and column for column in named):
            self.faults.append(
                f'{where}: fields: {name} must be a column, or ["Date", "Time"], got {given!r}'
            )
            return ()
        return tuple(named)

    def _words(self, where: str, name: str, given: Any) -> dict[str, str]:
        allowed = WORDS[name]
        if not isinstance(given, dict):
            self.faults.append(f"{where}: {name} must be a table of the export's words and ours")
            return {}
        for word, ours in given.items():
            if ours not in allowed:
                self.faults.append(
                    f"{where}: {name}: {word!r} must become one of {', '.join(allowed)}"
                )
        return {str(word).strip().casefold(): str(ours) for word, ours in given.items()}

    def _twice(self, factors: list[FactorSource]) -> None:
        names = [source.factor.name for source in factors]
        for name in sorted({name for name in names if names.count(name) > 1}):
            self.faults.append(f"[[factors]]: {name!r} is named twice; names must differ")


def parse_day(given: Any) -> dt.date:
    """Read a day that TOML or a person wrote.

    Raises
    ------
    ValueError
        If it is no day.
    """
    text = given.isoformat() if hasattr(given, "isoformat") else given
    return dt.date.fromisoformat(str(text))


def _without(table: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in table.items() if name not in names}


def _axes(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {axis: fields[axis] for axis in ("x", "y") if axis in fields}
