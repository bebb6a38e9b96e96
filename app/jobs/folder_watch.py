"""Which cities have files that arrived and are whole: what a waiting worker looks at.

Files themselves are read by a job, in another process. A file is new to a worker until it asked for
a job; one that belongs to no source is asked for once and then left where it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from geodata.files_waiting import states

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from geodata.files_waiting import FileState


class FolderWatch:
    """Looks at the folders of cities below one folder; each look is compared with the last."""

    def __init__(self, base: Path) -> None:
        self._base = base
        self._last: dict[str, dict[str, FileState]] = {}
        self._whole: dict[str, set[tuple[str, FileState]]] = {}
        self._asked: dict[str, set[tuple[str, FileState]]] = {}

    def ready(self, slugs: Iterable[str]) -> list[str]:
        """Return the cities that have a file which did not change since the last look and is new.

        A city's folder is named by its slug; no path comes from a city file.
        """
        found = []
        for slug in slugs:
            now = states(self._base / slug)
            last, self._last[slug] = self._last.get(slug, {}), now
            whole = {(name, state) for name, state in now.items() if last.get(name) == state}
            if whole - self._asked.get(slug, set()):
                found.append(slug)
            self._whole[slug] = whole
        return found

    def note_asked(self, slug: str) -> None:
        """Note that a job was asked for what was whole at the last look."""
        self._asked[slug] = self._whole[slug]
