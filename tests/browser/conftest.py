import os
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright
from serving import serving
from visiting import Visit

# Both are Debian's, of one source; without a window around its pages it takes a third of the work.
CHROMIUM = (Path("/usr/bin/chromium-headless-shell"), Path("/usr/bin/chromium"))
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-software-rasterizer",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def address(published_app):
    """The published pages, really served on a loopback port."""
    with serving(published_app) as found:
        yield found


@pytest.fixture(scope="session")
def chromium():
    binary = next((path for path in CHROMIUM if path.exists()), None)
    if binary is None:
        reason = "Chromium is not installed (Debian: chromium-headless-shell)"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(binary), args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium, address):
    """Make browser windows; at the end none may have seen a fault."""
    made = []

    def make(width=1600, height=1000, **options):
        viewport = {"width": width, "height": height}
        made.append(Visit(chromium, address, viewport=viewport, **options))
        return made[-1]

    yield make
    faults = [fault for one in made for fault in one.faults]
    for one in made:
        one.context.close()
    assert faults == []
