"""What the page of a release's files shows, as typed values.

Everything that is published, to take away: the newest release, earlier ones, their feed.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import Blueprint, current_app, render_template, request, send_file, url_for
from flask_babel import gettext as _
from werkzeug.exceptions import NotFound

from app.i18n import measure_words, numbers
from app.i18n.language import by_address, code
from app.links import whole, whole_url
from app.maps.shapes import district_label
from app.public import feed, method_words, open_data, pages, release_words
from app.public.decorators import release_of, releases_of, with_city, with_release
from geodata.releases.folder import MANIFEST

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from flask import Response
    from flask.typing import ResponseReturnValue

    from app.public.method_words import Notices
    from app.public.published_city import PublicCityView
    from app.public.release_words import Moved
    from geodata.release_manifest import ReleaseFile
    from geodata.releases.folder import ReleaseFolder


if TYPE_CHECKING:
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
class FileEntry:
    """One table or document in its formats, with its columns (name, type, unit, meaning)."""

    id: str
    title: str
    holds: str
    forms: tuple[Form, ...]
    columns: tuple[tuple[str, str, str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicReleaseRow:
    """One release in a list."""

    id: str
    url: str
    published: str
    through: str
    state: str
    why: str
    current: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoicePart:
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
    entries: tuple[FileEntry, ...]
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
    releases: tuple[PublicReleaseRow, ...]
    part: ChoicePart | None


def data_page(
    release: ReleaseFolder,
    every: Iterable[PublicReleaseRow],
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
    stated = release.manifest
    withdrawn = release_words.withdrawn_at(release)
    at = (lambda _name: "") if withdrawn else file_url
    return DataPage(
        release=release.id,
        current=current,
        withdrawn=numbers.day(withdrawn.date()) if withdrawn else "",
        why=release_words.why_withdrawn(release),
        published=numbers.day(release_words.approved_at(release).date()),
        through=release_words.through(release),
        entries=_entries(release, at),
        documents=tuple(_form(entry, "") for entry in stated.files if not _is_data(entry.name)),
        total=release_words.size(sum(entry.bytes for entry in stated.files)),
        rules=tuple((rule_name(name), text) for name, text in stated.rules.texts.items()),
        rules_version=f"{stated.rules.version}.{stated.rules.masking_version}",
        k_counts=stated.k_counts.text,
        changes=tuple(release_words.changes(release)),
        moved=() if withdrawn else release_words.moved(release),
        previous=stated.previous or "",
        citation=release_words.citation(release, url),
        notices=method_words.Notices() if withdrawn else method_words.notices(release),
        releases=tuple(every),
        part=_part(release) if current else None,
    )


def release_rows(
    releases: Sequence[ReleaseFolder], current: str, url: Callable[[str], str]
) -> tuple[PublicReleaseRow, ...]:
    """List releases that were ever approved, newest first."""
    return tuple(
        PublicReleaseRow(
            id=one.id,
            url=url(one.id),
            published=numbers.day(release_words.approved_at(one).date()),
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
    return named.get(name, numbers.plain(name).capitalize())


def _is_data(name: str) -> bool:
    return name.startswith(open_data.DATA)


def _form(entry: ReleaseFile, url: str) -> Form:
    name = entry.name
    return Form(
        name=name.removeprefix(open_data.DATA),
        format=open_data.format_name(name),
        size=release_words.size(entry.bytes),
        url=url,
        sha256=entry.sha256,
    )


def _entries(release: ReleaseFolder, file_url: FileUrl) -> tuple[FileEntry, ...]:
    """Put the formats of one table together, in the order in which people look for them."""
    by_stem: dict[str, list[ReleaseFile]] = {}
    for entry in release.manifest.files:
        if _is_data(entry.name):
            by_stem.setdefault(open_data.stem(entry.name), []).append(entry)
    columns: dict[str, dict[str, tuple[str, str, str, str]]] = {}
    if not release.withdrawal:
        for row in open_data.table(release, "data/dictionary.csv"):
            lines = (row["column"], row["type"], row["unit"], row["meaning"])
            columns.setdefault(open_data.stem(row["file"]), {}).setdefault(row["column"], lines)
    place = {name: position for position, name in enumerate(ORDER)}
    found = []
    for stem in sorted(by_stem, key=lambda one: (place.get(one, len(ORDER)), one)):
        entries = by_stem[stem]
        title, holds = holding(stem) or (entries[0].title, "")
        found.append(
            FileEntry(
                id=stem,
                title=title,
                holds=holds,
                forms=tuple(
                    _form(entry, file_url(entry.name.removeprefix(open_data.DATA)))
                    for entry in entries
                ),
                columns=tuple(columns.get(stem, {}).values()),
            )
        )
    return tuple(found)


def holding(stem: str) -> tuple[str, str] | None:
    """Return title and a sentence of what a file holds, if it is one that this page knows."""
    return _holdings().get(stem)


def _holdings() -> dict[str, tuple[str, str]]:
    return {
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


def class_name(name: str) -> str:
    """Name a class of alerts."""
    named = {
        "single": _("single shot"),
        "multiple": _("multiple shots"),
        "probable": _("probable gunfire"),
        "other": _("other"),
    }
    return named.get(name, name)


def _part(release: ReleaseFolder) -> ChoicePart:
    days = release.manifest.sections.get("alerts")
    zones = open_data.table(release, "data/zones.csv")
    measures = open_data.measures(release).values()
    return ChoicePart(
        districts=tuple(
            (code, district_label("", {"": name}))
            for code, name in open_data.districts(release).items()
        ),
        classes=tuple((name, class_name(name)) for name in open_data.CLASSES),
        zone_classes=tuple(dict.fromkeys(row["class"] for row in zones)),
        measures=tuple((one.id, measure_words.title(one)) for one in measures),
        first=days.first.isoformat() if days else "",
        last=days.through.isoformat() if days else "",
        alerts="data/alerts.csv" in release.files,
        zones=bool(zones),
    )


bp = Blueprint("data", __name__)


@bp.get("/data/")
@with_city
def data(published: PublicCityView) -> ResponseReturnValue:
    """Show the newest release: its files, its rules and how to use it."""
    release = release_of(published)
    return _page(published, release, release)


@bp.get("/data/releases/<identity>/")
@with_city
def release(published: PublicCityView, identity: str) -> ResponseReturnValue:
    """Show a release that was ever approved; of a withdrawn one all but its files."""
    return _page(published, _find(published, identity), release_of(published))


@bp.get("/data/<name>")
@with_release
def file(_shown: PublicCityView, current: ReleaseFolder, name: str) -> ResponseReturnValue:
    """Send a file of the newest release, or the rows of it that the address asks for."""
    stored = _stored(current, name)
    choice = open_data.choose(request.args, current, stored)
    if not choice:
        return _send_file(current, stored)
    content = open_data.chosen(current, stored, choice)
    named = f"{current.id}-{choice.name(name)}"
    return _send(content, stored, named, open_data.digest(content))


@bp.get("/data/releases/<identity>/<name>")
@with_release
def release_file(
    published: PublicCityView, _current: ReleaseFolder, identity: str, name: str
) -> ResponseReturnValue:
    """Send a file of an earlier release."""
    found = _find(published, identity, whole=True)
    return _send_file(found, _stored(found, name))


@bp.get("/data/all.zip")
@with_release
def everything(_shown: PublicCityView, current: ReleaseFolder) -> ResponseReturnValue:
    """Send the newest release as one archive."""
    return _archive(current)


@bp.get("/data/releases/<identity>/all.zip")
@with_release
def release_archive(
    published: PublicCityView, _current: ReleaseFolder, identity: str
) -> ResponseReturnValue:
    """Send an earlier release as one archive."""
    return _archive(_find(published, identity, whole=True))


@bp.get("/data/manifest.json")
@with_release
def manifest(_shown: PublicCityView, current: ReleaseFolder) -> ResponseReturnValue:
    """Send what the newest release says of itself."""
    return _send_manifest(current)


@bp.get("/data/releases/<identity>/manifest.json")
@with_release
def release_manifest(
    published: PublicCityView, _current: ReleaseFolder, identity: str
) -> ResponseReturnValue:
    """Send what an earlier release says of itself."""
    return _send_manifest(_find(published, identity, whole=True))


@bp.get("/data/releases.atom")
@by_address
@with_release
def releases_feed(published: PublicCityView, _current: ReleaseFolder) -> ResponseReturnValue:
    """Send the releases as a feed."""
    every = releases_of(published)
    city = request.args.get("city")

    def url(endpoint: str, **values: str) -> str:
        return whole_url(endpoint, city=city, **values)

    content = feed.atom_feed(
        every,
        host=urlsplit(whole("/")).netloc,
        language=code(),
        self_url=url("data.releases_feed"),
        page_url=url("data.data"),
        release_url=lambda one: url("data.release", identity=one.id),
    )
    response = current_app.response_class(content, mimetype=feed.MIMETYPE)
    response.add_etag()
    response.last_modified = max(feed.updated(one) for one in every)
    response.cache_control.no_cache = True
    response.make_conditional(request)
    return response


def _page(
    published: PublicCityView, one: ReleaseFolder, current: ReleaseFolder
) -> ResponseReturnValue:
    city, is_current = request.args.get("city"), current.id == one.id
    newest = request.endpoint == "data.data"

    def file_url(name: str) -> str:
        if newest:
            return url_for("data.file", name=name, city=city)
        return url_for("data.release_file", identity=one.id, name=name, city=city)

    def page_url(identity: str) -> str:
        return url_for("data.release", identity=identity, city=city)

    page = data_page(
        one,
        release_rows(releases_of(published), current.id, page_url),
        current=is_current and newest,
        url=whole_url("data.release", identity=one.id, city=city),
        file_url=file_url,
    )
    return render_template("public/data.html", frame=pages.frame(published), page=page)


def _find(published: PublicCityView, identity: str, *, whole: bool = False) -> ReleaseFolder:
    """Return a release of the shown city that was ever approved; ``whole`` leaves withdrawn out."""
    for one in releases_of(published):
        if one.id == identity and not (whole and one.state == "withdrawn"):
            return one
    raise NotFound


def _stored(release: ReleaseFolder, name: str) -> str:
    """Return the name of a file within a release."""
    stored = f"{open_data.DATA}{name}"
    if stored not in release.files:
        raise NotFound
    return stored


def _send_file(release: ReleaseFolder, stored: str) -> Response:
    sha256 = next(e.sha256 for e in release.manifest.files if e.name == stored)
    name = stored.removeprefix(open_data.DATA)
    return _send(release.read(stored), stored, f"{release.id}-{name}", sha256)


def _send_manifest(release: ReleaseFolder) -> Response:
    content = open_data.manifest_bytes(release)
    return _send(content, MANIFEST, f"{release.id}-{MANIFEST}", open_data.digest(content))


def _send(content: bytes, stored: str, name: str, sha256: str) -> Response:
    """Send bytes by their digest; a part of them where one is requested."""
    response = send_file(
        io.BytesIO(content),
        mimetype=open_data.mimetype(stored),
        as_attachment=True,
        download_name=name,
        etag=sha256,
        conditional=True,
    )
    response.cache_control.no_cache = True
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response


def _archive(release: ReleaseFolder) -> Response:
    """Send a release as an archive while it is packed, or nothing to whoever has it already."""
    named = f"{release.id}-zip"
    known = request.if_none_match.contains_weak(named)
    # make_conditional would pack the whole archive to learn its length
    response = current_app.response_class(
        None if known else open_data.archive(release),
        status=304 if known else 200,
        mimetype="application/zip",
    )
    if not known:
        name = open_data.archive_name(release)
        response.headers["Content-Disposition"] = f"attachment; filename={name}.zip"
    response.set_etag(named, weak=True)
    response.cache_control.no_cache = True
    return response
