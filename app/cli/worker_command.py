"""The command that works on jobs: it imports no page and nothing that jobs alone need."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from app.cli.common import database_option, open_for, say, settings_for
from app.jobs.process import log_to_stderr
from app.jobs.worker import Worker, stop_at_signals, stop_with_parent
from app.private import close_instance
from geodata.releases.repair import repair_releases

if TYPE_CHECKING:
    from app.config import Settings
    from geodata.db.engine import Database


@click.command()
@click.option("--with-parent", is_flag=True, hidden=True, help="End when standard input closes.")
@database_option
def worker(database_url: str | None, *, with_parent: bool) -> None:
    """Work on jobs until stopped; any number of workers may run, on any machines.

    Asked to end (SIGTERM, Ctrl-C), it lets the job in hand wait again for another worker.
    """
    settings = settings_for(database_url)
    close_instance(settings)
    log_to_stderr()
    database = open_for(database_url)
    repair(database, settings)
    made = Worker(database, settings)
    stop_at_signals(made)
    if with_parent:
        stop_with_parent(made)
    made.run()


def repair(database: Database, settings: Settings) -> None:
    """Complete what a crash or a full disk left undone of approvals and withdrawals."""
    for city in repair_releases(database, settings.releases):
        say(f"The files of the releases of {city} did not agree with the database; now they do.")
