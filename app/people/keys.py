"""Keys for single purposes, all made from the secret key of the installation."""

from __future__ import annotations

from dataclasses import dataclass, field

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

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
