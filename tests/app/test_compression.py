"""Answers are compressed where that helps, gives nothing away and is accepted."""

import gzip

import brotli
import pytest
from flask import Flask

from app import compression
from app.auth.permissions import RULES

TEXT = "Heather Street and Lilac Lane. " * 200


@pytest.fixture
def client():
    app = Flask("app")
    compression.register(app)
    app.add_url_rule("/page", "public.map_", lambda: TEXT)
    app.add_url_rule("/short", "public.home", lambda: "short")
    app.add_url_rule(
        "/staff", next(name for name, rule in RULES.items() if not rule.public), lambda: TEXT
    )
    app.add_url_rule(
        "/picture", "health.healthz", lambda: (TEXT, 200, {"Content-Type": "image/png"})
    )
    return app.test_client()


def _ask(client, path, accepted="gzip, br"):
    return client.get(path, headers={"Accept-Encoding": accepted} if accepted else {})


@pytest.mark.parametrize(
    ("accepted", "encoding", "unpack"),
    [
        ("gzip, br", "br", brotli.decompress),
        ("gzip", "gzip", gzip.decompress),
        ("br;q=0, gzip", "gzip", gzip.decompress),
    ],
)
def test_a_public_page_is_compressed_as_its_reader_takes_it(client, accepted, encoding, unpack):
    answer = _ask(client, "/page", accepted)
    assert answer.headers["Content-Encoding"] == encoding
    assert unpack(answer.data).decode() == TEXT
    assert int(answer.headers["Content-Length"]) == len(answer.data) < len(TEXT) / 10
    assert "Accept-Encoding" in answer.vary


@pytest.mark.parametrize(
    ("path", "accepted"), [("/staff", "br"), ("/short", "br"), ("/picture", "br"), ("/page", "")]
)
def test_what_is_the_staffs_short_a_picture_or_not_accepted_stays_as_it_is(client, path, accepted):
    assert "Content-Encoding" not in _ask(client, path, accepted).headers


def test_scripts_are_compressed_and_asked_for_again_by_their_etag(client):
    answer = _ask(client, "/static/map.js")
    assert answer.headers["Content-Encoding"] == "br"
    assert b"SaferGround" in brotli.decompress(answer.data)
    answer.close()
    again = client.get(
        "/static/map.js", headers={"Accept-Encoding": "br", "If-None-Match": answer.headers["ETag"]}
    )
    assert (again.status_code, again.data) == (304, b"")
    again.close()
