"""What commands share: the database option, JSON out, progress on standard error."""

from __future__ import annotations

import dataclasses
import datetime as dt
import getpass
import json
import os
import sys
import time
from typing import TYPE_CHECKING, Any

import click
from tqdm import tqdm

from app.config import Settings, make_secret_key
from geodata.db.engine import open_database
from geodata.formats import ROWS_STAGE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from types import TracebackType
    from typing import Self

    from geodata.db.engine import Database

database_option = click.option(
    "--database",
    "database_url",
    metavar="URL",
    help="Database address [default: SAFERGROUND_DATABASE, else SQLite in the instance folder].",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")

all_option = click.option(
    "--all", "everything", is_flag=True, help="Read sources too whose file has not changed."
)
as_option = click.option(
    "--as",
    "who",
    metavar="NAME",
    help="Who you are [default: SAFERGROUND_USER, else the user of this machine].",
)


class _Day(click.ParamType[dt.date]):
    """An ISO date."""

    name = "date"

    def convert(self, value: Any, param: Any, ctx: Any) -> dt.date:
        try:
            return value if isinstance(value, dt.date) else dt.date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not a date; write it as 2013-01-31", param, ctx)


class _Period(click.ParamType[tuple[dt.date, dt.date]]):
    """Two ISO dates, the first included, the second not."""

    name = "from/to"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[dt.date, dt.date]:
        if isinstance(value, tuple):
            return value
        start, slash, end = str(value).partition("/")
        if not slash:
            self.fail(f"{value!r} is not a period; write it as 2018-01-01/2018-07-01", param, ctx)
        return DAY.convert(start, param, ctx), DAY.convert(end, param, ctx)


DAY = _Day()
PERIOD = _Period()


class ListingGroup(click.Group):
    """A group that lists where none of its commands is named: ``jobs CITY`` lists."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put ``list`` before what is no command."""
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = ["list", *args]
        return super().parse_args(ctx, args)


def settings_for(database_url: str | None) -> Settings:
    """Read the settings, with the database of the command line if one is named."""
    settings = Settings.from_env()
    return dataclasses.replace(settings, database_url=database_url) if database_url else settings


def with_secret_key(settings: Settings) -> Settings:
    """Return settings with a secret key, made and kept in the instance folder if there is none."""
    if settings.secret_key is not None:
        return settings
    key = make_secret_key(settings.key_file)
    say(f"  secret key made in {settings.key_file}; keep a copy, and keep it private")
    return dataclasses.replace(settings, secret_key=key)


def open_for(database_url: str | None) -> Database:
    """Open the database that a command is to use; it is closed when the command ends."""
    database = open_database(settings_for(database_url).database_url)
    context = click.get_current_context(silent=True)
    if context is not None:
        context.call_on_close(database.close)
    return database


def this_person(who: str | None) -> str:
    """Return who acts: as named, as set, or as the machine knows."""
    return who or os.environ.get("SAFERGROUND_USER") or _machine_user()


def _machine_user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a machine that knows no name for its user
        return ""


def print_json(document: Any) -> None:
    """Print exactly one JSON document."""
    click.echo(json.dumps(document, ensure_ascii=False, allow_nan=False))


def say(message: str) -> None:
    """Tell something that is not the result."""
    click.echo(message, err=True)


def print_table(heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print rows in columns, numbers to the right."""
    body = [[_cell(value) for value in row] for row in rows]
    numeric = [all(_is_number(row[i]) for row in body) for i in range(len(heads))]
    widths = [max(len(line[i]) for line in [list(heads), *body]) for i in range(len(heads))]
    for line in [list(heads), *body]:
        cells = (
            text.rjust(width) if right else text.ljust(width)
            for text, width, right in zip(line, widths, numeric, strict=True)
        )
        click.echo("  ".join(cells).rstrip())


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:,.4g}" if isinstance(value, float) else str(value)


def _is_number(text: str) -> bool:
    return text.replace(",", "").replace(".", "").replace("-", "").replace("e+", "").isdigit()


class Progress:
    """Shows stages on standard error: a bar on a terminal, a line a stage elsewhere."""

    def __init__(self) -> None:
        self.stage: str | None = None
        self.done = 0
        self.bar: tqdm[Any] | None = None
        self.started = 0.0
        self.live = sys.stderr.isatty()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close(finished=kind is None)

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Note that ``done`` of ``total`` parts of a stage are finished."""
        if stage != self.stage:
            self._close(finished=True)
            self.stage, self.started = stage, time.monotonic()
            if self.live:
                self.bar = tqdm(total=total, desc=stage, file=sys.stderr, leave=False)
        self.done = done
        if self.bar is not None:
            self.bar.total = total
            self.bar.n = done
            self.bar.refresh()

    def _close(self, *, finished: bool) -> None:
        if self.stage is None:
            return
        if self.bar is not None:
            self.bar.close()
            self.bar = None
        if finished:
            so_far = f" ({self.done:,} read so far)" if self.stage == ROWS_STAGE else ""
            say(f"  {self.stage}: {time.monotonic() - self.started:.1f} s{so_far}")
        self.stage = None


def stage_lines() -> Callable[[str], None]:
    """Return a callback that tells each message on its own line."""
    return lambda message: say(f"  {message}")
