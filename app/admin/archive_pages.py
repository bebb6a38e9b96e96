"""Cities and runs archived, restored and removed, for administrators."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import Blueprint, redirect, render_template, request, url_for

from app import forms as addresses
from app.admin.forms import ConfirmForm, RemoveForm
from app.admin.layout import say
from app.auth.guard import signed
from app.extensions import workroom
from app.usecases.city_removal import remove_city
from geodata.errors import DataError
from geodata.repositories import archiving, removal
from geodata.repositories.cities import get_city, list_cities
from geodata.repositories.runs import RunFilter, list_runs

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue
    from sqlalchemy.orm import Session

    from geodata.repositories.archiving import ArchivedRecord

bp = Blueprint("archive", __name__, url_prefix="/admin/cities")
LISTED, ARCHIVED = "listed", "archived"
NAMES = {  # of tables, where people read them; the others keep their names
    "import_change": "changes of imports",
    "import_version": "imports",
    "incident": "incidents",
    "district": "districts",
    "run": "runs",
    "zone": "zones",
}


@dataclass(frozen=True, kw_only=True)
class RemovalLine:
    """A city or run: what it is called, how much belongs to it, and why it stays, if it does."""

    key: str
    title: str
    archived: ArchivedRecord | None
    content: tuple[tuple[str, int], ...]
    stays: str


@bp.get("/")
def listed() -> ResponseReturnValue:
    """List the cities, archived ones too."""
    with workroom().database.session() as session:
        found = list_cities(session, archived=True)
        archived = archiving.list_archived(session, archiving.CITY)
    return render_template("staff/cities.html", cities=found, archived=archived)


@bp.get("/<city>")
def city(city: str) -> ResponseReturnValue:
    """Show what belongs to a city, and its archived runs."""
    return _page(city, ConfirmForm(formdata=None), RemoveForm(formdata=None), 200)


@bp.post("/<city>/state")
def change_state(city: str) -> ResponseReturnValue:
    """Archive a city, or list it again."""
    wanted = addresses.choice(request.form, "to", (LISTED, ARCHIVED))
    form = ConfirmForm()
    if wanted == ARCHIVED and not form.validate_on_submit():
        return _page(city, form, RemoveForm(formdata=None), 422)
    with workroom().database.session(write=True) as session:
        slug = get_city(session, city).slug
        if wanted == ARCHIVED:
            removal.archive_city(session, slug, **signed())
        else:
            archiving.restore(session, archiving.CITY, slug, signed()["who"])
    say(f"{slug} is {'archived' if wanted == ARCHIVED else 'listed again'}.")
    return redirect(url_for("archive.city", city=slug), 303)


@bp.post("/<city>/remove")
def remove(city: str) -> ResponseReturnValue:
    """Remove an archived city, or one of its archived runs, whose slug or id was typed."""
    form, room, who = RemoveForm(), workroom(), signed()["who"]
    if not form.validate_on_submit():
        return _page(city, ConfirmForm(formdata=None), form, 422)
    typed = (form.name.data or "").strip()
    with room.database.session() as session:
        runs = {run.id for run in list_runs(session, city, RunFilter(archived=True))}
    try:
        if typed == city:
            gone = remove_city(room.database, room.settings, city, who)
        elif typed in runs:
            with room.database.session(write=True) as session:
                gone = removal.remove_run(session, typed, who)
        else:
            msg = f"neither {city} nor an archived run of it is called so; nothing was removed"
            raise DataError(msg)
    except DataError as error:
        form.name.errors = [str(error)]
        return _page(city, ConfirmForm(formdata=None), form, 422)
    say(f"{typed} is removed, with {sum(gone.values()):,} rows. The audit has the counts.")
    address = url_for("archive.listed") if typed == city else url_for("archive.city", city=city)
    return redirect(address, 303)


def _page(slug: str, sure: ConfirmForm, typed: RemoveForm, status: int) -> ResponseReturnValue:
    with workroom().database.session() as session:
        found = get_city(session, slug)
        archived = archiving.list_archived(session, archiving.CITY).get(slug)
        line = RemovalLine(
            key=slug,
            title=found.name,
            archived=archived,
            content=_words(removal.city_content(session, slug)),
            stays=removal.why_city_stays(session, slug),
        )
        runs = _runs(session, slug)
    page = render_template("staff/city_archive.html", line=line, runs=runs, sure=sure, typed=typed)
    return page, status


def _runs(session: Session, slug: str) -> list[RemovalLine]:
    archived = archiving.list_archived(session, archiving.RUN)
    return [
        RemovalLine(
            key=run.id,
            title=run.name,
            archived=archived[run.id],
            content=_words(removal.run_content(session, run.id)),
            stays=removal.why_run_stays(session, run.id),
        )
        for run in list_runs(session, slug, RunFilter(archived=True))
    ]


def _words(counts: dict[str, int]) -> tuple[tuple[str, int], ...]:
    named = (
        (NAMES.get(table, table.replace("_", " ")), number) for table, number in counts.items()
    )
    return tuple(sorted(named, key=lambda one: -one[1]))
