"""Settings of one installation, read from the environment once."""

from __future__ import annotations

import datetime as dt
import os
import re
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from geodata.roles import MAIL_ADDRESS, ROLES
from spatial.errors import SaferGroundError

LEAST_SECRET, LEAST_DIFFERENT = 32, 12
SECRET_BYTES = 48
KEY_FILE = "secret_key"
IDLE_MINUTES = 30
LONGEST_IDLE_MINUTES = 720
MOST_PROXIES = 5
STEP_SECONDS = 1_800
LONGEST_STEP_SECONDS = 86_400
POLL_SECONDS, HEARTBEAT_SECONDS = 1.0, 5.0
LEAST_SECONDS, MOST_SECONDS = 0.01, 30.0  # 60 without a heartbeat are a death
SHIFTS = "Day 07:00-15:00, Evening 15:00-23:00, Night 23:00-07:00"
SHIFT = re.compile(r"(?P<name>[^,]{1,40}?)\s+(?P<start>\d\d:\d\d)-(?P<end>\d\d:\d\d)")
STARTTLS, TLS, NO_TLS = "starttls", "tls", "none"
TLS_MODES = {STARTTLS: 587, TLS: 465, NO_TLS: 25}  # and the port of each (RFC 6409, RFC 8314)
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class SettingsError(SaferGroundError):
    """A setting of the environment cannot be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """An OpenID Connect provider that people may sign in through.

    ``name_claim`` is what a person's name here must equal at the first sign-in. With a
    ``role_claim``, roles follow the provider: ``roles`` says which value means which role.
    """

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    label: str = "single sign-on"
    name_claim: str = "preferred_username"
    role_claim: str | None = None
    roles: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        parts = urlsplit(self.issuer)
        if parts.scheme != "https" and parts.hostname not in LOOPBACK:
            msg = "SAFERGROUND_OIDC_ISSUER must be an https address"
            raise SettingsError(msg, code="issuer")
        for value, role in self.roles:
            if role not in ROLES:
                msg = (
                    f"SAFERGROUND_OIDC_ROLES: {value}={role} names no role; choose of "
                    f"{', '.join(ROLES)}"
                )
                raise SettingsError(msg, code="unknown_role")
        if bool(self.role_claim) != bool(self.roles):
            msg = "SAFERGROUND_OIDC_ROLE_CLAIM and SAFERGROUND_OIDC_ROLES belong together; set both"
            raise SettingsError(msg, code="role_claim")

    @classmethod
    def from_env(cls) -> Provider | None:
        """Read ``SAFERGROUND_OIDC_...``; nothing where no issuer is named.

        Raises
        ------
        SettingsError
            If a setting is missing or cannot be used.
        """
        issuer = _env("OIDC_ISSUER")
        if issuer is None:
            return None
        client_id, client_secret = _env("OIDC_CLIENT_ID"), _env("OIDC_CLIENT_SECRET")
        if client_id is None or client_secret is None:
            msg = "SAFERGROUND_OIDC_ISSUER needs SAFERGROUND_OIDC_CLIENT_ID and _CLIENT_SECRET too"
            raise SettingsError(msg, code="client")
        pairs = [pair.strip() for pair in (_env("OIDC_ROLES") or "").split(",") if pair.strip()]
        if any("=" not in pair for pair in pairs):
            msg = "SAFERGROUND_OIDC_ROLES is written VALUE=ROLE,VALUE=ROLE"
            raise SettingsError(msg, code="roles_form")
        return cls(
            issuer=issuer.rstrip("/"),
            client_id=client_id,
            client_secret=client_secret,
            label=_env("OIDC_LABEL") or "single sign-on",
            name_claim=_env("OIDC_NAME_CLAIM") or "preferred_username",
            role_claim=_env("OIDC_ROLE_CLAIM"),
            roles=tuple((pair.rpartition("=")[0], pair.rpartition("=")[2]) for pair in pairs),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """The server that mail goes out through; ``tls`` is one of ``TLS_MODES``."""

    host: str
    port: int
    sender: str
    tls: str = STARTTLS
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    @classmethod
    def from_env(cls) -> MailServer | None:
        """Read ``SAFERGROUND_SMTP_...``; nothing where no host is named.

        Raises
        ------
        SettingsError
            If a setting is missing or cannot be used.
        """
        host, sender = _env("SMTP_HOST"), _env("SMTP_FROM") or ""
        if host is None:
            return None
        tls = _env("SMTP_TLS") or STARTTLS
        if tls not in TLS_MODES:
            msg = f"SAFERGROUND_SMTP_TLS {tls[:40]!r} is none of {', '.join(TLS_MODES)}"
            raise SettingsError(msg, code="mail_tls")
        if not MAIL_ADDRESS.fullmatch(sender):
            msg = "SAFERGROUND_SMTP_HOST needs SAFERGROUND_SMTP_FROM, the address that mail is from"
            raise SettingsError(msg, code="mail_sender")
        if _env("ADDRESS") is None:
            msg = "SAFERGROUND_SMTP_HOST needs SAFERGROUND_ADDRESS, which links in mail begin with"
            raise SettingsError(msg, code="mail_links")
        user, password = _env("SMTP_USER"), _password("SMTP_PASSWORD_FILE")
        if (user is None) != (password is None):
            msg = "SAFERGROUND_SMTP_USER and SAFERGROUND_SMTP_PASSWORD_FILE belong together"
            raise SettingsError(msg, code="mail_password")
        if user is not None and tls == NO_TLS and host not in LOOPBACK:
            msg = "SAFERGROUND_SMTP_TLS none would send the password in the clear; use starttls"
            raise SettingsError(msg, code="mail_in_the_clear")
        return cls(
            host=host,
            port=_whole("SMTP_PORT", TLS_MODES[tls], 1, 65_535),
            sender=sender,
            tls=tls,
            user=user,
            password=password,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """One of the agency's shifts; one that ends no later than it starts ends on the next day."""

    name: str
    start: dt.time
    end: dt.time


def read_shifts(text: str) -> tuple[Shift, ...]:
    """Read shifts written as ``Day 07:00-15:00, Night 23:00-07:00``.

    >>> read_shifts("Late 16:00-02:00")[0].end
    datetime.time(2, 0)

    Raises
    ------
    SettingsError
        If they are not written so, or two have the same name.
    """
    found = []
    for part in text.split(","):
        result = SHIFT.fullmatch(part.strip())
        try:
            if result is None:
                raise ValueError
            start, end = (dt.time.fromisoformat(result[name]) for name in ("start", "end"))
        except ValueError as error:
            msg = f"SAFERGROUND_SHIFTS: {part.strip()[:60]!r} is no shift; write Day 07:00-15:00"
            raise SettingsError(msg, code="shift_form") from error
        found.append(Shift(name=result["name"], start=start, end=end))
    if len({shift.name for shift in found}) < len(found):
        msg = "SAFERGROUND_SHIFTS names a shift twice; give each its own name"
        raise SettingsError(msg, code="shift_twice")
    return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Where things are kept, which city the pages show, and how people sign in.

    ``instance`` holds the SQLite database, the demonstration city's files, releases and maps.
    ``city`` is a slug, or nothing for the city published last. The pages read approved
    releases only; as a ``preview`` they read the drafts that staff had made to look at. With a
    ``secret_key`` the staff side is on. ``proxies`` in front of the server are believed about the
    visitor's address and scheme; ``address`` is where people reach the pages, and ``hosts`` are
    further names that the server answers to. Sources by address
    are kept under ``sources``; ``allow_private_sources`` lets them lie in private networks.
    ``watch`` is a folder with a subfolder for each city, named by its slug, whose files a worker
    reads as they arrive. ``shifts`` are those that plans are made for as a rule. A job that comes
    to no next step in ``step_seconds`` is ended. A worker looks for jobs and reports how far its
    own is every ``poll_seconds``, and says that it is alive every ``heartbeat_seconds``.
    """

    database_url: str
    instance: Path
    city: str | None = None
    secret_key: str | None = field(default=None, repr=False)
    preview: bool = False
    idle_minutes: int = IDLE_MINUTES
    proxies: int = 0
    address: str | None = None
    hosts: tuple[str, ...] = ()
    provider: Provider | None = None
    mail: MailServer | None = None
    watch: Path | None = None
    allow_private_sources: bool = False
    socrata_token: str | None = None
    shifts: tuple[Shift, ...] = read_shifts(SHIFTS)
    step_seconds: int = STEP_SECONDS
    poll_seconds: float = POLL_SECONDS
    heartbeat_seconds: float = HEARTBEAT_SECONDS

    @property
    def sources(self) -> Path:
        """Folder of what was fetched from addresses."""
        return self.instance / "sources"

    @property
    def photos(self) -> Path:
        """Folder of photos of actions; never served as a folder."""
        return self.instance / "photos"

    @property
    def uploads(self) -> Path:
        """Folder of files that people handed in and that belong to no city yet."""
        return self.instance / "uploads"

    @property
    def cities(self) -> Path:
        """Folder of the cities whose sources are kept by the workbench."""
        return self.instance / "cities"

    @property
    def releases(self) -> Path:
        """Folder of the releases of all cities."""
        return self.instance / "releases"

    @property
    def previews(self) -> Path:
        """Folder of the drafts that staff look at; never public."""
        return self.instance / "previews"

    @property
    def preview_maps(self) -> Path:
        """Folder of the maps of previews; no city is called so."""
        return self.previews / ".maps"

    @property
    def idle(self) -> dt.timedelta:
        """How long a session lives that nobody uses."""
        return dt.timedelta(minutes=self.idle_minutes)

    @property
    def maps(self) -> Path:
        """Folder of built maps."""
        return self.instance / "maps"

    @property
    def key_file(self) -> Path:
        """File of the secret key, where the environment names none."""
        return self.instance / KEY_FILE

    def __post_init__(self) -> None:
        if self.secret_key is not None:
            require_strong(self.secret_key, "the secret key")
        if self.address is not None:
            require_address(self.address)

    @classmethod
    def from_env(cls) -> Settings:
        """Read ``SAFERGROUND_...``; the secret key from the instance folder if none is named.

        Also ``SAFERGROUND_ALLOW_PRIVATE_SOURCES`` and ``SAFERGROUND_SOCRATA_TOKEN``.

        Raises
        ------
        SettingsError
            If a setting cannot be used.
        """
        instance = Path(os.environ.get("SAFERGROUND_INSTANCE") or "instance").absolute()
        default = f"sqlite:///{instance / 'saferground.sqlite'}"
        key = _env("SECRET_KEY")
        if key is not None:
            require_strong(key, "SAFERGROUND_SECRET_KEY")
        return cls(
            database_url=_env("DATABASE") or default,
            instance=instance,
            city=_env("CITY"),
            secret_key=key or read_secret_key(instance / KEY_FILE),
            preview=_env("PREVIEW") == "1",
            idle_minutes=_whole("IDLE_MINUTES", IDLE_MINUTES, 1, LONGEST_IDLE_MINUTES),
            proxies=_whole("PROXIES", 0, 0, MOST_PROXIES),
            address=_env("ADDRESS"),
            hosts=tuple((_env("HOSTS") or "").replace(",", " ").split()),
            provider=Provider.from_env(),
            mail=MailServer.from_env(),
            watch=_folder("WATCH"),
            allow_private_sources=_env("ALLOW_PRIVATE_SOURCES") == "1",
            socrata_token=_env("SOCRATA_TOKEN"),
            shifts=read_shifts(_env("SHIFTS") or SHIFTS),
            step_seconds=_whole("STEP_SECONDS", STEP_SECONDS, 1, LONGEST_STEP_SECONDS),
            poll_seconds=_seconds("POLL_SECONDS", POLL_SECONDS),
            heartbeat_seconds=_seconds("HEARTBEAT_SECONDS", HEARTBEAT_SECONDS),
        )


def require_address(address: str) -> None:
    """Refuse a public address that no link can be built on.

    Raises
    ------
    SettingsError
        If it is not the whole address of a site.
    """
    try:
        parts = urlsplit(address)
        right = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        right = False
    if not right or parts.query or parts.fragment:
        msg = (
            f"SAFERGROUND_ADDRESS {address[:80]!r} must be the whole address of this site, such as "
            "https://safer.example.org"
        )
        raise SettingsError(msg, code="address")


def require_strong(key: str, what: str) -> None:
    """Refuse a secret key that could be guessed.

    Raises
    ------
    SettingsError
        If it is short or made of few different characters.
    """
    if len(key) >= LEAST_SECRET and len(set(key)) >= LEAST_DIFFERENT:
        return
    fault = (
        f"is shorter than {LEAST_SECRET} characters"
        if len(key) < LEAST_SECRET
        else f"has fewer than {LEAST_DIFFERENT} different characters"
    )
    msg = (
        f"{what} {fault}; make one with: "
        "python -c 'import secrets; print(secrets.token_urlsafe(48))'"
    )
    raise SettingsError(msg, code="secret_key_weak")


def read_secret_key(path: Path) -> str | None:
    """Read the secret key of an instance, nothing where there is none yet.

    Raises
    ------
    SettingsError
        If the file cannot be read, is open to everybody, or holds no strong key.
    """
    try:
        if path.stat().st_mode & 0o007:
            msg = f"{path} is open to every user of this machine; run: chmod 600 {path}"
            raise SettingsError(msg, code="secret_key_open")
        key = path.read_text(encoding="utf-8").strip()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, UnicodeDecodeError) as error:
        text = getattr(error, "strerror", None) or "it is no text"
        msg = f"the secret key {path} cannot be read ({text}); mend it, or restore it from a copy"
        raise SettingsError(msg, code="secret_key_unreadable") from error
    require_strong(key, f"the secret key in {path}")
    return key


def make_secret_key(path: Path) -> str:
    """Make the secret key of an instance, for its owner's eyes only; one that is there stays.

    Raises
    ------
    SettingsError
        If it cannot be written.
    """
    there = read_secret_key(path)
    if there is not None:
        return there
    key = secrets.token_urlsafe(SECRET_BYTES)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            out.write(key + "\n")
    except OSError as error:
        msg = f"the secret key {path} cannot be written ({error.strerror}); choose another instance"
        raise SettingsError(msg, code="secret_key_not_writable") from error
    return key


def _env(name: str) -> str | None:
    return os.environ.get(f"SAFERGROUND_{name}") or None


def _whole(name: str, default: int, least: int, most: int) -> int:
    text = _env(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and least <= int(text[:9]) <= most):
        msg = f"SAFERGROUND_{name} {text[:40]!r} must be a whole number from {least} to {most}"
        raise SettingsError(msg, code="whole_number")
    return int(text)


def _folder(name: str) -> Path | None:
    """Return a folder that a setting names and that is there."""
    text = _env(name)
    if text is not None and not Path(text).is_dir():
        msg = f"SAFERGROUND_{name}: there is no folder {text[:200]}; make it, or name another one"
        raise SettingsError(msg, code="no_folder")
    return Path(text).absolute() if text else None


def _password(name: str) -> str | None:
    """Return the first line of a file that a setting names."""
    path = _env(name)
    if path is None:
        return None
    try:
        text = Path(path).read_text(encoding="utf-8").splitlines()[0].strip()
    except (OSError, UnicodeDecodeError, IndexError) as error:
        fault = getattr(error, "strerror", None) or "it holds no line of text"
        msg = f"SAFERGROUND_{name}: {path} cannot be read ({fault})"
        raise SettingsError(msg, code="unreadable_file") from error
    return text


def _seconds(name: str, default: float) -> float:
    """Read seconds between two looks of a worker."""
    try:
        value = float(_env(name) or default)
    except ValueError:
        value = 0.0
    if not LEAST_SECONDS <= value <= MOST_SECONDS:
        msg = f"SAFERGROUND_{name} must be seconds from {LEAST_SECONDS} to {MOST_SECONDS:.0f}"
        raise SettingsError(msg, code="seconds_range")
    return value
