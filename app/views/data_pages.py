"""What the page of a release's files shows, as typed values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask_babel import gettext as _

from app import words
from app.language import translated
from app.maps.shapes import district_label
from app.site import open_data, release_words
from app.views import notices

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from app.site.release_words import Moved
    from app.views.notices import Notices
    from geodata.publishing.folder import ReleaseFolder

    FileUrl = Callable[[str], str]

ORDER = (
    "zones",
    "zones_accountability",
    "alerts",
    "complaints",
    "measures",
    "measures_monthly",
    "measures_weekly",
    "incidents_monthly",
    "districts",
    "residents",
    "surface",
    "release",
    "initiatives",
    "dictionary",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """One file: a table in one format. Without ``url`` it cannot be had any more."""

    name: str
    format: str
    size: str
    url: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One table or document in its formats, with its columns (name, type, unit, meaning)."""

    id: str
    title: str
    holds: str
    forms: tuple[Form, ...]
    columns: tuple[tuple[str, str, str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseRow:
    """One release in a list."""

    id: str
    url: str
    published: str
    through: str
    state: str
    why: str
    current: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What rows can be chosen by in a form: names and values of its lists."""

    districts: tuple[tuple[str, str], ...]
    classes: tuple[tuple[str, str], ...]
    zone_classes: tuple[str, ...]
    measures: tuple[tuple[str, str], ...]
    first: str
    last: str
    alerts: bool
    zones: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DataPage:
    """One release: its files, rules, changes, and how to use, cite and verify it."""

    release: str
    current: bool
    withdrawn: str
    why: str
    published: str
    through: str
    entries: tuple[Entry, ...]
    documents: tuple[Form, ...]
    total: str
    rules: tuple[tuple[str, str], ...]
    rules_version: str
    k_counts: str
    changes: tuple[str, ...]
    moved: tuple[Moved, ...]
    previous: str
    citation: str
    notices: Notices
    releases: tuple[ReleaseRow, ...]
    part: Part | None


def data_page(
    release: ReleaseFolder,
    every: Iterable[ReleaseRow],
    *,
    current: bool,
    url: str,
    file_url: FileUrl,
) -> DataPage:
    """Tell everything of one release.

    Parameters
    ----------
    release
        An approved one, or one that was withdrawn: then its files cannot be had.
    every
        The city's releases, newest first.
    current
        Whether it is the one that the pages show.
    url, file_url
        Whole address of its page, and the address of a file by its name.
    """
    said = release.manifest
    withdrawn = release_words.withdrawn_at(release)
    at = (lambda _name: "") if withdrawn else file_url
    return DataPage(
        release=release.id,
        current=current,
        withdrawn=words.day(withdrawn.date()) if withdrawn else "",
        why=release_words.why_withdrawn(release),
        published=words.day(release_words.approved_at(release).date()),
        through=release_words.through(release),
        entries=_entries(release, at),
        documents=tuple(_form(entry, "") for entry in said["files"] if not _is_data(entry["name"])),
        total=release_words.size(sum(entry["bytes"] for entry in said["files"])),
        rules=tuple((rule_name(name), text) for name, text in said["rules"]["texts"].items()),
        rules_version=f"{said['rules']['version']}.{said['rules']['masking_version']}",
        k_counts=said["k_counts"]["text"],
        changes=tuple(release_words.changes(release)),
        moved=() if withdrawn else release_words.moved(release),
        previous=said["previous"] or "",
        citation=release_words.citation(release, url),
        notices=notices.Notices() if withdrawn else notices.notices(release),
        releases=tuple(every),
        part=_part(release) if current else None,
    )


def release_rows(
    releases: Sequence[ReleaseFolder], current: str, url: Callable[[str], str]
) -> tuple[ReleaseRow, ...]:
    """List releases that were ever approved, newest first."""
    return tuple(
        ReleaseRow(
            id=one.id,
            url=url(one.id),
            published=words.day(release_words.approved_at(one).date()),
            through=release_words.through(one),
            state=one.state,
            why=release_words.why_withdrawn(one),
            current=one.id == current,
        )
        for one in releases
    )


def rule_name(name: str) -> str:
    """Name a rule as a heading does."""
    named = {
        "places": _("Places"),
        "exact": _("Exact coordinates"),
        "delay": _("Times and delay"),
        "suppression": _("Small counts"),
        "coarse": _("Measures that rest on verified gunfire"),
        "outcomes": _("Sensitive incidents"),
        "residents": _("Who lives where"),
        "fields": _("What is on the list"),
        "age": _("Age"),
    }
    return named.get(name, words.plain(name).capitalize())


def _is_data(name: str) -> bool:
    return name.startswith(open_data.DATA)


def _form(entry: Mapping[str, str | int], url: str) -> Form:
    name = str(entry["name"])
    return Form(
        name=name.removeprefix(open_data.DATA),
        format=open_data.format_name(name),
        size=release_words.size(int(entry["bytes"])),
        url=url,
        sha256=str(entry["sha256"]),
    )


def _entries(release: ReleaseFolder, file_url: FileUrl) -> tuple[Entry, ...]:
    """Put the formats of one table together, in the order in which people look for them."""
    by_stem: dict[str, list[dict[str, str | int]]] = {}
    for entry in release.manifest["files"]:
        if _is_data(entry["name"]):
            by_stem.setdefault(open_data.stem(entry["name"]), []).append(entry)
    columns: dict[str, dict[str, tuple[str, str, str, str]]] = {}
    if not release.withdrawal:
        for row in open_data.table(release, "data/dictionary.csv"):
            told = (row["column"], row["type"], row["unit"], row["meaning"])
            columns.setdefault(open_data.stem(row["file"]), {}).setdefault(row["column"], told)
    place = {name: position for position, name in enumerate(ORDER)}
    found = []
    for stem in sorted(by_stem, key=lambda one: (place.get(one, len(ORDER)), one)):
        entries = by_stem[stem]
        title, holds = holding(stem) or (str(entries[0]["title"]), "")
        found.append(
            Entry(
                id=stem,
                title=title,
                holds=holds,
                forms=tuple(
                    _form(entry, file_url(str(entry["name"]).removeprefix(open_data.DATA)))
                    for entry in entries
                ),
                columns=tuple(columns.get(stem, {}).values()),
            )
        )
    return tuple(found)


def holding(stem: str) -> tuple[str, str] | None:
    """Give title and a sentence of what a file holds, if it is one that this page knows."""
    known = {
        "zones": (
            _("Risk terrain zones"),
            _("The outline of every zone with its rank, class and reasons; no count of incidents."),
        ),
        "zones_accountability": (
            _("How the zones of earlier releases did"),
            _("How many later incidents each release's zones held, beside prior counts."),
        ),
        "alerts": (
            _("Gunshot alerts"),
            _("One row an alert: an approximate place, the day, four hours of it, and the class."),
        ),
        "complaints": (
            _("Dirt-bike complaints"),
            _("One row a complaint: an approximate place and the day."),
        ),
        "measures": (
            _("Measures of whole periods"),
            _("Every public measure for all days, the last 12 months and this year, by district."),
        ),
        "measures_monthly": (
            _("Measures by month"),
            _("The same measures for every calendar month, for the city and by district."),
        ),
        "measures_weekly": (
            _("Measures by week"),
            _("Measures that may be told by week, for the city and by district."),
        ),
        "incidents_monthly": (
            _("Sensitive incidents"),
            _("Counts by district and month; small ones are hidden."),
        ),
        "districts": (
            _("Districts"),
            _("Outlines of the police districts, and how area, zones and alerts fall on them."),
        ),
        "residents": (
            _("Who lives where"),
            _("Estimates of the people in districts, in zones and near alerts."),
        ),
        "surface": (
            _("Risk by the surroundings alone"),
            _("The risk terrain class of every cell as a picture with coordinates."),
        ),
        "release": (
            _("All map layers in one file"),
            _("Districts, zones, alerts and complaints for a mapping program."),
        ),
        "initiatives": (
            _("Initiatives"),
            _("What the city says of its initiatives, as it stands."),
        ),
        "dictionary": (
            _("Data dictionary"),
            _("Every column of every file: type, unit and meaning."),
        ),
    }
    return known.get(stem)


def class_name(name: str) -> str:
    """Name a class of alerts."""
    named = {
        "single": _("single shot"),
        "multiple": _("multiple shots"),
        "probable": _("probable gunfire"),
        "other": _("other"),
    }
    return named.get(name, name)


def _part(release: ReleaseFolder) -> Part:
    days = release.manifest["sections"].get("alerts", {})
    zones = open_data.table(release, "data/zones.csv")
    measures = open_data.document(release, release_words.MEASURES).get("measures", [])
    return Part(
        districts=tuple(
            (code, district_label("", {"": name}))
            for code, name in open_data.districts(release).items()
        ),
        classes=tuple((name, class_name(name)) for name in open_data.CLASSES),
        zone_classes=tuple(dict.fromkeys(row["class"] for row in zones)),
        measures=tuple((one["id"], translated(one["title"])) for one in measures),
        first=str(days.get("from", "")),
        last=str(days.get("through", "")),
        alerts="data/alerts.csv" in release.files,
        zones=bool(zones),
    )
