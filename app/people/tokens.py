"""Tokens that let somebody in: random, and stored as digests only."""

from __future__ import annotations

import hashlib
import secrets

TOKEN_BYTES = 32


def new_token() -> str:
    """Make a token of 256 bits, fit for an address."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def token_hash(token: str) -> str:
    """Give what is stored of a token; a random one needs no slow digest."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
