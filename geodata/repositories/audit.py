"""The audit: who did what, when; only ever added to, each entry chained to the one before.

The hash of an entry is the SHA-256 of its fields and of the hash of the entry before. Whoever
alters or removes one in the middle breaks the chain, and :func:`verify` tells where. Who can write
to the database could make the whole chain anew, or drop its end: note its last number and hash
elsewhere (``saferground audit verify`` tells them) and hand them back to :func:`verify` later.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select, update

from geodata.clock import utc_now
from geodata.db.staff_tables import AuditEntry, AuditHead
from geodata.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from sqlalchemy import Connection, Select
    from sqlalchemy.orm import Session

START = "0" * 64  # what the first entry follows
LONGEST_PERSON, LONGEST_ACTION, LONGEST_OBJECT = 120, 60, 200
AT_A_TIME = 1000


@dataclass(frozen=True, kw_only=True)
class AuditRecord:
    """One entry; ``at`` is UTC."""

    seq: int
    at: dt.datetime
    person: str
    action: str
    object: str
    details: Mapping[str, Any]
    previous: str
    hash: str

    def as_json(self) -> dict[str, Any]:
        """Return the entry as it is exported; all that the hash is made of is in it."""
        return {
            "seq": self.seq,
            "at": _moment(self.at),
            "person": self.person,
            "action": self.action,
            "object": self.object,
            "details": self.details,
            "previous": self.previous,
            "hash": self.hash,
        }


@dataclass(frozen=True, kw_only=True)
class AuditFilter:
    """Which entries are requested; what is left out does not narrow."""

    person: str | None = None
    action: str | None = None  # an action, or the start of one up to a dot: "release"
    from_: dt.date | None = None
    to: dt.date | None = None  # excluded


@dataclass(frozen=True, kw_only=True)
class ChainVerdict:
    """What became of holding the chain against itself.

    ``seq`` and ``hash`` are those of its last entry; ``broken_at`` is the number of the first
    entry that does not follow, and ``fault`` says why.
    """

    entries: int
    seq: int
    hash: str
    broken_at: int | None = None
    fault: str | None = None


def record(
    session: Session,
    person: str,
    action: str,
    object: str = "",
    details: Mapping[str, object] | None = None,
) -> AuditRecord:
    """Add an entry, in the transaction of the change that it tells of.

    Entries are added one at a time: the transaction keeps everybody else's waiting until its end,
    so call this last. On SQLite, open the session for writing.

    Parameters
    ----------
    session
        An open transaction; nothing is committed here.
    person
        Name of who acts; cut at 120 characters.
    action
        What is done, ``noun.verb``: ``release.approve``.
    object
        To what: an id or a name; cut at 200 characters.
    details
        Whatever else is worth knowing, fit for JSON. Never a password, a token or a code.

    Raises
    ------
    TypeError, ValueError
        If the details are not fit for JSON.
    StoreError
        If the audit was tampered with so that nothing can follow.
    """
    result = json.loads(_canonical(dict(details or {})))
    session.flush()
    # The write comes first: it takes the lock that keeps the others waiting, on either database.
    session.execute(update(AuditHead).values(seq=AuditHead.seq + 1))
    head = session.execute(select(AuditHead.seq, AuditHead.hash)).one_or_none()
    if head is None:
        msg = "the end of the audit is not noted any more; restore the database from a copy"
        raise StoreError(msg, code="audit_end_missing")
    fields = {
        "seq": head.seq,
        "at": utc_now(),
        "person": _plain(person, LONGEST_PERSON),
        "action": _plain(action, LONGEST_ACTION),
        "object": _plain(object, LONGEST_OBJECT),
        "details": result,
        "previous": head.hash,
    }
    entry = AuditRecord(**fields, hash=digest(**fields))
    session.add(AuditEntry(**fields, hash=entry.hash))
    session.execute(update(AuditHead).values(hash=entry.hash))
    session.flush()
    return entry


def digest(
    *,
    seq: int,
    at: dt.datetime,
    person: str,
    action: str,
    object: str,
    details: Mapping[str, object],
    previous: str,
) -> str:
    """Return the hash of an entry: the SHA-256 of its fields as one JSON array."""
    content = [seq, _moment(at), person, action, object, details, previous]
    return hashlib.sha256(_canonical(content).encode("ascii")).hexdigest()


def verify(session: Session, known: tuple[int, str] | None = None) -> ChainVerdict:
    """Hold the whole chain against itself, and against an entry that was noted before.

    Parameters
    ----------
    session
        An open transaction.
    known
        Number and hash of an entry, as an earlier verification reported them.
    """
    seq, before, seen = 0, START, 0
    with closing(entries(session, AuditFilter(), newest_first=False)) as chain:
        for entry in chain:
            fault = _fault(entry, seq, before, known)
            if fault:
                return ChainVerdict(
                    entries=seen, seq=seq, hash=before, broken_at=entry.seq, fault=fault
                )
            seq, before, seen = entry.seq, entry.hash, seen + 1
    head = session.execute(select(AuditHead.seq, AuditHead.hash)).one_or_none()
    fault = None
    if head is None or (head.seq, head.hash) != (seq, before):
        text = "nothing" if head is None else str(head.seq)
        fault = f"the chain ends at {seq}, but {text} was noted as its end; entries are missing"
    elif known and known[0] > seq:
        fault = f"the chain ends at {seq}, before the entry {known[0]} that was noted"
    broken_at = seq + 1 if fault else None
    return ChainVerdict(entries=seen, seq=seq, hash=before, broken_at=broken_at, fault=fault)


def head(connection: Connection) -> tuple[int, str]:
    """Return number and hash of the last entry, as :func:`verify` takes them."""
    found = connection.execute(select(AuditHead.seq, AuditHead.hash)).one()
    return found.seq, found.hash


def _fault(entry: AuditRecord, seq: int, before: str, known: tuple[int, str] | None) -> str | None:
    if entry.seq != seq + 1:
        return f"entry {entry.seq} follows {seq}; what was between is missing"
    if entry.previous != before:
        return f"entry {entry.seq} does not follow from the entry before it"
    fields = {
        name: getattr(entry, name) for name in AuditRecord.__dataclass_fields__ if name != "hash"
    }
    if digest(**fields) != entry.hash:
        return f"entry {entry.seq} is not what its hash was made from"
    if known and known[0] == entry.seq and known[1] != entry.hash:
        return f"entry {entry.seq} is another one than was noted; the chain was made anew"
    return None


def entries(
    session: Session, only: AuditFilter, *, newest_first: bool = True
) -> Generator[AuditRecord]:
    """Return the entries that a filter lets through, read a thousand at a time."""
    order = AuditEntry.seq.desc() if newest_first else AuditEntry.seq
    query = _narrowed(select(AuditEntry), only).order_by(order)
    rows = session.scalars(query.execution_options(yield_per=AT_A_TIME, populate_existing=True))
    try:
        for row in rows:
            yield _entry(row)
    finally:  # PostgreSQL keeps a cursor open until then
        rows.close()


def newest_about(session: Session, action: str, about: str, most: int) -> list[Mapping[str, Any]]:
    """Return the details of the newest entries of an action about an object, newest first."""
    rows = session.scalars(
        select(AuditEntry)
        .where(AuditEntry.action == action, AuditEntry.object == about)
        .order_by(AuditEntry.seq.desc())
        .limit(most)
    )
    return [_entry(row).details for row in rows]


def page(
    session: Session, only: AuditFilter, *, start: int, size: int
) -> tuple[int, list[AuditRecord]]:
    """Return how many entries a filter lets through, and ``size`` of them, the newest first."""
    count = session.scalar(_narrowed(select(func.count()).select_from(AuditEntry), only)) or 0
    query = _narrowed(select(AuditEntry), only).order_by(AuditEntry.seq.desc())
    return count, [_entry(row) for row in session.scalars(query.offset(start).limit(size))]


def actions(session: Session) -> list[str]:
    """Return every action that was ever recorded."""
    return list(session.scalars(select(AuditEntry.action).distinct().order_by(AuditEntry.action)))


def _narrowed(query: Select[Any], only: AuditFilter) -> Select[Any]:
    if only.person:
        query = query.where(AuditEntry.person == only.person)
    if only.action:
        below = AuditEntry.action.startswith(f"{only.action}.", autoescape=True)
        query = query.where((AuditEntry.action == only.action) | below)
    if only.from_:
        query = query.where(AuditEntry.at >= dt.datetime.combine(only.from_, dt.time()))
    if only.to:
        query = query.where(AuditEntry.at < dt.datetime.combine(only.to, dt.time()))
    return query


def _entry(row: AuditEntry) -> AuditRecord:
    return AuditRecord(**{name: getattr(row, name) for name in AuditRecord.__dataclass_fields__})


def _canonical(value: Any) -> str:
    """Write a value as the one JSON text that stands for it, in ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _plain(text: str, longest: int) -> str:
    """Leave out what a database refuses in text: the zero byte and halves of characters."""
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")[:longest]


def _moment(moment: dt.datetime) -> str:
    return moment.isoformat(timespec="microseconds") + "Z"
