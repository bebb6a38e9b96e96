"""The command that serves the pages."""

from __future__ import annotations

import socket
import threading
from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from app import create_app
from app.auth.demo_links import disable_people
from app.cli.account_commands import tell_first_administrator
from app.cli.common import database_option, open_for, say, settings_for
from app.cli.worker_command import repair
from app.config import SettingsError
from app.jobs.embedded import EmbeddedWorker
from app.private import close_instance
from app.server import make_server
from geodata.clock import utc_now
from spatial.errors import SaferGroundError

if TYPE_CHECKING:
    from flask import Flask

    from app.config import Settings

DEFAULT_PORT = 8000
EVERY_HOST = ("0.0.0.0", "::")  # noqa: S104 - what listens everywhere has no name of its own


class PortTakenError(SaferGroundError):
    """The port cannot be had."""


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(1, 65535), default=DEFAULT_PORT, show_default=True)
@click.option("--preview", is_flag=True, help="Show what is not published, for staff only.")
@click.option("--public", is_flag=True, help="The public part alone: no sign-in, no database.")
@click.option(
    "--worker/--no-worker",
    "with_worker",
    default=None,
    help="Work on jobs too, in a process of its own [default: where there is a secret key].",
)
@database_option
def serve(
    host: str,
    port: int,
    database_url: str | None,
    *,
    preview: bool,
    public: bool,
    with_worker: bool | None,
) -> None:
    """Serve the public pages of the published releases, and the staff's."""
    settings = _known_as(host, _settings(database_url, public=public, preview=preview))
    require_free_port(host, port)
    close_instance(settings)
    staff = settings.secret_key is not None
    if staff:
        database = open_for(database_url)
        repair(database, settings)
        with database.session(write=True) as session:
            disable_people(session, utc_now())  # which a demonstration that was killed left open
        tell_first_administrator(database_url)
    with_worker = staff if with_worker is None else with_worker
    with EmbeddedWorker(settings.database_url) if with_worker else nullcontext():
        run_server(create_app(settings), host, port)


def _settings(database_url: str | None, *, public: bool, preview: bool) -> Settings:
    """Return the settings to serve with; without a secret key only the public part can be."""
    settings = settings_for(database_url)
    if public and (preview or settings.preview):
        msg = "--public serves releases alone; --preview shows what is not published"
        raise click.UsageError(msg)
    if public:
        return replace(settings, secret_key=None)
    if settings.secret_key is None:
        msg = (
            f"there is no secret key in SAFERGROUND_SECRET_KEY or {settings.key_file}; make one "
            "with: saferground init, or serve the public part alone: saferground serve --public"
        )
        raise SettingsError(msg, code="no_secret_key")
    return replace(settings, preview=settings.preview or preview)


def _known_as(host: str, settings: Settings) -> Settings:
    """Answer to the bound host; where that is all of them, say how others are named."""
    if host not in EVERY_HOST:
        return replace(settings, hosts=(*settings.hosts, host))
    if not settings.address and not settings.hosts:
        say(
            "note: only this machine's own name is answered; name the address that people use in "
            "SAFERGROUND_ADDRESS, such as https://safer.example.org"
        )
    return settings


def require_free_port(host: str, port: int) -> None:
    """Fail early, and say what to do, where a port is taken."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            msg = f"cannot listen on {host} port {port} ({error.strerror}); choose another --port"
            raise PortTakenError(msg) from error


def run_server(app: Flask, host: str, port: int) -> None:
    """Serve until stopped."""
    label = f"[{host}]" if ":" in host else host
    say(f"Safer Ground is at http://{label}:{port}/ (stop with Ctrl+C)")
    threading.Thread(target=app.extensions["saferground.site"].warm, daemon=True).start()
    make_server(app, host, port).run()
