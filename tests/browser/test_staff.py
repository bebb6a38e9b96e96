"""The staff's pages in Chromium: coming in, people, audit; by keyboard, at every width."""

import pytest
from ready import make_ready
from serving import serving
from staffing import PASSWORD, Office, keep_city
from visiting import Visit

from geodata.clock import utc_now
from geodata.repositories import audit

pytestmark = pytest.mark.browser

WIDTHS = {"wide": (1280, 900), "tablet": (768, 1024), "phone": (360, 780)}
OTHER = "two grey herons by the weir"


@pytest.fixture
def office(tmp_path):
    url = f"sqlite:///{tmp_path / 'saferground.sqlite'}"
    make_ready(url)
    made = Office(url, tmp_path)
    made.now = utc_now()
    keep_city(made.database, "town")
    made.add("root", "administrator", display="Rosa Ott")
    made.add("ana", "analyst", "publisher", display="Ana Ruiz")
    made.add("cora.diaz", "commander", districts=["town/D1"], password=None)
    with made.database.session(write=True) as session:
        for i in range(70):
            told = {"why": "a wrong map of the second district", "city": "town", "n": i}
            audit.record(session, "ana", "release.withdraw", f"3f9a1c{i:02}", told)
    yield made
    made.close()


@pytest.fixture
def window(chromium, office):
    """Make windows on the office's pages; at the end none may have seen a fault."""
    made = []

    def make(size="wide", **options):
        width, height = WIDTHS[size]
        viewport = {"width": width, "height": height}
        made.append(Visit(chromium, address, viewport=viewport, **options))
        return made[-1]

    with serving(office.app) as address:
        yield make
        faults = [fault for one in made for fault in one.faults]
        for one in made:
            one.context.close()
    assert faults == []


def forget(visit):
    """The browser notes answers that refuse a form; those that a test asks for are no faults."""
    visit.faults = [fault for fault in visit.faults if "status of 4" not in fault]


def sign_in(office, visit, name="root", then=""):
    office.wait(minutes=2)  # no code counts twice
    visit.go("/login" + (f"?next={then}" if then else ""))
    type_in(office, visit.page, name)
    visit.page.wait_for_selector("nav[aria-label=Staff]")


def type_in(office, page, name):
    """Sign in by keyboard alone; the field that comes next has the focus."""
    page.wait_for_selector("#name:focus")
    page.keyboard.type(name)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector("#code:focus")
    page.keyboard.type(office.code(name))
    page.keyboard.press("Enter")


PATHS = (
    "/admin/people",
    "/admin/people/new",
    "/admin/people/ana",
    "/admin/audit",
    "/admin/audit?person=nobody",
    "/account",
    "/account/password",
    "/account/codes",
    "/account/tokens",
)


@pytest.mark.parametrize("size", WIDTHS)
def test_pages_are_whole_and_axe_finds_nothing(office, window, size):
    visit = window(size, bypass_csp=True)

    def judge(name):
        visit.shot(f"staff-{name}-{size}", full_page=True)
        wider = visit.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert wider <= 0, f"{name} scrolls sideways by {wider} px"
        assert visit.page.locator("h1").count() == 1
        assert visit.violations() == []

    visit.go("/login")
    judge("login")
    visit.page.fill("#name", "root")
    visit.page.fill("#password", "wrong")
    visit.page.keyboard.press("Enter")
    visit.page.wait_for_selector(".fault")
    judge("login-wrong")
    forget(visit)
    assert visit.page.input_value("#name") == "root"
    assert visit.page.input_value("#password") == ""
    sign_in(office, visit)
    for path in PATHS:
        assert visit.go(path).status == 200
        assert visit.page.url.endswith(path)
        judge(path.strip("/").replace("/", "-").replace("?", "-"))
    visit.go("/admin/people/new")
    visit.page.get_by_role("button", name="Add").click()
    visit.page.wait_for_selector(".fault")
    judge("new-wrong")
    visit.go("/setup/over")
    judge("setup-over")
    forget(visit)


def test_somebody_is_let_in_from_the_first_link_to_the_own_desk(office, window):
    root, cora = window(), window("phone")
    sign_in(office, root)
    assert root.page.url.endswith("/admin/people")
    page = root.page
    page.get_by_role("link", name="Add a person").click()
    page.get_by_label("Name to sign in with").fill("Dora")
    page.get_by_label("officer:").check()
    page.get_by_label("Town: D2").check()
    page.get_by_role("button", name="Add").click()
    link = page.locator(".key code").inner_text()
    cora.page.goto(link)
    cora.page.wait_for_selector("#password:focus")
    assert cora.page.get_by_text("dora").count() == 1
    cora.page.keyboard.type(OTHER)
    cora.page.keyboard.press("Tab")
    cora.page.keyboard.type(OTHER)
    cora.shot("staff-setup-phone", full_page=True)
    cora.page.keyboard.press("Enter")
    cora.page.wait_for_url("**/login/codes")
    picture = cora.page.locator("img.qr")
    assert picture.evaluate("image => image.complete && image.naturalWidth > 0")
    cora.page.get_by_text("type the key").click()
    cora.shot("staff-enrol-phone", full_page=True)
    office.secrets["dora"] = cora.page.locator(".key code").inner_text().replace(" ", "")
    cora.page.get_by_label("Code").fill(office.code("dora"))
    cora.page.get_by_role("button", name="Check the code").click()
    cora.page.wait_for_selector(".recovery")
    assert cora.page.locator(".recovery li").count() == 10
    cora.shot("staff-recovery-phone", full_page=True)
    cora.page.get_by_role("link", name="I have written them down").click()
    cora.page.wait_for_url("**/command/*/D2/")  # where an officer's work begins
    assert "District D2" in cora.page.inner_text("main")
    cora.page.get_by_role("button", name="Sign out", exact=True).click()
    cora.page.wait_for_url("**/login")
    assert "signed out" in cora.page.inner_text("[role=status]")


def test_after_signing_in_the_page_that_was_asked_for_comes(office, window):
    visit = window()
    visit.go("/admin/audit?action=release")
    assert "/login?next=" in visit.page.url
    type_in(office, visit.page, "root")
    visit.page.wait_for_url("**/admin/audit?action=release")
    visit.page.get_by_role("link", name="Older").click()
    visit.page.wait_for_url("**page=2**")
    assert "Page 2 of 2" in visit.page.inner_text("main")


def test_the_export_is_a_file(office, window):
    visit = window()
    sign_in(office, visit, then="/admin/audit?action=release")
    with visit.page.expect_download() as waiting:
        visit.page.get_by_role("link", name="Export 70 entries").click()
    assert waiting.value.suggested_filename == "audit.jsonl"
    assert len(waiting.value.path().read_text().splitlines()) == 70


def test_hostile_names_are_text(office, window):
    with office.database.session(write=True) as session:
        for hostile in ("<img src=x onerror=alert(1)>", "{{7*7}}`${8*8}`", "\u202egnp.exe"):
            audit.record(session, hostile, hostile, hostile, {"x": hostile})
    office.add("bo", "viewer", display="<script>document.title='taken'</script>", password=None)
    visit = window()
    sign_in(office, visit)
    for path in ("/admin/audit", "/admin/people", "/admin/people/bo"):
        visit.go(path)
        assert "taken" not in visit.page.title().replace("document.title='taken'", "")
        assert visit.page.locator("main script, main img").count() == 0


def test_the_keyboard_reaches_everything_in_order(office, window):
    visit = window()
    visit.go("/login")
    page = visit.page
    page.wait_for_selector("#name:focus")
    for key, expected in (
        ("Tab", "password"),
        ("Tab", "Go on"),
        ("Shift+Tab", "password"),
        ("Shift+Tab", "name"),
        ("Shift+Tab", "Safer Ground Staff"),
        ("Shift+Tab", "Skip to the content"),
    ):
        page.keyboard.press(key)
        told = "document.activeElement.id || document.activeElement.textContent.trim()"
        assert page.evaluate(told) == expected
    outline = page.evaluate(
        "document.querySelector('#name').focus({focusVisible: true}),"
        "getComputedStyle(document.activeElement).outlineWidth"
    )
    assert outline == "3px"


def test_another_clock_of_the_office_ends_the_session(office, window):
    visit = window()
    sign_in(office, visit)
    office.wait(minutes=31)
    visit.go("/admin/people")
    assert "/login?next=/admin/people" in visit.page.url
