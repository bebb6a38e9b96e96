"""Files of a folder that others write into, and whether they have changed since the last look."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path


class FileState(NamedTuple):
    """Bytes of a file, and when it was written to, in nanoseconds since 1970."""

    size: int
    changed_ns: int


def states(folder: Path) -> dict[str, FileState]:
    """Return the state of each plain file of a folder by its name.

    Hidden files, folders and links are left out; a folder that is not there has none.
    """
    found = {}
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.name.startswith(".") or path.is_symlink() or not path.is_file():
            continue
        with suppress(FileNotFoundError):  # moved by another worker meanwhile
            status = path.stat()
            found[path.name] = FileState(status.st_size, status.st_mtime_ns)
    return found
