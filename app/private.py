"""What the server keeps is for the user that it runs as, and for no other user of the machine.

Where the templates are: beside the code in a wheel, beside the packages in a checkout.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from app.config import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.config import Settings


OTHERS = 0o077  # every right of the group and of others
FOLDER = 0o700
SQLITE = "sqlite:///"
BESIDE = ("-wal", "-shm", "-journal")  # files that SQLite keeps beside a database


def keep_private() -> None:
    """Let this process and those that it starts make files and folders for their user alone."""
    os.umask(OTHERS)


def close_instance(settings: Settings) -> None:
    """Make the instance folder, and take from others what an earlier version let them read.

    Raises
    ------
    SettingsError
        If the folder cannot be made or closed.
    """
    try:
        settings.instance.mkdir(parents=True, exist_ok=True, mode=FOLDER)
        for path in _kept(settings):
            _close(path)
    except OSError as error:
        msg = (
            f"{error.filename or settings.instance} cannot be closed to other users "
            f"({error.strerror}); run the server as the user that owns it"
        )
        raise SettingsError(msg, code="folder_open") from error


def _close(path: Path) -> None:
    try:
        mode = path.lstat().st_mode
        if mode & OTHERS and not path.is_symlink():
            path.chmod(stat.S_IMODE(mode) & ~OTHERS)
    except FileNotFoundError:
        return  # it went meanwhile


def _kept(settings: Settings) -> Iterator[Path]:
    yield settings.instance
    yield from settings.instance.rglob("*")
    if settings.database_url.startswith(SQLITE):
        database = settings.database_url.removeprefix(SQLITE).partition("?")[0]
        for path in (Path(database + ending) for ending in ("", *BESIDE)):
            if database and path.is_file():
                yield path


_HERE = Path(__file__).parent


def template_dir() -> Path:
    """Return the folder of the templates.

    Raises
    ------
    RuntimeError
        If the installation holds none.
    """
    for folder in (_HERE / "templates", _HERE.parent / "templates"):
        if (folder / "base.html").is_file():
            return folder
    msg = f"no templates beside {_HERE}; the installation is incomplete"
    raise RuntimeError(msg)
