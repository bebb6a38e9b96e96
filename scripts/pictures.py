"""Take the README's pictures of the demonstration city: map, zone, desk.

    saferground demo --no-serve
    python scripts/pictures.py docs/pictures

The instance is the one that SAFERGROUND_INSTANCE names. Needs Chromium, as the browser tests do.
"""

from __future__ import annotations

import io
import sys
import threading
from pathlib import Path

from PIL import Image
from playwright.sync_api import ViewportSize, sync_playwright

from app import create_app
from app.admin import demonstration
from app.auth.demo_links import OneTimeLinks, disable_people, make_links, why_not
from app.config import Settings
from app.server import make_server
from geodata.clock import utc_now
from geodata.db.engine import open_database
from geodata.repositories import cities, runs_in_use
from geodata.repositories.runs import get_run

HOST = "127.0.0.1"
CHROMIUM = "/usr/bin/chromium-headless-shell"
SIZE: ViewportSize = {"width": 1280, "height": 900}  # of the window, in pixels
WIDTH, QUALITY = 1000, 80  # of the pictures: pixels, and WebP's own scale
MOST_BYTES = 400_000  # of the three together
DESK = "the desk of a district, as its commander"


def main(folder: Path) -> None:
    """Serve the demonstration, take the pictures, and stop."""
    settings = Settings.from_env()
    database = open_database(settings.database_url)
    links, app = OneTimeLinks(HOST), create_app(settings)
    demonstration.register(app, links)
    with database.session(write=True) as session:
        reason = why_not(session, settings, HOST)
        if reason:
            sys.exit(f"no pictures: {reason}")
        city = cities.list_cities(session)[0].slug
        run = runs_in_use.id_in_use(session, cities.get_city(session, city))
        if run is None:
            sys.exit("no pictures: the city has no run in use; run: saferground demo --no-serve")
        zones = get_run(session, run).zones
        district = str(zones.groupby("district")["expected"].sum().idxmax())
        opened = dict(make_links(session, links, city, district, utc_now()))
    server = make_server(app, HOST, 0)
    threading.Thread(target=server.run, daemon=True).start()
    try:
        take(f"http://{HOST}:{server.effective_port}", f"/demonstration/{opened[DESK]}", folder)
    finally:
        server.close()
        with database.session(write=True) as session:
            disable_people(session, utc_now())
        database.close()


def take(base: str, desk: str, folder: Path) -> None:
    """Write the three pictures into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM)
        page = browser.new_page(viewport=SIZE, reduced_motion="reduce")
        page.goto(f"{base}/map", wait_until="networkidle")
        page.locator("#map-frame path[data-zone]").first.wait_for()
        page.wait_for_timeout(1500)  # canvases are drawn after the files have come
        sizes = [save(page.screenshot(), folder / "map.webp")]
        address = page.locator("#zone-table tbody a").first.get_attribute("href")
        page.goto(f"{base}{address}", wait_until="networkidle")
        sizes.append(save(page.screenshot(), folder / "zone.webp"))
        page.goto(f"{base}{desk}", wait_until="networkidle")
        sizes.append(save(page.screenshot(), folder / "desk.webp"))
        browser.close()
    if sum(sizes) > MOST_BYTES:
        sys.exit(f"the pictures take {sum(sizes):,} bytes, more than {MOST_BYTES:,}")


def save(shot: bytes, path: Path) -> int:
    """Write a screenshot as a smaller WebP; return its size in bytes."""
    with Image.open(io.BytesIO(shot)) as whole:
        height = round(whole.height * WIDTH / whole.width)
        small = whole.convert("RGB").resize((WIDTH, height), Image.Resampling.LANCZOS)
    small.save(path, "WEBP", quality=QUALITY, method=6)
    return path.stat().st_size


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/pictures"))
