"""The command that fits a risk terrain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from app.cli.common import (
    DAY,
    Progress,
    as_option,
    database_option,
    json_option,
    open_for,
    print_json,
    this_person,
)
from app.cli.run_commands import print_run
from app.i18n.run_words import printed
from app.usecases.arguments import Arguments
from app.usecases.risk.fit import OPERATIONS, STEPS, read_fit
from app.usecases.risk.fit import fit as run_fit
from app.usecases.risk.settings import SETTINGS, Setting
from geodata.repositories.cities import get_city

if TYPE_CHECKING:
    from collections.abc import Callable

    from geodata.db.engine import Database

    Command = Callable[..., None]


class _Factor(click.ParamType[dict[str, object]]):
    """A factor and how its influence is to be tried."""

    name = "factor"

    def convert(self, value: Any, param: Any, ctx: Any) -> dict[str, object]:
        if isinstance(value, dict):
            return value
        name, *stated = (part.strip() for part in str(value).split(","))
        operation, blocks, step = (*stated, "", "", "")[:3]
        faults = (
            not name,
            len(stated) > 3,
            operation not in ("", *OPERATIONS),
            not (blocks == "" or blocks.isdecimal()),
            step not in ("", *STEPS),
        )
        if any(faults):
            self.fail(
                f"{value!r} cannot be read; write it as bars or bars,density,2,half: the name, "
                f"one of {', '.join(OPERATIONS)}, a number of blocks, whole or half steps",
                param,
                ctx,
            )
        document = {"operation": operation, "max_blocks": blocks and int(blocks), "step": step}
        return {"name": name, **{key: value for key, value in document.items() if value != ""}}


def _grid_options(command: Command) -> Command:
    """Add what decides factors and cells."""
    options = (
        click.option(
            "--factor",
            "factors",
            type=_Factor(),
            multiple=True,
            metavar="NAME[,OPERATION[,BLOCKS[,STEP]]]",
            help="Take this factor, and others named so, alone [default: all of the city].",
        ),
        click.option("--cell", type=float, help="Side of a cell in the city's unit."),
        click.option("--block", type=float, help="Length of a block in the city's unit."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def _setting_options(command: Command) -> Command:
    """Add an option for each setting of a run."""
    for setting in reversed(SETTINGS):
        command = _option(setting)(command)
    return command


def _option(setting: Setting) -> Callable[[Command], Command]:
    flag = f"--{(setting.option or setting.argument).replace('_', '-')}"
    names = (flag, setting.argument) if setting.option else (flag,)
    if setting.flag:
        return click.option(*names, is_flag=True, help=setting.help)
    kind: Any = float
    if setting.choices is not None:
        kind = click.Choice(list(setting.choices))
    elif setting.whole:
        kind = int if setting.least else click.IntRange(min=0)
    if setting.several:
        return click.option(*names, type=kind, multiple=True, help=setting.help)
    return click.option(
        *names,
        type=kind,
        default=setting.usual,
        help=setting.help,
        metavar=setting.metavar,
        show_default=True,
    )


@click.command()
@click.argument("city")
@click.option("--outcome", required=True, help="An outcome of the city file, such as robbery.")
@click.option(
    "--from", "from", type=DAY, help="First day, included [default: the outcome's first]."
)
@click.option(
    "--to", "to", type=DAY, help="Last day, excluded [default: the day after the outcome's last]."
)
@click.option("--district", help="Fit this district by itself.")
@click.option("--each-district", is_flag=True, help="Fit every district by itself.")
@click.option("--name", metavar="TEXT", help="What the run is called in lists.")
@click.option("--note", metavar="TEXT", help="What is to be known about it.")
@_grid_options
@_setting_options
@as_option
@database_option
@json_option
def fit(
    city: str,
    district: str | None,
    who: str | None,
    database_url: str | None,
    *,
    each_district: bool,
    as_json: bool,
    **said: Any,
) -> None:
    """Fit a risk terrain of CITY and cut zones from it; the audit says so.

    A run has the city's factors, cell and block unless others are chosen.
    """
    if district and each_district:
        msg = "choose --district or --each-district, not both"
        raise click.UsageError(msg)
    database = open_for(database_url)
    districts = [district] if district else _all(database, city) if each_district else None
    body = {"city": city, "districts": districts, **said}
    request = read_fit(Arguments("fit", {name: _plain(value) for name, value in body.items()}))
    with Progress() as progress:
        records = run_fit(database, request, who=this_person(who), progress=progress)
    if as_json:
        documents = [printed(record.result) for record in records]
        print_json({"runs": documents} if each_district else documents[0])
        return
    for record in records:
        print_run(record.result)


def _all(database: Database, city: str) -> list[str]:
    with database.session() as session:
        return list(get_city(session, city).districts["code"])


def _plain(value: Any) -> Any:
    """Return a value as a job has it."""
    if isinstance(value, tuple):
        return list(value) or None
    return value.isoformat() if hasattr(value, "isoformat") else value
