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


@pytest.mark.parametrize("layer", ["spatial", "geodata", "app"])
def test_files_are_of_a_size_that_can_be_read(layer):
    long = {
        str(path.relative_to(ROOT)): lines
        for path in (ROOT / layer).rglob("*.py")
        if (lines := len(path.read_text().splitlines())) > 600
    }
    assert long == {}
