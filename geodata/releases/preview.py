"""Make a preview: the draft of a city's release in a scratch folder, for staff to look at.

``previews/<city>/<id>/`` holds what ``releases/<city>/<id>/`` would; ``preview.json`` beside it
names it. It is no release: no record of it is kept, nobody can approve it, and the next preview of
the city removes it. A draft of the same data has the same id and the same bytes.
"""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from geodata.clock import utc_now
from geodata.errors import BrokenReleaseError, ReleaseError
from geodata.release_manifest import ReleasePointer
from geodata.releases.build import make_checked_draft, write_release
from geodata.releases.folder import MANIFEST, PREVIEW, PreviewFolder, ReleaseFolder
from geodata.releases.repair import moment, put_document

if TYPE_CHECKING:
    import datetime as dt
    from pathlib import Path

    from geodata.db.engine import Database
    from geodata.releases.build import Pages, Progress


def make_preview(
    database: Database,
    root: Path,
    previews: Path,
    city: str,
    *,
    run: str | None = None,
    pages: Pages | None = None,
    today: dt.date | None = None,
    progress: Progress | None = None,
) -> PreviewFolder:
    """Draft the release of a city as its data stand, in place of the preview made before.

    Parameters
    ----------
    database, root
        Where the data are, and the folder of all releases: what they stated before stays hidden.
    previews
        Folder of the previews of all cities.
    city, run, pages, today, progress
        As for :func:`geodata.releases.build.make_checked_draft`.

    Raises
    ------
    NotStoredError, DataError, ReleaseError
        As a draft would be refused; then the preview before it stays.
    """
    draft = make_checked_draft(
        database, root, city, run=run, pages=pages, today=today, progress=progress
    )
    write_release(previews, city, draft)
    return _put_in_place(previews, city, draft.id)


def preview_draft(root: Path, previews: Path, city: str, identity: str) -> PreviewFolder:
    """Make a drafted release the preview of its city, to the byte, without drafting it again.

    Raises
    ------
    NotStoredError
        If there is no such release.
    ReleaseError
        If it cannot be read, or the preview cannot be written.
    """
    drafted, place = ReleaseFolder.find(root, identity), previews / city / identity
    if not place.exists():
        aside = previews / city / f".{identity}"
        try:
            shutil.rmtree(aside, ignore_errors=True)
            for name in (MANIFEST, *drafted.files):
                (aside / name).parent.mkdir(parents=True, exist_ok=True)
                os.link(drafted.path / name, aside / name)  # read-only in both places
            aside.rename(place)
        except OSError as error:
            msg = f"{place} cannot be written ({error.strerror or error})"
            raise ReleaseError(msg, code="not_writable") from error
    return _put_in_place(previews, city, identity)


def _put_in_place(previews: Path, city: str, identity: str) -> PreviewFolder:
    """Name what the preview of a city is from now on, and remove the one before it."""
    folder = previews / city
    put_document(folder / PREVIEW, ReleasePointer(release=identity, at=moment(utc_now())), folder)
    found = PreviewFolder.current(previews, city)
    if found is None:
        msg = f"the preview of {city} was removed while it was made; make it anew"
        raise BrokenReleaseError(msg, code="preview_removed")
    for path in folder.iterdir():
        if path.is_dir() and path.name != identity and not path.name.startswith("."):
            try:
                shutil.rmtree(path)
            except OSError as error:
                msg = f"the replaced preview {path} cannot be removed ({error.strerror or error})"
                raise ReleaseError(msg, code="not_writable") from error
    return found
