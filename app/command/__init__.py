"""The commander's desk: plans, visits, actions, outcome. Its pages read and write the database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.charts import charts
from app.command import action_pages, board, outcome, overview, plans, visit_pages
from app.i18n import numbers
from app.i18n.evaluation_words import area_name

if TYPE_CHECKING:
    from flask import Flask


def register(app: Flask) -> None:
    """Add the commander's desk to an application that has its workroom."""
    app.jinja_env.filters["as_png"] = charts.as_png
    for filter_ in (numbers.about, numbers.number, numbers.share, area_name):
        app.jinja_env.filters[filter_.__name__] = filter_
    app.register_blueprint(overview.bp)
    app.register_blueprint(plans.bp)
    app.register_blueprint(visit_pages.bp)
    app.register_blueprint(board.bp)
    app.register_blueprint(action_pages.bp)
    app.register_blueprint(outcome.bp)
