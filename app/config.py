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

    ``instance`` holds the SQLite database, the demonstration city's files, releases and maps.
    ``city`` is a slug, or nothing for the city published last. A ``preview`` shows what is not
    published, read from the database; else the pages read approved releases only. Sources by
    address are kept under ``sources``; ``allow_private_sources`` lets them lie in private networks.
    """

    database_url: str
    instance: Path
    city: str | None = None
    secret_key: str | None = None
    preview: bool = False
    allow_private_sources: bool = False
    socrata_token: str | None = None

    @property
    def sources(self) -> Path:
        """Folder of what was fetched from addresses."""
        return self.instance / "sources"

    @property
    def releases(self) -> Path:
        """Folder of the releases of all cities."""
        return self.instance / "releases"

    @property
    def maps(self) -> Path:
        """Folder of built maps."""
        return self.instance / "maps"

    def __post_init__(self) -> None:
        if self.secret_key is not None and len(self.secret_key) < LEAST_SECRET:
            msg = (
                f"SAFERGROUND_SECRET_KEY is shorter than {LEAST_SECRET} characters; make one with: "
                "python -c 'import secrets; print(secrets.token_urlsafe(48))'"
            )
            raise SettingsError(msg)

    @classmethod
    def from_env(cls) -> Settings:
        """Read ``SAFERGROUND_INSTANCE``, ``_DATABASE``, ``_CITY``, ``_SECRET_KEY``, ``_PREVIEW``.

        Also ``SAFERGROUND_ALLOW_PRIVATE_SOURCES`` and ``SAFERGROUND_SOCRATA_TOKEN``.

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
            preview=os.environ.get("SAFERGROUND_PREVIEW", "") == "1",
            allow_private_sources=os.environ.get("SAFERGROUND_ALLOW_PRIVATE_SOURCES", "") == "1",
            socrata_token=os.environ.get("SAFERGROUND_SOCRATA_TOKEN") or None,
        )
