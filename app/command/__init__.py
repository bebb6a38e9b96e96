"""The commander's desk: plans, visits, actions, outcome. Its pages read and write the database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.command import actions, board, visits

if TYPE_CHECKING:
    from flask import Flask


def register(app: Flask) -> None:
    """Add the commander's desk to an application that has its workroom."""
    app.register_blueprint(visits.bp)
    app.register_blueprint(board.bp)
    app.register_blueprint(actions.bp)
