"""Tables of what people decided about runs: which is in use, what it is called; and zone codes.

To all of them is only ever added; of several rows about the same, the newest counts.
"""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - SQLAlchemy reads the annotations

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from geodata.tables.core import Base


class RunUse(Base):
    """From when on a run is in use for its outcome; ``used_by`` decided it. Times are UTC."""

    __tablename__ = "run_use"
    __table_args__ = (Index(None, "city_id", "outcome"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    city_id: Mapped[int] = mapped_column(ForeignKey("city.id"))
    outcome: Mapped[str] = mapped_column(String(120))
    run_id: Mapped[str] = mapped_column(ForeignKey("run.id"))
    reason: Mapped[str] = mapped_column(String(1000))
    used_by: Mapped[str] = mapped_column(String(120))
    used_at: Mapped[dt.datetime]


class RunName(Base):
    """What a run is called from a moment on, and a note on it; times are UTC."""

    __tablename__ = "run_name"
    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("run.id"), index=True)
    name: Mapped[str] = mapped_column(String(80))
    note: Mapped[str] = mapped_column(String(1000))
    named_by: Mapped[str] = mapped_column(String(120))
    named_at: Mapped[dt.datetime]


class ZoneCode(Base):
    """The code of a zone, the same over runs as long as zones overlap; ``zone`` is its id."""

    __tablename__ = "zone_code"
    __table_args__ = (UniqueConstraint("city_id", "zone"), Index(None, "city_id", "code"))
    id: Mapped[int] = mapped_column(primary_key=True)
    city_id: Mapped[int] = mapped_column(ForeignKey("city.id"))
    zone: Mapped[str] = mapped_column(String(120))
    code: Mapped[str] = mapped_column(String(120))
