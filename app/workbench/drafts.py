"""What the pages of releases show, as typed values.

Releases from draft to approval: what will be public, beside what changed since the last one.
"""

from __future__ import annotations

import json
import mimetypes
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd
from flask import Blueprint, Response, jsonify, redirect, render_template, request, url_for
from werkzeug.exceptions import NotFound

from app.admin.city import shell, staff_city
from app.admin.forms import ConfirmForm
from app.admin.layout import ago, moment, paging, say
from app.auth.guard import require_visitor
from app.auth.permissions import DECIDING
from app.extensions import workroom
from app.jobs import jobs
from app.maps.palette import DISTRICT, INK, RAIL, ZONE
from app.maps.staff_map import Key, MapLayer, staff_map
from app.public import release_words
from app.public.open_data import manifest_bytes
from app.usecases.draft_mail import ask_mail
from app.usecases.weekly_round import broken_sources
from app.workbench.new_city import ReturnDraftForm, WithdrawReleaseForm
from app.workbench.waiting import waiting_of_city
from geodata.clock import utc_now
from geodata.errors import DataError, ReleaseError
from geodata.releases import build as releases
from geodata.releases.checks import check_files
from geodata.releases.folder import MANIFEST, PreviewFolder, ReleaseFolder
from geodata.releases.gazetteer import GAZETTEER
from geodata.releases.inputs import last_public_day
from geodata.releases.run_findings import ZONES
from geodata.repositories.layers import has_streets
from geodata.repositories.releases import (
    APPROVED,
    DRAFTED,
    get_release,
    list_releases,
    return_release,
    same_person,
)
from geodata.repositories.runs_in_use import id_in_use, run_to_draft
from geodata.roles import ANALYST, PUBLISHER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flask.typing import ResponseReturnValue
    from flask_wtf import FlaskForm

    from app.public.release_words import Moved
    from geodata.release_manifest import ReleaseChanges, ReleaseFile
    from geodata.repositories.cities import CityRecord
    from geodata.repositories.people import PersonRecord
    from geodata.repositories.releases import ReleaseRecord


DATA = "data/"
PAGES = {"index.html": "In English", "es.html": "In Spanish"}
STAYS, COMES, GOES = "stays", "new", "no longer a zone"


@dataclass(frozen=True, kw_only=True)
class Powers:
    """What a person may do with releases."""

    draft: bool
    publish: bool
    preview: bool


@dataclass(frozen=True, kw_only=True)
class DraftRow:
    """One release in the list; ``public`` says whether it is what readers see now."""

    id: str
    state: str
    public: bool
    through: str
    drafted: str
    decided: str
    changes: str


@dataclass(frozen=True, kw_only=True)
class PreviewLine:
    """The preview that there is: the id of its draft, its last day, when it was made."""

    id: str
    through: str
    made: str


@dataclass(frozen=True, kw_only=True)
class FileRow:
    """One file that will be public; ``against`` tells how it stands to the release before."""

    name: str
    title: str
    size: str
    against: str


@dataclass(frozen=True, kw_only=True)
class ReleasePage:
    """One release, as whoever decides about it reads it.

    ``faults`` are what differs from its digests or breaks a rule, as it lies on disk now.
    ``cannot`` says why this person cannot approve it, nothing where they can.
    """

    id: str
    state: str
    through: str
    drafted: str
    approved: str
    withdrawn: str
    why_withdrawn: str
    returned: str
    why_returned: str
    previous: str
    run: str
    faults: tuple[str, ...]
    count: int
    files: tuple[FileRow, ...]
    documents: int
    removed: tuple[str, ...]
    pages: tuple[tuple[str, str], ...]
    changes: tuple[str, ...]
    moved: tuple[Moved, ...]
    rules: tuple[str, ...]
    k_counts: str
    cannot: str
    approvable: bool
    withdrawable: bool
    returnable: bool
    previewable: bool
    has_zones: bool
    streets: bool


def powers(person: PersonRecord) -> Powers:
    """Tell what a person may do with releases."""
    return Powers(
        draft=person.may({ANALYST}),
        publish=person.may({PUBLISHER}),
        preview=person.may(DECIDING.roles),
    )


def preview_line(folder: PreviewFolder | None) -> PreviewLine | None:
    """Tell of the preview of a city, nothing where none was made."""
    if folder is None:
        return None
    made = release_words.approved_at(folder).replace(tzinfo=None)
    return PreviewLine(id=folder.id, through=folder.manifest.through.isoformat(), made=ago(made))


def rows(found: Sequence[ReleaseRecord], current: ReleaseFolder | None) -> list[DraftRow]:
    """Write releases for a table."""
    public = current.id if current else None
    return [
        DraftRow(
            id=one.id,
            state=one.state,
            public=one.id == public,
            through=one.manifest.through.isoformat(),
            drafted=f"{moment(one.drafted_at)} by {one.drafted_by}",
            decided=_decided(one),
            changes=_changes(one.manifest.changes),
        )
        for one in found
    ]


def release_page(record: ReleaseRecord, folder: ReleaseFolder, person: PersonRecord) -> ReleasePage:
    """Read a release for whoever decides about it; its files are checked against the rules anew."""
    manifest, may = record.manifest, powers(person)
    faults = _faults(folder)
    cannot = _cannot(record, person, may, faults)
    files = [one for one in manifest.files if one.name.startswith(DATA)]
    return ReleasePage(
        id=record.id,
        state=record.state,
        through=manifest.through.isoformat(),
        drafted=f"{moment(record.drafted_at)} by {record.drafted_by}",
        approved=f"{moment(record.approved_at)} by {record.approved_by}"
        if record.approved_at
        else "",
        withdrawn=f"{moment(record.withdrawn_at)} by {record.withdrawn_by}"
        if record.withdrawn_at
        else "",
        why_withdrawn=record.withdrawn_why or "",
        returned=f"{moment(record.returned_at)} by {record.returned_by}"
        if record.returned_at
        else "",
        why_returned=record.returned_why or "",
        previous=manifest.previous or "",
        run=manifest.run.id if manifest.run else "",
        faults=faults,
        count=len(manifest.files),
        files=tuple(_file(one, manifest.changes) for one in files),
        documents=len(manifest.files) - len(files),
        removed=manifest.changes.files.removed if manifest.changes else (),
        pages=tuple((name, result) for name, result in PAGES.items() if name in folder.files)
        if not faults
        else (),
        changes=tuple(release_words.changes(folder)),
        moved=release_words.moved(folder) if not faults else (),
        rules=tuple(manifest.rules.texts.values()),
        k_counts=manifest.k_counts.text,
        cannot=cannot,
        approvable=record.state == DRAFTED and not cannot,
        withdrawable=record.state == APPROVED and may.publish,
        returnable=record.state == DRAFTED and may.publish,
        previewable=record.state == DRAFTED and may.preview and not faults,
        has_zones=ZONES in folder.files and not faults,
        streets=GAZETTEER in folder.files,
    )


def zones_map(
    city: CityRecord, folder: ReleaseFolder, before: ReleaseFolder | None, base: str
) -> dict[str, object]:
    """Draw the zones of a release over those of the one before."""
    now, then = _outlines(folder), _outlines(before) if before else _outlines(None)
    known, still = set(then.geometry.to_wkb()), set(now.geometry.to_wkb())
    new = [shape not in known for shape in now.geometry.to_wkb()]
    now["key"] = [int(is_new) if before else 0 for is_new in new]
    now["tip"] = [
        f"{title}: {COMES if is_new else STAYS}"
        for title, is_new in zip(now["id"], new, strict=True)
    ]
    gone = then[~then.geometry.to_wkb().isin(still)].copy()
    gone["tip"] = [f"{title}: {GOES}" for title in gone["id"]]
    districts = gpd.GeoDataFrame(
        {"label": city.districts["name"]}, geometry=city.districts.geometry
    )
    layers = [
        MapLayer(
            name="districts",
            title="Districts",
            shapes=districts,
            keys=(Key(label="Districts", colour=DISTRICT),),
            filled=False,
        ),
        MapLayer(
            name="zones",
            title="Zones of this release",
            shapes=now,
            keys=(Key(label="as before", colour=INK), Key(label="new", colour=ZONE))
            if before
            else (Key(label="Zones of this release", colour=ZONE),),
        ),
    ]
    if len(gone):
        keys = (Key(label="Zones that go", colour=RAIL),)
        layers.append(MapLayer(name="gone", title="Zones that go", shapes=gone, keys=keys))
    return staff_map(layers, city.districts.geometry, base=base)


def _outlines(folder: ReleaseFolder | None) -> gpd.GeoDataFrame:
    if folder is None or ZONES not in folder.files:
        empty = pd.Series([], dtype=str)
        return gpd.GeoDataFrame({"id": empty}, geometry=gpd.GeoSeries([]), crs=4326)
    result = json.loads(folder.read(ZONES))
    return gpd.GeoDataFrame.from_features(result["features"], crs=4326)[["id", "geometry"]]


def _faults(folder: ReleaseFolder) -> tuple[str, ...]:
    faults = folder.verify()
    if not faults:
        files = {name: folder.read(name) for name in folder.files}
        faults = tuple(f"{rule}: {what}" for rule, what in check_files(files, folder.manifest))
    return faults


def _cannot(
    record: ReleaseRecord, person: PersonRecord, may: Powers, faults: tuple[str, ...]
) -> str:
    """Say why a person cannot approve a draft; nothing where it is none, or they can."""
    if record.state != DRAFTED:
        return ""
    if faults:
        return "It is not whole or breaks a rule, so nobody can approve it. Draft it anew."
    if not may.publish:
        return "A publisher has to approve it."
    if same_person(person.name, record.drafted_by):
        return "You drafted it, so somebody else has to approve it."
    return ""


def _file(entry: ReleaseFile, changes: ReleaseChanges | None) -> FileRow:
    name = entry.name
    against = "first release"
    if changes is not None:
        added, changed = changes.files.added, changes.files.changed
        against = "new" if name in added else "changed" if name in changed else "same as before"
    return FileRow(
        name=name,
        title=entry.title,
        size=release_words.size(entry.bytes),
        against=against,
    )


def _decided(one: ReleaseRecord) -> str:
    if one.withdrawn_at:
        return f"withdrawn {moment(one.withdrawn_at)} by {one.withdrawn_by}"
    if one.returned_at:
        return f"returned {moment(one.returned_at)} by {one.returned_by}"
    return f"approved {moment(one.approved_at)} by {one.approved_by}" if one.approved_at else ""


def _changes(options: ReleaseChanges | None) -> str:
    if options is None:
        return "first release"
    zones, files = options.zones, options.files
    lines = [
        _counted(options.measures, "measure", ""),
        _counted(zones.gained, "zone", " new"),
        _counted(zones.lost, "zone", " gone"),
        _counted(files.added, "file", " new"),
    ]
    return ", ".join(one for one in lines if one) or "the dates only"


def _counted(things: Sequence[Any], name: str, how: str) -> str:
    return f"{len(things)} {name}{'' if len(things) == 1 else 's'}{how}" if things else ""


bp = Blueprint("drafts", __name__, url_prefix="/analyst/<city>/releases")
PAGE = 25


@bp.get("")
def listed(city: str) -> ResponseReturnValue:
    """List the releases of a city, the newest draft first."""
    record = staff_city(city)
    room = workroom()
    with room.database.session() as session:
        found = list_releases(session, city)
        waiting = waiting_of_city(session, found, record.name, require_visitor().person)
        last_day = last_public_day(session, record, record.this_day())
        streets = has_streets(session, record.id)
        unused, newest, refused = id_in_use(session, record) is None, None, ""
        try:
            newest, _ = run_to_draft(session, record, None, last_day)
        except DataError as error:
            refused = str(error)
    current = ReleaseFolder.current(room.settings.releases, city)
    pages = paging(request.args, len(found), PAGE, {"city": city})
    return render_template(
        "analyst/releases.html",
        shell=shell(record),
        city=record,
        rows=rows(found[pages.start : pages.start + PAGE], current),
        pages=pages,
        waiting=waiting,
        newest=newest,
        unused=unused,
        streets=streets,
        refused=refused,
        current=current.id if current else None,
        open_jobs=[
            one
            for one in jobs.statuses(room.database, city, open_only=True)
            if one.job.kind in ("draft", "preview", "round")
        ],
        preview=preview_line(PreviewFolder.current(room.settings.previews, city)),
        may=powers(require_visitor().person),
    )


@bp.post("")
def make(city: str) -> ResponseReturnValue:
    """Ask for a draft of the data as they stand."""
    staff_city(city)
    room, who = workroom(), require_visitor().person.name
    job = jobs.ask(room.database, "draft", {"city": city}, who)
    return redirect(url_for("work.job", city=city, job=job.id), 303)


@bp.post("/round")
def make_round(city: str) -> ResponseReturnValue:
    """Ask for a round: sources read again, runs in use fitted anew, zones scored, a draft."""
    staff_city(city)
    room, who = workroom(), require_visitor().person.name
    job = jobs.ask(room.database, "round", {"city": city}, who)
    return redirect(url_for("work.job", city=city, job=job.id), 303)


@bp.get("/<release>")
def release(city: str, release: str) -> ResponseReturnValue:
    """Show a release: who drafted it, what will be public, what changed, what can be done."""
    return _page(city, release, 200)


@bp.post("/<release>/approve")
def approve(city: str, release: str) -> ResponseReturnValue:
    """Approve a draft, so that the public pages show it."""
    form = ConfirmForm()
    _record(city, release)
    if not form.validate_on_submit():
        return _page(city, release, 422, sure=form)
    room = workroom()
    try:
        releases.approve_release(
            room.database, room.settings.releases, release, require_visitor().person.name
        )
    except ReleaseError as error:
        form.sure.errors = [str(error)]
        return _page(city, release, 422, sure=form)
    say(f"Release {release} is public now.")
    return redirect(url_for("drafts.release", city=city, release=release), 303)


@bp.post("/<release>/return")
def give_back(city: str, release: str) -> ResponseReturnValue:
    """Return a draft to its drafter, with the reason."""
    form, room = ReturnDraftForm(), workroom()
    _record(city, release)
    if not form.validate_on_submit():
        return _page(city, release, 422, back=form)
    try:
        with room.database.session(write=True) as session:
            who = require_visitor().person.name
            done = return_release(session, release, who, utc_now(), form.reason.data or "")
    except ReleaseError as error:
        form.reason.errors = [str(error)]
        return _page(city, release, 422, back=form)
    ask_mail(room.database, room.settings, release)
    say(f"Draft {release} is returned to {done.drafted_by}. The reason is kept with it.")
    return redirect(url_for("drafts.release", city=city, release=release), 303)


@bp.post("/<release>/withdraw")
def withdraw(city: str, release: str) -> ResponseReturnValue:
    """Take a release from the public pages, with the reason."""
    form = WithdrawReleaseForm()
    _record(city, release)
    if not form.validate_on_submit():
        return _page(city, release, 422, why=form)
    room = workroom()
    try:
        who = require_visitor().person.name
        releases.withdraw_release(
            room.database, room.settings.releases, release, who, form.why.data or ""
        )
    except ReleaseError as error:
        form.why.errors = [str(error)]
        return _page(city, release, 422, why=form)
    say(f"Release {release} is withdrawn. The reason is kept with it.")
    return redirect(url_for("drafts.release", city=city, release=release), 303)


@bp.get("/<release>/zones.json")
def zones(city: str, release: str) -> ResponseReturnValue:
    """Draw which zones of a release stay, come and go."""
    record = staff_city(city)
    folder, before = _folders(_record(city, release))
    base = url_for("ground.base", city=city)
    return jsonify(zones_map(record, folder, before, base))


@bp.get("/<release>/files/<path:name>")
def file(city: str, release: str, name: str) -> ResponseReturnValue:
    """Send a file of a release exactly as it will be public."""
    folder, _ = _folders(_record(city, release))
    if name == MANIFEST:
        content = manifest_bytes(folder)
    elif name in folder.files:
        content = folder.read(name)
    else:
        raise NotFound
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    answer = Response(content, mimetype=kind)
    if name == MANIFEST or name.startswith("data/"):
        named = f"{folder.id}-{name.removeprefix('data/')}"
        answer.headers["Content-Disposition"] = f"attachment; filename={named}"
    return answer


def _page(city: str, identity: str, status: int, **forms: FlaskForm) -> ResponseReturnValue:
    """Show a release with the forms that were sent and could not be taken."""
    record = staff_city(city)
    stored = _record(city, identity)
    folder, _ = _folders(stored)
    page = render_template(
        "analyst/release.html",
        shell=shell(record, "drafts.listed"),
        city=record,
        release=release_page(stored, folder, require_visitor().person),
        broken=broken_sources(workroom().database, city, stored.id),
        sure=forms.get("sure") or ConfirmForm(formdata=None),
        back=forms.get("back") or ReturnDraftForm(formdata=None),
        why=forms.get("why") or WithdrawReleaseForm(formdata=None),
    )
    return page, status


def _record(city: str, identity: str) -> ReleaseRecord:
    """Return a release of this city.

    Raises
    ------
    NotStoredError
        If there is none of that id.
    NotFound
        If it is another city's.
    """
    with workroom().database.session() as session:
        found = get_release(session, identity)
    if found.city != city:
        raise NotFound
    return found


def _folders(record: ReleaseRecord) -> tuple[ReleaseFolder, ReleaseFolder | None]:
    """Return a release on disk and the one before it, where it is still there."""
    root = workroom().settings.releases / record.city
    previous = record.manifest.previous
    before = ReleaseFolder(path=root / previous) if previous else None
    there = before is not None and (before.path / MANIFEST).is_file()
    return ReleaseFolder(path=root / record.id), before if there else None
