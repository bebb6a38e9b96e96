"""What every page about one run begins with: its address, the run, and who may read it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import Blueprint, url_for

from app.guard import require_visitor
from app.runs.access import ReadableRun, read_run
from app.staff.city import staff_city
from app.workroom import workroom
from geodata.roles import ANALYST
from geodata.store import editions, incidents

if TYPE_CHECKING:
    import datetime as dt

    from app.analyst.reading_surfaces import Painted, Surface
    from geodata.store.cities import CityRecord

bp = Blueprint("reading", __name__, url_prefix="/analyst")
RUNS_TAB = "runs.listed"


@dataclass(frozen=True, kw_only=True, eq=False)
class Opened(ReadableRun):
    """A run that is being read: ``run`` with the zones that are in use, ``own`` as it was stored.

    ``newest`` is the number of its newest edition, ``used`` of the one in use; 0 for its own.
    ``last_known`` is the day of the newest incident of its outcome.
    """

    city: CityRecord
    newest: int
    used: int
    last_known: dt.date | None

    def paint(self, surface: Surface) -> Painted:
        """Paint a surface with the classes and the legend of all cells, and the own cells alone."""
        painted = surface.paint(self.whole)
        return dataclasses.replace(painted, classes=painted.classes[self.own.cells.index])


def open_run(slug: str, run_id: str) -> Opened:
    """Give a run of a city to somebody who may read it.

    Raises
    ------
    NotStoredError, Forbidden
        As :func:`app.runs.access.read_run`; also if the city is not stored.
    """
    city, person = staff_city(slug), require_visitor().person
    with workroom().database.session() as session:
        found = read_run(session, person, city, run_id)
        days = incidents.outcome_period(session, city.id, found.own.outcome)
        return Opened(
            **{name.name: getattr(found, name.name) for name in dataclasses.fields(found)},
            city=city,
            newest=editions.newest_number(session, run_id),
            used=editions.number_in_use(session, run_id),
            last_known=days[1] if days else None,
        )


def is_analyst() -> bool:
    """Tell whether the person may change and ask for things."""
    return require_visitor().person.may((ANALYST,))


def job_page(slug: str, number: int) -> str:
    """Give the address of the page of a job."""
    return url_for("work.job", city=slug, job=number)
