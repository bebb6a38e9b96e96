"""The command line: one group, a module a noun, the same functions as the pages.

Results go to standard output, messages and progress to standard error. A known error is one line
and exit status 1; wrong usage is exit status 2.
"""

from __future__ import annotations

import json
from importlib import import_module
from typing import Any

import click

from app.private import keep_private
from spatial.errors import SaferGroundError, one_line

COMMANDS = {  # name -> module of this package, and the command in it
    "audit": ("audit_commands", "audit"),
    "backup": ("backup_commands", "backup"),
    "certainty": ("validate_commands", "certainty"),
    "cities": ("city_commands", "cities"),
    "city": ("archive_commands", "city"),
    "compare": ("validate_commands", "compare"),
    "database": ("backup_commands", "database"),
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
    "new": ("new_command", "new"),
    "plan": ("patrol_commands", "plan"),
    "publish": ("release_commands", "publish"),
    "restore": ("backup_commands", "restore"),
    "round": ("weekly_commands", "round_"),
    "run": ("archive_commands", "run"),
    "runs": ("run_commands", "runs"),
    "sensitivity": ("validate_commands", "sensitivity"),
    "serve": ("serve_commands", "serve"),
    "show": ("run_commands", "show"),
    "token": ("account_commands", "token"),
    "use": ("run_commands", "use"),
    "user": ("account_commands", "user"),
    "validate": ("validate_commands", "validate"),
    "visits": ("patrol_commands", "visits"),
    "watch": ("weekly_commands", "watch"),
    "worker": ("worker_command", "worker"),
}


AS_JSON = "app.cli.as_json"  # of a context: whether one JSON document is wanted


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

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Note whether one JSON document is wanted, whatever becomes of the command."""
        ctx.meta[AS_JSON] = "--json" in args
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except SaferGroundError as error:
            raise _fault(ctx, error) from error
        except Exception as error:
            # imported only when something went wrong: `--help` and its like do without Shapely
            from geodata.db.geometry import known_fault

            known = known_fault(error, f"saferground {ctx.invoked_subcommand}")
            if known is None:
                raise
            raise _fault(ctx, known) from error


def _fault(ctx: click.Context, error: SaferGroundError) -> click.ClickException:
    """Return what ends a command; with ``--json`` the document says what went wrong as well."""
    message = one_line(error)
    if ctx.meta[AS_JSON]:
        document = {"error": message, "code": error.code, "parameters": error.parameters}
        click.echo(json.dumps(document, ensure_ascii=False))
    return click.ClickException(message)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="saferground", prog_name="saferground")
def main() -> None:
    """Risk terrain zones per police district, from incident points to a map anyone can read."""
    keep_private()
