"""The command that puts a run to use."""

from __future__ import annotations

import datetime as dt

import click

from app.cli.common import database_option, json_option, open_for, print_json, say
from geodata.store import uses


@click.command()
@click.argument("run")
@click.option("--as", "who", metavar="NAME", required=True, help="Who you are.")
@click.option("--why", metavar="TEXT", required=True, help="Reason; it is kept and in the audit.")
@database_option
@json_option
def use(run: str, who: str, why: str, database_url: str | None, *, as_json: bool) -> None:
    """Put RUN to use: desk, log, measures and the next release take their zones from it.

    Nothing else does that. It holds for the city and the outcome of the run; plans, visits and
    actions keep the zones that they were made for.
    """
    now = dt.datetime.now(dt.UTC).replace(tzinfo=None)
    with open_for(database_url).session(write=True) as session:
        made, before = uses.use_run(session, run, why, who, now)
    if as_json:
        print_json(
            {
                "run": made.run,
                "outcome": made.outcome,
                "in_use": True,
                "used_since": f"{made.used_at.isoformat(timespec='seconds')}Z",
                "used_by": made.used_by,
                "reason": made.reason,
                "before": before,
            }
        )
        return
    instead = f", instead of {before}" if before and before != run else ""
    say(f"Run {run} is in use for {made.outcome} from now on{instead}.")
