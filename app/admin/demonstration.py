"""The page that one-time links of the demonstration lead to; no other server has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from werkzeug.exceptions import Forbidden

from app.auth import sign_in
from app.auth.demo_links import is_loopback, why_not
from app.auth.guard import desk, let_in, origin, visitor
from app.config import LOOPBACK
from app.extensions import workroom
from app.links import HEADERS, requested_host
from geodata.repositories import people
from geodata.repositories.people import ACTIVE

if TYPE_CHECKING:
    from flask import Flask
    from flask.typing import ResponseReturnValue

    from app.auth.demo_links import OneTimeLinks

NAME = "saferground.demonstration"

bp = Blueprint("demonstration", __name__)


def register(app: Flask, links: OneTimeLinks) -> None:
    """Add the page that takes the links to the application of a demonstration."""
    app.extensions[NAME] = links
    app.register_blueprint(bp)


@bp.get("/demonstration/<token>")
def come_in(token: str) -> ResponseReturnValue:
    """Sign an invented person in, once, from this machine alone."""
    if not _from_this_machine():
        raise Forbidden
    if request.method == "HEAD":  # requested by what looks at links before a person opens them
        return "", 204
    links: OneTimeLinks = current_app.extensions[NAME]
    link = links.use(token, desk().now())
    with workroom().database.session(write=True) as session:
        person = people.find_person(session, link.person) if link else None
        real = why_not(session, workroom().settings, links.host)
        if link is None or person is None or person.state != ACTIVE or real:
            return render_template("staff/demonstration_over.html"), 404
        opened = sign_in.finish(desk(), session, person, "demonstration link", origin())
    before = visitor()
    if before is not None:
        sign_in.sign_out(desk(), before)
    let_in(opened)
    return redirect(url_for(link.page, city=link.city, district=link.district), 303)


def _from_this_machine() -> bool:
    """Return whether nothing about the request speaks for another machine."""
    return (
        is_loopback(request.remote_addr)
        and requested_host() in LOOPBACK
        and not any(name in request.headers for name in HEADERS)
    )
