"""Headers of every answer, and what single pages may do beyond them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Response

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
PERMISSIONS = "geolocation=(), camera=(), microphone=()"
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": PERMISSIONS,
    "Cross-Origin-Opener-Policy": "same-origin",
}


def allow_workers(answer: Response) -> None:
    """Let a page start a worker of this site, as a log that opens without a connection does."""
    answer.headers["Content-Security-Policy"] = f"{POLICY}; worker-src 'self'"


def allow_position(answer: Response) -> None:
    """Let a page ask its browser for the position; scripts use it there and send it nowhere."""
    answer.headers["Permissions-Policy"] = PERMISSIONS.replace(
        "geolocation=()", "geolocation=(self)"
    )
