"""What the page of a city's sources shows, as typed values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.analyst.managing import FIXED
from app.analyst.source_kinds import KINDS
from geodata.cityfile.folder import sections
from geodata.sources.fetching import is_address, shown_address

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from geodata.quarantine.handed_in import HandedIn
    from geodata.reports import SourceReport
    from geodata.store.imports import ImportRecord

TABLES = {  # tables of the database, for people
    "incident": "incidents",
    "feature": "shapes of factors",
    "base_shape": "shapes of the ground",
    "address": "addresses",
    "residents": "areas with residents",
    "alert": "alerts",
    "call": "calls",
    "verified": "verified gunfire",
    "visit": "visits",
    "occurrence": "occurrences",
    "tally": "counts",
}
REASONS = {"left out by where": "of a kind that was not named"}
PLACE = ("x", "y", "crs", "layer")


@dataclass(frozen=True, kw_only=True)
class SourceRow:
    """One source of a city; ``read`` and what follows are nothing where no import tells them."""

    section: str
    number: int | None
    title: str
    what: str
    source: str
    shown: str
    address: bool
    columns: tuple[tuple[str, str], ...]
    removable: bool
    read: int | None = None
    stored: int | None = None
    known: int = 0
    left_out: tuple[tuple[str, int], ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ImportRow:
    """One import; ``newest`` stands and can be undone unless it is the ``first``."""

    id: int
    at: Any
    who: str
    changes: tuple[str, ...]
    first: bool
    newest: bool
    undone: Any
    undone_by: str | None


def source_rows(
    content: Mapping[str, Any], reports: Sequence[SourceReport], without: Collection[str] = ()
) -> tuple[SourceRow, ...]:
    """Give every source of a city file beside what the newest import says of it.

    A source of incidents is left out where each of its outcomes is one of ``without``.
    """
    left = list(reports)
    rows = []
    for section in sections(content):
        named = outcomes_told(section.table) if section.name == "incidents" else ()
        if named and set(named) <= set(without):
            continue
        shown = shown_address(section.source)
        report = next((r for r in left if (r.kind, r.source) == (section.name, shown)), None)
        if report is not None:
            left.remove(report)
        reasons = dict(report.left_out) if report else {}
        rows.append(
            SourceRow(
                section=section.name,
                number=section.number,
                title=_title(section.name),
                what=_what(section.name, section.table),
                source=section.source,
                shown=shown,
                address=is_address(section.source),
                columns=_columns(section.table),
                removable=section.name not in FIXED,
                read=report.read if report else None,
                stored=report.stored if report else None,
                known=reasons.pop("already stored", 0),
                left_out=tuple((REASONS.get(r, r), n) for r, n in reasons.items()),
                notes=tuple(report.notes) if report else (),
            )
        )
    return tuple(rows)


SOURCE_ORDERS: dict[str, Callable[[SourceRow], Any]] = {
    "kind": lambda row: (row.title, row.what),
    "source": lambda row: row.shown.lower(),
    "read": lambda row: -(row.read or 0),
    "left-out": lambda row: -sum(n for _, n in row.left_out),
}
WAITING_ORDERS: dict[str, Callable[[HandedIn], Any]] = {
    "when": lambda one: -one.when.timestamp(),
    "name": lambda one: one.upload.name.lower(),
    "size": lambda one: -one.upload.size,
    "who": lambda one: one.who,
}


def arranged(
    rows: Sequence[SourceRow], *, kind: str | None, order: str | None
) -> tuple[SourceRow, ...]:
    """Narrow sources to a kind and sort them; without an order they stay as the city has them."""
    found = [row for row in rows if kind in (None, row.section)]
    return tuple(sorted(found, key=SOURCE_ORDERS[order]) if order else found)


def import_rows(imports: Sequence[ImportRecord]) -> tuple[ImportRow, ...]:
    """Give the imports of a city as a page lists them, the newest first."""
    newest = next((one.id for one in imports if one.undone_at is None), None)
    return tuple(
        ImportRow(
            id=one.id,
            at=one.imported_at,
            who=one.imported_by or "",
            changes=changes(one),
            first=one.first,
            newest=one.id == newest,
            undone=one.undone_at,
            undone_by=one.undone_by,
        )
        for one in imports
    )


def changes(record: ImportRecord) -> tuple[str, ...]:
    """Tell what an import added, changed and removed, a line for each table."""
    return tuple(
        f"{TABLES.get(table, table)}: "
        + ", ".join(f"{number:,} {what}" for what, number in counts.items() if number)
        for table, counts in record.summary.items()
    )


def _title(name: str) -> str:
    return KINDS[name].title if name in KINDS else name.capitalize()


def _what(name: str, table: Mapping[str, Any]) -> str:
    """Tell which of its kind a source is: an outcome, a factor, a layer of the ground."""
    if name == "incidents":
        return ", ".join(outcomes_told(table))
    return str(table.get("name" if name == "factors" else "kind", ""))


def outcomes_told(table: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the outcomes that a source of incidents has rows of."""
    single = table.get("outcome")
    return (str(single),) if single else tuple(dict.fromkeys(table.get("outcomes", {}).values()))


def _columns(table: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Tell how a source is read, a pair for each thing that is said."""
    told = {name: value for name, value in table.items() if name not in ("source", "name", "kind")}
    told |= told.pop("fields", {})
    return tuple((name.replace("_", " "), _text(value)) for name, value in told.items())


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{name} = {_text(one)}" for name, one in value.items())
    return " + ".join(map(str, value)) if isinstance(value, list) else str(value)
