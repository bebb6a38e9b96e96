"""The first view of the public map: bytes over the wire, requests, largest paint, layout shift.

python -m benchmarks.bench_map_weight [ADDRESS ...]

The addresses are those of a server that runs (``saferground serve``). Each is opened by a fresh
Chromium with nothing cached, at 1400 and at 390 pixels. Targets: 400 KB, 1 s and 0.05.
"""

from __future__ import annotations

import sys

from playwright.sync_api import sync_playwright

CHROMIUM = "/usr/bin/chromium"
SETTLED_MS = 3_000
TARGET_KB, TARGET_SECONDS, TARGET_SHIFT = 400.0, 1.0, 0.05
WATCH = """
window.measured = { paint: 0, shift: 0 };
new PerformanceObserver((list) => { for (const one of list.getEntries()) measured.paint = one.startTime; })
  .observe({ type: "largest-contentful-paint", buffered: true });
new PerformanceObserver((list) => { for (const one of list.getEntries()) if (!one.hadRecentInput) measured.shift += one.value; })
  .observe({ type: "layout-shift", buffered: true });
"""  # noqa: E501


def view(browser, address, width, height):
    """Open a page with nothing cached and print what it weighed."""
    context = browser.new_context(viewport={"width": width, "height": height})
    page = context.new_page()
    page.add_init_script(WATCH)
    wire, named = {}, {}
    watched = context.new_cdp_session(page)
    watched.send("Network.enable")
    watched.on(
        "Network.requestWillBeSent",
        lambda told: named.update({told["requestId"]: told["request"]["url"]}),
    )
    watched.on(
        "Network.loadingFinished",
        lambda told: wire.update({told["requestId"]: told["encodedDataLength"]}),
    )
    page.goto(address)
    page.wait_for_timeout(SETTLED_MS)
    found = page.evaluate("measured")
    total, seconds = sum(wire.values()) / 1000, found["paint"] / 1000
    print(
        f"{width} px: {total:.0f} KB ({total / TARGET_KB:.0%}) in {len(wire)} answers, largest "
        f"paint {seconds:.2f} s ({seconds / TARGET_SECONDS:.0%}), layout shift "
        f"{found['shift']:.3f} ({found['shift'] / TARGET_SHIFT:.0%})",
        flush=True,
    )
    for size, name in sorted(((wire[one], named.get(one, "")) for one in wire), reverse=True)[:8]:
        print(f"    {size / 1000:7.1f} KB {name.rpartition('/')[2][:60]}")
    context.close()


if __name__ == "__main__":
    with sync_playwright() as player:
        chromium = player.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for one in sys.argv[1:] or ["http://127.0.0.1:8000/map"]:
            print(one)
            for width, height in ((1400, 900), (390, 844)):
                view(chromium, one, width, height)
        chromium.close()
