"""Commands about people: who may sign in, with which roles, and where they are signed in.

Commands about access tokens: make one, list them, revoke one.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from app.auth import secrets
from app.auth.locks import forgive_address, forgive_name, network
from app.auth.programs import make_token
from app.auth.sign_in import offer_setup
from app.cli.common import (
    as_option,
    database_option,
    json_option,
    open_for,
    print_json,
    print_table,
    say,
    settings_for,
    this_person,
)
from geodata.clock import utc_now
from geodata.errors import PersonError
from geodata.repositories import audit, people, sessions
from geodata.repositories.sessions import DEFAULT_DAYS, MOST_DAYS
from geodata.roles import ROLES, SCOPES

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from geodata.repositories.people import PersonRecord
    from geodata.repositories.sessions import TokenRecord


role_option = click.option(
    "--role", "roles", multiple=True, required=True, type=click.Choice(list(ROLES)), help="Role."
)
district_option = click.option(
    "--district",
    "districts",
    multiple=True,
    metavar="ID",
    help="District of an officer or commander; city/ID where several cities have it.",
)
DEFAULT_ADDRESS = "http://127.0.0.1:8000"


@click.group()
def user() -> None:
    """Add people, change what they may, and end their sessions."""


@user.command()
@click.argument("name")
@role_option
@district_option
@click.option("--display", default="", metavar="TEXT", help="Name to show [default: NAME].")
@click.option("--email", default="", metavar="ADDRESS", help="Where mail about drafts goes.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@click.option("--provider", is_flag=True, help="Signs in through the OpenID provider.")
@as_option
@database_option
@json_option
def add(
    name: str,
    roles: tuple[str, ...],
    districts: tuple[str, ...],
    display: str,
    email: str,
    who: str | None,
    database_url: str | None,
    *,
    password_stdin: bool,
    provider: bool,
    as_json: bool,
) -> None:
    """Let NAME sign in. Prints a link, good once and for a day, to choose a password with.

    One-time codes are set up at the first sign-in.
    """
    if password_stdin and provider:
        msg = "--password-stdin and --provider exclude each other"
        raise click.UsageError(msg)
    stored = _digest_from_stdin(name, display) if password_stdin else None
    by, when, token = this_person(who), utc_now(), None
    with open_for(database_url).session(write=True) as session:
        person = people.add_person(
            session,
            name,
            roles=roles,
            districts=_districts(session, districts),
            display=display,
            email=email,
            from_provider=provider,
            who=by,
            when=when,
        )
        if stored is not None:
            person = people.set_password(session, person.name, stored, who=by, when=when)
        elif not provider:
            token = offer_setup(session, person.name, by, when)
    _tell(person, _link(database_url, token), as_json=as_json)


@user.command("list")
@database_option
@json_option
def list_(database_url: str | None, *, as_json: bool) -> None:
    """List everybody."""
    with open_for(database_url).session() as session:
        found = people.list_people(session)
    if as_json:
        print_json({"people": [person.as_json() for person in found]})
        return
    if not found:
        say("Nobody yet; make the first: saferground user add NAME --role administrator")
        return
    print_table(
        ["name", "roles", "districts", "state", "signs in"],
        [
            [
                person.name,
                ", ".join(person.roles),
                ", ".join(person.districts) or None,
                person.state,
                _how(person),
            ]
            for person in found
        ],
    )


@user.command()
@click.argument("name")
@role_option
@district_option
@as_option
@database_option
@json_option
def roles(
    name: str,
    roles: tuple[str, ...],
    districts: tuple[str, ...],
    who: str | None,
    database_url: str | None,
    *,
    as_json: bool,
) -> None:
    """Give NAME these roles and districts and no others; sessions end."""
    with open_for(database_url).session(write=True) as session:
        person = people.change_roles(
            session,
            name,
            roles=roles,
            districts=_districts(session, districts),
            who=this_person(who),
            when=utc_now(),
        )
    _tell(person, None, as_json=as_json)


@user.command("email")
@click.argument("name")
@click.argument("address", default="")
@as_option
@database_option
@json_option
def email_(
    name: str, address: str, who: str | None, database_url: str | None, *, as_json: bool
) -> None:
    """Send mail for NAME to ADDRESS; without one, send none."""
    with open_for(database_url).session(write=True) as session:
        person = people.change_email(session, name, address, this_person(who))
    _tell(person, None, as_json=as_json)


@user.command()
@click.argument("name")
@as_option
@database_option
@json_option
def disable(name: str, who: str | None, database_url: str | None, *, as_json: bool) -> None:
    """Let NAME sign in no more; sessions end."""
    _change_state(name, people.DISABLED, who, database_url, as_json=as_json)


@user.command()
@click.argument("name")
@as_option
@database_option
@json_option
def enable(name: str, who: str | None, database_url: str | None, *, as_json: bool) -> None:
    """Let NAME, who was disabled, sign in again."""
    _change_state(name, people.ACTIVE, who, database_url, as_json=as_json)


@user.command()
@click.argument("name")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@as_option
@database_option
@json_option
def reset(
    name: str,
    who: str | None,
    database_url: str | None,
    *,
    password_stdin: bool,
    as_json: bool,
) -> None:
    """Take password and codes from NAME; prints a link to set them up anew. Sessions end."""
    stored = _digest_from_stdin(name) if password_stdin else None
    by, when = this_person(who), utc_now()
    with open_for(database_url).session(write=True) as session:
        token: str | None = offer_setup(session, name, by, when)
        if stored is not None:
            people.set_password(session, name, stored, who=by, when=when)
            token = None
        person = people.get_person(session, name)
    _tell(person, _link(database_url, token), as_json=as_json)


@user.command()
@click.argument("name", required=False)
@click.option("--address", help="An address, over all names, instead of a NAME.")
@as_option
@database_option
@json_option
def unlock(
    name: str | None,
    address: str | None,
    who: str | None,
    database_url: str | None,
    *,
    as_json: bool,
) -> None:
    """Forget the failed sign-ins of NAME, or of an address, so that nobody has to wait."""
    if (name is None) == (address is None):
        msg = "name somebody, or an --address, and not both"
        raise click.UsageError(msg)
    if address is not None and network(address) == "unknown":
        msg = f"{address[:60]!r} is no IPv4 or IPv6 address"
        raise click.BadParameter(msg, param_hint="--address")
    with open_for(database_url).session(write=True) as session:
        if name is not None:
            what = people.get_person(session, name).name
            count = forgive_name(session, what)
        else:
            what = network(address or "")
            count = forgive_address(session, what)
        document = {"counts": count, "by": "name" if name else "address"}
        audit.record(session, this_person(who), "sign_in.unlock", what, document)
    if as_json:
        print_json({"unlocked": what, "counts": count})
    else:
        say(f"{what}: {'unlocked' if count else 'nothing was counted'}.")


@user.command("sessions")
@click.argument("name")
@click.option("--end", is_flag=True, help="End them.")
@as_option
@database_option
@json_option
def sessions_(
    name: str, who: str | None, database_url: str | None, *, end: bool, as_json: bool
) -> None:
    """List where NAME is signed in, or end that."""
    settings, when = settings_for(database_url), utc_now()
    with open_for(database_url).session(write=end) as session:
        person = people.get_person(session, name)
        found = sessions.open_sessions(session, person.id, when - settings.idle)
        if end:
            ended = sessions.end_sessions(session, person.id, "ended by command", when)
            document = {"sessions": ended}
            audit.record(session, this_person(who), "person.sessions_ended", person.name, document)
    if as_json:
        rows = [
            {"browser": one.agent, "since": _moment(one.created_at), "seen": _moment(one.seen_at)}
            for one in found
        ]
        print_json({"name": person.name, "ended": end, "sessions": rows})
        return
    if found:
        rows_ = [[one.agent, _moment(one.created_at), _moment(one.seen_at)] for one in found]
        print_table(["browser", "since", "last used"], rows_)
    else:
        say(f"{person.name} is signed in nowhere.")
    if end:
        say("Ended.")


def tell_first_administrator(database_url: str | None) -> None:
    """Say how to make the first administrator, where there is none."""
    with open_for(database_url).session() as session:
        if people.count_active(session):
            return
    say(
        "Nobody can sign in yet. Make the first administrator in another terminal:\n"
        "    saferground user add NAME --role administrator\n"
        "It prints a link to choose a password with."
    )


def _change_state(
    name: str, state: str, who: str | None, database_url: str | None, *, as_json: bool
) -> None:
    with open_for(database_url).session(write=True) as session:
        person = people.change_state(session, name, state, this_person(who), utc_now())
    _tell(person, None, as_json=as_json)


def _digest_from_stdin(*names: str) -> str:
    password = sys.stdin.readline().rstrip("\r\n")
    return secrets.digest(secrets.require_good(password, *names))


def _districts(session: Session, wanted: Sequence[str]) -> list[str]:
    """Return districts as they are stored, from ids alone where only one city has them."""
    known = [value for value, _ in people.all_districts(session)]
    found = []
    for one in wanted:
        fits = [value for value in known if one in (value, value.partition("/")[2])]
        if len(fits) > 1 and one not in fits:
            msg = f"several cities have a district {one!r}; write one of {', '.join(fits)}"
            raise PersonError(msg, code="ambiguous_district")
        found.append(one if one in fits or not fits else fits[0])
    return found


def _link(database_url: str | None, token: str | None) -> str | None:
    if token is None:
        return None
    address = settings_for(database_url).address or DEFAULT_ADDRESS
    return f"{address.rstrip('/')}/setup/{token}"


def _tell(person: PersonRecord, link: str | None, *, as_json: bool) -> None:
    if people.needs_districts(person):
        say(f"note: {person.name} has no district yet and sees none; name some with --district")
    if as_json:
        print_json({**person.as_json(), "setup": link})
        return
    click.echo(f"{person.name}: {', '.join(person.roles)}; {person.state}; {_how(person)}")
    if person.districts:
        click.echo(f"districts: {', '.join(person.districts)}")
    if person.email:
        click.echo(f"mail: {person.email}")
    if link:
        say("Hand this link over privately; it works once, and for a day:")
        click.echo(link)


def _how(person: PersonRecord) -> str:
    if person.from_provider:
        return "through the provider"
    if person.password_hash is None:
        return "not set up yet"
    return "password and code" if person.codes else "password; codes not set up yet"


def _moment(when: dt.datetime) -> str:
    return when.isoformat(timespec="seconds") + "Z"


@click.group()
def token() -> None:
    """Let programs ask the interface in somebody's name, and end that."""


@token.command("add")
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
def add_token(
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
def list_tokens(name: str | None, database_url: str | None, *, as_json: bool) -> None:
    """List the tokens of NAME, or of everybody."""
    when = utc_now()
    with open_for(database_url).session() as session:
        wanted = None if name is None else people.get_person(session, name).name
        found = sessions.list_tokens(session, wanted)
    if as_json:
        print_json({"tokens": [record.as_json(when) for record in found]})
        return
    if not found:
        say("No token yet; make one: saferground token add NAME --label TEXT")
        return
    heads = ["token", "person", "for", "scopes", "state", "holds until", "last used"]
    print_table(heads, [_row(record, when) for record in found])


@token.command()
@click.argument("number", metavar="TOKEN", type=click.IntRange(1, sessions.LARGEST))
@as_option
@database_option
@json_option
def revoke(number: int, who: str | None, database_url: str | None, *, as_json: bool) -> None:
    """Let TOKEN, a number of "token list", in no more."""
    when = utc_now()
    with open_for(database_url).session(write=True) as session:
        record = sessions.revoke_token(session, number, this_person(who), when)
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
