"""City settings and sources corrected: checked, compared with what stands, requested as an import.

The import stores all or nothing and can be undone like any other, which brings back what was
corrected.
"""

from __future__ import annotations

import copy
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Blueprint, redirect, render_template, request, url_for

from app.admin.city import shell, staff_city
from app.admin.layout import say
from app.auth.guard import require_visitor
from app.extensions import workroom
from app.workbench.source_changes import ask_import, job_address
from geodata.cityfile.description import CONTACT_KEYS, KEYS, LICENSE_KEYS, read_content
from geodata.cityfile.sections import RECORD_KINDS
from geodata.cityfile.toml import write_value
from geodata.errors import CityFileError, DataError, NotStoredError
from geodata.ingest.city_folder import CityFolder, sections
from geodata.remote.fetch import is_address, shown_address
from geodata.repositories.import_log import city_file_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from flask.typing import ResponseReturnValue

    from geodata.db.staff_tables import Job
    from geodata.repositories.cities import CityRecord
    from geodata.repositories.import_log import Described

TEXT, NUMBER, TABLE = "text", "number", "table"
LONGEST_VALUE = 8_000
NUMBERS = ("cell", "block", "max_blocks", "rank", "spelling")
TABLES = (  # and what else is no text
    "where", "outcomes", "fields", "sensitive_outcomes", "activities", "left", "right",
    "street_only",
)  # fmt: skip
SETTINGS: tuple[tuple[str, tuple[str, ...]], ...] = (  # sections and keys that a page corrects
    ("city", ("name", "timezone")),
    ("grid", ("cell", "block")),
    ("schedule", ("round",)),
    ("contact", CONTACT_KEYS),
    ("publish", ("sensitive_outcomes", *LICENSE_KEYS)),
    ("dosage", ("activities",)),
)
TITLES = {
    "city": "City",
    "grid": "Grid",
    "schedule": "Schedule",
    "contact": "Contact",
    "publish": "Publishing",
    "dosage": "Visits",
}
HINTS = {
    "cell": "Side of a cell, in the unit of the city's reference system. Runs so far keep theirs.",
    "block": "Length of a block, in the same unit.",
    "round": "When a worker makes a round: Mon 05:00, or daily 05:00. Empty: never.",
    "where": 'Rows that are read: { column = ["a", "b"] } or { column = "< 5" }.',
    "outcomes": 'Words of the file and the outcomes that they mean: { "ROBBERY" = "robbery" }.',
    "fields": "Columns by what they hold.",
    "sensitive_outcomes": 'A list: ["sexual_assault"].',
    "activities": 'A list: ["foot patrol", "business check"].',
    "left": 'First and last number of the left side of a segment: ["L_FROM", "L_TO"].',
    "right": 'The same of the right side: ["R_FROM", "R_TO"].',
    "street": 'The column of the name, or its parts in order: ["PREDIR", "NAME", "TYPE"].',
    "spelling": "How many letters of a street may differ: 0, 1 or 2.",
    "street_only": "Whether rows may be placed by their street alone: true or false.",
    "source": "Another address of the same source.",
}
bp = Blueprint("corrections", __name__, url_prefix="/analyst")


@dataclass(frozen=True, kw_only=True)
class SettingLine:
    """One setting in a form: ``typed`` is what stands in its field, ``fault`` what is wrong."""

    key: str
    label: str
    kind: str
    typed: str
    hint: str
    fault: str = ""


@dataclass(frozen=True, kw_only=True)
class ChangedSetting:
    """What a setting was and what it becomes, as the city file writes them; empty where absent."""

    key: str
    label: str
    before: str
    after: str


class Correction:
    """Some tables of a city file as they stand, as they were typed, and what differs.

    Parameters
    ----------
    described
        The city file as its newest import has it.
    keys
        Keys by the place of their table in the city file: its section, and its position where
        there may be several.
    typed
        Fields of the form that was sent, nothing for one that is shown first.
    """

    def __init__(
        self,
        described: Described,
        keys: Mapping[tuple[str, int | None], Iterable[str]],
        typed: Mapping[str, str] | None,
    ) -> None:
        self.described = described
        self.content: dict[str, Any] = copy.deepcopy(dict(described.content))
        self.lines: list[SettingLine] = []
        self.changes: list[ChangedSetting] = []
        self.faults: list[str] = []
        for (section, position), names in keys.items():
            there = self._table(section, position)
            for name in names:
                self._take(section, position, there, name, typed)
        if typed is not None and not self._has_faults():
            self._check()

    @property
    def ready(self) -> bool:
        """Whether something was changed and nothing is wrong."""
        return bool(self.changes) and not self._has_faults()

    def _has_faults(self) -> bool:
        return bool(self.faults) or any(line.fault for line in self.lines)

    def _table(self, section: str, position: int | None) -> dict[str, Any]:
        found = self.content.get(section, {})
        table: dict[str, Any] = found if position is None else found[position]
        return table

    def _take(
        self,
        section: str,
        position: int | None,
        there: dict[str, Any],
        name: str,
        typed: Mapping[str, str] | None,
    ) -> None:
        before, key = there.get(name), f"{section}.{name}"
        words = name.replace("_", " ")
        label = f"{TITLES[section]}: {words}" if section in TITLES else words.capitalize()
        text, fault = _as_typed(before), ""
        kind = _kind(name, before)
        if typed is not None and key in typed:
            text = typed[key].strip()[:LONGEST_VALUE]
            try:
                after = _read(kind, text)
            except ValueError as error:
                fault = str(error)
            else:
                if after != before:
                    self._put(section, position, name, after)
                    self.changes.append(
                        ChangedSetting(
                            key=key, label=label, before=_written(before), after=_written(after)
                        )
                    )
        self.lines.append(
            SettingLine(
                key=key,
                label=label,
                kind=kind,
                typed=text,
                hint=HINTS.get(name, ""),
                fault=fault,
            )
        )

    def _put(self, section: str, position: int | None, name: str, value: Any) -> None:
        table = self._table(section, position)
        if value is None:
            table.pop(name, None)
        else:
            table[name] = value
        if position is None:
            self.content[section] = table
            if not table:
                del self.content[section]

    def _check(self) -> None:
        """Hold the whole city file against its rules."""
        try:
            read_content(self.content, Path("this city"), Path(self.described.root))
        except CityFileError as error:
            self.faults += error.faults


@bp.route("/<city>/settings", methods=["GET", "POST"])
def settings(city: str) -> ResponseReturnValue:
    """Correct the settings of a city."""
    record, described = staff_city(city), _described(city)
    keys: dict[tuple[str, int | None], Iterable[str]] = {
        (section, None): names for section, names in SETTINGS
    }
    found = Correction(described, keys, request.form if request.method == "POST" else None)
    return _answer(record, found, "city.settings", {}, [])


@bp.route("/<city>/sources/correct", methods=["GET", "POST"])
def source(city: str) -> ResponseReturnValue:
    """Correct how a source of a city is read."""
    record, described = staff_city(city), _described(city)
    name, place = request.values.get("section", ""), request.values.get("number", "")
    number = int(place) if place.isascii() and place.isdigit() and len(place) < 6 else None
    one = next(
        (s for s in sections(described.content) if (s.name, s.number) == (name, number)), None
    )
    if one is None:
        msg = f"{record.name} has no such source any more; look at its sources"
        raise NotStoredError(msg)
    names = sorted(KEYS[name] - {"source"}, key=lambda key: (key not in one.table, key))
    if is_address(one.source):
        names.insert(0, "source")
    position = None if number is None else number - 1
    typed = request.form if request.method == "POST" else None
    found = Correction(described, {(name, position): names}, typed)
    wanted = found._table(name, position).get("source", "")
    if wanted != one.source and not is_address(str(wanted)):
        found.faults.append("the source must stay an address; hand in a file as a new source")
    forget = []
    if name == "incidents" or name in RECORD_KINDS:
        forget = [f"{name}:{shown_address(one.source)}"]
    document = {"section": name, "source": shown_address(one.source)}
    return _answer(record, found, "source.correct", document, forget, one.number)


def _answer(
    city: CityRecord,
    found: Correction,
    action: str,
    document: dict[str, Any],
    forget: list[str],
    number: int | None = None,
) -> ResponseReturnValue:
    """Show the form, or what it changes; once that is confirmed, ask for the import."""
    version = request.form.get("version", "")
    if request.method == "POST" and version != str(found.described.number):
        found.faults.append("the city was changed meanwhile; look at it and correct it again")
    if request.method == "POST" and not found.changes and not found.faults:
        found.faults.append("nothing is changed yet")
    if found.ready and request.form.get("sure") == "y":
        try:
            job = _ask(city.slug, found, action, document, forget)
        except (DataError, CityFileError) as error:
            found.faults += error.faults if isinstance(error, CityFileError) else [str(error)]
        else:
            say(f"The correction is being imported: job {job.id}.")
            return redirect(job_address(city.slug, job.id), 303)
    page = render_template(
        "analyst/correct.html",
        shell=shell(city, "sources.sources"),
        crs=city.crs,
        found=found,
        number=number,
        document=document,
        action=url_for(request.endpoint or "", city=city.slug),
    )
    return page, 422 if request.method == "POST" and not found.ready else 200


def _ask(
    slug: str, found: Correction, action: str, document: dict[str, Any], forget: list[str]
) -> Job:
    room, who = workroom(), require_visitor().person.name
    folder = CityFolder(room.settings.cities, slug)
    content = folder.adopt(found.content, found.described.root)
    changes = {one.key: [one.before, one.after] for one in found.changes}
    return ask_import(
        room,
        slug,
        folder,
        content,
        found.described,
        who,
        action,
        {**document, "changes": changes},
        forget,
    )


def _described(slug: str) -> Described:
    with workroom().database.session() as session:
        return city_file_of(session, slug)


def _kind(name: str, value: Any) -> str:
    if name in NUMBERS:
        return NUMBER
    return TABLE if name in TABLES or not isinstance(value, str | None) else TEXT


def _as_typed(value: Any) -> str:
    return value if isinstance(value, str) else _written(value)


def _written(value: Any) -> str:
    return "" if value is None else write_value(value)


def _read(kind: str, text: str) -> Any:
    """Return what was typed as a value of a city file, nothing for an empty field.

    Raises
    ------
    ValueError
        If it cannot be read, in words for who typed it.
    """
    if not text:
        return None
    if kind == TEXT and text[0] not in "[{":
        return " ".join(text.split())
    try:
        return tomllib.loads(f"value = {' '.join(text.splitlines())}")["value"]
    except tomllib.TOMLDecodeError as error:
        msg = "a number such as 200" if kind == NUMBER else f"not a value of a city file ({error})"
        raise ValueError(msg) from error
    except RecursionError as error:
        msg = "not a value of a city file: it has too many brackets"
        raise ValueError(msg) from error
