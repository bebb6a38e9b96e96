"""The command line: one group, a module a noun, the same functions as the pages.

Results go to standard output, messages and progress to standard error. A known error is one line
and exit status 1; wrong usage is exit status 2.
"""

from __future__ import annotations

from typing import Any

import click

from app.cli import (
    auditing,
    cities,
    demo,
    evaluating,
    fitting,
    imports,
    initiatives,
    jobs,
    judging,
    measuring,
    people,
    planning,
    publishing,
    runs,
    serving,
    tokens,
    visiting,
)
from spatial.errors import SaferGroundError


class _Group(click.Group):
    """Turns every known error into one line and exit status 1."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except SaferGroundError as error:
            raise click.ClickException(" ".join(str(error).split())) from error


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="saferground", prog_name="saferground")
def main() -> None:
    """Risk terrain zones per police district, from incident points to a map anyone can read."""


for command in (
    demo.demo,
    cities.init,
    cities.import_,
    imports.imports,
    cities.cities,
    initiatives.initiatives,
    fitting.fit,
    runs.runs,
    runs.show,
    judging.validate,
    judging.certainty,
    judging.compare,
    judging.sensitivity,
    evaluating.evaluate,
    runs.export,
    measuring.measures,
    planning.plan,
    publishing.publish,
    people.user,
    tokens.token,
    auditing.audit,
    serving.serve,
    serving.worker,
    jobs.jobs,
    visiting.visits,
):
    main.add_command(command)
