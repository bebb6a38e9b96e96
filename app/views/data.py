"""Everything that is published, to take away: the newest release, earlier ones, their feed."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import Blueprint, current_app, render_template, request, send_file, url_for
from werkzeug.exceptions import NotFound

from app.language import by_address, code
from app.links import whole, whole_url
from app.site import feed, open_data
from app.views import pages
from app.views.data_pages import data_page, release_rows
from app.views.doors import release_of, releases_of, with_city, with_release
from geodata.publishing.folder import MANIFEST

if TYPE_CHECKING:
    from flask import Response
    from flask.typing import ResponseReturnValue

    from app.site.shown import Shown
    from geodata.publishing.folder import ReleaseFolder

bp = Blueprint("data", __name__)


@bp.get("/data/")
@with_city
def data(shown: Shown) -> ResponseReturnValue:
    """Show the newest release: its files, its rules and how to use it."""
    release = release_of(shown)
    return _page(shown, release, release)


@bp.get("/data/releases/<identity>/")
@with_city
def release(shown: Shown, identity: str) -> ResponseReturnValue:
    """Show a release that was ever approved; of a withdrawn one all but its files."""
    return _page(shown, _find(shown, identity), release_of(shown))


@bp.get("/data/<name>")
@with_release
def file(_shown: Shown, current: ReleaseFolder, name: str) -> ResponseReturnValue:
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
    shown: Shown, _current: ReleaseFolder, identity: str, name: str
) -> ResponseReturnValue:
    """Send a file of an earlier release."""
    found = _find(shown, identity, whole=True)
    return _send_file(found, _stored(found, name))


@bp.get("/data/all.zip")
@with_release
def everything(_shown: Shown, current: ReleaseFolder) -> ResponseReturnValue:
    """Send the newest release as one archive."""
    return _archive(current)


@bp.get("/data/releases/<identity>/all.zip")
@with_release
def release_archive(shown: Shown, _current: ReleaseFolder, identity: str) -> ResponseReturnValue:
    """Send an earlier release as one archive."""
    return _archive(_find(shown, identity, whole=True))


@bp.get("/data/manifest.json")
@with_release
def manifest(_shown: Shown, current: ReleaseFolder) -> ResponseReturnValue:
    """Send what the newest release says of itself."""
    return _send_manifest(current)


@bp.get("/data/releases/<identity>/manifest.json")
@with_release
def release_manifest(shown: Shown, _current: ReleaseFolder, identity: str) -> ResponseReturnValue:
    """Send what an earlier release says of itself."""
    return _send_manifest(_find(shown, identity, whole=True))


@bp.get("/data/releases.atom")
@by_address
@with_release
def releases_feed(shown: Shown, _current: ReleaseFolder) -> ResponseReturnValue:
    """Send the releases as a feed."""
    every = releases_of(shown)
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


def _page(shown: Shown, one: ReleaseFolder, current: ReleaseFolder) -> ResponseReturnValue:
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
        release_rows(releases_of(shown), current.id, page_url),
        current=is_current and newest,
        url=whole_url("data.release", identity=one.id, city=city),
        file_url=file_url,
    )
    return render_template("public/data.html", frame=pages.frame(shown), page=page)


def _find(shown: Shown, identity: str, *, whole: bool = False) -> ReleaseFolder:
    """Give a release of the shown city that was ever approved; ``whole`` leaves withdrawn out."""
    for one in releases_of(shown):
        if one.id == identity and not (whole and one.state == "withdrawn"):
            return one
    raise NotFound


def _stored(release: ReleaseFolder, name: str) -> str:
    """Give the name of a file within a release."""
    stored = f"{open_data.DATA}{name}"
    if stored not in release.files:
        raise NotFound
    return stored


def _send_file(release: ReleaseFolder, stored: str) -> Response:
    sha256 = next(e["sha256"] for e in release.manifest["files"] if e["name"] == stored)
    name = stored.removeprefix(open_data.DATA)
    return _send(release.read(stored), stored, f"{release.id}-{name}", sha256)


def _send_manifest(release: ReleaseFolder) -> Response:
    content = open_data.manifest_bytes(release)
    return _send(content, MANIFEST, f"{release.id}-{MANIFEST}", open_data.digest(content))


def _send(content: bytes, stored: str, name: str, sha256: str) -> Response:
    """Send bytes by their digest; a part of them where one is asked for."""
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
