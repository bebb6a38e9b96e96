"""The command line: one group, a module a noun, the same functions as the pages.

Results go to standard output, messages and progress to standard error. A known error is one line
and exit status 1; wrong usage is exit status 2.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import click

from app.private import keep_private
from spatial.errors import SaferGroundError, one_line

COMMANDS = {  # name -> module of this package, and the command in it
    "audit": ("audit_commands", "audit"),
    "certainty": ("validate_commands", "certainty"),
    "cities": ("city_commands", "cities"),
    "compare": ("validate_commands", "compare"),
    "demo": ("demo_command", "demo"),
    "evaluate": ("evaluate_commands", "evaluate"),
    "export": ("run_commands", "export"),
    "fit": ("fit_commands", "fit"),
    "import": ("city_commands", "import_"),
    "imports": ("city_commands", "imports"),
    "init": ("city_commands", "init"),
    "initiatives": ("initiative_commands", "initiatives"),
    "jobs": ("job_commands", "jobs"),
    "measures": ("initiative_commands", "measures"),
    "plan": ("patrol_commands", "plan"),
    "publish": ("release_commands", "publish"),
    "runs": ("run_commands", "runs"),
    "sensitivity": ("validate_commands", "sensitivity"),
    "serve": ("serve_commands", "serve"),
    "show": ("run_commands", "show"),
    "token": ("account_commands", "token"),
    "use": ("run_commands", "use"),
    "user": ("account_commands", "user"),
    "validate": ("validate_commands", "validate"),
    "visits": ("patrol_commands", "visits"),
    "worker": ("worker_command", "worker"),
}


class _Group(click.Group):
    """Imports a command when it is requested; turns a known error into one line and status 1."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's own
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        module, attribute = COMMANDS[cmd_name]
        command: click.Command = getattr(import_module(f"app.cli.{module}"), attribute)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except SaferGroundError as error:
            raise click.ClickException(one_line(error)) from error
        except Exception as error:
            # imported only when something went wrong: `--help` and its like do without Shapely
            from geodata.db.geometry import known_fault

            known = known_fault(error, f"saferground {ctx.invoked_subcommand}")
            if known is None:
                raise
            raise click.ClickException(str(known)) from error


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="saferground", prog_name="saferground")
def main() -> None:
    """Risk terrain zones per police district, from incident points to a map anyone can read."""
    keep_private()
