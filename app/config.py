"""Settings of one installation, read from the environment once."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from spatial.errors import SaferGroundError

LEAST_SECRET = 32


class SettingsError(SaferGroundError):
    """A setting of the environment cannot be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Where things are kept and which city the pages show.

    ``instance`` holds the SQLite database, the demonstration city's files and built maps. ``city``
    is a slug, or nothing for the city of the newest run.
    """

    database_url: str
    instance: Path
    city: str | None = None
    secret_key: str | None = None

    def __post_init__(self) -> None:
        if self.secret_key is not None and len(self.secret_key) < LEAST_SECRET:
            msg = (
                f"SAFERGROUND_SECRET_KEY is shorter than {LEAST_SECRET} characters; make one with: "
                "python -c 'import secrets; print(secrets.token_urlsafe(48))'"
            )
            raise SettingsError(msg)

    @classmethod
    def from_env(cls) -> Settings:
        """Read ``SAFERGROUND_INSTANCE``, ``_DATABASE``, ``_CITY`` and ``_SECRET_KEY``.

        Raises
        ------
        SettingsError
            If a setting cannot be used.
        """
        instance = Path(os.environ.get("SAFERGROUND_INSTANCE") or "instance").absolute()
        default = f"sqlite:///{instance / 'saferground.sqlite'}"
        return cls(
            database_url=os.environ.get("SAFERGROUND_DATABASE") or default,
            instance=instance,
            city=os.environ.get("SAFERGROUND_CITY") or None,
            secret_key=os.environ.get("SAFERGROUND_SECRET_KEY") or None,
        )
