"""Whole addresses of this site, and the host names that it answers to.

Proxies in front of the server: believed as far as is set, and missed where none is set.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flask import current_app, request, url_for
from werkzeug.exceptions import BadRequest
from werkzeug.middleware.proxy_fix import ProxyFix

from app.config import LOOPBACK

if TYPE_CHECKING:
    from flask import Flask

    from app.config import Settings


CHECKS = "saferground.checks"  # what the readiness page asks, by name
ADDRESS, HOSTS = "saferground.address", "saferground.hosts"
MONITORED = ("health.healthz", "health.readyz")  # monitors ask by whatever name or number


class UnknownHostError(BadRequest):
    """A request names a host that this site is not known by."""

    description = (
        "This server is not known by the name in this address. Whoever looks after it names it in "
        "SAFERGROUND_ADDRESS, and further names in SAFERGROUND_HOSTS."
    )


def register(app: Flask, settings: Settings) -> None:
    """Answer requests for known hosts alone, and let templates write whole addresses."""
    app.extensions[ADDRESS] = (settings.address or "").rstrip("/")
    app.extensions[HOSTS] = known_hosts(settings)
    app.add_template_global(whole_url)

    @app.before_request
    def check_host() -> None:
        if (
            request.endpoint not in MONITORED
            and host_name(request.host) not in app.extensions[HOSTS]
        ):
            raise UnknownHostError


def known_hosts(settings: Settings) -> frozenset[str]:
    """Return the host names that are answered: the public one, loopback, the bound one, our own."""
    named = {*LOOPBACK, *settings.hosts, socket.gethostname()}
    if settings.address:
        named.add(host_name(urlsplit(settings.address).netloc))
    return frozenset(one.lower() for one in named if one)


def host_name(host: str) -> str:
    """Return the name in a host header, without its port.

    >>> host_name("Safer.example:8000"), host_name("[::1]:8000"), host_name("")
    ('safer.example', '::1', '')
    """
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:  # brackets that hold no address
        return ""


def whole(path: str) -> str:
    """Return the whole address of a path of this site.

    It lies below ``SAFERGROUND_ADDRESS``; where that is not set, below the host of the request,
    which is one of the known ones.
    """
    return (current_app.extensions[ADDRESS] or request.host_url.rstrip("/")) + path


def requested_host() -> str:
    """Return the host name of the request, without its port."""
    return host_name(request.host)


def whole_url(endpoint: str, **values: Any) -> str:
    """Return the whole address of an endpoint."""
    return whole(url_for(endpoint, **values))


HEADERS = ("X-Forwarded-For", "Forwarded", "X-Real-IP")
SEEN = "saferground.unbelieved_proxy"
TOLD = (
    "a request came with X-Forwarded-For and SAFERGROUND_PROXIES is 0: if a proxy is in front, "
    "everybody counts as one address in limits and in the audit; set it to the number of proxies"
)


def register_proxies(app: Flask, count: int) -> None:
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
