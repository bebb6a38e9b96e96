"""Which machines may be asked: names resolved once, every address of them held against the rules.

A city file, or a person at a page, names addresses; the program that fetches them stands inside a
network that it must not open to whoever names one (server-side request forgery). What was checked
is what is connected to: the name is not resolved again.
"""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from geodata.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Address = ipaddress.IPv4Address | ipaddress.IPv6Address
    Resolve = Callable[[str, int], Sequence[str]]

PORTS = {"http": 80, "https": 443}
TRANSLATED = ipaddress.ip_network("64:ff9b::/96")  # NAT64: the last 32 bits are an IPv4 address


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """A machine that may be asked: its name as written, port, and the address to connect to."""

    scheme: str
    name: str
    port: int
    address: str


def resolve(name: str, port: int) -> list[str]:
    """Give every address of a name.

    Raises
    ------
    OSError, UnicodeError
        If it has none.
    """
    found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def check_host(url: str, label: str, *, allow_private: bool, resolver: Resolve = resolve) -> Host:
    """Resolve the host of an address and hold all that it resolves to against the rules.

    Raises
    ------
    DataError
        If the address cannot be read, is not http or https, holds a password, cannot be resolved,
        or leads into a private network.
    """
    parts = _split(url, label)
    name, port = parts.hostname or "", parts.port or PORTS[parts.scheme]
    try:
        found = [ipaddress.ip_address(text.partition("%")[0]) for text in resolver(name, port)]
    except (OSError, UnicodeError, ValueError) as error:
        msg = f"{label}: there is no machine {name!r} ({error}); correct the address"
        raise DataError(msg) from error
    if not found:
        msg = f"{label}: there is no machine {name!r}; correct the address"
        raise DataError(msg)
    if not allow_private and any(not _is_public(address) for address in found):
        msg = (
            f"{label}: {name} lies in a private network, which is not asked; if it is meant, the "
            "administrator sets SAFERGROUND_ALLOW_PRIVATE_SOURCES=1"
        )
        raise DataError(msg)
    return Host(scheme=parts.scheme, name=name, port=port, address=str(found[0]))


def _split(url: str, label: str) -> SplitResult:
    """Take an address apart; what different programs could read differently is refused."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in PORTS and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        usable = False
    if not usable or any(ord(sign) <= 32 or ord(sign) == 127 or sign == "\\" for sign in url):
        msg = f"{label}: is no address that can be asked; write it as https://host/path"
        raise DataError(msg)
    if "@" in parts.netloc:
        msg = f"{label}: addresses with a user and a password are not asked; take them out"
        raise DataError(msg)
    return parts


def _is_public(address: Address) -> bool:
    """Tell whether an address, and any that it carries, belongs to the public internet."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return _is_public(address.ipv4_mapped)
        if address in TRANSLATED:
            return _is_public(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
        carried = [address.sixtofour, *(address.teredo or ())]
        if any(one is not None and not _is_public(one) for one in carried):
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved
