"""An office with everything in it, its every route, and what an attacker writes into them."""

import re

from published import publish
from staffing import Office
from werkzeug.routing import IntegerConverter

from app.auth import guard
from geodata.roles import ROLES, SCOPES

CANARY = "canary-3f9c1b"
PART = re.compile(r"<(?:[^:<>]+:)?(\w+)>")


class Attacked:
    """A published town with staff, where one person may do everything, by page and by token."""

    def __init__(self, tmp_path_factory, **options):
        self.town = publish(tmp_path_factory)
        settings = self.town.settings
        self.office = Office(settings.database_url, settings.instance, **options)
        self.office.add("eve", *ROLES, districts=["town/D1"])
        self.app = self.office.app
        self.app.config["WTF_CSRF_ENABLED"] = False  # else no hostile form reaches a view
        self.token = self.office.token("eve", *SCOPES)
        self.browser = None
        self.instance = settings.instance
        self.known = {  # names that are there, for the parts that are not attacked
            "city": "town",
            "run": "a" * 12,
            "identity": self.town.current.id,
            "district": "D1",
            "folder": f"release-{self.town.current.id}",
        }

    def close(self):
        self.office.close()

    def routes(self):
        """Give each route: its rule, its method, and the names of the parts of its path."""
        for rule in self.app.url_map.iter_rules():
            for method in sorted(rule.methods & {"GET", "POST", "PUT", "DELETE"}):
                if not rule.endpoint.endswith(("sign_out", "sign_out_everywhere")):
                    yield rule, method, PART.findall(rule.rule)

    def path(self, rule, values):
        """Write the address of a route as an attacker does: nothing is quoted or checked."""

        def value(found):
            name = found[1]
            number = isinstance(rule._converters.get(name), IntegerConverter)
            return str(values.get(name, "1" if number else self.known.get(name, "x")))

        return PART.sub(value, rule.rule)

    def send(self, address, method="GET", *, program=False, **options):
        """Send a request, signed in with every role, or with a token for every scope."""
        if program:
            return self.office.program(self.token).open(
                address, method=method, buffered=True, **options
            )
        if self.browser is None:
            self._sign_in()
        answer = self.browser.open(address, method=method, buffered=True, **options)
        if answer.headers.get("Location", "").startswith("/login"):  # an attack ended the session
            self._sign_in()
            answer = self.browser.open(address, method=method, buffered=True, **options)
        return answer

    def _sign_in(self):
        self.office.wait(minutes=2)
        self.browser = self.office.client("eve").client

    def plant(self, *names):
        """Write files that nobody may ever be sent, wherever something is kept."""
        for folder in [self.instance, *(p for p in self.instance.rglob("*") if p.is_dir())]:
            folder.chmod(0o700)
            for name in names:
                (folder / name).write_text(CANARY)
        (self.instance / "secret_key").write_text(CANARY * 4)


def lift_limits(monkeypatch):
    """Let one person ask as often as a fuzzer does."""
    monkeypatch.setattr(guard, "_count_under", lambda _key, _limit: None)
