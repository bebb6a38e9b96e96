"""A newer file of a source that a city has: read as that source is, in the place of its file.

Rows are known by their ids, so that a newer file corrects rows and adds those that are new; shapes
of a layer become exactly those of the file.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from app.workbench.column_kinds import KINDS
from app.workbench.column_mapping import Answers
from app.workbench.source_changes import Proposal, ask_import, try_out
from geodata.cityfile.description import read_content
from geodata.errors import DataError
from geodata.ingest.city_folder import CityFolder, sections
from geodata.ingest.watched_folder import is_named_like
from geodata.repositories.import_log import city_file_of

if TYPE_CHECKING:
    from app.extensions import Workroom
    from geodata.db.staff_tables import Job
    from geodata.ingest.city_folder import FolderSection
    from geodata.ingest.trial import Trial
    from geodata.repositories.cities import CityRecord
    from geodata.repositories.import_log import Described
    from geodata.uploads.intake import HandedIn


def replaceable(described: Described) -> dict[str, FolderSection]:
    """Return the sources of a city that lie in files, by how a note beside an upload names them."""
    return {
        one.key: one for one in sections(described.content) if one.in_file and one.name in KINDS
    }


def guess_source(described: Described, name: str) -> str:
    """Return the one source that a file belongs to by its name, nothing where there is none."""
    found = {
        one.source: key
        for key, one in replaceable(described).items()
        if is_named_like(name, one.source)
    }
    return next(iter(found.values())) if len(found) == 1 else ""


def renewal(room: Workroom, city: CityRecord, handed: HandedIn) -> tuple[FolderSection, Proposal]:
    """Return the source that a file renews, and the city as it would be with it.

    Raises
    ------
    DataError
        If the city has no such source any more.
    CityFileError
        If the city file does not hold together.
    """
    with room.database.session() as session:
        described = city_file_of(session, city.slug)
    section = replaceable(described).get(handed.renews)
    if section is None:
        msg = "the sources of this city were changed meanwhile; look at them and ask again"
        raise DataError(msg)
    files = {**described.content.get("files", {}), section.source: str(handed.upload.path)}
    content = {**described.content, "files": files}
    whole = read_content(content, Path("this city"), Path(described.root))
    return section, Proposal(described=described, tables=[dict(section.table)], whole=whole)


def try_renewal(room: Workroom, city: CityRecord, handed: HandedIn) -> tuple[FolderSection, Trial]:
    """Read a newer file as an import would; stores nothing.

    Raises
    ------
    DataError
        If the city has no such source any more.
    """
    section, proposal = renewal(room, city, handed)
    answers = Answers(kind=section.name)
    return section, try_out(room, proposal, handed, answers, city, 0, 1)


def renew(room: Workroom, city: CityRecord, handed: HandedIn, who: str) -> Job:
    """Put a newer file in the place of the source's and ask for the import.

    Raises
    ------
    DataError
        If the sources changed, an import is under way, or files of the city are lost.
    CityFileError
        If the city file does not hold together.
    """
    section, proposal = renewal(room, city, handed)
    folder = CityFolder(room.settings.cities, city.slug)
    content = folder.adopt(proposal.described.content, proposal.described.root)
    kept = folder.take_in(handed.upload.path, handed.upload.name)
    content["files"] = {**content.get("files", {}), section.source: kept}
    document = {
        "section": section.name,
        "source": section.source,
        "file": handed.upload.name,
        "sha256": handed.upload.sha256,
    }
    return ask_import(
        room, city.slug, folder, content, proposal.described, who, "source.renew", document
    )
