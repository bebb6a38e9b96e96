"""Tables of zones that a person changed: editions of a run's zones, and which of them is in use."""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - SQLAlchemy reads the annotations
from typing import Any

from shapely.geometry.base import BaseGeometry  # noqa: TC002 - as above
from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from geodata.tables.core import Base


class ZoneEdition(Base):
    """What a run's zones became by one step; ``number`` counts from 1. Never changed."""

    __tablename__ = "zone_edition"
    __table_args__ = (UniqueConstraint("run_id", "number"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("run.id"))
    number: Mapped[int]
    action: Mapped[str] = mapped_column(String(20))
    details: Mapped[dict[str, Any]]
    reason: Mapped[str] = mapped_column(String(1000))
    made_by: Mapped[str] = mapped_column(String(120))
    made_at: Mapped[dt.datetime]


class EditedZone(Base):
    """One zone of an edition; ``position`` keeps their order. The same code is the same outline."""

    __tablename__ = "edited_zone"
    __table_args__ = (UniqueConstraint("edition_id", "code"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    edition_id: Mapped[int] = mapped_column(ForeignKey("zone_edition.id"))
    position: Mapped[int]
    code: Mapped[str] = mapped_column(String(120))
    district: Mapped[str] = mapped_column(String(80))
    rank: Mapped[int]
    name: Mapped[str] = mapped_column(String(80))
    details: Mapped[dict[str, Any]]
    geom: Mapped[BaseGeometry]


class EditionUse(Base):
    """From when on which edition of a run is used; 0 is the run's own. The newest row counts."""

    __tablename__ = "edition_use"
    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("run.id"), index=True)
    number: Mapped[int]
    reason: Mapped[str] = mapped_column(String(1000))
    used_by: Mapped[str] = mapped_column(String(120))
    used_at: Mapped[dt.datetime]
