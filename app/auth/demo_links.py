"""One-time links into the demonstration: an invented person of each role, on this machine alone.

The links are kept in the memory of the process that ``saferground demo`` runs, so that no other
server knows one. The people have no password, and are disabled when that process ends.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.auth.secrets import new_token, token_hash
from app.config import LOOPBACK
from geodata.repositories import cities, people
from geodata.repositories.people import ACTIVE, DISABLED
from geodata.roles import ANALYST, COMMANDER, OFFICER, PUBLISHER

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from app.config import Settings

LASTS = dt.timedelta(hours=1)
MADE_BY = "saferground demo"


@dataclass(frozen=True, kw_only=True)
class InventedPerson:
    """What a link opens: a page, as an invented person of a role.

    ``page`` is the endpoint; a page ``in_district`` is about the person's own district.
    """

    name: str
    display: str
    role: str
    what: str
    page: str
    in_district: bool = False


INVENTED = (
    InventedPerson(
        name="demonstration-analyst",
        display="Invented analyst",
        role=ANALYST,
        what="the workbench, as an analyst",
        page="analyst.city",
    ),
    InventedPerson(
        name="demonstration-commander",
        display="Invented commander",
        role=COMMANDER,
        what="the desk of a district, as its commander",
        page="command.district",
        in_district=True,
    ),
    InventedPerson(
        name="demonstration-officer",
        display="Invented officer",
        role=OFFICER,
        what="the field log, as an officer",
        page="visits.log",
        in_district=True,
    ),
    InventedPerson(
        name="demonstration-publisher",
        display="Invented approver",
        role=PUBLISHER,
        what="the releases, as who approves them",
        page="drafts.listed",
    ),
)


@dataclass(frozen=True, kw_only=True)
class DemoLink:
    """Whom a link lets in, to which page, and until when (UTC)."""

    person: str
    page: str
    city: str
    district: str | None
    until: dt.datetime


class OneTimeLinks:
    """Links that each work once and for an hour; tokens are kept as digests, in memory alone.

    ``host`` is what the server that takes them listens on.
    """

    def __init__(self, host: str) -> None:
        self.host = host
        self._waiting: dict[str, DemoLink] = {}
        self._lock = threading.Lock()

    def add(self, link: DemoLink) -> str:
        """Return the token of a new link."""
        token = new_token()
        with self._lock:
            self._waiting[token_hash(token)] = link
        return token

    def use(self, token: str, when: dt.datetime) -> DemoLink | None:
        """Return the link of a token and forget it; nothing where it was used or is too old."""
        with self._lock:
            link = self._waiting.pop(token_hash(token), None)
        return link if link is not None and when < link.until else None


def why_not(session: Session, settings: Settings, host: str) -> str | None:
    """Return why an instance may have no such links, or nothing where it may.

    Behind a proxy everybody could seem to come from this machine.
    """
    if host not in LOOPBACK:
        return f"the server listens on {host}, where other machines reach it"
    if settings.proxies or settings.address:
        return "SAFERGROUND_PROXIES or SAFERGROUND_ADDRESS is set, so that others may reach it"
    real = [city.slug for city in cities.list_cities(session, archived=True) if not city.synthetic]
    if real:
        return f"this instance holds a real city ({real[0]})"
    return None


def is_loopback(address: str | None) -> bool:
    """Return whether an address is one of this machine's own loopback.

    >>> is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("192.0.2.7"), is_loopback(None)
    (True, True, False, False)
    """
    try:
        return ipaddress.ip_address(address or "").is_loopback
    except ValueError:
        return False


def make_links(
    session: Session, links: OneTimeLinks, city: str, district: str, when: dt.datetime
) -> list[tuple[str, str]]:
    """Return what each link opens and its token; the invented people may come in from now on.

    A name that somebody else has here gets no link.
    """
    made = []
    for invented in INVENTED:
        districts = [f"{city}/{district}"] if invented.in_district else []
        person = people.find_person(session, invented.name)
        if person is None:
            people.add_person(
                session,
                invented.name,
                roles=[invented.role],
                districts=districts,
                display=invented.display,
                who=MADE_BY,
                when=when,
            )
        elif person.created_by != MADE_BY:
            continue
        else:
            people.change_roles(
                session,
                invented.name,
                roles=[invented.role],
                districts=districts,
                who=MADE_BY,
                when=when,
            )
            people.change_state(session, invented.name, ACTIVE, MADE_BY, when)
        link = DemoLink(
            person=invented.name,
            page=invented.page,
            city=city,
            district=district if invented.in_district else None,
            until=when + LASTS,
        )
        made.append((invented.what, links.add(link)))
    return made


def disable_people(session: Session, when: dt.datetime) -> None:
    """Disable the invented people, which ends their sessions and revokes their tokens."""
    for invented in INVENTED:
        person = people.find_person(session, invented.name)
        if person is not None and person.created_by == MADE_BY and person.state == ACTIVE:
            people.change_state(session, invented.name, DISABLED, MADE_BY, when)
