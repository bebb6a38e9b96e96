"""Draft a release, hold it against every rule, write it, approve it, withdraw it.

The files are made from the database once, checked, written aside and put in place whole; nothing
of them is changed after. What the public sees is what ``current.json`` names; how that agrees with
the database, wherever something breaks off, is in :mod:`geodata.releases.repair`.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from geodata.clock import utc_now
from geodata.db.geometry import geometry_faults
from geodata.errors import ReleaseError
from geodata.release_manifest import Withdrawal
from geodata.releases.basemap import ground_files
from geodata.releases.checks import check_files
from geodata.releases.dictionary import dictionary
from geodata.releases.documents import (
    INCIDENTS,
    incident_files,
    initiative_files,
    package_file,
    told_incidents,
)
from geodata.releases.encoding import json_bytes
from geodata.releases.equity import contact_file, evenness_file, residents_file
from geodata.releases.exact_checks import check_truth
from geodata.releases.figures import work_out_figures
from geodata.releases.folder import MANIFEST, WITHDRAWAL, ReleaseFolder, approved_releases
from geodata.releases.inputs import gather, last_public_day
from geodata.releases.manifest import make_manifest
from geodata.releases.measure_files import (
    ACCOUNT,
    COURSE,
    MONTHS,
    PERIODS,
    RUN,
    measure_files,
    told_everywhere,
    zones_by_release,
)
from geodata.releases.points import alert_files, complaint_files
from geodata.releases.public_zones import accountability_file, district_files, zone_files
from geodata.releases.repair import (
    flush_folder,
    moment,
    put_document,
    repair_city,
)
from geodata.releases.series import course_file
from geodata.repositories import cities, releases
from geodata.repositories.runs_in_use import run_to_draft

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from sqlalchemy.orm import Session

    from geodata.db.engine import Database
    from geodata.release_manifest import Manifest
    from geodata.releases.checks import Fault
    from geodata.releases.inputs import Material
    from geodata.releases.sensitive import CountDisclosure, Hidden, Where
    from geodata.repositories.releases import ReleaseRecord

    Pages = Callable[[Material, Mapping[str, bytes]], Mapping[str, bytes]]
    Progress = Callable[[str, int, int], None]

READ_ONLY, FOLDER_MODE = 0o400, 0o700  # a draft is not public yet
MOST_FAULTS = 8
DRAFTING = ".draft-"
AGAIN = "see that there is room on the disk and that it can be written, then do it again"


@dataclass(frozen=True, kw_only=True, eq=False)
class Draft:
    """A release before it is written: its files, what it says of itself, what was hidden in it."""

    files: Mapping[str, bytes]
    manifest: Manifest
    tables: Sequence[Hidden]

    @property
    def id(self) -> str:
        """Identifier, taken from all that the release says."""
        return self.manifest.id


def draft_release(
    database: Database,
    root: Path,
    city: str,
    who: str,
    *,
    run: str | None = None,
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
    run, pages, today, progress
        As :func:`make_checked_draft` takes them.

    Raises
    ------
    NotStoredError, DataError, ReleaseError
        As :func:`make_checked_draft` does; then nothing is written.
    """
    draft = make_checked_draft(
        database, root, city, run=run, pages=pages, today=today, progress=progress
    )
    _tell(progress, "writing")
    write_release(root, city, draft)
    with database.session(write=True) as session:
        return releases.add_release(session, city, draft.manifest, _named(who), utc_now())


@geometry_faults("the release")
def make_checked_draft(
    database: Database,
    root: Path,
    city: str,
    *,
    run: str | None = None,
    pages: Pages | None = None,
    today: dt.date | None = None,
    progress: Progress | None = None,
) -> Draft:
    """Make the release of a city as its data stand and check it; nothing is written.

    Parameters
    ----------
    database, root
        Where the data are, and the folder of all releases.
    city
        Slug.
    run
        Id of the run whose zones it has; if left out, the one that
        :func:`geodata.repositories.runs_in_use.run_to_draft` chooses.
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
        If the city or the run is not stored.
    DataError
        If the zones of the run cannot be published.
    ReleaseError
        If a rule is broken.
    """
    repair_city(database, root, city)
    with database.session() as session:
        record = cities.get_city(session, city)
        _tell(progress, "places")
        day, earlier = today or record.this_day(), approved_releases(root, city)
        last_day = last_public_day(session, record, day)
        chosen, _ = run_to_draft(session, record, run, last_day)
        material = gather(session, record, day, earlier, run=chosen)
        draft = make_draft(material, ReleaseFolder.current(root, city), pages, progress=progress)
        _tell(progress, "rules")
        require_rules(material, draft)
    return draft


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


def said_before(earlier: Sequence[ReleaseFolder]) -> dict[Where, CountDisclosure]:
    """Gather what earlier releases, newest first, stated of sensitive counts.

    What tells most counts: what was ever shown, or ever stated to be fewer than 5, stays known.
    """
    options: dict[Where, CountDisclosure] = {}
    zones = zones_by_release(earlier)
    for release in earlier:
        names = {PERIODS, MONTHS, ACCOUNT, RUN, INCIDENTS, COURSE} & set(release.files)
        files = {name: release.read(name) for name in names}
        every = told_everywhere(files, release.shown_run, zones)
        for where, result in (
            *((where, result) for _, where, result in every),
            *told_incidents(files.get(INCIDENTS, b"")),
        ):
            if where not in options or result.tells_more_than(options[where]):
                options[where] = result
    return options


def require_rules(material: Material, draft: Draft) -> None:
    """Refuse a draft that breaks a rule.

    Raises
    ------
    ReleaseError
        Naming the rule, and the rows or files that break it.
    """
    faults = check_files(draft.files, draft.manifest)
    if not faults:  # files that may be published at all are checked against the rows
        faults = check_truth(material, draft.files, draft.tables)
    if faults:
        raise _refused(faults)


def _refused(faults: Sequence[Fault]) -> ReleaseError:
    rules = ", ".join(dict.fromkeys(rule for rule, _ in faults))
    text = "; ".join(f"{rule}: {what}" for rule, what in faults[:MOST_FAULTS])
    more = len(faults) - MOST_FAULTS
    end = f"; and {more} more" if more > 0 else ""
    return ReleaseError(
        f"the release is refused, it breaks the rule of {rules}: {text}{end}", faults[0][0]
    )


def write_release(root: Path, city: str, draft: Draft) -> ReleaseFolder:
    """Write a release aside and put it in place whole, its files read-only.

    What is in place already stays, unless it is damaged and nobody has approved it.

    Raises
    ------
    ReleaseError
        If it cannot be written, or the folder of an approved release is damaged.
    """
    place = root / city / draft.id
    there = ReleaseFolder(path=place)
    if place.exists() and (there.state != "drafted" or not there.verify()):
        return _require_whole(there)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        _forget_drafts(place.parent)
        with _aside(place.parent) as aside:
            for name, content in {
                MANIFEST: json_bytes(draft.manifest.as_json()),
                **draft.files,
            }.items():
                _write(aside / name, content)
            for folder in (aside, *(path for path in aside.rglob("*") if path.is_dir())):
                flush_folder(folder)
            aside.chmod(FOLDER_MODE)
            if place.exists():
                shutil.rmtree(place)  # damaged, and still a draft
            aside.rename(place)
            flush_folder(place.parent)
    except OSError as error:
        if (place / MANIFEST).is_file():  # somebody else wrote the same meanwhile
            return _require_whole(ReleaseFolder(path=place))
        msg = f"{place} cannot be written ({error.strerror or error}); choose another instance"
        raise ReleaseError(msg, code="not_writable") from error
    return ReleaseFolder(path=place)


@contextmanager
def _aside(parent: Path) -> Iterator[Path]:
    """Make a folder to write in, locked meanwhile, and remove what is left of it."""
    aside = Path(tempfile.mkdtemp(prefix=DRAFTING, dir=parent))
    handle = os.open(aside, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield aside
    finally:
        os.close(handle)
        shutil.rmtree(aside, ignore_errors=True)


def _forget_drafts(parent: Path) -> None:
    """Remove folders that somebody began to write and left; the lock goes with its process."""
    for left in parent.glob(f"{DRAFTING}*"):
        with suppress(OSError):
            handle = os.open(left, os.O_RDONLY)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(left)
            finally:
                os.close(handle)


def approve_release(database: Database, root: Path, identity: str, who: str) -> ReleaseRecord:
    """Approve a draft and let the public pages show it: on record first, then on file.

    Approving again what the same person approved changes no record and completes the files.

    Raises
    ------
    NotStoredError
        If there is no such release.
    ReleaseError
        If it is not whole, was drafted by the same person or before another was approved, or its
        files cannot be written.
    """
    when, who = utc_now(), _named(who)
    with database.session() as session:
        city = releases.get_release(session, identity).city
    repair_city(database, root, city)
    with database.session(write=True) as session:
        record = releases.get_release(session, identity)
        _require_whole(ReleaseFolder(path=root / city / identity))
        approved = releases.approve_release(session, identity, who, when)
        if record.state == releases.DRAFTED:
            _require_newest(session, approved)
    try:
        repair_city(database, root, city)
    except ReleaseError as error:
        msg = f"release {identity} is approved on record, but not public yet: {error}; {AGAIN}"
        raise ReleaseError(msg, code="not_public_yet") from error
    return approved


def withdraw_release(
    database: Database, root: Path, identity: str, who: str, why: str
) -> ReleaseRecord:
    """Take a release from the public pages; the one before it is shown again. It stays readable.

    It is hidden on file first, whatever keeps the database busy; one that breaks off before it is
    on record stays hidden, and is put on record by the next repair.

    Raises
    ------
    NotStoredError
        If there is no such release.
    ReleaseError
        If no reason is given, it was withdrawn before, or its files cannot be written.
    """
    when, who, why = utc_now(), _named(who), why.strip()
    if not why:
        msg = "say why the release is withdrawn; it is kept with the release"
        raise ReleaseError(msg, code="reason_missing")
    with database.session() as session:
        record = releases.get_release(session, identity)
    folder = root / record.city
    if record.state == releases.WITHDRAWN:
        repair_city(database, root, record.city)
    elif (folder / identity / MANIFEST).is_file():
        document = Withdrawal(by=who, at=moment(when), why=why)
        try:
            put_document(folder / identity / WITHDRAWAL, document, folder)
        except ReleaseError as error:
            msg = f"release {identity} is not withdrawn: {error}; {AGAIN}"
            raise ReleaseError(msg, code="not_withdrawn") from error
    with database.session(write=True) as session:
        releases.lock_files(session)
        record = releases.withdraw_release(session, identity, who, when, why)
    try:
        repair_city(database, root, record.city)
    except ReleaseError as error:
        msg = f"release {identity} is withdrawn, but the release before it cannot be shown: {error}"
        raise ReleaseError(msg, code="earlier_not_readable") from error
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
        raise ReleaseError(msg, code="incomplete")
    return folder


def _require_newest(session: Session, record: ReleaseRecord) -> None:
    """Refuse a draft that does not know a release that was approved since it was made."""
    known = {record.id, *record.manifest.earlier}
    since = [
        one.id
        for one in releases.list_releases(session, record.city)
        if one.approved_at is not None and one.id not in known
    ]
    if since:
        msg = (
            f"release {record.id} was drafted before {', '.join(since)} was approved, so together "
            "they could tell what each hides; draft it anew"
        )
        raise ReleaseError(msg, code="drafted_before_another")


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    path.chmod(READ_ONLY)


def _named(who: str) -> str:
    name = " ".join(who.split())
    if not 0 < len(name) <= 120:
        msg = "say who you are in 1 to 120 characters: --as NAME or SAFERGROUND_USER"
        raise ReleaseError(msg, code="author_missing")
    return name


def _tell(progress: Progress | None, stage: str) -> None:
    if progress:
        progress(stage, 0, 1)
