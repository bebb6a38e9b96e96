"""The demonstration: everything set up, a synthetic city fitted, validated and served."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import click

from app.cli.common import (
    Progress,
    database_option,
    say,
    settings_for,
    stage_lines,
    this_person,
    with_secret_key,
)
from app.cli.people import tell_first_administrator
from app.cli.serving import DEFAULT_PORT, require_free_port, run_server
from app.pipeline import FitRequest
from app.pipeline import fit as run_fit
from app.release_pages import site_files
from app.validation import validate
from geodata.cityfile import read_city_file
from geodata.database import open_database, upgrade
from geodata.demo import write_city
from geodata.demo.initiatives import write_initiatives
from geodata.demo.work import keep_work
from geodata.importing import import_city
from geodata.initiatives import read_initiatives
from geodata.measures.registry import MEASURES
from geodata.publishing.release import approve_release, draft_release
from geodata.store.cities import get_city
from geodata.store.initiatives import record_initiatives

if TYPE_CHECKING:
    from pathlib import Path

    from geodata.database import Database

HOST = "127.0.0.1"
HELD_OUT = (dt.date(2025, 7, 1), dt.date(2026, 1, 1))  # fitted before, scored within
EARLIER = dt.date(2025, 9, 8)  # day of a release before the current one
DRAFTER, PUBLISHER = "demonstration-analyst", "demonstration-publisher"
SHOWN_LAST = "robbery"  # the newest city-wide run is the one the pages show


def publish_demo(database: Database, releases: Path, city: str) -> None:
    """Publish the city twice: as of an earlier day, so that the first account can be held, and now.

    The people are invented, as the city is.
    """
    for today in (EARLIER, None):
        with Progress() as progress:
            drafted = draft_release(
                database, releases, city, DRAFTER, pages=site_files, today=today, progress=progress
            )
        if drafted.state == "drafted":
            approve_release(database, releases, drafted.id, PUBLISHER)
        say(f"    release {drafted.id}, data through {drafted.manifest['through']}")


def _keep_work(database: Database, city: str, run: str) -> None:
    """Store invented visits and actions, after the release, whose figures are without them."""
    with database.session(write=True) as session:
        visits, actions = keep_work(session, get_city(session, city), run)
    if visits or actions:
        say(f"    {visits} invented visits and {actions} invented actions for the staff's pages")


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), default=DEFAULT_PORT, show_default=True)
@click.option("--no-serve", is_flag=True, help="Set everything up, then stop.")
@database_option
def demo(port: int, database_url: str | None, *, no_serve: bool) -> None:
    """Set up a synthetic demonstration city, fit it and serve it."""
    if not no_serve:
        require_free_port(HOST, port)
    settings = settings_for(database_url)
    say("1/5 Preparing the database")
    upgrade(settings.database_url, stage_lines())
    settings = with_secret_key(settings)
    database = open_database(settings.database_url)
    say("2/5 Generating the demonstration city (synthetic; no real place or person)")
    folder = settings.instance / "demonstration-city"
    with Progress() as progress:
        write_city(folder, progress=progress)
    say("3/5 Importing it")
    described = read_city_file(folder / "city.toml")
    with Progress() as progress:
        result = import_city(database, described, who=this_person(None), progress=progress)
    write_initiatives(folder)
    told = read_initiatives(folder / "initiatives.toml", MEASURES)
    with database.session(write=True) as session:
        now = dt.datetime.now(dt.UTC).replace(tzinfo=None)
        record_initiatives(session, told, now, this_person(None))
    say(
        f"    {sum(report.stored for report in result.sources):,} rows and "
        f"{len(told.initiatives)} initiative with {len(told.initiatives[0].strategies)} strategies"
    )
    say("4/5 Fitting risk terrains (the first time, the engine is compiled: about a minute)")
    outcomes = sorted(described.outcomes, key=lambda name: (name == SHOWN_LAST, name))
    for outcome in outcomes:
        with Progress() as progress:
            (record,) = run_fit(
                database,
                FitRequest(city=result.city, outcome=outcome, end=HELD_OUT[0]),
                who=this_person(None),
                progress=progress,
            )
            scored = validate(database, record.id, *HELD_OUT, progress=progress)
        say(
            f"    {outcome}: {len(record.zones)} zones, run {record.id}; "
            f"{scored['zones']['hit_rate']:.0%} of {scored['incidents']} later incidents in them"
        )
    say("5/5 Publishing it: one person drafts, another approves")
    publish_demo(database, settings.releases, result.city)
    _keep_work(database, result.city, record.id)
    database.close()
    tell_first_administrator(database_url)
    if no_serve:
        say("Ready. Serve it with: saferground serve")
        return
    run_server(settings, HOST, port)
