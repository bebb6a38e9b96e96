"""Commands about access tokens: make one, list them, revoke one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from app.cli.common import (
    as_option,
    database_option,
    json_option,
    open_for,
    print_json,
    print_table,
    say,
    this_person,
)
from app.people.access import make_token
from app.people.signing_in import utc_now
from geodata.roles import SCOPES
from geodata.store import access_tokens, people
from geodata.store.access_tokens import DEFAULT_DAYS, MOST_DAYS

if TYPE_CHECKING:
    import datetime as dt

    from geodata.store.access_tokens import TokenRecord


@click.group()
def token() -> None:
    """Let programs ask the interface in somebody's name, and end that."""


@token.command()
@click.argument("name")
@click.option("--label", required=True, metavar="TEXT", help="What the token is for.")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    default=("read",),
    show_default=True,
    type=click.Choice(list(SCOPES)),
    help="What it may do at most.",
)
@click.option(
    "--days",
    type=click.IntRange(1, MOST_DAYS),
    default=DEFAULT_DAYS,
    show_default=True,
    help="How long it holds.",
)
@as_option
@database_option
@json_option
def add(
    name: str,
    label: str,
    scopes: tuple[str, ...],
    days: int,
    who: str | None,
    database_url: str | None,
    *,
    as_json: bool,
) -> None:
    """Make a token of NAME. Prints it once; it is kept as a digest."""
    when = utc_now()
    with open_for(database_url).session(write=True) as session:
        made, record = make_token(
            session,
            people.folded(name),
            label=label,
            scopes=scopes,
            days=days,
            who=this_person(who),
            when=when,
        )
    if as_json:
        print_json({**record.as_json(when), "secret": made})
        return
    say(f"Token {record.id} of {record.person} for {record.label}: {', '.join(record.scopes)}.")
    say(f"It holds until {_day(record.expires_at)} and is not shown again:")
    click.echo(made)


@token.command("list")
@click.argument("name", required=False)
@database_option
@json_option
def list_(name: str | None, database_url: str | None, *, as_json: bool) -> None:
    """List the tokens of NAME, or of everybody."""
    when = utc_now()
    with open_for(database_url).session() as session:
        wanted = None if name is None else people.get_person(session, name).name
        found = access_tokens.list_tokens(session, wanted)
    if as_json:
        print_json({"tokens": [record.as_json(when) for record in found]})
        return
    if not found:
        say("No token yet; make one: saferground token add NAME --label TEXT")
        return
    heads = ["token", "person", "for", "scopes", "state", "holds until", "last used"]
    print_table(heads, [_row(record, when) for record in found])


@token.command()
@click.argument("number", metavar="TOKEN", type=click.IntRange(1, access_tokens.LARGEST))
@as_option
@database_option
@json_option
def revoke(number: int, who: str | None, database_url: str | None, *, as_json: bool) -> None:
    """Let TOKEN, a number of "token list", in no more."""
    when = utc_now()
    with open_for(database_url).session(write=True) as session:
        record = access_tokens.revoke_token(session, number, this_person(who), when)
    if as_json:
        print_json(record.as_json(when))
    else:
        click.echo(f"token {record.id} of {record.person} for {record.label}: revoked")


def _row(record: TokenRecord, when: dt.datetime) -> list[Any]:
    return [
        record.id,
        record.person,
        record.label,
        ", ".join(record.scopes),
        record.state(when),
        _day(record.expires_at),
        _day(record.seen_at) if record.seen_at else None,
    ]


def _day(moment: dt.datetime) -> str:
    return f"{moment:%Y-%m-%d}"
