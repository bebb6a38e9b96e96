"""The languages of pages: which one an answer is in, and where its words come from.

The address wins (``lang=es``), so that a shared link shows the language it was shared in; then the
language chosen with the switch, kept in a cookie; then what the browser asks for; then English.
Outside of an answer (commands, reports, files) everything is English.

Catalogues are read as the text they are kept in when the application starts. Nothing has to be
compiled first, so a clean clone, a wheel and the tests all show the same words, and no compiled
file can be older than its text.
"""

from __future__ import annotations

import io
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit

from babel import Locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations
from flask import Blueprint, Flask, current_app, has_request_context, redirect, request, url_for
from flask_babel import Babel, Domain, force_locale, get_locale, gettext
from markupsafe import Markup
from werkzeug.exceptions import NotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    from flask import Response
    from werkzeug.wrappers import Response as Redirection

    View = TypeVar("View", bound=Callable[..., Any])

ENGLISH = "en"
NAMES = {"en": "English", "es": "Español"}
LOCALES = {  # of the United States, where Spanish too writes 1,234.5
    "en": Locale("en", "US"),
    "es": Locale("es", "US"),
}
FOLDER = Path(__file__).parents[1] / "translations"
DATA = "en"  # of what city files, initiatives and the engine say in their own words
FIELD, COOKIE = "lang", "language"
YEAR_S = 365 * 24 * 60 * 60
MACHINES = (  # endpoints whose answers are the same in every language
    "static",
    "api.",
    "health.",
    "public.map_file",
    "data.file",
    "data.release_file",
    "data.everything",
    "data.release_archive",
    "data.manifest",
    "data.release_manifest",
    "explore.area_table",
)
STAFF = (  # pages that are in English only, but for those named below
    "staff.",
    "account.",
    "admin.",
    "ground.",
    "analyst.",
    "sources.",
    "uploads.",
    "new_city.",
    "runs.",
    "work.",
    "reading.",
    "drafts.",
    "previews.",
    "visits.",
    "board.",
    "command.",
    "plans.",
    "outcome.",
    "actions.",
)

BOTH = (  # pages and files of the staff that are in the reader's language
    "outcome.evaluation",
    "outcome.areas",
    "outcome.chart",
    "plans.plan",
    "plans.change",
    "plans.map_",
    "plans.sheet",
    "plans.file",
)

bp = Blueprint("language", __name__)


def N_(text: str) -> str:  # noqa: N802 - the name that tools for translation know
    """Mark a text for the catalogue that is translated later, where it is shown."""
    return text


def translated(text: str) -> str:
    """Return a text in the language of the answer; one that no catalogue knows stays as it is.

    >>> translated("Measures"), translated("")
    ('Measures', '')
    """
    return gettext(text) if text else ""


def locale() -> Locale:
    """Return the locale of the answer that is being made, and the English one outside of any."""
    return get_locale() or LOCALES[ENGLISH]


def code() -> str:
    """Return the language of the answer that is being made: ``en`` or ``es``."""
    return locale().language


def requested() -> str | None:
    """Return the language that the address asks for, if it is one of ours."""
    wanted = request.args.get(FIELD) if has_request_context() else None
    return wanted if wanted in NAMES else None


def by_address(view: View) -> View:
    """Mark a view whose answer is kept by others: its language depends on its address alone."""
    view.language_by_address = True  # type: ignore[attr-defined]
    return view


@dataclass(frozen=True, kw_only=True)
class LanguageChoice:
    """One language in the switch: where it is switched on, and the address that is in it."""

    code: str
    name: str
    current: bool
    switch: str
    address: str


@dataclass(frozen=True, kw_only=True)
class PageLanguage:
    """What templates know of languages.

    ``kept`` is the language in the address, which forms have to carry on; ``plain`` the address
    that takes its language from the browser.
    """

    code: str
    kept: str
    plain: str
    choices: tuple[LanguageChoice, ...]


class Catalogues(Domain):  # type: ignore[misc] # Flask-Babel has no types
    """The translations of every language, read once from their text."""

    def __init__(self, found: dict[str, Translations]) -> None:
        super().__init__()
        self._found = found

    def get_translations(self) -> Translations:
        """Return those of the language of the answer."""
        return self._found[code()]


class _OurBabel(Babel):  # type: ignore[misc] # Flask-Babel has no types
    def __init__(self, found: dict[str, Translations]) -> None:
        super().__init__()
        self.domain_instance = Catalogues(found)


def catalogue_path(language: str) -> Path:
    """Return the file of a language's catalogue."""
    return FOLDER / language / "LC_MESSAGES" / "messages.po"


@cache
def read_catalogue(path: Path) -> Translations:
    """Return a catalogue, read from its text once a process, as an app is made for each preview."""
    with path.open("rb") as text:
        catalogue = read_po(text)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Translations(compiled)


def register(app: Flask) -> None:
    """Make an application speak its languages."""
    _start(app)
    app.jinja_env.globals["language"] = page_language
    app.jinja_env.globals["data_lang"] = data_lang
    app.jinja_env.globals["speaks_both"] = speaks_both
    app.jinja_env.filters["translated"] = translated
    app.register_blueprint(bp)
    app.url_defaults(_keep)
    app.after_request(_tell)


def _start(app: Flask) -> None:
    found = {name: read_catalogue(catalogue_path(name)) for name in NAMES if name != ENGLISH}
    babel = _OurBabel({ENGLISH: Translations(), **found})
    babel.init_app(app, default_locale=str(LOCALES[ENGLISH]), locale_selector=_select)


@contextmanager
def speaking(name: str) -> Iterator[None]:
    """Speak a language where no answer is being made, as when files of both are drawn."""
    app = Flask(__name__)
    _start(app)
    with app.app_context(), force_locale(str(LOCALES[name])):
        yield


def page_language() -> PageLanguage:
    """Tell a template its language and the others, for the same path and query."""
    now = code()
    path, query = request.script_root + request.path, list(request.args.items(multi=True))
    return PageLanguage(
        code=now,
        kept=requested() or "",
        plain=path + _in_language(query, None),
        choices=tuple(
            LanguageChoice(
                code=name,
                name=result,
                current=name == now,
                switch=url_for("language.switch", name=name, to=path + _in_language(query, name)),
                address=path + _in_language(query, name),
            )
            for name, result in NAMES.items()
        ),
    )


def data_lang() -> Markup:
    """Give the attribute for a text that a city wrote itself, where the page is in another one."""
    return Markup("") if code() == DATA else Markup(' lang="{}"').format(DATA)


@bp.get("/language/<name>")
def switch(name: str) -> Redirection:
    """Keep a language in a cookie and go on to the page in it; only to one of this site."""
    if name not in NAMES:
        raise NotFound
    to = urlsplit(request.args.get("to", ""))
    path = to.path if is_ours(request.args.get("to", "")) else url_for("public.home")
    query = parse_qsl(to.query, keep_blank_values=True) if path == to.path else []
    response = redirect(path + _in_language(query, name), 303)
    response.set_cookie(
        COOKIE, name, max_age=YEAR_S, secure=request.is_secure, httponly=True, samesite="Lax"
    )
    response.cache_control.no_store = True
    return response


def is_ours(to: str) -> bool:
    """Return whether an address is a path of this site; browsers read a backslash as a slash."""
    return to.startswith("/") and not to.startswith("//") and "\\" not in to and to.isprintable()


def _in_language(query: Iterable[tuple[str, str]], name: str | None) -> str:
    """Write a query with another language, or with none."""
    pairs = [(field, value) for field, value in query if field != FIELD]
    pairs += [(FIELD, name)] if name else []
    return f"?{urlencode(pairs)}" if pairs else ""


def speaks_both() -> bool:
    """Return whether the page of the staff that is being made is in the reader's language."""
    return request.endpoint in BOTH


def _is_english(endpoint: str) -> bool:
    """Return whether an answer is in English whoever reads it."""
    return endpoint.startswith((*MACHINES, *STAFF)) and endpoint not in BOTH


def _is_kept(endpoint: str | None) -> bool:
    view = current_app.view_functions.get(endpoint or "")
    return bool(getattr(view, "language_by_address", False))


def _select() -> Locale:
    """Choose the locale of an answer."""
    if not has_request_context() or request.path.startswith("/api/v1/"):
        return LOCALES[ENGLISH]
    if _is_english(request.endpoint or ""):
        return LOCALES[ENGLISH]
    wanted = requested()
    if wanted is None and not _is_kept(request.endpoint):
        cookie = request.cookies.get(COOKIE)
        wanted = cookie if cookie in NAMES else _of_browser()
    return LOCALES[wanted or ENGLISH]


def _of_browser() -> str | None:
    """Return the first of our languages that the browser asks for, in whatever country."""
    for tag, quality in request.accept_languages:  # the most wanted first
        name = tag.partition("-")[0].lower()
        if name in NAMES and quality > 0:
            return name
    return None


def _keep(endpoint: str, values: dict[str, object]) -> None:
    """Carry the language on in links: where the address requested it, and to what others keep."""
    if FIELD in values or endpoint.startswith("language.") or _is_english(endpoint):
        return
    if _is_kept(endpoint):
        if code() != ENGLISH:
            values[FIELD] = code()
    elif wanted := requested():
        values[FIELD] = wanted


def _tell(response: Response) -> Response:
    """Tell caches what a page depends on, and readers what language it is in."""
    if response.mimetype == "text/html":
        response.headers["Content-Language"] = code()
        if not _is_kept(request.endpoint):
            response.vary.update(["Accept-Language", "Cookie"])
    return response
