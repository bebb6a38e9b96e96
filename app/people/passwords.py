"""Passwords: what is good enough, and their digests.

Digests are argon2id with the second recommendation of RFC 9106: 3 passes over 64 MiB in 4 lanes,
16 bytes of salt, 32 of digest. A digest says its own parameters, so they can be raised later.
"""

from __future__ import annotations

import secrets
import threading
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from geodata.errors import PersonError

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
    """Give a password as it is hashed, in Unicode's compatible form.

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
        raise PasswordError(msg)
    if len(password) > MOST:
        msg = f"use at most {MOST} characters"
        raise PasswordError(msg)
    if len(set(password)) < LEAST_DIFFERENT:
        msg = f"use at least {LEAST_DIFFERENT} different characters"
        raise PasswordError(msg)
    bare = _bare(password)
    if any(_bare(name) and _bare(name) == bare for name in names):
        msg = "the password is the name; choose something that nobody would try"
        raise PasswordError(msg)
    if not _without_common(bare, [_bare(name) for name in names]):
        msg = "this is among the first passwords that anybody would try; choose another"
        raise PasswordError(msg)
    return password


def digest(password: str) -> str:
    """Give the argon2id digest of a password; takes about a tenth of a second on purpose."""
    with _room:
        return _hasher.hash(_normal(password))


def fits(password: str, stored: str | None) -> bool:
    """Tell whether a password has a digest; takes as long where there is none."""
    try:
        with _room:
            _hasher.verify(stored or _nobody(), _normal(password)[: 4 * MOST])
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


def is_outdated(stored: str) -> bool:
    """Tell whether a digest was made with other parameters than today's."""
    return _hasher.check_needs_rehash(stored)


_nobodys: list[str] = []


def _nobody() -> str:
    """Give the digest of a password that nobody has, made once for a process."""
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
    """Give a text without what people add to make it look different."""
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
