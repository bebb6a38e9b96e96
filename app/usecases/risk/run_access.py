"""Who may read a run, and how much of it: what pages and the interface for programs both ask."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from werkzeug.exceptions import Forbidden

from geodata.errors import NotStoredError
from geodata.repositories import runs, zone_versions
from geodata.repositories.runs import RunFilter
from geodata.roles import ANALYST, PUBLISHER, READERS, WITH_DISTRICTS
from spatial.analysis import CITY_SCOPE

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from geodata.analysis_documents import RunAnalysis
    from geodata.repositories.cities import CityRecord
    from geodata.repositories.people import PersonRecord
    from geodata.repositories.runs import RunRecord

    _A = TypeVar("_A", bound=RunAnalysis)

WHOLE_CITY = READERS - WITH_DISTRICTS  # roles that are not limited to districts of their own
SENSITIVE = frozenset({ANALYST, PUBLISHER})  # who reads runs of sensitive kinds of incidents


@dataclass(frozen=True, kw_only=True, eq=False)
class ReadableRun:
    """A run as somebody may read it.

    ``own`` is the run as it was stored and ``run`` has the zones that are in use, both limited to
    ``districts``, which is nothing where the person reads the whole city. ``whole`` is for what is
    worked out over all cells, such as breaks between classes; it is never sent.
    """

    own: RunRecord
    run: RunRecord
    whole: RunRecord
    districts: tuple[str, ...] | None


def districts_read(person: PersonRecord, city: str) -> tuple[str, ...] | None:
    """Return the districts of a city that a person may read of, nothing for all of them.

    Officers and commanders read of their own, unless another role of theirs reads more.
    """
    return None if person.may(WHOLE_CITY) else person.districts_of(city)


def hidden_outcomes(person: PersonRecord, city: CityRecord) -> tuple[str, ...]:
    """Return the sensitive outcomes of a city that a person may not read of."""
    return () if person.may(SENSITIVE) else tuple(city.sensitive_outcomes)


def readable_runs(person: PersonRecord, city: CityRecord, which: RunFilter) -> RunFilter:
    """Return a filter of a city's runs, narrowed to those that a person may read."""
    own = districts_read(person, city.slug)
    return dataclasses.replace(
        which,
        without=hidden_outcomes(person, city),
        scopes=None if own is None else (CITY_SCOPE, *own),
    )


def read_run(
    session: Session, person: PersonRecord, city: CityRecord, identity: str
) -> ReadableRun:
    """Return a run of a city to somebody who may read it, limited to the person's districts.

    Raises
    ------
    NotStoredError
        If there is none of that id in the city.
    Forbidden
        If it is about a sensitive kind of incidents and the person is neither an analyst nor a
        publisher, or about a district that is not one of the person's.
    """
    own = runs.get_run(session, identity)
    if own.city != city.slug:
        msg = f"{city.slug} has no run {identity!r:.80}"
        raise NotStoredError(msg, run=identity[:80], code="no_run")
    which = readable_runs(person, city, RunFilter())
    if own.outcome in which.without:
        raise Forbidden
    if which.scopes is not None and own.scope not in which.scopes:
        raise Forbidden
    districts = districts_read(person, city.slug)
    return ReadableRun(
        own=limited(own, districts),
        run=limited(zone_versions.in_use(session, own), districts),
        whole=own,
        districts=districts,
    )


def limited(run: RunRecord, districts: tuple[str, ...] | None) -> RunRecord:
    """Return a run with the cells, zones and figures of some districts; nothing for all of them.

    The index of ``cells`` stays that of the whole run.
    """
    if districts is None:
        return run
    grid = run.grid.within(districts)
    places = run.grid.index_raster[grid.rows, grid.cols]
    return dataclasses.replace(
        run,
        grid=grid,
        cells=run.cells.iloc[np.asarray(places)],
        zones=run.zones[run.zones["district"].isin(districts)].reset_index(drop=True),
        result=run.result.within(districts),
    )


def limited_analysis(document: _A, readable: ReadableRun) -> _A:
    """Return what was worked out about a run, without the zones of other districts."""
    if readable.districts is None:
        return document
    return document.within({*readable.own.zones["id"], *readable.run.zones["id"]})
