"""Incidents: stored once each, corrected by their own source only."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import shapely
from sqlalchemy import bindparam, delete, func, insert, select, update

from geodata.db.tables import City, Incident
from geodata.keys import normal_key, stored_forms
from geodata.repositories.import_log import row_columns

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Sequence

    from sqlalchemy import Update
    from sqlalchemy.orm import Session

    from geodata.repositories.import_log import ChangeLog

    Known = dict[tuple[str, str], tuple[Any, ...]]

MOST_NUMBERS = 500  # of one statement; SQLite takes 32,766 values, some builds 999
ALIKE_UNITS = 1.0  # of places that are one: six decimals of a degree are a tenth of a metre
CONTENT = ("occurred_on", "occurred_time", "place_method", "place_score", "geom")


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of rows: new, corrected, there already, or at odds with another source.

    ``reclassified`` rows were stored under another outcome and are not any more: of those, a new
    row took the place or none did.
    """

    new: int
    corrected: int
    same: int
    conflicting: int
    reclassified: int = 0


@dataclass(frozen=True, slots=True)
class Kinds:
    """What a source says now of which outcome its ids have.

    ``stated`` are outcomes with keys of every row read of the source, in any section; ``unlisted``
    are keys of rows whose kind is not imported, and ``outcomes`` those that are.
    """

    stated: Collection[tuple[str, str]]
    unlisted: Collection[str] = ()
    outcomes: Collection[str] = ()


def _correction() -> Update:
    return (
        update(Incident.__table__)  # type: ignore[arg-type]
        .where(Incident.__table__.c.id == bindparam("b_id"))
        .values({name: bindparam(name) for name in CONTENT})
    )


def store_incidents(
    session: Session,
    city_id: int,
    source: str,
    rows: Sequence[dict[str, Any]],
    log: ChangeLog | None = None,
    known: Known | None = None,
    kinds: Kinds | None = None,
) -> Stored:
    """Store incident rows; an incident that is of another outcome now leaves its earlier one.

    A stored row of the same source and key goes where the source states its outcome no more and
    has a new row for the key under another outcome, or has the key under a kind that is not
    imported.

    Parameters
    ----------
    session
        An open transaction.
    city_id, source
        Whose they are.
    rows
        ``outcome``, ``row_key`` and ``CONTENT``; each outcome and key once.
    log
        Hears what was added and changed.
    known
        What :func:`known_rows` says, if it was requested already.
    kinds
        What else the source says of its ids; nothing where these rows are all of it. Without any,
        no row is taken for reclassified.
    """
    known = known_rows(session, city_id) if known is None else known
    gone = [] if kinds is None else _reclassified(known, source, rows, kinds)
    new, corrected, before, same, conflicting = [], [], [], 0, 0
    for row in rows:
        there = known.get((row["outcome"], row["row_key"]))
        if there is None:
            new.append({**row, "city_id": city_id, "source": source})
            continue
        number, key, owner, *content = there
        if _same(content, [row[name] for name in CONTENT]):
            same += 1
        elif owner == source:
            old = dict(zip(CONTENT, content, strict=True))
            before.append({**row, **old, "row_key": key, "source": owner})
            corrected.append({"b_id": number, **{name: row[name] for name in CONTENT}})
        else:
            conflicting += 1
    _remove(session, city_id, [known[one] for one in gone], log)
    if new:
        session.execute(insert(Incident), new)
    if corrected:
        session.connection().execute(_correction(), corrected)
    if log is not None:
        log.add("incident", new)
        log.change("incident", before)
    return Stored(len(new), len(corrected), same, conflicting, len(gone))


def _reclassified(
    known: Known, source: str, rows: Sequence[dict[str, Any]], kinds: Kinds
) -> list[tuple[str, str]]:
    """Return outcome and key of stored rows whose incident is of another kind now."""
    new = {row["row_key"] for row in rows if (row["outcome"], row["row_key"]) not in known}
    return [
        (outcome, key)
        for (outcome, key), (_, _, owner, *_) in known.items()
        if owner == source
        and (outcome, key) not in kinds.stated
        and (key in new or (key in kinds.unlisted and outcome in kinds.outcomes))
    ]


def _remove(
    session: Session, city_id: int, rows: Sequence[tuple[Any, ...]], log: ChangeLog | None
) -> None:
    """Remove stored rows by their numbers, and keep them in the log as they are."""
    table = Incident.__table__
    columns = [getattr(Incident, name) for name in row_columns(table)]  # type: ignore[arg-type]
    for start in range(0, len(rows), MOST_NUMBERS):
        numbers = [row[0] for row in rows[start : start + MOST_NUMBERS]]
        mine = (Incident.city_id == city_id, Incident.id.in_(numbers))
        if log is not None:
            there = session.execute(select(*columns).where(*mine)).mappings()
            log.remove("incident", [dict(row) for row in there])
        session.execute(delete(Incident).where(*mine))


def known_rows(session: Session, city_id: int, keys: Sequence[str] | None = None) -> Known:
    """Return stored rows by outcome and the one form of their key; all, or those of some keys.

    Keys that were stored before ids had one form (123.0) are found by it; where both are stored,
    the one that is written so counts.
    """
    every = select(
        Incident.outcome,
        Incident.id,
        Incident.row_key,
        Incident.source,
        *(getattr(Incident, name) for name in CONTENT),
    ).where(Incident.city_id == city_id)
    groups = [None] if keys is None else stored_forms(keys)
    known: Known = {}
    for group in groups:
        rows = session.execute(every if group is None else every.where(Incident.row_key.in_(group)))
        for outcome, number, key, *rest in rows:
            one = (outcome, normal_key(key))
            if one not in known or key == one[1]:
                known[one] = (number, key, *rest)
    return known


def count_alike(known: Known, rows: Sequence[dict[str, Any]]) -> dict[str, int]:
    """Count rows that are not stored yet but equal stored ones in outcome, day and place.

    Rows are compared with stored rows that are not among them by their keys, each with one, so that
    two incidents of one block on one day count only if both are there twice.

    Parameters
    ----------
    known
        What is stored, as :func:`known_rows` says.
    rows
        As :func:`store_incidents` takes them, before they are stored.

    Returns
    -------
    Numbers of rows by the source of the stored ones, the most first.
    """
    new = [row for row in rows if (row["outcome"], row["row_key"]) not in known]
    days = {(row["outcome"], row["occurred_on"]) for row in new}
    mine = {(row["outcome"], row["row_key"]) for row in rows}
    there: dict[tuple[Any, ...], list[str]] = {}
    for one, (_, _, owner, day, *_, shape) in known.items():
        if one not in mine and (one[0], day) in days:
            there.setdefault(_what_is_alike(one[0], day, shape), []).append(owner)
    found: Counter[str] = Counter()
    for row in new:
        owners = there.get(_what_is_alike(row["outcome"], row["occurred_on"], row["geom"]))
        if owners:
            found[owners.pop()] += 1
    return dict(found.most_common())


def _what_is_alike(outcome: str, day: dt.date, shape: Any) -> tuple[Any, ...]:
    west, south, east, north = shape.bounds
    x, y = (west + east) / 2, (south + north) / 2
    return outcome, day, round(x / ALIKE_UNITS), round(y / ALIKE_UNITS)


def forget_source(session: Session, city_id: int, source: str, log: ChangeLog | None = None) -> int:
    """Remove the incidents of one source; give how many went."""
    mine = (Incident.city_id == city_id, Incident.source == source)
    columns = [getattr(Incident, name) for name in row_columns(Incident.__table__)]  # type: ignore[arg-type]
    gone = [dict(row) for row in session.execute(select(*columns).where(*mine)).mappings()]
    if log is not None:
        log.remove("incident", gone)
    session.execute(delete(Incident).where(*mine))
    return len(gone)


def _same(one: list[Any], other: list[Any]) -> bool:
    """Return whether day, time and place are exactly the same, and how the place is known."""
    *rest, shape = one
    *other_rest, other_shape = other
    return rest == other_rest and bool(
        shapely.to_wkb(shape, include_srid=False) == shapely.to_wkb(other_shape, include_srid=False)
    )


@dataclass(frozen=True, kw_only=True)
class OutcomeDays:
    """How many incidents of an outcome there are, and the first and the last day of one."""

    outcome: str
    count: int
    first: dt.date
    last: dt.date


def outcome_days(session: Session, city_id: int) -> list[OutcomeDays]:
    """Tell of each outcome of a city how many incidents there are, and of which days."""
    rows = session.execute(
        select(
            Incident.outcome,
            func.count(),
            func.min(Incident.occurred_on),
            func.max(Incident.occurred_on),
        )
        .where(Incident.city_id == city_id)
        .group_by(Incident.outcome)
        .order_by(Incident.outcome)
    )
    return [OutcomeDays(outcome=r[0], count=r[1], first=r[2], last=r[3]) for r in rows]


def outcome_period(session: Session, city_id: int, outcome: str) -> tuple[dt.date, dt.date] | None:
    """Return the first and the last day of the incidents of one outcome; nothing without any."""
    found = next((one for one in outcome_days(session, city_id) if one.outcome == outcome), None)
    return None if found is None else (found.first, found.last)


def count_incidents(
    session: Session, city_id: int, outcome: str, start: dt.date, end: dt.date
) -> int:
    """Count incidents of one outcome from ``start`` (included) to ``end`` (excluded)."""
    return (
        session.scalar(
            select(func.count(Incident.id)).where(
                Incident.city_id == city_id,
                Incident.outcome == outcome,
                Incident.occurred_on >= start,
                Incident.occurred_on < end,
            )
        )
        or 0
    )


def incident_points(
    session: Session, city_id: int, outcome: str, start: dt.date, end: dt.date
) -> gpd.GeoDataFrame:
    """Return incidents of one outcome from ``start`` (included) to ``end`` (excluded).

    Returns
    -------
    Columns ``occurred_on`` and ``geometry``, in the city's reference system.
    """
    found = incident_moments(session, city_id, outcome, start, end)
    return found.drop(columns="occurred_time")


def incident_moments(
    session: Session, city_id: int, outcome: str, start: dt.date, end: dt.date
) -> gpd.GeoDataFrame:
    """Return where and when incidents of one outcome happened, as :func:`incident_points` does.

    Returns
    -------
    Columns ``occurred_on``, ``occurred_time`` (missing where no time is known) and ``geometry``.
    """
    crs = session.get_one(City, city_id).crs
    rows = session.execute(
        select(Incident.occurred_on, Incident.occurred_time, Incident.geom)
        .where(
            Incident.city_id == city_id,
            Incident.outcome == outcome,
            Incident.occurred_on >= start,
            Incident.occurred_on < end,
        )
        .order_by(Incident.id)
    ).all()
    return gpd.GeoDataFrame(
        {"occurred_on": [row[0] for row in rows], "occurred_time": [row[1] for row in rows]},
        geometry=[row[2] for row in rows],
        crs=crs,
    )
