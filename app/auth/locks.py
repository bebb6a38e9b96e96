"""Lock-out after failures in a row, with delays that grow; by name and by address."""

from __future__ import annotations

import datetime as dt
import hashlib
import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from geodata.repositories import limits

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

FIRST_DELAY_S, LONGEST_DELAY_S = 30, 900
# Failures before the first delay. Five tries are enough for a password that one knows; from all
# addresses together a name has four times as many, so that a stranger elsewhere does not lock
# somebody out with five. An address may be a whole office: one slip an hour of each of sixty people
# does not stop them, and where there are more, nobody waits over a minute.
FREE, FREE_BY_NAME, FREE_BY_ADDRESS = 5, 20, 60
ADDRESS_DELAY_S = 60
ADDRESS_WINDOW = dt.timedelta(hours=1)
IPV6_NETWORK = 64  # an IPv6 address is one of very many that the same machine may use
DIGITS = 32  # of a digest of a name, where a network stands beside it in the key


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """One thing that failures are counted ``by``.

    Without a ``window`` they are those in a row: a success takes back all of them, or a day without
    one. With it they are those of a sliding window of that length: they decay by themselves,
    whatever succeeds meanwhile, and a success takes back its own try alone.
    """

    key: str
    by: str
    free: int
    longest_s: int = LONGEST_DELAY_S
    window: dt.timedelta | None = None

    def delay(self, count: int) -> dt.timedelta:
        """Return how long nothing more is tried after so many failures."""
        if count < self.free:
            return dt.timedelta()
        doublings = min(count - self.free, 16)
        return dt.timedelta(seconds=min(FIRST_DELAY_S * 2**doublings, self.longest_s))

    def keys(self, when: dt.datetime) -> tuple[str, str, float]:
        """Give the keys of the present and the last window, and the share of the last that counts.

        The failures of the last window are taken to have come evenly, so that the part of it that
        the sliding window still covers is its share of them (the sliding window counter).
        """
        if self.window is None:
            return self.key, "", 0.0
        number, past = divmod(when - dt.datetime(1970, 1, 1), self.window)
        return f"{self.key}@{number}", f"{self.key}@{number - 1}", 1 - past / self.window


def password_locks(name: str, address: str) -> tuple[Lock, ...]:
    """Return the locks of a password: of the name from there, of the name, of the address.

    A name counts the same whether or not it is somebody's.
    """
    return (*_name_locks("name", name, address), address_lock(address))


def code_locks(name: str, address: str) -> tuple[Lock, ...]:
    """Return the locks of codes, apart: a right password must not make guesses at codes free."""
    return _name_locks("code", name, address)


def address_lock(address: str) -> Lock:
    """Return the lock of an address, over all names."""
    return Lock(
        key=f"address:{network(address)}",
        by="address",
        free=FREE_BY_ADDRESS,
        longest_s=ADDRESS_DELAY_S,
        window=ADDRESS_WINDOW,
    )


def forgive_name(session: Session, name: str) -> int:
    """Take back all failures of a name, from wherever; tell how many keys had some."""
    called = _called(name)
    return sum(
        limits.forgive_all(session, start)
        for kind in ("name", "code")
        for start in (f"{kind}:{called}", f"{kind}:{called[:DIGITS]}:")
    )


def forgive_address(session: Session, address: str) -> int:
    """Take back all failures of an address; tell how many keys had some."""
    return limits.forgive_all(session, f"{address_lock(address).key}@")


def _name_locks(kind: str, name: str, address: str) -> tuple[Lock, ...]:
    called = _called(name)
    return (
        Lock(key=f"{kind}:{called[:DIGITS]}:{network(address)}", by="name and address", free=FREE),
        Lock(key=f"{kind}:{called}", by="name", free=FREE_BY_NAME),
    )


def _called(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()


def network(address: str) -> str:
    """Return what an address is counted as.

    >>> network("192.0.2.7"), network("2001:db8:1:2:3::4"), network("somewhere")
    ('192.0.2.7', '2001:db8:1:2::', 'unknown')
    """
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(known, ipaddress.IPv6Address):
        mapped = known.ipv4_mapped
        if mapped is None:
            return str(ipaddress.ip_network((known, IPV6_NETWORK), strict=False).network_address)
        known = mapped
    return str(known)


def try_lock(session: Session, locks: tuple[Lock, ...], when: dt.datetime) -> dt.timedelta:
    """Count a failure beforehand, or tell how long to wait still.

    Returns
    -------
    Zero where the try may go on; :func:`open_lock` takes the count back if it succeeds.
    """
    waits = [_wait(lock, *_failures(session, lock, when), when) for lock in locks]
    if any(waits):
        return max(waits)
    for lock in locks:
        # Counted one after another, whichever process they came to: each sees those before it.
        present, last, share = lock.keys(when)
        before, last_at = limits.count_failure(session, present, when)
        lines = _with_last(session, before, last_at, last, share, when)
        wait = _wait(lock, *lines, when)
        if wait:
            return wait
    return dt.timedelta()


def open_lock(session: Session, locks: tuple[Lock, ...], when: dt.datetime) -> None:
    """Take back what was counted: all failures in a row, of a window only this one."""
    for lock in locks:
        limits.forgive(session, lock.keys(when)[0], None if lock.window is None else 1)


def failures_in_a_row(session: Session, lock: Lock, when: dt.datetime) -> int:
    """Return how many failures there are under a lock."""
    return _failures(session, lock, when)[0]


def _failures(session: Session, lock: Lock, when: dt.datetime) -> tuple[int, dt.datetime | None]:
    present, last, share = lock.keys(when)
    count, last_at = limits.failures(session, present, when)
    return _with_last(session, count, last_at, last, share, when)


def _with_last(
    session: Session,
    count: int,
    last_at: dt.datetime | None,
    key: str,
    share: float,
    when: dt.datetime,
) -> tuple[int, dt.datetime | None]:
    """Add the share of the failures of the last window that still counts."""
    if not share:
        return count, last_at
    earlier, earlier_at = limits.failures(session, key, when)
    return count + int(earlier * share), last_at or earlier_at


def _wait(lock: Lock, count: int, last_at: dt.datetime | None, when: dt.datetime) -> dt.timedelta:
    if last_at is None:
        return dt.timedelta()
    return max(last_at + lock.delay(count) - when, dt.timedelta())
