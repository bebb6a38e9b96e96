"""Public pages and our own scripts and styles, compressed for whoever takes it so.

Answers of the staff's pages are left as they are: their length would tell of the secrets in their
forms. Files of maps are compressed once where they are made (:mod:`app.maps.bundle`).
"""

from __future__ import annotations

import gzip
from functools import lru_cache
from typing import TYPE_CHECKING

import brotli
from flask import g, request

from app.auth.permissions import RULES

if TYPE_CHECKING:
    from flask import Flask, Response

STATIC = "static"
CSRF = "csrf_token"  # where Flask-WTF keeps the secret of a page that has a form of the staff
TYPES = ("text/", "application/json", "application/geo+json", "image/svg+xml")
LEAST_BYTES = 1_000  # below that it is not worth it
KEPT = 64  # files: more than there are scripts and styles


def register(app: Flask) -> None:
    """Have every answer that may be compressed compressed."""
    app.after_request(compress)


def compress(response: Response) -> Response:
    """Return an answer compressed where its reader takes that and nothing speaks against it."""
    if not _may_be(response):
        return response
    response.vary.add("Accept-Encoding")
    accepted = request.accept_encodings
    encoding = next((one for one in ("br", "gzip") if accepted[one] > 0), None)
    if encoding is None:
        return response
    response.direct_passthrough = False
    content = response.get_data()
    if len(content) < LEAST_BYTES:
        return response
    stays = request.endpoint == STATIC
    response.set_data(_kept(content, encoding) if stays else _packed(content, encoding, 4))
    response.headers["Content-Encoding"] = encoding
    etag, _ = response.get_etag()
    if etag:
        response.set_etag(etag, weak=True)  # the same, but not byte by byte
    return response


def _may_be(response: Response) -> bool:
    whole = request.method == "GET" and response.status_code == 200
    text = (response.mimetype or "").startswith(
        TYPES
    ) and "Content-Encoding" not in response.headers
    if request.endpoint == STATIC:
        return whole and text
    rule = RULES.get(request.endpoint or "")
    public = rule is not None and rule.public and CSRF not in g
    return whole and text and public and not (response.is_streamed or response.direct_passthrough)


@lru_cache(maxsize=KEPT)
def _kept(content: bytes, encoding: str) -> bytes:
    return _packed(content, encoding, 9)


def _packed(content: bytes, encoding: str, quality: int) -> bytes:
    if encoding == "br":
        return bytes(brotli.compress(content, quality=quality))
    return gzip.compress(content, quality, mtime=0)
