"""Commands about the audit: show, verify, export."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.cli.common import (
    DAY,
    as_option,
    database_option,
    json_option,
    open_for,
    print_json,
    print_table,
    say,
    this_person,
)
from geodata.errors import DataError
from geodata.repositories import audit as audits

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

HASH_SIGNS = 64


class _Known(click.ParamType[tuple[int, str]]):
    """Number and hash of an entry, as ``verify`` prints them."""

    name = "number:hash"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[int, str]:
        if isinstance(value, tuple):
            return value
        seq, _, digest = str(value).partition(":")
        signs = set("0123456789abcdef")
        if not seq.isdecimal() or len(digest) != HASH_SIGNS or not set(digest) <= signs:
            self.fail(f"{value!r} is no number and hash as audit verify prints them", param, ctx)
        return int(seq), digest


def filters(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that narrow entries."""
    for option in (
        click.option("--person", metavar="NAME", help="Only of this person."),
        click.option("--action", metavar="ACTION", help="Only this: release, or release.approve."),
        click.option("--from", "from_", type=DAY, help="Only from this day on (UTC)."),
        click.option("--to", type=DAY, help="Only before this day (UTC)."),
    ):
        command = option(command)
    return command


@click.group()
def audit() -> None:
    """Show, verify and export who did what."""


@audit.command()
@filters
@click.option("--last", type=click.IntRange(1, 100_000), default=50, show_default=True)
@database_option
@json_option
def show(
    person: str | None,
    action: str | None,
    from_: dt.date | None,
    to: dt.date | None,
    last: int,
    database_url: str | None,
    *,
    as_json: bool,
) -> None:
    """Show the last entries, the newest first."""
    only = audits.AuditFilter(person=person, action=action, from_=from_, to=to)
    with open_for(database_url).session() as session:
        count, rows = audits.page(session, only, start=0, size=last)
    if as_json:
        print_json({"count": count, "entries": [entry.as_json() for entry in rows]})
        return
    if not rows:
        say("Nothing was recorded that fits.")
        return
    print_table(
        ["no.", "when (UTC)", "who", "what", "to what", "details"],
        [
            [
                entry.seq,
                f"{entry.at:%Y-%m-%d %H:%M:%S}",
                _printable(entry.person) or "unknown",
                entry.action,
                _printable(entry.object) or None,
                json.dumps(entry.details) if entry.details else None,
            ]
            for entry in rows
        ],
    )


@audit.command()
@click.option(
    "--known", type=_Known(), help="An entry noted before, which must still be there: NUMBER:HASH."
)
@database_option
@json_option
@click.pass_context
def verify(
    ctx: click.Context, known: tuple[int, str] | None, database_url: str | None, *, as_json: bool
) -> None:
    """Hold the chain against itself; exit 1 and tell the first broken link if it is not whole.

    Note the number and hash that this prints somewhere else: with --known, a chain that was made
    anew or cut short is found too.
    """
    with open_for(database_url).session() as session:
        found = audits.verify(session, known)
    if as_json:
        print_json(
            {
                "whole": found.fault is None,
                "entries": found.entries,
                "last": found.seq,
                "hash": found.hash,
                "broken_at": found.broken_at,
                "fault": found.fault,
            }
        )
    elif found.fault:
        click.echo(f"broken at entry {found.broken_at}: {found.fault}")
    else:
        click.echo(f"{found.seq}:{found.hash}")
        say(f"The audit is whole: {found.entries} entries. Note the line above somewhere else.")
    ctx.exit(1 if found.fault else 0)


@audit.command()
@filters
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@as_option
@database_option
def export(
    person: str | None,
    action: str | None,
    from_: dt.date | None,
    to: dt.date | None,
    file: Path,
    who: str | None,
    database_url: str | None,
) -> None:
    """Write entries to FILE, the oldest first, one JSON object a line; the export is recorded."""
    only = audits.AuditFilter(person=person, action=action, from_=from_, to=to)
    database, count = open_for(database_url), 0
    try:
        with (
            database.session() as session,
            closing(audits.entries(session, only, newest_first=False)) as entries,
            file.open("w", encoding="utf-8") as out,
        ):
            for entry in entries:
                out.write(json.dumps(entry.as_json(), ensure_ascii=False) + "\n")
                count += 1
    except OSError as error:
        msg = f"{file} cannot be written ({error.strerror}); choose another place"
        raise DataError(msg, code="not_writable") from error
    with database.session(write=True) as session:
        audits.record(session, this_person(who), "audit.export", file.name, {"entries": count})
    say(f"{count} entries written to {file}")


def _printable(text: str) -> str:
    """Leave out what could steer a terminal."""
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text)
