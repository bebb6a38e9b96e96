"""The demonstration: everything set up, a synthetic city fitted, validated and served."""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
import signal
from typing import TYPE_CHECKING

import click

from app import create_app
from app.admin import demonstration
from app.auth.demo_links import OneTimeLinks, disable_people, make_links, why_not
from app.cli.account_commands import tell_first_administrator
from app.cli.common import (
    Progress,
    database_option,
    say,
    settings_for,
    stage_lines,
    this_person,
    with_secret_key,
)
from app.cli.serve_commands import DEFAULT_PORT, require_free_port, run_server
from app.jobs.embedded import EmbeddedWorker
from app.private import close_instance
from app.site_documents import site_files
from app.usecases.evaluation.evaluate import evaluate
from app.usecases.evaluation.study import Question
from app.usecases.patrol.planning import PlanRequest, make_plan
from app.usecases.risk.fit import FitRequest
from app.usecases.risk.fit import fit as run_fit
from app.usecases.risk.validation import validate
from geodata.cityfile.description import read_city_file
from geodata.cityfile.initiatives import read_initiatives
from geodata.clock import utc_now
from geodata.db.engine import open_database, upgrade
from geodata.demo import write_city
from geodata.demo.field_work import COMMANDER, keep_work
from geodata.demo.pilots import write_initiatives
from geodata.ingest.store import import_city
from geodata.measures.registry import MEASURES
from geodata.releases.build import approve_release, draft_release
from geodata.repositories import runs_in_use
from geodata.repositories.cities import get_city
from geodata.repositories.initiatives import record_initiatives
from geodata.repositories.runs import get_run
from spatial.spec import ZoneSpec

if TYPE_CHECKING:
    from pathlib import Path

    from app.config import Settings
    from app.usecases.evaluation.evaluation_document import EvaluationDocument
    from geodata.db.engine import Database
    from geodata.repositories.runs import RunRecord

HOST = "127.0.0.1"
FITTED_FROM = dt.date(2023, 1, 1)
PILOT_ZONES = 30  # in all: what such a force might visit (docs/demonstration-city.md)
HELD_OUT = (dt.date(2025, 7, 1), dt.date(2025, 12, 1))  # fitted before, scored within
# The pilot's zones are chosen on years that its evaluation does not count: places chosen for many
# incidents have fewer later by themselves.
PILOT = "robbery"
CHOSEN_ON = (dt.date(2020, 1, 1), dt.date(2022, 1, 1))
BEFORE_PILOT = (dt.date(2022, 1, 1), dt.date(2024, 1, 1))
PILOTED = (dt.date(2024, 1, 1), dt.date(2026, 1, 1))
EARLIER = dt.date(2025, 9, 8)  # day of a release before the current one
DRAFTER, PUBLISHER = "demonstration-analyst", "demonstration-publisher"
EVENING, UNITS = (dt.time(15), dt.time(23)), 2  # of each district
SEARCHED_S = 0.5  # for each plan
SHOWN = "robbery"  # the run of this outcome is put to use
WHY_USED = "The demonstration shows the zones of its robbery run; everything here is invented."


def publish_demo(database: Database, releases: Path, city: str) -> None:
    """Publish the city twice: as of an earlier day, so that the first account can be kept, and now.

    The people are invented, as the city is.
    """
    for today in (EARLIER, None):
        with Progress() as progress:
            drafted = draft_release(
                database, releases, city, DRAFTER, pages=site_files, today=today, progress=progress
            )
        if drafted.state == "drafted":
            approve_release(database, releases, drafted.id, PUBLISHER)
        say(f"    release {drafted.id}, data through {drafted.manifest.through}")


def put_to_use(database: Database, run: RunRecord) -> None:
    """Put a run of the demonstration city to use, unless it is already."""
    now = utc_now()
    with database.session(write=True) as session:
        if runs_in_use.id_in_use(session, get_city(session, run.city)) != run.id:
            runs_in_use.use_run(session, run.id, WHY_USED, DRAFTER, now)


def evaluate_pilot(
    database: Database, city: str, *, who: str = "", progress: Progress | None = None
) -> tuple[RunRecord, EvaluationDocument]:
    """Evaluate the pilot in the zones of a run of its own.

    Each district's zones are evaluated apart as well, for its commander to see; what is given back
    is the evaluation of all zones together.
    """
    (run,) = run_fit(
        database,
        FitRequest(
            city=city,
            outcome=PILOT,
            start=CHOSEN_ON[0],
            end=CHOSEN_ON[1],
            zones=ZoneSpec(city_zones=PILOT_ZONES),
        ),
        who=who,
        progress=progress,
    )
    question = Question(city=city, run=run.id, outcome=PILOT, before=BEFORE_PILOT, after=PILOTED)
    for district in sorted(set(run.zones["district"])):
        evaluate(database, dataclasses.replace(question, district=district))
    return run, evaluate(database, question)


def pilot_words(document: EvaluationDocument, prevented: int) -> str:
    """Tell in one line what was found of the pilot, and the truth that it is to be held against."""
    nearest = document.controls[0]
    return (
        f"{document.outcome}, {len(document.treated.zones)} zones: "
        f"{nearest.wdd:+.0f} in two years against the nearest control area "
        f"({nearest.low_widened:+.0f} to {nearest.high_widened:+.0f}); "
        f"in truth {-prevented:+d}, as many as the pilot prevented there"
    )


def plan_shifts(database: Database, city: str, run: str, *, who: str = COMMANDER) -> int:
    """Plan the evening before the city's day and the one of it, for every district with zones.

    Gives the number of plans that stand.
    """
    with database.session() as session:
        stored, districts = get_city(session, city), get_run(session, run).zones["district"]
    evenings = [stored.this_day() - dt.timedelta(days=1), stored.this_day()]
    for district, day in itertools.product(sorted(set(districts)), evenings):
        shift = (dt.datetime.combine(day, EVENING[0]), dt.datetime.combine(day, EVENING[1]))
        wanted = PlanRequest(
            city=city, district=district, run=run, shift=shift, units=UNITS, limit_s=SEARCHED_S
        )
        make_plan(database, wanted, created_by=who)
    return len(set(districts)) * len(evenings)


def _keep_work(database: Database, city: str, run: str) -> None:
    """Store invented work, after the release, whose figures are without it."""
    say(f"    {plan_shifts(database, city, run)} plans of evening shifts")
    with database.session(write=True) as session:
        visits, actions = keep_work(session, get_city(session, city), run)
    if visits or actions:
        say(f"    {visits} invented visits and {actions} invented actions for the staff's pages")


def serve_demo(settings: Settings, port: int, city: str, district: str) -> None:
    """Serve the demonstration until stopped, with links into the staff's pages where it may."""
    app = create_app(settings)
    database = open_database(settings.database_url)
    links = OneTimeLinks(HOST)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that what is opened is closed
    try:
        with database.session(write=True) as session:
            reason = why_not(session, settings, HOST)
            made = [] if reason else make_links(session, links, city, district, utc_now())
        if reason:
            say(f"No links into the staff's pages: {reason}.")
        else:
            demonstration.register(app, links)
            _print_links(made, port)
        with EmbeddedWorker(settings.database_url):
            run_server(app, HOST, port)
    finally:
        with database.session(write=True) as session:
            disable_people(session, utc_now())
        database.close()


def _print_links(made: list[tuple[str, str]], port: int) -> None:
    say(
        "The staff's pages, each as an invented person, on this machine alone. A link opens once,\n"
        "within an hour; in one browser, the next one signs the person before out:"
    )
    width = max((len(what) for what, _ in made), default=0)
    for what, token in made:
        say(f"    {what:<{width}}  http://{HOST}:{port}/demonstration/{token}")
    say("An account of your own: saferground user add NAME --role administrator")


def _fit_and_score(database: Database, city: str, outcome: str) -> RunRecord:
    """Fit an outcome on the days before those held out, and score it on these."""
    with Progress() as progress:
        (record,) = run_fit(
            database,
            FitRequest(city=city, outcome=outcome, start=FITTED_FROM, end=HELD_OUT[0]),
            who=this_person(None),
            progress=progress,
        )
        scored = validate(database, record.id, *HELD_OUT, progress=progress)
    say(
        f"    {outcome}: {len(record.zones)} zones, run {record.id}; "
        f"{scored.zones.hit_rate:.0%} of {scored.incidents} later incidents in them"
    )
    return record


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), default=DEFAULT_PORT, show_default=True)
@click.option("--no-serve", is_flag=True, help="Set everything up, then stop.")
@database_option
def demo(port: int, database_url: str | None, *, no_serve: bool) -> None:
    """Set up a synthetic demonstration city, fit it and serve it."""
    if not no_serve:
        require_free_port(HOST, port)
    settings = settings_for(database_url)
    say("1/6 Preparing the database")
    close_instance(settings)
    upgrade(settings.database_url, stage_lines())
    settings = with_secret_key(settings)
    database = open_database(settings.database_url)
    say("2/6 Generating the demonstration city (synthetic; no real place or person)")
    folder = settings.instance / "demonstration-city"
    with Progress() as progress:
        truth = write_city(folder, progress=progress)
    say("3/6 Importing it")
    described = read_city_file(folder / "city.toml")
    with Progress() as progress:
        result = import_city(database, described, who=this_person(None), progress=progress)
    write_initiatives(folder)
    initiatives = read_initiatives(folder / "initiatives.toml", MEASURES)
    with database.session(write=True) as session:
        now = utc_now()
        record_initiatives(session, initiatives, now, this_person(None))
    say(
        f"    {sum(report.stored for report in result.sources):,} rows and "
        f"{len(initiatives.initiatives)} initiative with "
        f"{len(initiatives.initiatives[0].strategies)} strategies"
    )
    say("4/6 Evaluating its pilot (the first time, the engine is compiled: about a minute)")
    with Progress() as progress:
        piloted, document = evaluate_pilot(
            database, result.city, who=this_person(None), progress=progress
        )
    prevented = truth.pilot.prevented_in(list(piloted.zones.geometry))
    say(f"    {pilot_words(document, prevented)}")
    say("5/6 Fitting risk terrains")
    for outcome in sorted(described.outcomes, key=lambda name: (name == SHOWN, name)):
        record = _fit_and_score(database, result.city, outcome)
    put_to_use(database, record)
    say("6/6 Publishing it: one person drafts, another approves")
    publish_demo(database, settings.releases, result.city)
    _keep_work(database, result.city, record.id)
    database.close()
    if no_serve:
        tell_first_administrator(database_url)
        say("Ready. Serve it with: saferground serve")
        return
    district = record.zones.groupby("district")["expected"].sum().idxmax()
    serve_demo(settings, port, result.city, str(district))
