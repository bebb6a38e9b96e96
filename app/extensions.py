"""What pages of the staff work with: the database and the settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import current_app

if TYPE_CHECKING:
    from flask import Flask

    from app.config import Settings
    from geodata.db.engine import Database

NAME = "saferground.workroom"


@dataclass(frozen=True, kw_only=True, eq=False)
class Workroom:
    """What pages of the staff work with."""

    settings: Settings
    database: Database


def furnish(app: Flask, room: Workroom) -> None:
    """Return an application its workroom."""
    app.extensions[NAME] = room


def workroom() -> Workroom:
    """Return the workroom of the application that answers."""
    found: Workroom = current_app.extensions[NAME]
    return found
