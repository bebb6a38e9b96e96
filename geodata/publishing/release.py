"""Draft a release, hold it against every rule, write it, approve it, withdraw it.

The files are made from the database once, checked, written aside and put in place whole; nothing
of them is changed after. What the public sees is what ``current.json`` names.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geodata.errors import ReleaseError
from geodata.publishing.checks import check_files
from geodata.publishing.course import course_file
from geodata.publishing.dictionary import dictionary
from geodata.publishing.documents import (
    INCIDENTS,
    incident_files,
    initiative_files,
    told_incidents,
)
from geodata.publishing.evenness import contact_file, evenness_file, residents_file
from geodata.publishing.figures import work_out_figures
from geodata.publishing.folder import (
    APPROVAL,
    CURRENT,
    MANIFEST,
    WITHDRAWAL,
    ReleaseFolder,
    approved_releases,
)
from geodata.publishing.formats import json_bytes
from geodata.publishing.ground import ground_files
from geodata.publishing.manifest import make_manifest
from geodata.publishing.material import gather
from geodata.publishing.package import package_file
from geodata.publishing.points import alert_files, complaint_files
from geodata.publishing.tables import (
    ACCOUNT,
    MONTHS,
    PERIODS,
    RUN,
    measure_files,
    told_everywhere,
    zones_by_release,
)
from geodata.publishing.truth import check_truth
from geodata.publishing.zones import accountability_file, district_files, zone_files
from geodata.store import cities, releases

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from geodata.database import Database
    from geodata.publishing.checks import Fault
    from geodata.publishing.material import Material
    from geodata.publishing.sensitive import Hidden, Told, Where
    from geodata.store.releases import ReleaseRecord

    Pages = Callable[[Material, Mapping[str, bytes]], Mapping[str, bytes]]
    Progress = Callable[[str, int, int], None]

READ_ONLY, FOLDER_MODE = 0o444, 0o755
MOST_FAULTS = 8


@dataclass(frozen=True, kw_only=True, eq=False)
class Draft:
    """A release before it is written: its files, what it says of itself, what was hidden in it."""

    files: Mapping[str, bytes]
    manifest: dict[str, Any]
    tables: Sequence[Hidden]

    @property
    def id(self) -> str:
        """Identifier, taken from all that the release says."""
        return str(self.manifest["id"])


def draft_release(
    database: Database,
    root: Path,
    city: str,
    who: str,
    *,
    pages: Pages | None = None,
    today: dt.date | None = None,
    progress: Progress | None = None,
) -> ReleaseRecord:
    """Make, check, write and store the release of a city as its data stand.

    Parameters
    ----------
    database, root
        Where the data are, and the folder of all releases.
    city
        Slug.
    who
        Name of the drafter; it is not part of the release.
    pages
        Makes the documents of the public pages from the material and the files of the data, by
        names under ``site/``.
    today
        The city's own day if left out.
    progress
        Called with a stage, how many are done and how many there are.

    Raises
    ------
    NotStoredError
        If the city is not stored.
    ReleaseError
        If a rule is broken; then nothing is written.
    """
    with database.session() as session:
        record = cities.get_city(session, city)
        _tell(progress, "places")
        material = gather(
            session, record, today or record.this_day(), approved_releases(root, city)
        )
        draft = make_draft(material, ReleaseFolder.current(root, city), pages, progress=progress)
        _tell(progress, "rules")
        require_rules(material, draft)
    _tell(progress, "writing")
    write_release(root, city, draft)
    with database.session(write=True) as session:
        return releases.add_release(session, city, draft.manifest, _named(who), _now())


def make_draft(
    material: Material,
    current: ReleaseFolder | None,
    pages: Pages | None = None,
    *,
    progress: Progress | None = None,
) -> Draft:
    """Make every file of a release and its manifest; nothing is checked or written."""
    earlier = said_before(material.earlier)
    files = {**alert_files(material), **complaint_files(material)}
    files |= ground_files(material)
    _tell(progress, "zones")
    files |= {**district_files(material), **zone_files(material)}
    _tell(progress, "measures")
    figures = work_out_figures(material, earlier)
    incidents, tables = incident_files(material, earlier)
    files |= {**incidents, **initiative_files(material)}
    if figures is not None:
        files |= {**measure_files(material, figures), **course_file(material, figures)}
        files |= accountability_file(material, figures.told)
        tables += figures.tables
        material = replace(material, told=figures.told)
    _tell(progress, "districts and people")
    files |= {**evenness_file(material, files), **residents_file(material, files)}
    files |= {**contact_file(material), **package_file(files, material.last_day)}
    files["data/dictionary.csv"] = dictionary({*files, "data/dictionary.csv"})
    if pages is not None:
        _tell(progress, "pages")
        files |= pages(material, files)
    return Draft(files=files, manifest=make_manifest(material, files, current), tables=tables)


def said_before(earlier: Sequence[ReleaseFolder]) -> dict[Where, Told]:
    """Gather what earlier releases, newest first, said of sensitive counts.

    What tells most counts: what was ever shown, or ever said to be fewer than 5, stays known.
    """
    said: dict[Where, Told] = {}
    zones = zones_by_release(earlier)
    for release in earlier:
        names = {PERIODS, MONTHS, ACCOUNT, RUN, INCIDENTS} & set(release.files)
        files = {name: release.read(name) for name in names}
        every = told_everywhere(files, release.manifest.get("run"), zones)
        for where, told in (
            *((where, told) for _, where, told in every),
            *told_incidents(files.get(INCIDENTS, b"")),
        ):
            if where not in said or told.tells_more_than(said[where]):
                said[where] = told
    return said


def require_rules(material: Material, draft: Draft) -> None:
    """Refuse a draft that breaks a rule.

    Raises
    ------
    ReleaseError
        Naming the rule, and the rows or files that break it.
    """
    faults = check_files(draft.files, draft.manifest)
    if not faults:  # files that may be published at all are held against the rows
        faults = check_truth(material, draft.files, draft.tables)
    if faults:
        raise _refused(faults)


def _refused(faults: Sequence[Fault]) -> ReleaseError:
    rules = ", ".join(dict.fromkeys(rule for rule, _ in faults))
    told = "; ".join(f"{rule}: {what}" for rule, what in faults[:MOST_FAULTS])
    more = len(faults) - MOST_FAULTS
    end = f"; and {more} more" if more > 0 else ""
    return ReleaseError(
        f"the release is refused, it breaks the rule of {rules}: {told}{end}", faults[0][0]
    )


def write_release(root: Path, city: str, draft: Draft) -> ReleaseFolder:
    """Write a release aside and put it in place whole, its files read-only.

    Raises
    ------
    ReleaseError
        If it cannot be written, or the folder of that id holds something else.
    """
    place = root / city / draft.id
    if place.exists():
        return _require_whole(ReleaseFolder(path=place))
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=".draft-", dir=place.parent))
        try:
            for name, content in {MANIFEST: json_bytes(draft.manifest), **draft.files}.items():
                _write(aside / name, content)
            aside.chmod(FOLDER_MODE)
            aside.rename(place)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    except OSError as error:
        if (place / MANIFEST).is_file():  # somebody else wrote the same meanwhile
            return _require_whole(ReleaseFolder(path=place))
        msg = f"{place} cannot be written ({error.strerror or error}); choose another instance"
        raise ReleaseError(msg) from error
    return ReleaseFolder(path=place)


def approve_release(database: Database, root: Path, identity: str, who: str) -> ReleaseRecord:
    """Approve a draft and let the public pages show it.

    Raises
    ------
    NotStoredError
        If there is no such release.
    ReleaseError
        If it is not whole, was drafted by the same person or before another was approved.
    """
    when, who = _now(), _named(who)
    with database.session(write=True) as session:
        record = releases.get_release(session, identity)
        folder = ReleaseFolder(path=root / record.city / identity)
        _require_whole(folder)
        approved = releases.approve_release(session, identity, who, when)
        _require_newest(root, approved)
        document = {"by": who, "at": _moment(when), "drafted_by": record.drafted_by}
        _replace(folder.path / APPROVAL, document)
        _replace(root / record.city / CURRENT, {"release": identity, "at": _moment(when)})
    return approved


def withdraw_release(
    database: Database, root: Path, identity: str, who: str, why: str
) -> ReleaseRecord:
    """Take a release from the public pages; the one before it is shown again. It stays readable.

    Raises
    ------
    NotStoredError
        If there is no such release.
    ReleaseError
        If no reason is given, or it was withdrawn before.
    """
    when, who = _now(), _named(who)
    if not why.strip():
        msg = "say why the release is withdrawn; it is kept with the release"
        raise ReleaseError(msg)
    with database.session(write=True) as session:
        record = releases.withdraw_release(session, identity, who, when, why.strip())
        folder = root / record.city / identity
        document = {"by": who, "at": _moment(when), "why": why.strip()}
        _replace(folder / WITHDRAWAL, document)
        left = [one for one in approved_releases(root, record.city) if one.state == "approved"]
        pointer = root / record.city / CURRENT
        if left:
            _replace(pointer, {"release": left[0].id, "at": _moment(when)})
        else:
            pointer.unlink(missing_ok=True)
    return record


def verify_release(root: Path, identity: str) -> tuple[ReleaseFolder, tuple[str, ...]]:
    """Hold a release on disk against its digests and against every rule that needs no rows.

    Returns
    -------
    The release, and everything that differs.

    Raises
    ------
    NotStoredError
        If there is no such release.
    """
    folder = ReleaseFolder.find(root, identity)
    faults = folder.verify()
    if not faults:
        files = {name: folder.read(name) for name in folder.files}
        faults = tuple(f"{rule}: {what}" for rule, what in check_files(files, folder.manifest))
    return folder, faults


def _require_whole(folder: ReleaseFolder) -> ReleaseFolder:
    faults = folder.verify()
    if faults:
        msg = (
            f"release {folder.id} is not whole: {'; '.join(faults[:MOST_FAULTS])}; remove the "
            "folder and draft it anew"
        )
        raise ReleaseError(msg)
    return folder


def _require_newest(root: Path, record: ReleaseRecord) -> None:
    """Refuse a draft that does not know a release that was approved since it was made."""
    known = set(record.manifest["earlier"])
    since = [one.id for one in approved_releases(root, record.city) if one.id not in known]
    if since:
        msg = (
            f"release {record.id} was drafted before {', '.join(since)} was approved, so together "
            "they could tell what each hides; draft it anew"
        )
        raise ReleaseError(msg)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(READ_ONLY)


def _replace(path: Path, document: Mapping[str, Any]) -> None:
    """Write a document beside its place, then put it there."""
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        aside.write_text(json.dumps(document, ensure_ascii=False) + "\n", encoding="utf-8")
        aside.chmod(0o644)
        aside.replace(path)
    except OSError as error:
        aside.unlink(missing_ok=True)
        msg = f"{path} cannot be written ({error.strerror or error}); nothing was changed"
        raise ReleaseError(msg) from error


def _named(who: str) -> str:
    name = " ".join(who.split())
    if not 0 < len(name) <= 120:
        msg = "say who you are in 1 to 120 characters: --as NAME or SAFERGROUND_USER"
        raise ReleaseError(msg)
    return name


def _tell(progress: Progress | None, stage: str) -> None:
    if progress:
        progress(stage, 0, 1)


def _now() -> dt.datetime:
    """Give the time, UTC, without a zone."""
    return dt.datetime.now(dt.UTC).replace(tzinfo=None)


def _moment(moment: dt.datetime) -> str:
    return moment.isoformat(timespec="microseconds") + "Z"
