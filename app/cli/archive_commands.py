"""Commands that archive, restore and remove cities and runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from app.cli.common import (
    as_option,
    database_option,
    json_option,
    open_for,
    print_json,
    say,
    settings_for,
    this_person,
)
from app.usecases.city_removal import remove_city
from geodata.clock import utc_now
from geodata.repositories import archiving, removal
from geodata.repositories.cities import get_city
from geodata.repositories.runs import get_summary

if TYPE_CHECKING:
    from collections.abc import Mapping

confirm_option = click.option(
    "--confirm", required=True, metavar="TEXT", help="The same once more, as a confirmation."
)


@click.group()
def city() -> None:
    """Archive, restore and remove cities."""


@click.group()
def run() -> None:
    """Archive, restore and remove runs."""


@city.command("archive")
@click.argument("slug", metavar="CITY")
@as_option
@database_option
@json_option
def archive_city(slug: str, who: str | None, database_url: str | None, *, as_json: bool) -> None:
    """Leave CITY out of lists; its release stays public, its schedule rests."""
    with open_for(database_url).session(write=True) as session:
        removal.archive_city(session, slug, this_person(who), utc_now())
    _tell(archiving.CITY, slug, archived=True, as_json=as_json)


@city.command("restore")
@click.argument("slug", metavar="CITY")
@as_option
@database_option
@json_option
def restore_city(slug: str, who: str | None, database_url: str | None, *, as_json: bool) -> None:
    """List CITY again."""
    with open_for(database_url).session(write=True) as session:
        archiving.restore(session, archiving.CITY, get_city(session, slug).slug, this_person(who))
    _tell(archiving.CITY, slug, archived=False, as_json=as_json)


@city.command("remove")
@click.argument("slug", metavar="CITY")
@confirm_option
@as_option
@database_option
@json_option
def remove_city_(
    slug: str, confirm: str, who: str | None, database_url: str | None, *, as_json: bool
) -> None:
    """Remove CITY, which is archived, for ever.

    It is refused where it has releases, runs that were in use, plans, visits or actions.
    """
    _require_same(slug, confirm)
    gone = remove_city(open_for(database_url), settings_for(database_url), slug, this_person(who))
    _tell_gone(archiving.CITY, slug, gone, as_json=as_json)


@run.command("archive")
@click.argument("identity", metavar="RUN")
@as_option
@database_option
@json_option
def archive_run(identity: str, who: str | None, database_url: str | None, *, as_json: bool) -> None:
    """Leave RUN out of lists, unless it is in use."""
    with open_for(database_url).session(write=True) as session:
        removal.archive_run(session, identity, this_person(who), utc_now())
    _tell(archiving.RUN, identity, archived=True, as_json=as_json)


@run.command("restore")
@click.argument("identity", metavar="RUN")
@as_option
@database_option
@json_option
def restore_run(identity: str, who: str | None, database_url: str | None, *, as_json: bool) -> None:
    """List RUN again."""
    with open_for(database_url).session(write=True) as session:
        archiving.restore(
            session, archiving.RUN, get_summary(session, identity).id, this_person(who)
        )
    _tell(archiving.RUN, identity, archived=False, as_json=as_json)


@run.command("remove")
@click.argument("identity", metavar="RUN")
@confirm_option
@as_option
@database_option
@json_option
def remove_run(
    identity: str, confirm: str, who: str | None, database_url: str | None, *, as_json: bool
) -> None:
    """Remove RUN, which is archived, for ever.

    It is refused where the run was in use, a person changed its zones, or a release that stands,
    a plan, a visit or an action rests on it.
    """
    _require_same(identity, confirm)
    with open_for(database_url).session(write=True) as session:
        gone = removal.remove_run(session, identity, this_person(who))
    _tell_gone(archiving.RUN, identity, gone, as_json=as_json)


def _require_same(name: str, confirm: str) -> None:
    if name != confirm:
        msg = f"{confirm[:80]!r} is not {name!r}; nothing was removed"
        raise click.BadParameter(msg, param_hint="--confirm")


def _tell(kind: str, key: str, *, archived: bool, as_json: bool) -> None:
    if as_json:
        print_json({kind: key, "archived": archived})
    else:
        say(f"{kind} {key} is {'archived' if archived else 'listed again'}.")


def _tell_gone(kind: str, key: str, gone: Mapping[str, int], *, as_json: bool) -> None:
    if as_json:
        print_json({kind: key, "removed": dict(gone)})
    else:
        rows = ", ".join(f"{number:,} {table}" for table, number in gone.items())
        say(f"{kind} {key} is removed: {rows}.")
