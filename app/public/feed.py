"""The releases of a city as an Atom feed (RFC 4287)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from flask_babel import gettext as _

from app.public import release_words

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Sequence

    from geodata.releases.folder import ReleaseFolder

ATOM = "http://www.w3.org/2005/Atom"
MIMETYPE = "application/atom+xml"
MOST_ENTRIES = 60  # a year of weeks
NOT_IN_XML = re.compile(r"[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]")


def atom_feed(
    releases: Sequence[ReleaseFolder],
    *,
    host: str,
    language: str,
    self_url: str,
    page_url: str,
    release_url: Callable[[ReleaseFolder], str],
) -> bytes:
    """Write the newest releases of a city, the one that changed last first.

    A release's entry is updated when it is approved, and again when it is withdrawn.

    Parameters
    ----------
    releases
        At least one, of one city, approved; withdrawn ones too.
    host
        Name of the site, for identifiers: they stay the same under whatever port or scheme.
    language
        Of the texts.
    self_url, page_url, release_url
        Whole addresses of the feed, of the page of all data and of a release's page.
    """
    ordered = sorted(releases, key=lambda one: (updated(one), one.id), reverse=True)[:MOST_ENTRIES]
    first = min(release_words.approved_at(one) for one in releases)
    city = ordered[0].manifest.city
    ET.register_namespace("", ATOM)
    feed = ET.Element(f"{{{ATOM}}}feed", {"xml:lang": language})
    _text(feed, "id", _tag(host, first, f"{city.slug}:releases"))
    _text(feed, "title", _("Open data of %(city)s: releases", city=city.name))
    _text(feed, "updated", _moment(updated(ordered[0])))
    ET.SubElement(feed, f"{{{ATOM}}}link", {"rel": "self", "type": MIMETYPE, "href": self_url})
    ET.SubElement(
        feed, f"{{{ATOM}}}link", {"rel": "alternate", "type": "text/html", "href": page_url}
    )
    _text(ET.SubElement(feed, f"{{{ATOM}}}author"), "name", city.name)
    for release in ordered:
        _entry(feed, release, host, release_url(release))
    ET.indent(feed, space=" ")
    return b'<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(feed, encoding="utf-8") + b"\n"


def updated(release: ReleaseFolder) -> dt.datetime:
    """Return when a release last changed for its readers."""
    return release_words.withdrawn_at(release) or release_words.approved_at(release)


def _entry(feed: ET.Element, release: ReleaseFolder, host: str, url: str) -> None:
    approved = release_words.approved_at(release)
    withdrawn = release_words.withdrawn_at(release) is not None
    entry = ET.SubElement(feed, f"{{{ATOM}}}entry")
    _text(entry, "id", _tag(host, approved, f"release:{release.id}"))
    through = release_words.through(release)
    title = (
        _("Withdrawn: release %(release)s", release=release.id)
        if withdrawn
        else _("Release %(release)s: data through %(through)s", release=release.id, through=through)
    )
    _text(entry, "title", title)
    _text(entry, "published", _moment(approved))
    _text(entry, "updated", _moment(updated(release)))
    ET.SubElement(entry, f"{{{ATOM}}}link", {"rel": "alternate", "type": "text/html", "href": url})
    lines = (
        [_("This release was withdrawn: %(why)s", why=release_words.why_withdrawn(release))]
        if withdrawn
        else release_words.changes(release)
    )
    synthetic = [_("Synthetic data.")] if release.manifest.synthetic else []
    _text(entry, "summary", " ".join([*synthetic, *lines]), {"type": "text"})


def _tag(host: str, day: dt.datetime, name: str) -> str:
    """Write a tag URI (RFC 4151) of something that the site named on a day."""
    authority = re.sub(r"[^a-z0-9.-]", "-", host.lower().partition(":")[0]).strip("-.") or "site"
    return f"tag:{authority},{day:%Y-%m-%d}:saferground:{name}"


def _text(
    parent: ET.Element, name: str, text: str, attributes: dict[str, str] | None = None
) -> None:
    ET.SubElement(parent, f"{{{ATOM}}}{name}", attributes or {}).text = NOT_IN_XML.sub(" ", text)


def _moment(moment: dt.datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
