"""Lock-out after failures in a row, with delays that grow; by name and by address."""

from __future__ import annotations

import datetime as dt
import hashlib
import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from geodata.store import limits

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

FIRST_DELAY_S, LONGEST_DELAY_S = 30, 900
FREE_BY_NAME, FREE_BY_ADDRESS = 5, 20  # failures before the first delay
IPV6_NETWORK = 64  # an IPv6 address is one of very many that the same machine may use


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """One thing that failures are counted by."""

    key: str
    free: int

    def delay(self, count: int) -> dt.timedelta:
        """Give how long nothing more is tried after so many failures in a row."""
        if count < self.free:
            return dt.timedelta()
        doublings = min(count - self.free, 16)
        return dt.timedelta(seconds=min(FIRST_DELAY_S * 2**doublings, LONGEST_DELAY_S))


def password_locks(name: str, address: str) -> tuple[Lock, ...]:
    """Give the locks of a password. A name counts the same whether or not it is somebody's."""
    return (
        Lock(key=f"name:{_called(name)}", free=FREE_BY_NAME),
        Lock(key=f"address:{network(address)}", free=FREE_BY_ADDRESS),
    )


def code_locks(name: str) -> tuple[Lock, ...]:
    """Give the lock of codes, apart: a right password must not make guesses at codes free."""
    return (Lock(key=f"code:{_called(name)}", free=FREE_BY_NAME),)


def _called(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()


def network(address: str) -> str:
    """Give what an address is counted as.

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
    waits = [_wait(lock, *limits.failures(session, lock.key, when), when) for lock in locks]
    if any(waits):
        return max(waits)
    for lock in locks:
        # Counted one after another, whichever process they came to: each sees those before it.
        wait = _wait(lock, *limits.count_failure(session, lock.key, when), when)
        if wait:
            return wait
    return dt.timedelta()


def open_lock(session: Session, locks: tuple[Lock, ...]) -> None:
    """Take back what was counted: all of the name's failures, of the address's only this one."""
    by_name, *others = locks
    limits.forgive(session, by_name.key)
    for lock in others:
        limits.forgive(session, lock.key, 1)


def _wait(lock: Lock, count: int, last_at: dt.datetime | None, when: dt.datetime) -> dt.timedelta:
    if last_at is None:
        return dt.timedelta()
    return max(last_at + lock.delay(count) - when, dt.timedelta())
