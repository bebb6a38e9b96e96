"""Putting a run to use, and what a run is called: pages for those who may decide that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import redirect, render_template, url_for

from app.admin.city import shell
from app.admin.layout import say
from app.auth.guard import signed
from app.extensions import workroom
from app.i18n import numbers
from app.workbench.results_forms import NameForm, UseForm
from app.workbench.results_maps import RUNS_TAB, bp, open_run
from geodata.errors import DataError
from geodata.repositories import runs, runs_in_use

if TYPE_CHECKING:
    import datetime as dt

    from flask.typing import ResponseReturnValue
    from sqlalchemy.orm import Session

    from app.workbench.results_maps import OpenedRun
    from geodata.repositories.cities import CityRecord
    from geodata.repositories.runs import RunRecord


@dataclass(frozen=True, kw_only=True)
class UseLine:
    """That a run was put to use; ``until`` is missing of one that is in use."""

    run: str
    name: str
    outcome: str
    since: dt.datetime
    until: dt.datetime | None
    who: str
    reason: str
    address: str


@dataclass(frozen=True, kw_only=True)
class CodeChanges:
    """Codes of zones that stay places of the run in use, come, and go."""

    kept: tuple[str, ...]
    new: tuple[str, ...]
    gone: tuple[str, ...]


@bp.route("/<city>/runs/<run>/use", methods=["GET", "POST"])
def use_run(city: str, run: str) -> ResponseReturnValue:
    """Put a run to use, with the reason; show what that changes and what was in use before."""
    opened = open_run(city, run)
    form = UseForm()
    if form.validate_on_submit():
        try:
            with workroom().database.session(write=True) as session:
                runs_in_use.use_run(session, opened.own.id, form.reason.data or "", **signed())
        except DataError as error:
            form.reason.errors = [str(error)]
        else:
            say(f"Run {opened.own.id} is in use from now on. The reason is kept and in the audit.")
            return redirect(url_for("reading.run", city=opened.city.slug, run=opened.own.id), 303)
    return _page(opened, form), 422 if form.is_submitted() else 200


@bp.post("/<city>/runs/<run>/name")
def name(city: str, run: str) -> ResponseReturnValue:
    """Call a run something, and keep a note on it."""
    opened = open_run(city, run)
    form = NameForm()
    back = redirect(url_for("reading.run", city=opened.city.slug, run=opened.own.id), 303)
    if not form.validate_on_submit():
        faults = [lines for field in (form.name, form.note) for lines in field.errors]
        say("Not taken: " + numbers.listed(faults or ["send the form again"]) + ".")
        return back
    try:
        with workroom().database.session(write=True) as session:
            lines = (form.name.data or "", form.note.data or "")
            runs.name_run(session, opened.own.id, *lines, **signed())
    except DataError as error:
        say(f"Not taken: {error}.")
    else:
        say("Name and note are kept.")
    return back


def use_lines(session: Session, city: CityRecord) -> tuple[UseLine, ...]:
    """Tell which runs were put to use, the newest first."""
    names = {run.id: run.name for run in runs.list_runs(session, city.slug)}
    return tuple(
        UseLine(
            run=one.run,
            name=names.get(one.run, ""),
            outcome=numbers.plain(one.outcome),
            since=one.used_at,
            until=one.until,
            who=one.used_by,
            reason=one.reason,
            address=url_for("reading.run", city=city.slug, run=one.run),
        )
        for one in runs_in_use.list_uses(session, city.id)
        if one.outcome not in city.sensitive_outcomes
    )


def difference(before: RunRecord | None, after: RunRecord) -> CodeChanges:
    """Compare the zones of two runs by their codes."""
    old = [] if before is None else list(before.zones["code"])
    new = list(after.zones["code"])
    return CodeChanges(
        kept=tuple(code for code in new if code in old),
        new=tuple(code for code in new if code not in old),
        gone=tuple(code for code in old if code not in new),
    )


def _page(opened: OpenedRun, form: UseForm) -> str:
    with workroom().database.session() as session:
        record = runs_in_use.run_in_use(session, opened.city)
        lines = use_lines(session, opened.city)
        why = runs_in_use.why_not_usable(opened.city, runs.get_summary(session, opened.own.id))
    run = opened.own
    return render_template(
        "analyst/use.html",
        shell=shell(opened.city, RUNS_TAB),
        run=run,
        title=numbers.plain(run.outcome),
        period=numbers.period(numbers.day(run.period_from), numbers.last_day(run.period_to)),
        shown=record,
        shown_outcome=numbers.plain(record.outcome) if record else "",
        same=record is not None and record.id == run.id,
        why=why,
        difference=difference(record, opened.run),
        uses=lines,
        form=form,
    )
