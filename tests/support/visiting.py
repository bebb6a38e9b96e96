"""A browser window for tests."""

from pathlib import Path

from staffing import PASSWORD

ROOT = Path(__file__).parents[2]
SHOTS = ROOT / "test-output" / "screenshots"
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"


class Visit:
    """A browser window that lets nothing leave the site and notes whatever goes wrong."""

    def __init__(self, chromium, address, **options):
        self.address = address
        self.faults = []
        self.context = chromium.new_context(**options)
        self.page = self.context.new_page()
        self.context.route("**/*", self._route)
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))

    def _route(self, route):
        if route.request.url.startswith((self.address, "data:", "blob:")):
            route.continue_()
        else:
            self.faults.append(f"request off the site: {route.request.url}")
            route.abort()

    def _console(self, message):
        if message.type in ("error", "warning"):
            self.faults.append(f"{message.type}: {message.text}")

    def go(self, path):
        response = self.page.goto(self.address + path)
        self.page.wait_for_load_state("networkidle")
        return response

    def sign_in(self, office, name):
        """Sign in as one of an office's people does, with password and code."""
        self.go("/login")
        self.page.fill("#name", name)
        self.page.fill("#password", PASSWORD)
        self.page.keyboard.press("Enter")
        self.page.wait_for_selector("#code")
        self.page.fill("#code", office.code(name))
        self.page.keyboard.press("Enter")
        self.page.wait_for_selector("nav[aria-label=Staff]")

    def shot(self, name, **options):
        SHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=str(SHOTS / f"{name}.png"), **options)

    def violations(self):
        """Let axe-core judge the page that is open."""
        assert AXE.is_file(), "axe-core is missing; run make test"
        self.page.add_script_tag(path=str(AXE))
        found = self.page.evaluate("axe.run().then(result => result.violations)")
        return [
            f"{self.page.url} {v['id']}: {v['help']} {[n['html'][:120] for n in v['nodes'][:3]]}"
            for v in found
        ]
