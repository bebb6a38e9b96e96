import datetime as dt
import re
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

import pytest
from published import WHY

from app.links import HOSTS

ATOM = "{http://www.w3.org/2005/Atom}"
TAG = re.compile(r"tag:[a-z0-9.-]+,\d{4}-\d{2}-\d{2}:\S+")  # RFC 4151


@pytest.fixture(scope="module")
def feed(published):
    answer = published.client.get("/data/releases.atom")
    assert answer.mimetype == "application/atom+xml"
    return ET.fromstring(answer.data)  # noqa: S314 - our own


def only(parent, name):
    found = parent.findall(f"{ATOM}{name}")
    assert len(found) == 1, name
    return found[0]


def moment(element):
    """RFC 3339, with a zone."""
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", element.text)
    return dt.datetime.fromisoformat(element.text.replace("Z", "+00:00"))


def test_feed_and_entries_have_what_the_rfc_requires(feed):
    """RFC 4287, 4.1.1 and 4.1.2: id, title and updated once each; an author; no other element."""
    assert feed.tag == f"{ATOM}feed"
    entries = feed.findall(f"{ATOM}entry")
    assert len(entries) == 3
    for part in (feed, *entries):
        assert TAG.fullmatch(only(part, "id").text)
        assert only(part, "title").text.strip()
        moment(only(part, "updated"))
    assert only(only(feed, "author"), "name").text
    links = {link.get("rel"): link for link in feed.findall(f"{ATOM}link")}
    assert links["self"].get("href").endswith("/data/releases.atom")
    assert links["self"].get("type") == "application/atom+xml"
    for entry in entries:
        assert only(entry, "summary").text.strip()
        (link,) = entry.findall(f"{ATOM}link")  # no content, so an alternate link is required
        assert link.get("rel") == "alternate"
        assert moment(only(entry, "published")) <= moment(only(entry, "updated"))
    known = {"id", "title", "updated", "author", "link", "published", "summary", "entry"}
    assert {child.tag.removeprefix(ATOM) for part in (feed, *entries) for child in part} <= known


def test_ids_are_unique_and_the_newest_change_is_first(feed):
    entries = feed.findall(f"{ATOM}entry")
    ids = [only(part, "id").text for part in (feed, *entries)]
    assert len({*ids}) == len(ids)
    times = [moment(only(entry, "updated")) for entry in entries]
    assert times == sorted(times, reverse=True)
    assert moment(only(feed, "updated")) == times[0]


def test_every_entry_leads_to_its_release(published, feed):
    for entry in feed.findall(f"{ATOM}entry"):
        address = urlsplit(entry.find(f"{ATOM}link").get("href"))
        page = published.client.get(f"{address.path}?{address.query}")
        assert page.status_code == 200
        assert only(entry, "id").text.rpartition(":")[2] in page.get_data(as_text=True)


def test_a_withdrawn_release_says_why_and_counts_as_changed_then(published, feed):
    entry = feed.findall(f"{ATOM}entry")[0]
    assert published.withdrawn.id in only(entry, "id").text
    assert "Withdrawn" in only(entry, "title").text
    assert WHY in only(entry, "summary").text
    assert moment(only(entry, "updated")) >= moment(only(entry, "published"))


def test_the_summary_is_the_change_log(feed, published):
    told = {only(e, "id").text[-12:]: only(e, "summary").text for e in feed.findall(f"{ATOM}entry")}
    assert "first release" in told[published.early.id]
    assert "changed in" in told[published.current.id]


@pytest.mark.parametrize(
    ("host", "authority"),
    [("Open.Town.example:8080", "open.town.example"), ("[::1]:80", "site")],
)
def test_ids_hold_the_name_of_the_site(published, monkeypatch, host, authority):
    known = published.app.extensions[HOSTS] | {"open.town.example"}
    monkeypatch.setitem(published.app.extensions, HOSTS, known)
    answer = published.client.get("/data/releases.atom", headers={"Host": host})
    root = ET.fromstring(answer.data)  # noqa: S314 - our own
    assert only(root, "id").text.startswith(f"tag:{authority},")


@pytest.mark.parametrize("host", ["a<b>&c", "elsewhere.example"])
def test_a_host_that_is_not_ours_has_no_feed(published, host):
    answer = published.client.get("/data/releases.atom", headers={"Host": host})
    assert answer.status_code == 400
    assert b"<b>" not in answer.data


def test_pages_offer_the_feed_and_readers_may_ask_whether_it_changed(published):
    page = published.client.get("/data/").get_data(as_text=True)
    assert re.search(
        r'<link rel="alternate" type="application/atom\+xml"[^>]* href="/data/releases.atom">', page
    )
    first = published.client.get("/data/releases.atom")
    again = published.client.get(
        "/data/releases.atom", headers={"If-None-Match": first.headers["ETag"]}
    )
    assert again.status_code == 304
