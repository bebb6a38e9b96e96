"""How sources by address are fetched by this installation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geodata.sources import Fetching
from geodata.sources.web import Web

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.config import Settings

    Progress = Callable[[str, int, int], None]


def fetching_for(settings: Settings, progress: Progress | None = None) -> Fetching:
    """Give what fetching needs; progress hears megabytes, so that long answers can be cancelled."""

    def told(size: int) -> None:
        if progress:
            progress("downloading", size // 1_000_000, 0)

    return Fetching(
        folder=settings.sources,
        web=Web(allow_private=settings.allow_private_sources, told=told),
        socrata_token=settings.socrata_token,
    )
