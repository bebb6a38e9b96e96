"""One-time codes by RFC 6238 (30 seconds, six digits), and recovery codes for a lost telephone."""

from __future__ import annotations

import hashlib
import hmac
import io
import os
import secrets
from typing import TYPE_CHECKING

import pyotp
import segno
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from geodata.errors import PersonError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.people.keys import Keys

STEP_S = 30
WINDOW = 1  # steps before and after the present one, for clocks that differ
ISSUER = "Safer Ground"
NONCE_BYTES = 12
RECOVERY_CODES = 10
SIGNS = "23456789abcdefghjkmnpqrstuvwxyz"  # without those that look alike
RECOVERY_SIGNS = 12  # of 31: 59 bits
GROUP = 4


def new_secret() -> str:
    """Make a secret of 160 bits, in base 32."""
    return pyotp.random_base32()


def step_of(secret: str, code: str, now_s: int) -> int | None:
    """Give the step whose code this is, of the present one and its neighbours; else nothing.

    Parameters
    ----------
    secret
        In base 32.
    code
        As typed; spaces do not count.
    now_s
        Seconds since 1970.
    """
    typed = "".join(code.split())
    if not (len(typed) == 6 and typed.isascii() and typed.isdigit()):
        return None
    machine, present = pyotp.TOTP(secret, interval=STEP_S), now_s // STEP_S
    steps = range(present - WINDOW, present + WINDOW + 1)
    found = [step for step in steps if hmac.compare_digest(machine.at(step * STEP_S), typed)]
    return found[-1] if found else None


def picture(secret: str, name: str) -> bytes:
    """Draw the QR code that a telephone reads a secret from, as SVG."""
    address = pyotp.TOTP(secret, interval=STEP_S).provisioning_uri(name=name, issuer_name=ISSUER)
    out = io.BytesIO()
    code = segno.make(address, error="m", micro=False)
    code.save(out, kind="svg", scale=6, border=4, light="#ffffff", dark="#16233b")
    return out.getvalue()


def grouped(secret: str) -> str:
    """Write a secret in groups of four, to be typed.

    >>> grouped("ABCDEFGHIJ")
    'ABCD EFGH IJ'
    """
    return " ".join(secret[at : at + GROUP] for at in range(0, len(secret), GROUP))


def seal(keys: Keys, person: str, secret: str) -> bytes:
    """Encrypt a secret (AES-256-GCM) so that it opens for this person only."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(keys.codes).encrypt(nonce, secret.encode(), person.encode())


def unseal(keys: Keys, person: str, sealed: bytes) -> str:
    """Give the secret that was encrypted for a person.

    Raises
    ------
    PersonError
        If it was encrypted with another secret key, or for somebody else.
    """
    try:
        opened = AESGCM(keys.codes).decrypt(
            sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], person.encode()
        )
    except InvalidTag as error:
        msg = (
            f"the one-time codes of {person} were set up under another secret key; bring that key "
            f"back, or run: saferground user reset {person}"
        )
        raise PersonError(msg) from error
    return opened.decode()


def new_recovery_codes() -> list[str]:
    """Make recovery codes, as they are shown once."""
    return ["-".join(_groups()) for _ in range(RECOVERY_CODES)]


def recovery_hashes(keys: Keys, codes: Sequence[str]) -> list[str]:
    """Give what is stored of recovery codes."""
    return [recovery_hash(keys, code) for code in codes]


def recovery_hash(keys: Keys, code: str) -> str:
    """Give what is stored of a recovery code: its HMAC; case, spaces and dashes do not count."""
    typed = "".join(sign for sign in code.casefold() if sign.isalnum())
    return hmac.new(keys.recovery, typed.encode("utf-8", "replace"), hashlib.sha256).hexdigest()


def _groups() -> list[str]:
    signs = "".join(secrets.choice(SIGNS) for _ in range(RECOVERY_SIGNS))
    return [signs[at : at + GROUP] for at in range(0, RECOVERY_SIGNS, GROUP)]
