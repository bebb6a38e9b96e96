"""Releases from draft to approval: what will be public, beside what changed since the last one."""

from __future__ import annotations

import mimetypes
from typing import TYPE_CHECKING

from flask import Blueprint, Response, jsonify, redirect, render_template, request, url_for
from werkzeug.exceptions import NotFound

from app.analyst import draft_pages
from app.analyst.forms import WithdrawForm
from app.guard import require_visitor
from app.site.open_data import manifest_bytes
from app.staff.city import shell, staff_city
from app.staff.forms import ConfirmForm
from app.staff.frame import say
from app.staff.pages import paging
from app.work import jobs
from app.workroom import workroom
from geodata.errors import DataError, ReleaseError
from geodata.publishing import release as releases
from geodata.publishing.folder import MANIFEST, ReleaseFolder
from geodata.publishing.material import last_public_day
from geodata.store.releases import get_release, list_releases
from geodata.store.uses import id_in_use, run_to_draft

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue
    from flask_wtf import FlaskForm

    from geodata.store.releases import ReleaseRecord

bp = Blueprint("drafts", __name__, url_prefix="/analyst/<city>/releases")
PAGE = 25


@bp.get("")
def listed(city: str) -> ResponseReturnValue:
    """List the releases of a city, the newest draft first."""
    record = staff_city(city)
    room = workroom()
    with room.database.session() as session:
        found = list_releases(session, city)
        last_day = last_public_day(session, record, record.this_day())
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
        rows=draft_pages.rows(found[pages.start : pages.start + PAGE], current),
        pages=pages,
        newest=newest,
        unused=unused,
        refused=refused,
        current=current.id if current else None,
        drafting=[
            one for one in jobs.statuses(room.database, city, open_only=True)
            if one.job.kind == "draft"
        ],
        may=draft_pages.powers(require_visitor().person),
    )  # fmt: skip


@bp.post("")
def make(city: str) -> ResponseReturnValue:
    """Ask for a draft of the data as they stand."""
    staff_city(city)
    room, who = workroom(), require_visitor().person.name
    job = jobs.ask(room.database, "draft", {"city": city}, who)
    return redirect(url_for("work.job", city=city, job=job.id), 303)


@bp.get("/<release>")
def release(city: str, release: str) -> ResponseReturnValue:
    """Show a release: who drafted it, what will be public, what changed, what can be done."""
    return _page(city, release, ConfirmForm(formdata=None), WithdrawForm(formdata=None), 200)


@bp.post("/<release>/approve")
def approve(city: str, release: str) -> ResponseReturnValue:
    """Approve a draft, so that the public pages show it."""
    form = ConfirmForm()
    _record(city, release)
    if not form.validate_on_submit():
        return _page(city, release, form, WithdrawForm(formdata=None), 422)
    room = workroom()
    try:
        releases.approve_release(
            room.database, room.settings.releases, release, require_visitor().person.name
        )
    except ReleaseError as error:
        form.sure.errors = [str(error)]
        return _page(city, release, form, WithdrawForm(formdata=None), 422)
    say(f"Release {release} is public now.")
    return redirect(url_for("drafts.release", city=city, release=release), 303)


@bp.post("/<release>/withdraw")
def withdraw(city: str, release: str) -> ResponseReturnValue:
    """Take a release from the public pages, with the reason."""
    form = WithdrawForm()
    _record(city, release)
    if not form.validate_on_submit():
        return _page(city, release, ConfirmForm(formdata=None), form, 422)
    room = workroom()
    try:
        who = require_visitor().person.name
        releases.withdraw_release(
            room.database, room.settings.releases, release, who, form.why.data or ""
        )
    except ReleaseError as error:
        form.why.errors = [str(error)]
        return _page(city, release, ConfirmForm(formdata=None), form, 422)
    say(f"Release {release} is withdrawn. The reason is kept with it.")
    return redirect(url_for("drafts.release", city=city, release=release), 303)


@bp.get("/<release>/zones.json")
def zones(city: str, release: str) -> ResponseReturnValue:
    """Draw which zones of a release stay, come and go."""
    record = staff_city(city)
    folder, before = _folders(_record(city, release))
    base = url_for("ground.base", city=city)
    return jsonify(draft_pages.zones_map(record, folder, before, base))


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


def _page(
    city: str, identity: str, sure: FlaskForm, why: FlaskForm, status: int
) -> ResponseReturnValue:
    record = staff_city(city)
    stored = _record(city, identity)
    folder, _ = _folders(stored)
    page = render_template(
        "analyst/release.html",
        shell=shell(record, "drafts.listed"),
        city=record,
        release=draft_pages.release_page(stored, folder, require_visitor().person),
        sure=sure,
        why=why,
    )
    return page, status


def _record(city: str, identity: str) -> ReleaseRecord:
    """Give a release of this city.

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
    """Give a release on disk and the one before it, where it is still there."""
    root = workroom().settings.releases / record.city
    previous = record.manifest["previous"]
    before = ReleaseFolder(path=root / previous) if previous else None
    there = before is not None and (before.path / MANIFEST).is_file()
    return ReleaseFolder(path=root / record.id), before if there else None
