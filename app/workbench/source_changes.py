"""Changes of what a city is made of: described, tried, and requested as an import."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import url_for

from app.jobs import jobs
from app.workbench.column_mapping import build
from geodata.cityfile.description import read_content
from geodata.cityfile.sections import BASE_KINDS, RECORD_KINDS
from geodata.errors import CityFileError, DataError
from geodata.ingest.city_folder import (
    CityFolder,
    free_source,
    sections,
    with_sections,
    without_section,
)
from geodata.ingest.trial import AreaSource, Trial, what_would_be_left_out
from geodata.remote.fetch import shown_address
from geodata.repositories import audit
from geodata.repositories.import_log import city_file_of
from geodata.uploads import intake

if TYPE_CHECKING:
    from app.extensions import Workroom
    from app.workbench.column_mapping import Answers, FieldFaults
    from geodata.cityfile.description import CityFile
    from geodata.db.staff_tables import Job
    from geodata.ingest.trial import Source
    from geodata.repositories.cities import CityRecord
    from geodata.repositories.import_log import Described
    from geodata.uploads.intake import HandedIn

FIXED = ("districts", "boundary")  # a city cannot be without an area; these are replaced, not taken


@dataclass(frozen=True, kw_only=True, eq=False)
class Proposal:
    """A source as it would be added; ``whole`` is the city file with it."""

    described: Described
    tables: list[dict[str, Any]]
    whole: CityFile


def propose(
    room: Workroom, city: CityRecord, handed: HandedIn, answers: Answers, shape: str | None
) -> tuple[Proposal | None, FieldFaults]:
    """Describe a source and hold the whole city file with it against the rules.

    Raises
    ------
    NotStoredError
        If the city file is not known here.
    """
    with room.database.session() as session:
        described = city_file_of(session, city.slug)
    source = handed.address or free_source(described.content, handed.upload.name)
    tables, faults = build(answers, source, shape)
    if faults:
        return None, faults
    single = answers.source_kind.single
    content = with_sections(described.content, answers.kind, tables, single=single)
    if not handed.address:
        files = {**content.get("files", {}), source: str(handed.upload.path)}
        content["files"] = files
    try:
        whole = read_content(content, Path("this city"), Path(described.root))
    except CityFileError as error:
        for fault in error.faults:
            faults.add("name" if "named twice" in fault else "form", fault)
        return None, faults
    return Proposal(described=described, tables=tables, whole=whole), faults


def try_out(
    room: Workroom,
    proposal: Proposal,
    handed: HandedIn,
    answers: Answers,
    city: CityRecord,
    start: int,
    most: int,
    reason: str = "",
) -> Trial:
    """Read the file as an import would and tell what would be left out; stores nothing."""
    source = _source(proposal, handed, answers)
    with room.database.session() as session:
        return what_would_be_left_out(
            source,
            city,
            start=start,
            most=most,
            reason=reason,
            session=session,
            whole=proposal.whole,
        )


def _source(proposal: Proposal, handed: HandedIn, answers: Answers) -> Source:
    """Return the source that is tried: the kinds of place of one file are tried as one."""
    kind, tables = answers.kind, proposal.tables
    table = dict(tables[0])
    if kind == "factors" and len(tables) > 1:
        ((column, _),) = table["where"].items()
        table["where"] = {column: [v for one in tables for v in one["where"][column]]}
    table["source"] = "file"
    there = proposal.whole.content
    content = {
        **{name: there[name] for name in ("city", "grid")},
        **({"boundary": {"source": "none"}} if kind not in ("districts", "boundary") else {}),
        **{name: there[name] for name in ("addresses", "osm") if name in there},
        kind: table if answers.source_kind.single else [table],
        "files": {"file": str(handed.upload.path)},
    }
    found = read_content(content, Path("this city"), Path())
    if kind == "incidents":
        return _named(found.incidents[0], handed)
    if kind == "factors":
        return _named(found.factors[0], handed)
    if kind == "base":
        return _named(found.base[0], handed)
    if kind in RECORD_KINDS:
        return _named(found.records[0], handed)
    if kind == "districts" and found.districts is not None:
        named = found.districts
        columns = tuple(name for name in (named.id, named.name) if name)
        return _named(AreaSource(kind=kind, place=named.place, columns=columns), handed)
    if kind == "addresses":
        return _named(found.addresses, handed)
    place = getattr(found, kind)
    return _named(AreaSource(kind=kind, place=place), handed)


def _named(source: Any, handed: HandedIn) -> Any:
    """Call the file in words as its sender does, and take its rows as they were read before."""
    place = intake.read_before(source.place, handed)
    return replace(source, place=replace(place, label=handed.upload.name))


def add_source(
    room: Workroom,
    city: CityRecord,
    handed: HandedIn,
    answers: Answers,
    proposal: Proposal,
    who: str,
) -> Job:
    """Take the file into the city's folder and ask for the import.

    Raises
    ------
    DataError
        If an import is under way, or files of the city are lost.
    CityFileError
        If the whole does not hold together.
    """
    folder = CityFolder(room.settings.cities, city.slug)
    content = folder.adopt(proposal.described.content, proposal.described.root)
    content = with_sections(
        content, answers.kind, proposal.tables, single=answers.source_kind.single
    )
    source = proposal.tables[0]["source"]
    if not handed.address:
        kept = folder.take_in(handed.upload.path, handed.upload.name)
        content["files"] = {**content.get("files", {}), source: kept}
    document = {
        "section": answers.kind,
        "source": shown_address(source),
        "file": handed.upload.name,
        "sha256": handed.upload.sha256,
    }
    return ask_import(
        room, city.slug, folder, content, proposal.described, who, "source.add", document
    )


def remove_source(
    room: Workroom, slug: str, name: str, number: int | None, source: str, after: int, who: str
) -> Job:
    """Ask for an import of the city without one of its sources; its rows go.

    Raises
    ------
    DataError
        If the sources were changed since the page was read, an import is under way, or files of
        the city are lost.
    CityFileError
        If the city cannot be without it.
    """
    with room.database.session() as session:
        described = city_file_of(session, slug)
    there = [s for s in sections(described.content) if (s.name, s.number) == (name, number)]
    if described.number != after or not there or there[0].source != source or name in FIXED:
        msg = "the sources of this city were changed meanwhile; look at them and ask again"
        raise DataError(msg)
    folder = CityFolder(room.settings.cities, slug)
    content = folder.adopt(described.content, described.root)
    without = without_section(content, name, number)
    forget = []
    if name == "base":
        kind = str(there[0].table["kind"])
        if not any(one["kind"] == kind for one in without.get("base", [])):
            forget = [f"base:{kind}"]
    elif name == "osm":
        own = {one["kind"] for one in without.get("base", [])}
        forget = [f"base:{kind}" for kind in BASE_KINDS if kind not in own]
    elif name == "incidents" or name in RECORD_KINDS:
        forget = [f"{name}:{shown_address(source)}"]
    document = {"section": name, "source": shown_address(source)}
    return ask_import(
        room, slug, folder, without, described, who, "source.remove", document, forget
    )


def ask_import(
    room: Workroom,
    slug: str,
    folder: CityFolder,
    content: dict[str, Any],
    described: Described,
    who: str,
    action: str,
    document: dict[str, Any],
    forget: list[str] | None = None,
) -> Job:
    """Ask for an import of a city as it is to be; ``forget`` are sections and sources that go.

    Raises
    ------
    DataError
        If an import is under way.
    CityFileError
        If the city file does not hold together.
    """
    require_no_import(room, slug)
    read_content(content, folder.path, folder.root)
    arguments: dict[str, Any] = {
        "city_file": str(folder.propose(content)),
        "data_root": str(folder.root),
        "after": described.number,
    }
    if forget:
        arguments["forget"] = forget
    job = jobs.ask(room.database, "import", arguments, who)
    with room.database.session(write=True) as session:
        audit.record(session, who, action, slug, {**document, "job": job.id})
    return job


def require_no_import(room: Workroom, slug: str) -> None:
    """Refuse a change while another one is being made.

    Raises
    ------
    DataError
        If an import of the city waits or runs.
    """
    found = [one.job for one in jobs.statuses(room.database, slug, open_only=True)]
    under_way = [job.id for job in found if job.kind == "import"]
    if under_way:
        msg = (
            f"an import of this city is under way (job {under_way[0]}); wait until it has ended, "
            "then ask again"
        )
        raise DataError(msg)


def job_address(slug: str, number: int) -> str:
    """Return the page of a job."""
    return url_for("work.job", city=slug, job=number)
