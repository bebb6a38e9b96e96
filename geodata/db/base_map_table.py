"""The table of base maps."""

from __future__ import annotations

from sqlalchemy import ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from geodata.db.tables import Base


class BaseMap(Base):
    """The base map of a city: PMTiles, and whose data it is drawn from.

    ``made_of`` is the digest of the shapes that it was made from, or of the city's own file.
    """

    __tablename__ = "base_map"
    city_id: Mapped[int] = mapped_column(ForeignKey("city.id"), primary_key=True)
    made_of: Mapped[str] = mapped_column(String(80))
    attribution: Mapped[str] = mapped_column(String(200), default="")
    content: Mapped[bytes] = mapped_column(LargeBinary)
