"""Commands of every week and every minute: one round of a city, and files that arrive."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.cli.common import (
    Progress,
    all_option,
    as_option,
    database_option,
    json_option,
    open_for,
    print_json,
    say,
    settings_for,
    this_person,
)
from app.site_documents import site_files
from app.usecases.weekly_round import make_round
from geodata.ingest.watched_folder import read_folder

if TYPE_CHECKING:
    from geodata.ingest.watched_folder import ArrivedFile

LOOK_SECONDS = 5.0


@click.command("round")
@click.argument("city")
@all_option
@as_option
@database_option
@json_option
@click.pass_context
def round_(
    ctx: click.Context,
    city: str,
    who: str | None,
    database_url: str | None,
    *,
    as_json: bool,
    everything: bool,
) -> None:
    """Read every source of CITY again, fit what is in use anew, score the zones so far, draft.

    Nothing is approved and nothing put to use. A step that fails ends the round and leaves the
    release that residents see as it is. A source that cannot be read stays as it is stored while
    the others go on; the exit status is 1 then too.
    """
    with Progress() as progress:
        made = make_round(
            open_for(database_url),
            settings_for(database_url),
            city,
            this_person(who),
            pages=site_files,
            progress=progress,
            everything=everything,
        )
    if as_json:
        print_json(made.as_json())
    else:
        for step in made.steps:
            say(f"{step.step}: {step.state}{': ' if step.about else ''}{step.about}")
    if made.failed or made.broken:
        ctx.exit(1)


@click.command()
@click.argument("city")
@click.option(
    "--folder",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder that files arrive in.",
)
@click.option("--once", is_flag=True, help="Read what is there, and end.")
@as_option
@database_option
@json_option
def watch(
    city: str,
    folder: Path,
    who: str | None,
    database_url: str | None,
    *,
    once: bool,
    as_json: bool,
) -> None:
    """Read files that arrive in a folder by the sources of CITY that name them.

    A file belongs to the source whose file has its name, with or without a date in it. It is moved
    to "done" or to "failed", with the reason beside it.
    """
    if as_json and not once:
        msg = "--json prints one document: say --once with it"
        raise click.UsageError(msg)
    database, person = open_for(database_url), this_person(who)
    while True:
        found = read_folder(database, city, folder, person)
        if as_json:
            print_json({"city": city, "files": [_document(one) for one in found]})
            return
        for one in found:
            say(_line(one))
        if once:
            return
        time.sleep(LOOK_SECONDS)


def _document(one: ArrivedFile) -> dict[str, object]:
    sources = [report.as_json() for report in one.reports]
    return {"file": one.name, "sources": sources, "fault": one.fault or None}


def _line(one: ArrivedFile) -> str:
    if one.fault:
        return f"{one.name}: not read: {one.fault}"
    accounts = "; ".join(f"{r.kind}: {r.read:,} read, {r.stored:,} stored" for r in one.reports)
    return f"{one.name}: {accounts}"
