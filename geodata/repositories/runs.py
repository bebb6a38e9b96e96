"""Runs: written once, read by id."""

from __future__ import annotations

import io
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
from sqlalchemy import func, not_, select

from geodata.db.json_columns import GridShape
from geodata.db.tables import City, Run, RunName, Zone
from geodata.errors import DataError, NotStoredError, StoreError
from geodata.repositories import audit
from geodata.repositories.archiving import RUN, archived_keys
from geodata.repositories.zone_codes import Outlined, codes_of, earlier_zones, give_codes
from geodata.repositories.zone_names import give_names, names_of
from geodata.run_document import (
    ZONE_DETAILS,
    RunDocument,
    read_details,
    read_run_document,
    read_run_spec,
    write_details,
    write_run_spec,
)
from spatial.grid import Grid

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Sequence

    from sqlalchemy import ColumnElement, Select
    from sqlalchemy.orm import Session

    from geodata.stored_documents import EditionUsed
    from spatial.spec import RunSpec

LATTICE = ("col", "row", "district")
LATTICE_SHAPE = tuple(field.name for field in fields(GridShape))
LONGEST_NAME, LONGEST_NOTE = 80, 1000


@dataclass(frozen=True, kw_only=True, eq=False)
class RunRecord:
    """One run, whole.

    ``result`` is the document that ``fit`` prints. ``cells`` has one row per cell of ``grid``
    in its order: ``count`` (incidents), ``score`` (relative risk score, lowest 1), ``risk_class``
    (0 below the mean, 1 above it, 2 above mean + 1 SD, 3 above mean + 2 SD), ``expected``
    (incidents expected in the period), ``combined`` (risk relative to the mean cell) and its parts
    ``environment`` and ``history``. ``zones`` is in the city's reference system: ``id``,
    ``district``, ``rank`` (1 is the highest in its district), ``area`` (square units), ``n_cells``,
    ``expected``, ``past``, ``environment_share`` (of its combined risk), ``factors`` (a list of
    mappings: name, operation, distance, rrv, share of its cells and how many of all it covers;
    :mod:`spatial.zones.describe` orders them), and once it is stored ``code`` (the same over runs,
    :mod:`geodata.repositories.zone_codes`) and ``place_name`` (a
    :class:`~spatial.zones.names.PlaceName`, or nothing). ``created_at`` is UTC. ``name`` and
    ``note`` are what a person calls it and says of it.
    ``edited`` is set where ``zones`` are those that a person made of the run's own
    (:mod:`geodata.repositories.zone_versions`); they have a column ``name`` more.
    """

    id: str
    city: str
    outcome: str
    scope: str
    period_from: dt.date
    period_to: dt.date
    seed: int
    spec: RunSpec
    data_sha256: str
    code_version: str
    created_at: dt.datetime
    result: RunDocument
    grid: Grid
    cells: pd.DataFrame
    zones: gpd.GeoDataFrame
    edited: EditionUsed | None = None
    name: str = ""
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class RunSummary:
    """One run in a list; ``factors`` and ``zones`` are numbers of them.

    A run of an earlier version may lack what this one reads; it is not ``readable``.
    """

    id: str
    city: str
    outcome: str
    scope: str
    period_from: dt.date
    period_to: dt.date
    created_at: dt.datetime
    code_version: str
    family: str
    factors: int
    zones: int
    incidents: int
    readable: bool
    name: str = ""
    note: str = ""


def save_run(session: Session, record: RunRecord) -> RunRecord:
    """Store a run and its zones, and give each zone its code and its name.

    Returns
    -------
    The run as it is stored.

    Raises
    ------
    StoreError
        If a run of that id is stored already; a run is never written twice.
    NotStoredError
        If its city is not stored.
    """
    if session.get(Run, record.id) is not None:
        msg = f"run {record.id} is stored already and is never overwritten; read it by its id"
        raise StoreError(msg, code="stored_already")
    city = session.scalar(select(City).where(City.slug == record.city))
    if city is None:
        msg = f"no city {record.city!r} is stored; import it first"
        raise NotStoredError(msg, code="no_city")
    before = earlier_zones(session, city.id, record.outcome, record.scope)
    session.add(_row(city.id, record))
    session.flush()
    for row in record.zones.itertuples(index=False):
        session.add(
            Zone(
                run_id=record.id,
                code=row.id,
                district=row.district,
                rank=int(row.rank),
                details=write_details(row),
                geom=row.geometry,
            )
        )
    session.flush()
    outlined = [
        Outlined(id=row.id, district=row.district, shape=row.geometry)
        for row in record.zones.itertuples(index=False)
    ]
    give_codes(session, city.id, outlined, before)
    give_names(session, city.id, outlined, record.scope)
    return get_run(session, record.id)


def _row(city_id: int, record: RunRecord) -> Run:
    """Return the row of a run."""
    grid = record.grid
    return Run(
        id=record.id,
        city_id=city_id,
        outcome=record.outcome,
        scope=record.scope,
        period_from=record.period_from,
        period_to=record.period_to,
        seed=record.seed,
        spec=write_run_spec(record.spec),
        data_sha256=record.data_sha256,
        code_version=record.code_version,
        grid=GridShape(**{name: getattr(grid, name) for name in LATTICE_SHAPE}),
        result=record.result.as_json(),
        cells=_to_parquet(record),
        created_at=record.created_at,
        family=record.result.model.family,
        n_factors=len(record.result.model.factors),
        n_incidents=record.result.incidents,
        readable=True,
    )


def plain_naming(name: str, note: str) -> tuple[str, str]:
    """Return the name and the note of a run without spaces too many.

    Raises
    ------
    DataError
        If one of them is too long, or has signs that cannot be seen.
    """
    name, note = " ".join(name.split()), note.strip()
    for result, what, most in ((name, "name", LONGEST_NAME), (note, "note", LONGEST_NOTE)):
        seen = "".join(sign for sign in result if sign not in "\r\n\t")
        if len(result) > most or not seen.isprintable():
            msg = f"{what}: the {what} of a run has up to {most} characters, all of which show"
            raise DataError(msg, code="text_length")
    return name, note


def name_run(
    session: Session, run_id: str, name: str, note: str, who: str, when: dt.datetime
) -> None:
    """Call a run something and keep a note on it; empty takes either away.

    Raises
    ------
    NotStoredError
        If none of that id is stored.
    DataError
        If the name or the note is too long, or has signs that cannot be seen.
    """
    name, note = plain_naming(name, note)
    summary = get_summary(session, run_id)
    if (summary.name, summary.note) == (name, note):
        return
    row = RunName(run_id=run_id, name=name, note=note, named_by=who, named_at=when)
    session.add(row)
    session.flush()
    details = {"city": summary.city, "name": name, "before": summary.name}
    audit.record(session, who, "run.name", run_id, details)


def find_run(session: Session, run_id: str) -> RunRecord | None:
    """Return a run, or nothing if none of that id is stored."""
    run = session.get(Run, run_id)
    return None if run is None else _record(session, run)


def find_document(session: Session, run_id: str) -> RunDocument | None:
    """Return what ``fit`` printed of a run, without its cells; nothing if none is stored."""
    row = session.execute(select(Run.city_id, Run.result).where(Run.id == run_id)).first()
    return None if row is None else _coded(session, row[0], read_run_document(row[1]))


def get_run(session: Session, run_id: str) -> RunRecord:
    """Return a run.

    Raises
    ------
    NotStoredError
        If none of that id is stored.
    """
    record = find_run(session, run_id)
    if record is None:
        raise NotStoredError(_not_stored(run_id), code="no_run")
    return record


def _not_stored(run_id: str) -> str:
    return f"no run {run_id!r} is stored; list them with: saferground runs CITY"


def subjects_of_runs(session: Session, run_ids: Collection[str]) -> dict[str, tuple[str, str]]:
    """Return the outcome and the scope of each stored run of some ids."""
    rows = session.execute(select(Run.id, Run.outcome, Run.scope).where(Run.id.in_(run_ids)))
    return {row.id: (row.outcome, row.scope) for row in rows}


def city_of_run(session: Session, run_id: str) -> str:
    """Return the slug of the city that a run is of.

    Raises
    ------
    NotStoredError
        If none of that id is stored.
    """
    slug = session.scalar(
        select(City.slug).join(Run, Run.city_id == City.id).where(Run.id == run_id)
    )
    if slug is None:
        raise NotStoredError(_not_stored(run_id), code="no_run")
    return slug


@dataclass(frozen=True, kw_only=True)
class RunFilter:
    """Which runs are requested; what is left out does not narrow.

    A run is of a period if its own and that one share a day; ``to`` is excluded. Runs of an outcome
    in ``without`` are left out, and with ``scopes`` those of any other scope. Archived runs are
    left out, or with ``archived`` the others.
    """

    without: tuple[str, ...] = ()
    scopes: tuple[str, ...] | None = None
    outcome: str | None = None
    scope: str | None = None
    from_: dt.date | None = None
    to: dt.date | None = None
    archived: bool = False


ORDERS = ("made", "outcome", "scope", "period")
EVERY_RUN = RunFilter()


def list_runs(
    session: Session,
    city_slug: str,
    which: RunFilter = EVERY_RUN,
    *,
    order: str = "made",
    start: int = 0,
    most: int | None = None,
) -> list[RunSummary]:
    """List runs of a city, the newest first, or in one of the other ``ORDERS``."""
    newest = (Run.created_at.desc(), Run.id)
    orders: dict[str, tuple[Any, ...]] = {
        "made": newest,
        "outcome": (Run.outcome, *newest),
        "scope": (Run.scope, *newest),
        "period": (Run.period_to.desc(), Run.period_from.desc(), *newest),
    }
    query = _summaries().where(City.slug == city_slug, *_narrowed(which)).order_by(*orders[order])
    rows = session.execute(query.offset(start).limit(most)).all()
    return _summed_up(session, rows)


def get_summary(session: Session, run_id: str) -> RunSummary:
    """Return one run as lists have it.

    Raises
    ------
    NotStoredError
        If none of that id is stored.
    """
    rows = session.execute(_summaries().where(Run.id == run_id)).all()
    if not rows:
        raise NotStoredError(_not_stored(run_id), code="no_run")
    return _summed_up(session, rows)[0]


def _summaries() -> Select[Any]:
    """Ask for what a :class:`RunSummary` says but its name: columns, no document and no cells."""
    zones = select(func.count(Zone.id)).where(Zone.run_id == Run.id).scalar_subquery()
    columns: list[Any] = [
        Run.id,
        City.slug.label("city"),
        Run.outcome,
        Run.scope,
        Run.period_from,
        Run.period_to,
        Run.created_at,
        Run.code_version,
        Run.family,
        Run.n_factors.label("factors"),
        zones.label("zones"),
        Run.n_incidents.label("incidents"),
        Run.readable,
    ]
    return select(*columns).join(City, City.id == Run.city_id)


def _summed_up(session: Session, rows: Sequence[Any]) -> list[RunSummary]:
    names = _names(session, [row.id for row in rows])
    found = []
    for row in rows:
        name, note = names.get(row.id, ("", ""))
        found.append(RunSummary(**row._mapping, name=name, note=note))
    return found


def _names(session: Session, ids: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Return the names and notes that runs have now, of those that have any."""
    rows = session.scalars(select(RunName).where(RunName.run_id.in_(ids)).order_by(RunName.id))
    return {row.run_id: (row.name, row.note) for row in rows}


def count_runs(session: Session, city_slug: str, which: RunFilter = EVERY_RUN) -> int:
    """Count the runs of a city."""
    query = select(func.count(Run.id)).join(City, City.id == Run.city_id)
    return session.scalar(query.where(City.slug == city_slug, *_narrowed(which))) or 0


def run_scopes(
    session: Session, city_slug: str, which: RunFilter = EVERY_RUN
) -> tuple[list[str], list[str]]:
    """Return the outcomes and the scopes of which a city has runs, each in order."""
    rows = session.execute(
        select(Run.outcome, Run.scope)
        .join(City, City.id == Run.city_id)
        .where(City.slug == city_slug, *_narrowed(which))
        .distinct()
    ).all()
    return sorted({row[0] for row in rows}), sorted({row[1] for row in rows})


def _narrowed(which: RunFilter) -> list[ColumnElement[bool]]:
    archived = Run.id.in_(archived_keys(RUN))
    lines: list[ColumnElement[bool]] = [archived if which.archived else not_(archived)]
    if which.without:
        lines.append(Run.outcome.not_in(which.without))
    if which.scopes is not None:
        lines.append(Run.scope.in_(which.scopes))
    if which.outcome is not None:
        lines.append(Run.outcome == which.outcome)
    if which.scope is not None:
        lines.append(Run.scope == which.scope)
    if which.from_ is not None:
        lines.append(Run.period_to > which.from_)
    if which.to is not None:
        lines.append(Run.period_from < which.to)
    return lines


def latest_run(
    session: Session, city_slug: str, *, outcome: str | None = None, scope: str = "city"
) -> RunRecord | None:
    """Return the newest run of a city, by outcome if one is named, or nothing."""
    query = (
        select(Run)
        .join(City, City.id == Run.city_id)
        .where(City.slug == city_slug, Run.scope == scope, Run.id.not_in(archived_keys(RUN)))
        .order_by(Run.created_at.desc(), Run.id)
        .limit(1)
    )
    if outcome is not None:
        query = query.where(Run.outcome == outcome)
    run = session.scalar(query)
    return None if run is None else _record(session, run)


def require_readable(run: Run | RunSummary) -> None:
    """Refuse a run of an earlier version that lacks what this one reads.

    Raises
    ------
    DataError
        If it does.
    """
    if not run.readable:
        msg = f"run {run.id} was made by an earlier version ({run.code_version}); fit it again"
        raise DataError(msg, code="earlier_version")


def _coded(session: Session, city_id: int, document: RunDocument) -> RunDocument:
    """Return the document of a run with the code and the name of each zone."""
    zones = [zone.id for zone in document.zones]
    coded = document.coded(codes_of(session, city_id, zones))
    return coded.named(names_of(session, city_id, zones))


def _record(session: Session, run: Run) -> RunRecord:
    require_readable(run)
    document = read_run_document(run.result)
    city = session.get_one(City, run.city_id)
    table = pd.read_parquet(io.BytesIO(run.cells))
    grid = Grid(
        **vars(run.grid),
        cols=table["col"].to_numpy(np.int32),
        rows=table["row"].to_numpy(np.int32),
        district=table["district"].to_numpy(np.int16),
    )
    rows = session.scalars(select(Zone).where(Zone.run_id == run.id).order_by(Zone.id)).all()
    ids = [row.code for row in rows]
    codes, words = codes_of(session, run.city_id, ids), names_of(session, run.city_id, ids)
    name, note = _names(session, [run.id]).get(run.id, ("", ""))
    zones = gpd.GeoDataFrame(
        [
            {
                "id": z.code,
                "district": z.district,
                "rank": z.rank,
                **read_details(z.details, document),
                "code": codes.get(z.code, ""),
                "place_name": words.get(z.code),
                "geometry": z.geom,
            }
            for z in rows
        ],
        columns=["id", "district", "rank", *ZONE_DETAILS, "code", "place_name", "geometry"],
        geometry="geometry",
        crs=city.crs,
    )
    return RunRecord(
        id=run.id,
        city=city.slug,
        outcome=run.outcome,
        scope=run.scope,
        period_from=run.period_from,
        period_to=run.period_to,
        seed=run.seed,
        spec=read_run_spec(run.id, run.spec),
        data_sha256=run.data_sha256,
        code_version=run.code_version,
        created_at=run.created_at,
        result=_coded(session, run.city_id, document),
        grid=grid,
        cells=table.drop(columns=list(LATTICE)),
        zones=zones,
        name=name,
        note=note,
    )


def _to_parquet(record: RunRecord) -> bytes:
    table = record.cells.reset_index(drop=True).assign(
        col=record.grid.cols, row=record.grid.rows, district=record.grid.district
    )
    buffer = io.BytesIO()
    table.to_parquet(buffer, compression="zstd", index=False)
    return buffer.getvalue()
