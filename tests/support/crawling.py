"""Walk a site as a reader who follows every link, and fill in every form that is found."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

LINKED = re.compile(r'(?:href|src|data-[a-z]+)="(/[^"#]*)')
STARTS = ("/", "/map", "/data/", "/accountability/", "/measures/", "/embed/zones", "/api/v1/")
LAYERS = ("zones", "districts", "alerts", "complaints")
VOID = {"input", "img", "br", "hr", "meta", "link", "source", "area", "col", "wbr"}


@dataclass
class Form:
    page: str
    action: str
    method: str
    fields: dict = field(default_factory=dict)  # name -> value of the page
    typed: list = field(default_factory=list)  # names that take text
    files: list = field(default_factory=list)

    @property
    def key(self):
        return (self.method, shape(self.action), tuple(sorted(self.fields)))


class Reading(HTMLParser):
    """What a page holds: links, forms, and what could run."""

    def __init__(self, address):
        super().__init__()
        self.address = address
        self.links, self.forms, self.running = [], [], []
        self._form = self._select = None
        self._inside = ""

    def handle_starttag(self, tag, attributes):
        told = dict(attributes)
        self._inside = tag if tag == "script" and "src" not in told else ""
        self._judge(tag, told)
        if tag == "a" and told.get("href"):
            self.links.append(urljoin(self.address, told["href"]))
        if tag == "form":
            action = urljoin(self.address, told.get("action") or self.address)
            self._form = Form(self.address, action, (told.get("method") or "get").lower())
            self.forms.append(self._form)
        if self._form is None or not told.get("name"):
            if tag == "option" and self._select and "selected" in told:
                self._form.fields[self._select] = told.get("value", "")
            return
        self._field(tag, told)

    def _field(self, tag, told):
        name, kind = told["name"], told.get("type", "text")
        if tag == "select":
            self._select = name
            self._form.fields.setdefault(name, "")
            self._form.typed.append(name)
        elif tag == "textarea" or (tag == "input" and kind not in ("checkbox", "radio", "file")):
            self._form.fields[name] = told.get("value", "")
            if kind != "hidden":
                self._form.typed.append(name)
        elif kind == "file":
            self._form.files.append(name)
        elif tag in ("input", "button") and ("checked" in told or kind == "checkbox"):
            self._form.fields[name] = told.get("value", "y")

    def handle_endtag(self, tag):
        self._inside = ""
        if tag == "form":
            self._form = None
        if tag == "select":
            self._select = None

    def handle_data(self, data):
        if self._inside == "script" and data.strip():
            self.running.append(f"inline script: {data.strip()[:80]}")

    def _judge(self, tag, told):
        for name, value in told.items():
            if name.startswith("on") or name in ("srcdoc", "style"):
                self.running.append(f"<{tag} {name}={str(value)[:60]!r}>")
            if name in ("href", "src", "action") and str(value).strip().lower().startswith(
                ("javascript:", "data:text")
            ):
                self.running.append(f"<{tag} {name}={value[:60]!r}>")


def read(address, text):
    found = Reading(address)
    found.feed(text)
    return found


def shape(address):
    """Give what pages of one kind share: the address without numbers and query."""
    path = urlsplit(address).path
    return "/".join(
        "*" if any(sign.isdigit() for sign in part) else part for part in path.split("/")
    )


def crawl(get, starts, *, each=3, most=400):
    """Follow links from some addresses, at most ``each`` pages of one kind; give what was read."""
    waiting, seen, kinds, found = list(starts), set(starts), {}, []
    while waiting and len(found) < most:
        address = waiting.pop(0)
        kind = shape(address)
        kinds[kind] = kinds.get(kind, 0) + 1
        if kinds[kind] > each:
            continue
        answer = get(address)
        page = read(address, answer.text) if answer.mimetype == "text/html" else None
        found.append((address, answer, page))
        for link in page.links if page else ():
            parts = urlsplit(link)
            plain = parts.path + (f"?{parts.query}" if parts.query else "")
            if not parts.netloc and plain not in seen:
                seen.add(plain)
                waiting.append(plain)
    return found


class Tables(HTMLParser):
    """The rows of every table: for each cell how many columns and rows it takes."""

    def __init__(self):
        super().__init__()
        self.tables, self._open = [], []

    def handle_starttag(self, tag, attributes):
        told = dict(attributes)
        if tag == "table":
            self._open.append([])
            self.tables.append(self._open[-1])
        elif tag == "tr" and self._open:
            self._open[-1].append([])
        elif tag in ("td", "th") and self._open and self._open[-1]:
            spans = int(told.get("colspan") or 1), int(told.get("rowspan") or 1)
            self._open[-1][-1].append(spans)

    def handle_endtag(self, tag):
        if tag == "table" and self._open:
            self._open.pop()


def widths(rows):
    """Give how many columns each row of a table takes, those that hang down into it with it."""
    hanging, found = [], []  # columns and rows left of cells of rows before
    for row in rows:
        found.append(sum(c for c, _ in row) + sum(c for c, left in hanging if left > 0))
        hanging = [(c, left - 1) for c, left in hanging if left > 1]
        hanging += [(c, r - 1) for c, r in row if r > 1]
    return found


def uneven_tables(text):
    """Give the widths of the rows of each table whose rows are not all as wide as its first."""
    found = Tables()
    found.feed(text)
    return [w for w in map(widths, found.tables) if len(set(w)) > 1]


def linked(client, release):
    """Give every address that leads to something of the site: of pages, of maps, of the API."""

    def get(address):
        return client.get(address, buffered=True)

    read = crawl(get, STARTS, each=4, most=150)
    found = {address for address, _, _ in read}
    for _, answer, page in read:
        if page is not None:
            found |= {link.replace("&amp;", "&") for link in LINKED.findall(answer.text)}
    inside = [name.rpartition("/")[2] for name in release.files if name.startswith("site/map/")]
    found |= {f"/maps/release-{release.id}/{name}" for name in inside}
    for layer in LAYERS:
        found |= {f"/api/v1/{layer}", f"/api/v1/{layer}.csv", f"/api/v1/collections/{layer}/items"}
    return sorted(a for a in found if not urlsplit(a).path.startswith(("/static/", "/language")))
