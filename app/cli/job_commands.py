"""Commands about long work: ask for it, list it, show it, cancel it, ask again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from app.cli.common import (
    ListingGroup,
    as_option,
    database_option,
    json_option,
    open_for,
    print_json,
    print_table,
    say,
    this_person,
)
from app.jobs import jobs as work
from app.jobs.kinds import KINDS
from geodata.repositories.cities import get_city
from geodata.repositories.job_queue import RUNNING

if TYPE_CHECKING:
    from app.jobs.jobs import JobStatus


class _Arguments(click.ParamType[dict[str, object]]):
    """One JSON object."""

    name = "json"

    def convert(self, value: Any, param: Any, ctx: Any) -> dict[str, object]:
        try:
            read = value if isinstance(value, dict) else json.loads(value)
        except (ValueError, RecursionError) as error:
            self.fail(f"{value!r:.60} is not JSON: {error}", param, ctx)
        if not isinstance(read, dict):
            self.fail(f'{value!r:.60} is no object; write it as {{"city": "town"}}', param, ctx)
        return read


@click.group(cls=ListingGroup)
def jobs() -> None:
    """List the long work of a city, ask for some, cancel it, ask again.

    "jobs CITY" and "jobs --all" list; the workers are started with "saferground worker".
    """


@jobs.command("list")
@click.argument("city", required=False)
@click.option("--all", "everywhere", is_flag=True, help="Of every city.")
@click.option("--open", "open_only", is_flag=True, help="Only what waits or runs.")
@database_option
@json_option
def list_(
    city: str | None, database_url: str | None, *, everywhere: bool, open_only: bool, as_json: bool
) -> None:
    """List the jobs of CITY, the newest first."""
    if (city is None) != everywhere:
        msg = "name a city, or --all"
        raise click.UsageError(msg)
    database = open_for(database_url)
    found = work.statuses(database, city, open_only=open_only)
    if city is not None and not found:
        with database.session() as session:
            get_city(session, city)
    alive = work.worker_alive(database)
    if as_json:
        print_json({"jobs": [status.as_json() for status in found], "worker_alive": alive})
        return
    if found:
        print_table(
            ["job", "kind", "city", "state", "stage", "share", "remaining", "asked by", "message"],
            [_row(status) for status in found],
        )
    else:
        say("No job yet.")
    if not alive and any(not status.job.ended for status in found):
        say("No worker is there to take jobs up; start one with: saferground worker")


@jobs.command()
@click.argument("kind", type=click.Choice(list(KINDS)))
@click.argument("arguments", type=_Arguments())
@as_option
@database_option
@json_option
def ask(
    kind: str,
    arguments: dict[str, object],
    who: str | None,
    database_url: str | None,
    *,
    as_json: bool,
) -> None:
    """Ask for work of a KIND; ARGUMENTS are a JSON object, as in docs/jobs.md."""
    database = open_for(database_url)
    job = work.ask(database, kind, arguments, this_person(who))
    _answer(work.status(database, job.id), as_json=as_json)


@jobs.command()
@click.argument("number", metavar="JOB", type=click.IntRange(1, 2**31 - 1))
@database_option
@json_option
def show(number: int, database_url: str | None, *, as_json: bool) -> None:
    """Show how JOB stands."""
    _answer(work.status(open_for(database_url), number), as_json=as_json)


@jobs.command()
@click.argument("number", metavar="JOB", type=click.IntRange(1, 2**31 - 1))
@as_option
@database_option
@json_option
def cancel(number: int, who: str | None, database_url: str | None, *, as_json: bool) -> None:
    """Cancel JOB: at once where it waits, at its next step where it runs."""
    database = open_for(database_url)
    work.cancel(database, number, this_person(who))
    _answer(work.status(database, number), as_json=as_json)


@jobs.command()
@click.argument("number", metavar="JOB", type=click.IntRange(1, 2**31 - 1))
@as_option
@database_option
@json_option
def retry(number: int, who: str | None, database_url: str | None, *, as_json: bool) -> None:
    """Ask again for what JOB was asked for; it must have failed or been cancelled."""
    database = open_for(database_url)
    job = work.retry(database, number, this_person(who))
    _answer(work.status(database, job.id), as_json=as_json)


def _row(status: JobStatus) -> list[Any]:
    job, estimate = status.job, status.estimate
    running = job.state == RUNNING
    left = None if estimate.remaining_s is None else f"{estimate.remaining_s:.0f} s"
    state = "being cancelled" if running and job.cancel_asked_by else job.state
    return [
        job.id,
        job.kind,
        job.city,
        state,
        job.stage if running else None,
        f"{estimate.share:.0%}" if running else None,
        left if running else None,
        job.asked_by,
        job.message,
    ]


def _answer(status: JobStatus, *, as_json: bool) -> None:
    document = status.as_json()
    if as_json:
        print_json(document)
        return
    for name, value in document.items():
        if value is not None:
            visible = value if isinstance(value, str | int | float) else json.dumps(value)
            click.echo(f"{name}: {visible}")
