"""A release copied to a plain web server: its own page works from the folder alone."""

import functools
import http.server
import shutil
import threading

import pytest
from visiting import Visit

from geodata.releases.folder import ReleaseFolder

pytestmark = pytest.mark.browser


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_arguments):
        pass


@pytest.fixture(scope="module")
def copied(published_settings, tmp_path_factory):
    """The folder of the newest release, somewhere else, behind a server that knows only files."""
    release = ReleaseFolder.current(published_settings.releases, "alder-falls")
    folder = tmp_path_factory.mktemp("elsewhere") / "copy"
    shutil.copytree(release.path, folder)
    handler = functools.partial(Quiet, directory=folder)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield release, f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("width", [360, 768, 1280])
@pytest.mark.parametrize(("name", "heading"), [("index.html", "Zones"), ("es.html", "zonas")])
def test_the_page_of_a_copied_release_works(chromium, copied, name, heading, width):
    _, address = copied
    window = Visit(chromium, address, viewport={"width": width, "height": 900})
    assert window.go(f"/{name}").status == 200
    page = window.page
    zones = page.locator("tbody tr[id]").count()
    assert zones > 20
    assert page.locator(".zone-number").count() == zones
    page.locator("canvas.leaflet-tile").first.wait_for(state="attached")  # streets are drawn
    assert heading.lower() in page.locator("main").inner_text().lower()
    page.locator(".zone-number").first.focus()
    page.keyboard.press("Enter")
    assert page.locator("tr.chosen").count() == 1
    wider = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wider <= 0
    window.shot(f"still-{name.partition('.')[0]}-{width}", full_page=True)
    assert window.faults == []
    window.context.close()


@pytest.mark.parametrize("name", ["index.html", "es.html"])
def test_axe_finds_no_violation_in_it(chromium, copied, name):
    _, address = copied
    window = Visit(chromium, address, bypass_csp=True)
    window.go(f"/{name}")
    assert window.violations() == []
    window.context.close()


def test_every_file_that_the_page_names_is_there(chromium, copied):
    release, address = copied
    window = Visit(chromium, address)
    window.go("/index.html")
    links = window.page.eval_on_selector_all("a[href]", "all => all.map((a) => a.href)")
    named = [link for link in links if "#" not in link]
    assert len(named) >= 15
    for link in named:
        assert window.context.request.get(link).status == 200
    data = {name for name in release.files if name.startswith("data/")}
    assert data <= {link.removeprefix(f"{address}/") for link in named}
    window.context.close()


def test_without_scripts_the_picture_stands_in_for_the_map(chromium, copied):
    _, address = copied
    window = Visit(chromium, address, java_script_enabled=False)
    window.go("/index.html")
    assert window.page.locator("#map img").is_visible()
    window.context.close()


def test_on_a_phone_it_is_short_and_its_parts_open(chromium, copied):
    _, address = copied
    window = Visit(chromium, address, viewport={"width": 390, "height": 844})
    window.go("/index.html")
    page = window.page
    assert page.evaluate("document.documentElement.scrollHeight") < 6000
    zone = page.locator("tbody tr[id]").first
    assert zone.is_hidden()
    page.locator(".zone-number").first.focus()
    page.keyboard.press("Enter")
    assert page.locator("tr.chosen").is_visible()  # its district has opened
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    page.locator("summary").nth(-2).click()
    assert page.locator("details[open] table").last.is_visible()
    window.context.close()
