"""The document of the rooms names those that are there, and no others."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "architecture.md").read_text()


def told(layer):
    """Give what the table of a layer names in its first column."""
    part = re.search(rf"^## {layer}: .*?(?=^## |\Z)", TEXT, re.M | re.S).group()
    rows = re.findall(r"^\| (`.*?) \|", part, re.M)
    return [name for row in rows for name in re.findall(r"`([^`]+)`", row)]


@pytest.mark.parametrize("layer", ["spatial", "geodata", "app"])
def test_every_room_is_named_and_every_name_is_a_room(layer):
    names = told(layer)
    assert [name for name in names if not (ROOT / layer / name.rstrip("/")).exists()] == []
    rooms = {f"{path.parent.name}/" for path in (ROOT / layer).glob("*/__init__.py")}
    assert rooms - set(names) == set()


def paths_in_tables(page):
    """Give every path that a row of a table names, from the root of the checkout."""
    rows = [line for line in (ROOT / page).read_text().splitlines() if line.startswith("|")]
    return re.findall(r"`((?:app|geodata|spatial|templates|tests)/[\w./-]*)`", "\n".join(rows))


@pytest.mark.parametrize(
    ("page", "least"), [("docs/architecture.md", 25), ("docs/glossary.md", 50)]
)
def test_every_path_that_a_table_names_is_there(page, least):
    paths = paths_in_tables(page)
    assert len(paths) >= least
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_ten_changes_and_more_are_told_with_their_room():
    part = re.search(r"^## Where would I change .*?(?=^## )", TEXT, re.M | re.S).group()
    rows = re.findall(r"^\| (?!change|---)([^|]+) \| ([^|]+) \|", part, re.M)
    assert len(rows) >= 10
    assert [change for change, room in rows if "`" not in room] == []


DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]


@pytest.mark.parametrize("page", DOCUMENTS, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_between_documents_leads_somewhere(page):
    links = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_document_and_decision_is_in_its_index():
    for folder in (ROOT / "docs", ROOT / "docs" / "decisions"):
        index = (folder / "README.md").read_text()
        pages = {path.name for path in folder.glob("*.md")} - {"README.md"}
        assert {name for name in pages if f"({name})" not in index} == set()


@pytest.mark.parametrize("layer", ["spatial", "geodata", "app"])
def test_files_are_of_a_size_that_can_be_read(layer):
    long = {
        str(path.relative_to(ROOT)): lines
        for path in (ROOT / layer).rglob("*.py")
        if (lines := len(path.read_text().splitlines())) > 600
    }
    assert long == {}


def test_every_setting_of_the_environment_is_in_the_document_of_settings():
    modules = ROOT.glob("app/**/*.py")
    text = "\n".join(path.read_text() for path in modules)
    settings = set(re.findall(r'(?:_env|_whole)\(\s*"([A-Z_]+)"', text))
    settings |= set(re.findall(r'environ\.get\("SAFERGROUND_([A-Z_]+)"', text))
    table = (ROOT / "docs" / "settings.md").read_text()
    assert len(settings) > 10
    assert {name for name in settings if f"| `SAFERGROUND_{name}` |" not in table} == set()


def test_what_docstrings_refer_to_is_there():
    named = re.compile(r":(?:mod|func|class|data|meth):`((?:app|geodata|spatial)(?:\.\w+)+)`")
    lost = []
    for path in (
        path for layer in ("app", "geodata", "spatial") for path in (ROOT / layer).rglob("*.py")
    ):
        for name in named.findall(path.read_text(encoding="utf-8")):
            parts = name.split(".")
            files = [ROOT.joinpath(*parts[:n]) for n in range(len(parts), 0, -1)]
            place = next(
                n for n, f in enumerate(files) if f.is_dir() or f.with_suffix(".py").is_file()
            )
            module, rest = files[place], parts[len(parts) - place :]
            source = module.with_suffix(".py") if module.with_suffix(".py").is_file() else None
            text = (source or module / "__init__.py").read_text(encoding="utf-8")
            if rest and not re.search(rf"\b{rest[0]}\b", text):
                lost.append(f"{path.relative_to(ROOT)}: {name}")
    assert lost == []
