"""Proxies in front of the server: believed as far as is set, and missed where none is set."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import request
from werkzeug.middleware.proxy_fix import ProxyFix

from app.views.health import CHECKS

if TYPE_CHECKING:
    from flask import Flask

HEADERS = ("X-Forwarded-For", "Forwarded", "X-Real-IP")
SEEN = "saferground.unbelieved_proxy"
TOLD = (
    "a request came with X-Forwarded-For and SAFERGROUND_PROXIES is 0: if a proxy is in front, "
    "everybody counts as one address in limits and in the audit; set it to the number of proxies"
)


def register(app: Flask, count: int) -> None:
    """Believe so many proxies; with none, note when one seems to be there after all.

    Anybody may send such a header, so that it makes nothing fail: it is logged once and told where
    monitors ask.
    """
    if count:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count)  # type: ignore[method-assign]
        return
    app.extensions[SEEN] = False
    checks = app.extensions.setdefault(CHECKS, {})
    checks["proxy"] = lambda: (TOLD if app.extensions[SEEN] else "none seen", "")

    @app.before_request
    def look() -> None:
        if not app.extensions[SEEN] and any(name in request.headers for name in HEADERS):
            app.extensions[SEEN] = True
            app.logger.warning(TOLD)
