"""The open actions of a district, as its overview names them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.command.patrol import zone_names
from geodata.store import actions

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from app.command.place import Place

MOST = 6  # on one sheet
ASKED = actions.ActionQuery(states=actions.STILL_OPEN)


@dataclass(frozen=True, kw_only=True)
class OpenAction:
    """One open action in a line: what, in which zone, whose, until when, and where it is told."""

    what: str
    zone: str
    owner: str
    due: str
    late: bool
    address: str


@dataclass(frozen=True, kw_only=True)
class OpenActions:
    """How many actions are open, and the most urgent of them."""

    count: int
    lines: tuple[OpenAction, ...]


def open_actions(session: Session, place: Place) -> OpenActions:
    """Give the open actions of a district, the most urgent first."""
    count, found = actions.list_actions(
        session, place.city.id, [place.code], ASKED, start=0, size=MOST
    )
    names = zone_names(session, place.city, [(one.run, one.facts.zone) for one in found])
    lines = tuple(
        OpenAction(
            what=one.facts.what or one.facts.kind,
            zone=names[one.facts.zone].replace("Zone", "zone", 1),
            owner=one.facts.owner,
            due=one.facts.due.isoformat() if one.facts.due else "",
            late=one.is_overdue(place.now.date()),
            address=place.url("actions.action", number=one.id),
        )
        for one in found
    )
    return OpenActions(count=count, lines=lines)
