"""The open actions of a district, as its overview names them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from geodata.store.cities import CityRecord


@dataclass(frozen=True, kw_only=True)
class OpenAction:
    """One open action in a line: what, in which zone, whose, until when, and where it is told."""

    what: str
    zone: str
    owner: str
    due: str
    late: bool
    address: str


def open_actions(session: Session, city: CityRecord, district: str) -> tuple[OpenAction, ...]:  # noqa: ARG001 - actions are not stored yet
    """Give the open actions of a district, the most urgent first; none are stored yet."""
    return ()
