import datetime as dt
import re
from dataclasses import replace
from html import unescape

import pytest
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po
from babel.support import Translations
from releasing import TODAY, Publisher, keep_run, tell_initiatives

from app import create_app, forms, translatable
from app.config import Settings
from app.i18n import import_words, language, measure_words, numbers
from app.i18n.language import NAMES, catalogue_path
from app.private import template_dir
from app.site_documents import site_files
from geodata.cityfile.initiatives import SECTIONS
from geodata.db.engine import open_database, upgrade
from geodata.ingest.placing import REMEDIES
from geodata.measures.registry import MEASURES
from geodata.readers.delimited import OTHER_COLUMNS
from geodata.releases.build import approve_release, draft_release
from geodata.releases.rules import RULES

CHECKOUT = template_dir().parent
OTHERS = [name for name in NAMES if name != language.ENGLISH]
PAGES = (
    "/",
    "/map",
    "/zones/",
    "/methods/",
    "/methods/validation",
    "/initiatives/",
    "/initiatives/community-policing-strategies",
    "/measures/",
    "/measures/?period=all&district=D2",
    "/measures/alerts.confirmed",
    "/measures/dirtbike.complaints?by=week",
    "/measures/events.both",
    "/measures/nothing",
    "/nothing",
)


@pytest.fixture(scope="module")
def messages():
    """Every message of the code and the templates, by its English."""
    if not (CHECKOUT / "babel.cfg").is_file():
        pytest.skip("not a checkout")
    with (CHECKOUT / "babel.cfg").open() as mapping:
        methods, options = parse_mapping_cfg(mapping)
    keywords = DEFAULT_KEYWORDS | {"lazy_gettext": None}  # as the Makefile says
    found = extract_from_dir(CHECKOUT, methods, options, keywords=keywords)
    return {_key(message): message for _, _, message, _, _ in found}


def _key(message):
    return message if isinstance(message, str) else message[0]


def catalogue(name):
    with catalogue_path(name).open("rb") as text:
        return read_po(text)


# catalogues


@pytest.mark.parametrize("name", OTHERS)
def test_a_catalogue_has_every_message_and_no_other(messages, name):
    told = {_key(message.id) for message in catalogue(name) if message.id}
    assert sorted(set(messages) - told) == [], "run `make messages` and translate"
    assert sorted(told - set(messages)) == [], "run `make messages`"
    assert not catalogue(name).obsolete


@pytest.mark.parametrize("name", OTHERS)
def test_nothing_is_left_out_or_unsure(messages, name):
    for message in catalogue(name):
        if message.id:
            forms_told = [message.string] if isinstance(message.string, str) else message.string
            assert all(forms_told), message.id
            assert not message.fuzzy, message.id
            many = isinstance(messages[_key(message.id)], tuple)
            assert message.pluralizable is many, message.id


PARTS = re.compile(r"%\(\w+\)[sd]|%%|(?<![%(])\{\w+\}|</?\w+[^>]*>")


@pytest.mark.parametrize("name", OTHERS)
def test_a_translation_has_the_same_parts(name):
    for message in catalogue(name):
        if message.id:
            english = message.id if message.pluralizable else (message.id, message.id)
            told = message.string if message.pluralizable else (message.string, message.string)
            for one, other in zip(english, told, strict=True):
                assert sorted(PARTS.findall(one)) == sorted(PARTS.findall(other)), one


def test_texts_of_the_layers_below_are_messages(messages):
    for measure in MEASURES.values():
        assert set(translatable.told_of(measure)) <= set(messages)
    assert set(SECTIONS.values()) <= set(messages)


def test_reasons_why_rows_are_left_out_are_messages(messages):
    """Reports store them as they stand; a new one has to be named for the catalogue."""
    source = "\n".join(path.read_text() for path in (CHECKOUT / "geodata").rglob("*.py"))
    reasons = set(re.findall(r'leave_out\(\s*"([^"]+)"', source))
    assert reasons
    assert reasons | set(REMEDIES) | {OTHER_COLUMNS} <= set(import_words.REASONS)
    assert {*import_words.REASONS, *import_words.KINDS} <= set(messages)
    assert set(import_words.reasons_of_fields()) <= set(messages)


def test_fixed_texts_that_a_release_keeps_are_told_in_the_readers_language(client):
    """Kinds of sources and rules of publishing are stored as they stand, and are messages."""
    html = client.get("/methods/?lang=es").get_data(as_text=True)
    table = html[html.index('id="data"') : html.index('id="settings"')]
    assert "factores" in table
    assert ">factors<" not in table
    html = client.get("/data/?lang=es").get_data(as_text=True)
    rules = re.findall(r"<dd[^>]*>(.*?)</dd>", html[html.index('<dl class="rules">') :], re.DOTALL)
    assert rules[: len(RULES.texts)]
    assert not any(' lang="en"' in rule for rule in rules[: len(RULES.texts)])
    assert not set(RULES.texts.values()) & {unescape(rule) for rule in rules}


def test_a_catalogue_that_cannot_be_read_stops_the_start(tmp_path):
    (tmp_path / "messages.po").write_text('msgid "a"\nmsgstr "b"\n"')
    assert language.read_catalogue(tmp_path / "messages.po").gettext("a") == "b"
    with pytest.raises(FileNotFoundError):
        language.read_catalogue(tmp_path / "none.po")


# which language


@pytest.mark.parametrize(
    ("address", "cookie", "browser", "told"),
    [
        ("/zones/", None, None, "en"),
        ("/zones/", None, "es-MX,es;q=0.9,en;q=0.5", "es"),
        ("/zones/", None, "fr,de;q=0.8", "en"),
        ("/zones/", None, "en-US,es;q=0.3", "en"),
        ("/zones/", "es", "en", "es"),
        ("/zones/", "xx", "es", "es"),
        ("/zones/?lang=en", "es", "es", "en"),
        ("/zones/?lang=es", "en", "en", "es"),
        ("/zones/?lang=fr", None, "es", "es"),
        ("/zones/?lang=", None, None, "en"),
        ("/zones/?lang=%00%3Cscript%3E", None, None, "en"),
        ("/nothing?lang=es", None, None, "es"),
        ("/zones/?sort=name&lang=es", None, None, "es"),
    ],
)
def test_the_address_wins_then_the_cookie_then_the_browser(
    published_app, address, cookie, browser, told
):
    client = published_app.test_client()
    if cookie:
        client.set_cookie("language", cookie)
    response = client.get(address, headers={"Accept-Language": browser} if browser else {})
    html = response.get_data(as_text=True)
    assert f'<html lang="{told}">' in html
    assert response.headers["Content-Language"] == told
    assert {"Accept-Language", "Cookie"} <= set(response.vary)
    assert ("Zonas" in html) is (told == "es")


def test_a_shared_address_keeps_its_language_through_every_link_and_form(client):
    for path in PAGES[:-2]:
        html = client.get(f"{path}{'&' if '?' in path else '?'}lang=es").get_data(as_text=True)
        main = html[html.index("<body") :]
        for href in re.findall(r'<a [^>]*?href="(/[^"]*)"', main):
            if not re.match(r"/(api|language)/|/data/[a-z_]+\.", href):  # files have no language
                assert re.search(r"[?&;]lang=es\b", unescape(href)), (path, href)
        for form in re.findall(r'<form[^>]*method="get".*?</form>', main, re.DOTALL):
            assert '<input type="hidden" name="lang" value="es">' in form, path


def test_without_a_wish_addresses_stay_short(client):
    html = client.get("/zones/", headers={"Accept-Language": "es"}).get_data(as_text=True)
    assert re.findall(r'<a [^>]*?href="(/[^"]*lang(?:=|%3D)[^"]*)"', html) == [
        "/language/en?to=/zones/?lang%3Den"
    ]


def test_the_switch_keeps_path_and_query_and_remembers(published_app):
    client = published_app.test_client()
    html = client.get("/zones/?district=D2&sort=area").get_data(as_text=True)
    href = unescape(re.search(r'<a href="([^"]+)" lang="es" hreflang="es"', html)[1])
    answer = client.get(href)
    assert (answer.status_code, answer.location) == (303, "/zones/?district=D2&sort=area&lang=es")
    assert answer.cache_control.no_store
    cookie = answer.headers["Set-Cookie"]
    assert "language=es" in cookie
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert '<html lang="es">' in client.get(answer.location).get_data(as_text=True)
    assert '<html lang="es">' in client.get("/measures/").get_data(as_text=True)
    back = client.get("/language/en?to=/measures/")
    assert back.location == "/measures/?lang=en"
    assert '<html lang="en">' in client.get("/").get_data(as_text=True)


@pytest.mark.parametrize(
    "to",
    ["", "//evil.example", "/\\evil.example", "https://evil.example/", "/a\nb", "javascript:x"],
)
def test_the_switch_leads_to_no_other_site(client, to):
    assert client.get("/language/es", query_string={"to": to}).location == "/?lang=es"


def test_there_is_no_switch_to_a_language_that_is_not_there(client):
    response = client.get("/language/xx?to=/")
    assert response.status_code == 404
    assert "Set-Cookie" not in response.headers


def test_the_page_names_itself_in_every_language(client):
    html = client.get("/zones/?district=D2&lang=es").get_data(as_text=True)
    told = dict(re.findall(r'<link rel="alternate" hreflang="([^"]+)" href="([^"]+)"', html))
    assert {name: unescape(at) for name, at in told.items()} == {
        "en": "/zones/?district=D2&lang=en",
        "es": "/zones/?district=D2&lang=es",
        "x-default": "/zones/?district=D2",
    }


def test_what_others_keep_has_its_language_in_the_address(published_app):
    client = published_app.test_client()
    client.set_cookie("language", "es")
    html = client.get("/measures/alerts.count").get_data(as_text=True)
    charts = [unescape(at) for at in re.findall(r'<img src="([^"]+\.svg[^"]*)"', html)]
    assert charts
    assert all("lang=es" in at for at in charts)
    spanish, english = client.get(charts[0]), client.get(charts[0].replace("lang=es", ""))
    assert "Evolución de una medida." in spanish.get_data(as_text=True)
    assert "Draw the course of a measure." in english.get_data(as_text=True)  # not by the cookie
    assert spanish.cache_control.public
    assert "Cookie" not in spanish.vary


def test_machines_are_answered_in_english(client):
    for path in (
        "/api/v1/measures",
        "/api/v1/measures?from=soon",
        "/api/v1/measures/none",
        "/api/v1/nothing",
    ):
        plain = client.get(path).get_json()
        query = f"{path}{'&' if '?' in path else '?'}lang=es"
        asked = client.get(query, headers={"Accept-Language": "es"}).get_json()
        for told in (plain, asked):
            for one in told.get("measures", ()):
                one.pop("computed_at", None)
        assert asked == plain


# words, numbers, dates


def test_numbers_and_dates_follow_the_language(published_app):
    day = dt.date(2026, 1, 3)
    with published_app.test_request_context("/?lang=es"):
        assert numbers.day(day) == "3 de enero de 2026"
        assert numbers.month(day) == "enero de 2026"
        assert numbers.number(1234.5, 1) == "1,234.5"
        assert numbers.percent(0.912, 1) == "91.2 %"
        assert numbers.listed(["a", "b", "c"]) == "a, b y c"
        assert measure_words.ago(1) == "hace 1 día"
        assert measure_words.ago(12) == "hace 12 días"
        assert measure_words.unit("guns", 1.0) == "arma"
        assert measure_words.unit("guns", 2.0) == "armas"
        assert measure_words.span(day, dt.date(2026, 2, 1)) == "3 de enero al 31 de enero de 2026"
        assert measure_words.change(110.0, 100.0, "alerts") == "10 más (10 % más)"
    with published_app.test_request_context("/"):
        assert numbers.day(day) == "January 3, 2026"
        assert numbers.number(1234.5, 1) == "1,234.5"
        assert measure_words.unit("guns", 1.0) == "gun"


def test_outside_of_an_answer_everything_is_english(published_app):
    def said():
        return (
            numbers.day(dt.date(2026, 1, 3)),
            measure_words.ago(2),
            language.translated("Measures"),
        )

    english = ("January 3, 2026", "2 days ago", "Measures")
    assert said() == english
    with published_app.app_context():
        assert said() == english
    with language.speaking("es"):
        assert said() == ("3 de enero de 2026", "hace 2 días", "Medidas")
    assert said() == english


def test_what_an_address_gets_wrong_is_told_in_its_language(client, published_app):
    asked = published_app.test_request_context("/?lang=es")
    with asked, pytest.raises(forms.AddressError) as error:
        forms.day({"from": "soon"}, "from")
    assert "no es una fecha" in str(error.value)
    html = client.get("/zones/?sort=name&lang=es").get_data(as_text=True)
    assert '<p class="lead">sort &#39;name&#39; no se conoce' in html
    html = client.get("/?city=atlantis&lang=es").get_data(as_text=True)
    assert re.search(r'<p class="lead" lang="en">[^<]*atlantis', html)


# nothing is forgotten


class Marked(Translations):
    """Marks every text that the catalogue knows, so that what went around it shows."""

    def __init__(self, known):
        super().__init__()
        self.known = known

    def gettext(self, message):
        return f"⟦{message}⟧" if message in self.known else message

    def ngettext(self, msgid1, msgid2, num):
        return f"⟦{msgid1 if num == 1 else msgid2}⟧" if msgid1 in self.known else msgid1

    ugettext, ungettext = gettext, ngettext


@pytest.fixture
def marked(published_app, messages, monkeypatch, tmp_path):
    domain = published_app.extensions["babel"].instance.domain_instance
    monkeypatch.setitem(domain._found, "es", Marked(set(messages)))
    site = published_app.extensions["saferground.site"]
    monkeypatch.setattr(site, "maps", tmp_path / "maps")
    return published_app.test_client()


INITIATIVE = 'id="narrative"'
OWN_NAMES = {"Safer", "Ground", "Alder", "Falls", "synthetic", "demonstration", "city", "English"}
OWN_NAMES |= {"JSON", "BIC", "RRV", "PEI", "min"}
MONTHS = {
    part
    for width in ("wide", "abbreviated")
    for name in language.LOCALES["es"].months["format"][width].values()
    for part in name.split()
} | {"de"}


def unmarked(html):
    """Take marked texts out, from the innermost; links and bold words may stand in them."""
    while (inner := re.sub(r"⟦[^⟦⟧]*⟧", " ", html)) != html:
        html = inner
    return html


def untold(html):
    """Give the words of a page that are neither marked, nor a city's own, nor a name."""
    html = re.sub(r"<(script|style|code|pre)\b.*?</\1>", " ", html, flags=re.DOTALL)
    html = re.sub(r'<div id="words".*?</div>', " ", html)
    html = re.sub(r'<(\w+)[^>]*\slang="en"[^>]*>.*?</\1>', " ", html, flags=re.DOTALL)
    html = re.sub(r"<title>.*?</title>", " ", html) if INITIATIVE in html else html
    html = unmarked(html)
    texts = re.findall(r">([^<]+)<", html)
    texts += re.findall(r'\s(?:alt|aria-label|title|placeholder)="([^"]*)"', html)
    found = set()
    for text in map(unescape, texts):
        left = text.partition("⟦")[0]  # a sentence cut from a longer text has lost its end
        left = " ".join(word for word in left.split() if "/" not in word)  # names of files
        found |= {
            word
            for word in re.findall(r"(?<![\w.])[^\W\d_]{3,}(?![\w.]*\w)", left)
            if word not in OWN_NAMES | MONTHS
        }
    return found


@pytest.mark.parametrize("path", PAGES)
def test_every_page_speaks_spanish_and_nothing_goes_around_the_catalogue(client, marked, path):
    query = f"{path}{'&' if '?' in path else '?'}lang=es"
    assert client.get(query).status_code == (404 if "nothing" in path else 200)
    assert untold(marked.get(query).get_data(as_text=True)) <= {"CSV", "GeoJSON"}  # formats


def test_a_zone_and_its_picture_speak_spanish(client, marked, shown):
    zone = shown.run.zones["id"].iloc[0]
    assert untold(marked.get(f"/zones/{zone}?lang=es").get_data(as_text=True)) == set()
    page = client.get(f"/zones/{zone}?lang=es").get_data(as_text=True)
    assert f"/zones/{zone}/picture.svg?city=alder-falls&amp;lang=es" in page


def test_what_a_city_says_keeps_its_language(client):
    html = client.get("/initiatives/community-policing-strategies?lang=es").get_data(as_text=True)
    assert re.search(r'<h1 lang="en">[^<]+</h1>', html)
    plain = client.get("/initiatives/community-policing-strategies").get_data(as_text=True)
    assert 'lang="en"' not in plain[plain.index("<main") : plain.index("</main")]


def test_the_map_says_its_words_in_the_language_of_the_page(client):
    html = client.get("/map?lang=es").get_data(as_text=True)
    told = unescape(re.search(r'<div id="words" [^>]*data-texts="([^"]+)"', html)[1])
    assert "Semana del {day}" in told.encode().decode("unicode_escape")
    used = set()
    for script in ("map.js", "activity.js"):
        text = (CHECKOUT / "app" / "static" / script).read_text()
        used |= set(re.findall(r'Words\.say\((?:[^")]*\? )?"(\w+)"', text))
    assert used
    assert all(f'"{key}":' in told for key in used)


# the same of a release, and of what can be asked of the map


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """A town with one approved release, and no database beside it."""
    folder = tmp_path_factory.mktemp("published")
    made = Settings(database_url=f"sqlite:///{folder / 'town.sqlite'}", instance=folder / "here")
    upgrade(made.database_url)
    database = open_database(made.database_url)
    Publisher(folder).bring(database)
    keep_run(database)
    tell_initiatives(database, folder)
    drafted = draft_release(database, made.releases, "town", "ana", pages=site_files, today=TODAY)
    approve_release(database, made.releases, drafted.id, "ben")
    database.close()
    return create_app(replace(made, database_url="sqlite:////nowhere"))


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/map",
        "/zones/",
        "/methods/",
        "/methods/validation",
        "/measures/?period=2024-04",
        "/measures/alerts.guns?district=D1",
        "/data/",
        "/accountability/",
        "/accessibility/",
        "/embed/zones",
        "/embed/measure/alerts.count",
        "/embed/measure/dosage.visits",
    ],
)
def test_a_release_speaks_spanish_too(published, messages, monkeypatch, tmp_path, path):
    query = f"{path}{'&' if '?' in path else '?'}lang=es"
    assert '<html lang="es">' in published.test_client().get(query).text
    domain = published.extensions["babel"].instance.domain_instance
    monkeypatch.setitem(domain._found, "es", Marked(set(messages)))
    monkeypatch.setattr(published.extensions["saferground.site"], "maps", tmp_path / "maps")
    formats = {"CSV", "GeoJSON", "GeoPackage", "GeoTIFF", "SHA"}
    own = {"Town", "Plan", "aaaaaaaaaaaa", "aaaaaaaa"}  # the city, its target's source, its run
    assert untold(published.test_client().get(query).text) <= formats | own


def test_what_is_asked_of_the_map_is_answered_in_spanish(published_app, marked, shown):
    middle = shown.city.districts.geometry.to_crs(4326).union_all().representative_point()
    spot = f"{middle.y:.5f},{middle.x:.5f}"
    for path in (f"/map/here?at={spot}", f"/map/area?circle={spot},600", "/map?place=main"):
        response = marked.get(f"{path}&lang=es")
        assert response.status_code == 200, path
        found = untold(response.get_data(as_text=True))
        assert not found & {"the", "and", "of", "zone", "zones", "area", "alerts", "with"}, path


def test_the_map_of_a_release_has_a_file_a_language(published):
    spanish = published.test_client().get("/map?lang=es").text
    english = published.test_client().get("/map?lang=en").text
    script = r'src="(/maps/[^"]*/map-[^"]+\.js)"'
    assert re.search(script, spanish)[1] != re.search(script, english)[1]
