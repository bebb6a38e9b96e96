"""Putting a run to use, and what a run is called: pages for those who may decide that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import redirect, render_template, request, url_for

from app.admin.city import shell
from app.admin.layout import say
from app.auth.guard import signed
from app.extensions import workroom
from app.forms import choice
from app.i18n import numbers
from app.usecases.risk.analyses import ComparedZones
from app.workbench.results_forms import NameForm, UseForm
from app.workbench.results_maps import RUNS_TAB, bp, open_run
from geodata.errors import DataError
from geodata.repositories import archiving as archives
from geodata.repositories import removal, runs, runs_in_use

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from app.workbench.results_maps import OpenedRun
    from geodata.repositories.runs import RunRecord


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


@bp.post("/<city>/runs/<run>/archive")
def archive(city: str, run: str) -> ResponseReturnValue:
    """Leave a run out of lists, or list it again."""
    opened = open_run(city, run)
    wanted = choice(request.form, "to", ("listed", "archived"))
    try:
        with workroom().database.session(write=True) as session:
            if wanted == "archived":
                removal.archive_run(session, opened.own.id, **signed())
            else:
                archives.restore(session, archives.RUN, opened.own.id, signed()["who"])
    except DataError as error:
        say(f"Not taken: {error}.")
    else:
        say(f"Run {opened.own.id} is {'archived' if wanted == 'archived' else 'listed again'}.")
    return redirect(url_for("reading.run", city=opened.city.slug, run=opened.own.id), 303)


def difference(before: RunRecord | None, after: RunRecord) -> ComparedZones:
    """Return which codes of zones stay, go and come from one run to another."""
    old = [] if before is None else list(before.zones["code"])
    new = list(after.zones["code"])
    return ComparedZones(
        kept=tuple(code for code in new if code in old),
        gained=tuple(code for code in new if code not in old),
        lost=tuple(code for code in old if code not in new),
    )


def _page(opened: OpenedRun, form: UseForm) -> str:
    with workroom().database.session() as session:
        record = runs_in_use.run_in_use(session, opened.city)
        uses = [
            one
            for one in runs_in_use.list_uses(session, opened.city.id)
            if one.outcome not in opened.city.sensitive_outcomes
        ]
        names = {one.id: one.name for one in runs.list_runs(session, opened.city.slug)}
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
        uses=uses,
        names=names,
        form=form,
    )
