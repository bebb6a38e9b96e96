"""Commands about releases: draft, approve, return, list, verify, withdraw."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from app.cli.common import (
    Progress,
    as_option,
    database_option,
    json_option,
    open_for,
    print_json,
    print_table,
    say,
    settings_for,
    this_person,
)
from app.site_documents import make_city_preview, site_files
from app.usecases.draft_mail import ask_mail
from geodata.clock import utc_now
from geodata.releases import build as releases
from geodata.releases.inputs import last_public_day
from geodata.releases.repair import repair_city
from geodata.repositories.cities import get_city
from geodata.repositories.releases import list_releases, return_release
from geodata.repositories.runs_in_use import run_to_draft

if TYPE_CHECKING:
    from pathlib import Path

    from geodata.repositories.releases import ReleaseRecord


def releases_folder(database_url: str | None) -> Path:
    """Return the folder of all releases."""
    return settings_for(database_url).releases


@click.group()
def publish() -> None:
    """Draft, approve, return, list, verify and withdraw the public releases of a city."""


@publish.command()
@click.argument("city")
@click.option("--run", metavar="RUN", help="Show the zones of this run [default: the run in use].")
@as_option
@database_option
@json_option
def draft(
    city: str, run: str | None, who: str | None, database_url: str | None, *, as_json: bool
) -> None:
    """Make a release of CITY as its data stand, and hold it against every rule.

    It shows the zones of the run in use. Where none is, it shows those of the newest run of the
    whole city, and says so; that does not put the run to use.
    """
    database = open_for(database_url)
    with database.session() as session:
        record = get_city(session, city)
        last_day = last_public_day(session, record, record.this_day())
        chosen, unused = run_to_draft(session, record, run, last_day)
    if unused and chosen and run is None:
        say(
            f"warning: no run of {city} is in use, so this draft shows the newest, {chosen}; put "
            f"it to use with: saferground use {chosen} --as NAME --why TEXT"
        )
    with Progress() as progress:
        made = releases.draft_release(
            database,
            releases_folder(database_url),
            city,
            this_person(who),
            run=chosen,
            pages=site_files,
            progress=progress,
        )
    ask_mail(database, settings_for(database_url), made.id)
    if as_json:
        print_json({**made.as_json(), "manifest": made.manifest.as_json()})
        return
    _print_release(made)
    if made.state == "drafted":
        say(f"Somebody else than {made.drafted_by} can approve it: publish approve {made.id}")
    else:
        say("Nothing has changed since it was drafted.")


@publish.command()
@click.argument("city")
@click.option("--run", metavar="RUN", help="Show the zones of this run [default: the run in use].")
@database_option
def preview(city: str, run: str | None, database_url: str | None) -> None:
    """Draft a release of CITY for staff to look at; nobody can approve it."""
    settings = settings_for(database_url)
    with Progress() as progress:
        made = make_city_preview(open_for(database_url), settings, city, run=run, progress=progress)
    say(f"Preview {made.id} of {city} is made; look at it with: saferground serve --preview")


@publish.command()
@click.argument("release")
@as_option
@database_option
@json_option
def approve(release: str, who: str | None, database_url: str | None, *, as_json: bool) -> None:
    """Approve RELEASE, so that the public pages show it; not by who drafted it.

    Doing it again completes an approval that broke off.
    """
    done = releases.approve_release(
        open_for(database_url), releases_folder(database_url), release, this_person(who)
    )
    _answer(done, as_json=as_json)


@publish.command("return")
@click.argument("release")
@click.option("--as", "who", metavar="NAME", required=True, help="Who you are.")
@click.option("--why", metavar="TEXT", required=True, help="Reason; it is kept with the draft.")
@database_option
@json_option
def return_(release: str, who: str, why: str, database_url: str | None, *, as_json: bool) -> None:
    """Return draft RELEASE to its drafter; it can never be approved, a new draft can."""
    database = open_for(database_url)
    with database.session(write=True) as session:
        done = return_release(session, release, who, utc_now(), why)
    ask_mail(database, settings_for(database_url), release)
    _answer(done, as_json=as_json)


@publish.command("list")
@click.argument("city")
@database_option
@json_option
def list_(city: str, database_url: str | None, *, as_json: bool) -> None:
    """List the releases of CITY, the newest draft first."""
    database = open_for(database_url)
    with database.session() as session:
        get_city(session, city)
    repair_city(database, releases_folder(database_url), city)
    with database.session() as session:
        found = list_releases(session, city)
    if as_json:
        print_json({"city": city, "releases": [record.as_json() for record in found]})
        return
    if not found:
        say(f"No release of {city} yet; make one with: saferground publish draft {city}")
        return
    print_table(
        ["release", "state", "through", "drafted by", "drafted", "approved by", "files"],
        [
            [
                record.id,
                record.state,
                record.manifest.through,
                record.drafted_by,
                f"{record.drafted_at:%Y-%m-%d %H:%M}",
                record.approved_by,
                len(record.manifest.files),
            ]
            for record in found
        ],
    )


@publish.command()
@click.argument("release")
@database_option
@json_option
@click.pass_context
def verify(ctx: click.Context, release: str, database_url: str | None, *, as_json: bool) -> None:
    """Hold RELEASE on disk against its digests and the rules; exit 1 if anything differs."""
    folder, faults = releases.verify_release(releases_folder(database_url), release)
    if as_json:
        print_json(
            {
                "release": folder.id,
                "city": folder.path.parent.name,
                "state": folder.state,
                "whole": not faults,
                "faults": list(faults),
            }
        )
    else:
        for fault in faults:
            click.echo(fault)
        say(f"release {folder.id} ({folder.state}): " + ("differs" if faults else "is whole"))
    ctx.exit(1 if faults else 0)


@publish.command()
@click.argument("release")
@click.option("--as", "who", metavar="NAME", required=True, help="Who you are.")
@click.option("--why", metavar="TEXT", required=True, help="Reason; it is kept with the release.")
@database_option
@json_option
def withdraw(release: str, who: str, why: str, database_url: str | None, *, as_json: bool) -> None:
    """Take RELEASE from the public pages; the one approved before is shown again."""
    done = releases.withdraw_release(
        open_for(database_url), releases_folder(database_url), release, who, why
    )
    _answer(done, as_json=as_json)


def _answer(record: ReleaseRecord, *, as_json: bool) -> None:
    if as_json:
        print_json(record.as_json())
    else:
        _print_release(record)


def _print_release(record: ReleaseRecord) -> None:
    click.echo(f"release {record.id} of {record.city}: {record.state}")
    click.echo(f"data through {record.manifest.through}")
    if record.returned_why:
        click.echo(f"returned by {record.returned_by}: {record.returned_why}")
    print_table(
        ["file", "bytes", "sha256"],
        [[one.name, one.bytes, one.sha256[:12]] for one in record.manifest.files],
    )
    changes = record.manifest.changes
    if changes is not None:
        zones = changes.zones
        click.echo(
            f"against {record.manifest.previous}: {len(changes.files.changed)} files and "
            f"{len(changes.measures)} measures differ; {len(zones.gained)} zones new, "
            f"{len(zones.lost)} gone, {zones.kept} stay"
        )
