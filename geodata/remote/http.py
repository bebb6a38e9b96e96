"""Which machines may be asked: names resolved once, every address of them held against the rules.

A city file, or a person at a page, names addresses; the program that fetches them stands inside a
network that it must not open to whoever names one (server-side request forgery). What was checked
is what is connected to: the name is not resolved again.

The only socket: one request at a time, to the machine that was checked, within limits.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
import socket
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urljoin, urlsplit, urlunsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError

from geodata.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path


if TYPE_CHECKING:
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
    """Return every address of a name.

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
    """Return whether an address, and any that it carries, belongs to the public internet."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return _is_public(address.ipv4_mapped)
        if address in TRANSLATED:
            return _is_public(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
        carried = [address.sixtofour, *(address.teredo or ())]
        if any(one is not None and not _is_public(one) for one in carried):
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


if TYPE_CHECKING:
    Told = Callable[[int], None]

CHUNK = 65_536
MOVED = (301, 302, 303, 307, 308)
BUSY = (202, 429, 502, 503, 504)
AGENT = "SaferGround (open data import)"
SHOWN = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchLimits:
    """How long and how much is waited for.

    ``whole_s`` is the longest time for one answer and ``most_bytes`` its greatest length, counted
    after it is unpacked; ``tries`` is how often a busy server is requested.
    """

    connect_s: float = 10.0
    read_s: float = 60.0
    whole_s: float = 900.0
    most_bytes: int = 500_000_000
    most_json_bytes: int = 100_000_000
    redirects: int = 5
    tries: int = 4
    longest_pause_s: float = 60.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Saved:
    """What an address answered: its length, digest, final address and the name that it gives."""

    size: int
    sha256: str
    address: str
    disposition: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Web:
    """Asks addresses.

    Headers are sent to the host that was named and to no other. ``told`` hears how many bytes of
    an answer have come; what it raises ends the request.
    """

    allow_private: bool = False
    limits: FetchLimits = field(default_factory=FetchLimits)
    resolver: Resolve = resolve
    told: Told | None = None
    pause: Callable[[float], None] = time.sleep

    def save(self, url: str, label: str, path: Path, headers: Mapping[str, str]) -> Saved:
        """Write an answer to a file as it comes.

        Raises
        ------
        DataError
            If it cannot be had, is too long or too slow; no file is left then.
        """
        with self._answer(url, label, headers) as (response, address):
            digest, size = hashlib.sha256(), 0
            try:
                with path.open("wb") as file:
                    for piece in self._pieces(response, label, self.limits.most_bytes):
                        file.write(piece)
                        digest.update(piece)
                        size += len(piece)
            except BaseException:
                path.unlink(missing_ok=True)
                raise
            return Saved(
                size=size,
                sha256=digest.hexdigest(),
                address=address,
                disposition=response.headers.get("Content-Disposition", ""),
            )

    def read(self, url: str, label: str, headers: Mapping[str, str]) -> bytes:
        """Return an answer whole.

        Raises
        ------
        DataError
            If it cannot be had, is too long or too slow.
        """
        with self._answer(url, label, headers) as (response, _):
            return b"".join(self._pieces(response, label, self.limits.most_json_bytes))

    def read_json(self, url: str, label: str, headers: Mapping[str, str]) -> Any:
        """Return an answer that must be JSON.

        Raises
        ------
        DataError
            If it cannot be had or is no JSON.
        """
        content = self.read(url, label, headers)
        try:
            return json.loads(content)
        except (ValueError, RecursionError) as error:
            start = content[:60].decode(errors="replace")
            msg = f"{label}: the service answers with something that is no JSON: {start!r}"
            raise DataError(msg) from error

    @contextmanager
    def _answer(
        self, url: str, label: str, headers: Mapping[str, str]
    ) -> Iterator[tuple[requests.Response, str]]:
        """Ask until an answer comes that is no redirect and not busy."""
        for turn in range(1, self.limits.tries + 1):
            with self._followed(url, label, headers) as (response, address):
                if response.status_code == 200:
                    yield response, address
                    return
                text = self._explain(response)
                if response.status_code not in BUSY or turn == self.limits.tries:
                    msg = f"{label}: the server answers {response.status_code}{text}"
                    raise DataError(msg)
                seconds = _seconds(response.headers.get("Retry-After"), 2.0**turn)
            self.pause(min(seconds, self.limits.longest_pause_s))

    @contextmanager
    def _followed(
        self, url: str, label: str, headers: Mapping[str, str]
    ) -> Iterator[tuple[requests.Response, str]]:
        """Follow redirects, each checked against the rules as the first address was."""
        first = current = url
        for _ in range(self.limits.redirects + 1):
            mine = headers if _origin(current) == _origin(first) else {}
            with self._once(current, label, mine) as response:
                target = response.headers.get("Location")
                if response.status_code not in MOVED or not target:
                    yield response, current
                    return
            following = urljoin(current, target)
            if urlsplit(current).scheme == "https" and urlsplit(following).scheme != "https":
                msg = f"{label}: is sent on from https to {following[:SHOWN]!r}, which is not safe"
                raise DataError(msg)
            current = following
        msg = f"{label}: is sent on more than {self.limits.redirects} times; name the last address"
        raise DataError(msg)

    @contextmanager
    def _once(
        self, url: str, label: str, headers: Mapping[str, str]
    ) -> Iterator[requests.Response]:
        """Ask one address at the machine that was checked, and nowhere else."""
        host = check_host(url, label, allow_private=self.allow_private, resolver=self.resolver)
        with requests.Session() as session:
            session.trust_env = False  # no proxies and no passwords from the environment
            session.mount(f"{host.scheme}://", _Pinned(host))
            try:
                response = session.get(
                    urlunsplit(urlsplit(url)._replace(fragment="")),
                    headers={"User-Agent": AGENT, "Host": _host_header(host), **headers},
                    timeout=(self.limits.connect_s, self.limits.read_s),
                    allow_redirects=False,
                    stream=True,
                )
            except (requests.RequestException, HTTPError, OSError, ValueError) as error:
                msg = f"{label}: cannot be reached ({_cause(error)}); try again later"
                raise DataError(msg) from error
            with response:
                yield response

    def _pieces(self, response: requests.Response, label: str, most: int) -> Iterator[bytes]:
        """Return an answer piece by piece, and stop where it is too long or too slow."""
        size, end = 0, time.monotonic() + self.limits.whole_s
        declared = response.headers.get("Content-Length", "")
        if declared.isdigit() and int(declared) > most:
            raise DataError(_too_long(label, most))
        try:
            # what has come is taken at once: waiting for a whole piece would hide a slow answer
            while piece := response.raw.read1(CHUNK, decode_content=True):
                size += len(piece)
                if size > most:
                    raise DataError(_too_long(label, most))
                if time.monotonic() > end:
                    msg = f"{label}: the answer takes more than {self.limits.whole_s:g} seconds"
                    raise DataError(msg)
                if self.told:
                    self.told(size)
                yield piece
        except (requests.RequestException, HTTPError, OSError) as error:
            msg = f"{label}: the answer breaks off ({_cause(error)}); try again later"
            raise DataError(msg) from error

    def _explain(self, response: requests.Response) -> str:
        """Return what a server says of its refusal, where it says it in JSON."""
        try:
            found = json.loads(next(response.iter_content(CHUNK), b""))
            message = found.get("message") or found.get("error")
        except (
            ValueError,
            RecursionError,
            AttributeError,
            requests.RequestException,
            HTTPError,
            OSError,
        ):
            return f" ({response.reason})" if response.reason else ""
        return f" ({plain(message)})" if message else ""


class _Pinned(HTTPAdapter):
    """Connects to the address that was checked; the certificate must be that of the name."""

    def __init__(self, host: Host) -> None:
        self._host = host
        super().__init__(max_retries=0)

    def build_connection_pool_key_attributes(
        self, request: requests.PreparedRequest, verify: Any, cert: Any = None
    ) -> tuple[Any, Any]:
        where, how = super().build_connection_pool_key_attributes(request, verify, cert)
        where["host"] = self._host.address
        if self._host.scheme == "https":
            names = {"server_hostname": self._host.name, "assert_hostname": self._host.name}
            return where, {**how, **names}
        return where, how


def plain(stated: Any) -> str:
    """Make one short line of what a server says."""
    return " ".join(str(stated).split())[:SHOWN]


def _host_header(host: Host) -> str:
    name = f"[{host.name}]" if ":" in host.name else host.name
    return name if host.port == PORTS[host.scheme] else f"{name}:{host.port}"


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


def _too_long(label: str, most: int) -> str:
    return f"{label}: the answer is longer than {most / 1e6:,.0f} MB; ask for fewer rows"


def _seconds(value: str | None, default: float) -> float:
    return float(value) if value and value.strip().isdigit() else default


def _cause(error: BaseException) -> str:
    """Name the kind of a fault without the addresses that libraries write into it."""
    return type(getattr(error, "reason", None) or error).__name__
