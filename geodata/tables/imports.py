"""Tables of imports as versions: what each added and removed, so that it can be undone."""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - SQLAlchemy reads the annotations
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from geodata.tables.core import Base


class ImportVersion(Base):
    """One import of a city. ``summary`` counts added and removed rows by table.

    ``before`` is what the city, its districts and its factors were, nothing for the first import.
    ``city_file`` is what was imported: ``content``, the sections of the city file, and ``root``,
    the folder that its sources start from; imports of earlier versions have none.
    """

    __tablename__ = "import_version"
    __table_args__ = (Index("ix_import_version_city_id_imported_at", "city_id", "imported_at"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    city_id: Mapped[int] = mapped_column(ForeignKey("city.id"))
    imported_at: Mapped[dt.datetime]
    summary: Mapped[dict[str, Any]]
    before: Mapped[bytes | None] = mapped_column(LargeBinary)
    city_file: Mapped[dict[str, Any] | None]
    imported_by: Mapped[str | None] = mapped_column(String(200))
    undone_at: Mapped[dt.datetime | None]
    undone_by: Mapped[str | None] = mapped_column(String(200))


class ImportChange(Base):
    """A piece of what an import did to a table: keys of rows added, rows removed, packed JSON."""

    __tablename__ = "import_change"
    id: Mapped[int] = mapped_column(primary_key=True)
    import_id: Mapped[int] = mapped_column(ForeignKey("import_version.id"), index=True)
    table: Mapped[str] = mapped_column("table_name", String(40))
    added: Mapped[bytes] = mapped_column(LargeBinary)
    removed: Mapped[bytes] = mapped_column(LargeBinary)
