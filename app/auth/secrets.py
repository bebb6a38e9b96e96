"""Why somebody is not let in.

Tokens that let somebody in: random, and stored as digests only.

Keys for single purposes, all made from the secret key of the installation.

Passwords: what is good enough, and their digests.

Digests are argon2id with the second recommendation of RFC 9106: 3 passes over 64 MiB in 4 lanes,
16 bytes of salt, 32 of digest. A digest says its own parameters, so they can be raised later.

One-time codes by RFC 6238 (30 seconds, six digits), and recovery codes for a lost telephone.
"""

from __future__ import annotations

import hashlib
import hmac
import io
import os
import secrets
import threading
import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyotp
import segno
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from geodata.errors import PersonError
from spatial.errors import SaferGroundError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence


class SignInError(SaferGroundError):
    """Somebody is not let in; the message is the same for every reason that must not be told."""


class LockedError(SignInError):
    """Too many tries failed; nothing more is tried for a while."""

    def __init__(self, wait: dt.timedelta) -> None:
        self.wait_s = max(1, round(wait.total_seconds()))
        super().__init__(f"too many tries failed; wait {told_wait(self.wait_s)} and try again")


class TokenError(SignInError):
    """A program has no token that lets it in."""


class ScopeError(SignInError):
    """A token, or the roles of its person, do not reach as far as what is requested."""


class RateError(SaferGroundError):
    """Something is requested too often."""

    def __init__(self, wait_s: int) -> None:
        self.wait_s = wait_s
        super().__init__(f"this was asked for too often; wait {told_wait(wait_s)} and try again")


def told_wait(seconds: int) -> str:
    """Tell a time to wait.

    >>> told_wait(1), told_wait(45), told_wait(61), told_wait(900)
    ('1 second', '45 seconds', '2 minutes', '15 minutes')
    """
    if seconds < 60:
        return f"{seconds} second{'s' if seconds != 1 else ''}"
    minutes = -(-seconds // 60)
    return f"{minutes} minute{'s' if minutes != 1 else ''}"


TOKEN_BYTES = 32


def new_token() -> str:
    """Make a token of 256 bits, fit for an address."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def token_hash(token: str) -> str:
    """Return what is stored of a token; a random one needs no slow digest."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


KEY_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """``codes`` encrypts the secrets of one-time codes, ``recovery`` marks recovery codes."""

    codes: bytes = field(repr=False)
    recovery: bytes = field(repr=False)

    @classmethod
    def derive(cls, secret_key: str) -> Keys:
        """Make the keys by HKDF (RFC 5869) with SHA-256, a label for each purpose."""
        return cls(
            codes=_derive(secret_key, b"saferground one-time codes"),
            recovery=_derive(secret_key, b"saferground recovery codes"),
        )


def _derive(secret_key: str, label: bytes) -> bytes:
    made = HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=label)
    return made.derive(secret_key.encode())


LEAST, MOST = 12, 256  # characters
LEAST_DIFFERENT = 5
AT_ONCE = 4  # digests worked out at the same time by one process: 64 MiB each
COMMON_TEXT = (
    "password password1 passw0rd letmein welcome iloveyou sunshine princess football baseball "
    "superman batman trustno1 monkey dragon master shadow michael jennifer jordan charlie qwerty "
    "qwertyuiop asdfghjkl zxcvbnm qwertyasdf 1qaz2wsx 1q2w3e4r 1q2w3e4r5t qazwsxedc 123456789 "
    "1234567890 0987654321 987654321 123123123 111111111 abcdefgh abcdefghij abc123 administrator "
    "administrador changeme changeit secret default temporary police officer commander analyst "
    "publisher viewer precinct saferground shotspotter correcthorsebatterystaple spring summer "
    "autumn winter january february december "
)
COMMON = frozenset(COMMON_TEXT.split())

_hasher = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
_room = threading.BoundedSemaphore(AT_ONCE)


class PasswordError(PersonError):
    """A password is not good enough; the message says why."""


def require_good(password: str, *names: str) -> str:
    """Return a password as it is hashed, in Unicode's compatible form.

    Parameters
    ----------
    password
        As typed.
    names
        What it may not be made of: the person's names.

    Raises
    ------
    PasswordError
        If it is too short or too long, or among the first that anybody would try.
    """
    password = _normal(password)
    if len(password) < LEAST:
        msg = f"use at least {LEAST} characters; a few words in a row are easy to remember"
        raise PasswordError(msg, code="too_short")
    if len(password) > MOST:
        msg = f"use at most {MOST} characters"
        raise PasswordError(msg, code="too_long")
    if len(set(password)) < LEAST_DIFFERENT:
        msg = f"use at least {LEAST_DIFFERENT} different characters"
        raise PasswordError(msg, code="too_uniform")
    bare = _bare(password)
    if any(_bare(name) and _bare(name) == bare for name in names):
        msg = "the password is the name; choose something that nobody would try"
        raise PasswordError(msg, code="is_the_name")
    if not _without_common(bare, [_bare(name) for name in names]):
        msg = "this is among the first passwords that anybody would try; choose another"
        raise PasswordError(msg, code="too_common")
    return password


def digest(password: str) -> str:
    """Return the argon2id digest of a password; takes about a tenth of a second on purpose."""
    with _room:
        return _hasher.hash(_normal(password))


def fits(password: str, stored: str | None) -> bool:
    """Return whether a password has a digest; takes as long where there is none."""
    try:
        with _room:
            _hasher.verify(stored or _nobody(), _normal(password)[: 4 * MOST])
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


def is_outdated(stored: str) -> bool:
    """Return whether a digest was made with other parameters than today's."""
    return _hasher.check_needs_rehash(stored)


_nobodys: list[str] = []


def _nobody() -> str:
    """Return the digest of a password that nobody has, made once for a process."""
    if not _nobodys:
        _nobodys.append(_hasher.hash(secrets.token_urlsafe(32)))
    return _nobodys[0]


def prepare() -> None:
    """Make ready at the start, so that the first unknown name takes no longer than others."""
    _nobody()


def _normal(password: str) -> str:
    whole = password.encode("utf-8", "replace").decode("utf-8")
    return unicodedata.normalize("NFKC", whole)


def _bare(text: str) -> str:
    """Return a text without what people add to make it look different."""
    return "".join(sign for sign in _normal(text).casefold() if sign.isalnum())


def _without_common(bare: str, names: list[str]) -> str:
    """Take names, common words and runs of digits out; nothing is left of what is no secret.

    >>> _without_common("password123456", []), _without_common("passwordofmycat", [])
    ('', 'ofmycat')
    """
    words = sorted({*COMMON, *(name for name in names if len(name) > 2)}, key=len, reverse=True)
    for word in words:
        bare = bare.replace(word, " ")
    left = "".join(bare.split())
    return "" if left.isdigit() or len(left) <= 2 else left


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
    """Return the step whose code this is, of the present one and its neighbours; else nothing.

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
    """Return the secret that was encrypted for a person.

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
        raise PersonError(msg, code="other_secret_key") from error
    return opened.decode()


def new_recovery_codes() -> list[str]:
    """Make recovery codes, as they are shown once."""
    return ["-".join(_groups()) for _ in range(RECOVERY_CODES)]


def recovery_hashes(keys: Keys, codes: Sequence[str]) -> list[str]:
    """Return what is stored of recovery codes."""
    return [recovery_hash(keys, code) for code in codes]


def recovery_hash(keys: Keys, code: str) -> str:
    """Return what is stored of a recovery code: its HMAC; case, spaces and dashes do not count."""
    typed = "".join(sign for sign in code.casefold() if sign.isalnum())
    return hmac.new(keys.recovery, typed.encode("utf-8", "replace"), hashlib.sha256).hexdigest()


def _groups() -> list[str]:
    signs = "".join(secrets.choice(SIGNS) for _ in range(RECOVERY_SIGNS))
    return [signs[at : at + GROUP] for at in range(0, RECOVERY_SIGNS, GROUP)]
