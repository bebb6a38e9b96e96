"""Style sheets of the staff's pages: no rule that nothing uses, no colour written twice."""

import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STATIC = ROOT / "app" / "static"
SHEETS = ("staff.css", "shift.css", "command.css")
COMPOSED = re.compile(r"leaflet-.+|board-.+|h\d")  # Leaflet's own, board-{{ state }}, h{{ shade }}


@pytest.fixture(scope="module")
def words():
    """All words that templates, scripts and modules write."""
    files = [
        *ROOT.glob("templates/**/*.html"),
        *STATIC.glob("*.js"),
        *ROOT.glob("app/**/*.py"),
    ]
    return {word for file in files for word in re.findall(r"[\w-]+", file.read_text())}


@pytest.mark.parametrize("sheet", SHEETS)
def test_every_class_and_name_of_a_rule_is_used(words, sheet):
    selectors = re.sub(r"/\*.*?\*/|\{[^{}]*\}", " ", (STATIC / sheet).read_text(), flags=re.DOTALL)
    named = set(re.findall(r"[.#]([a-z][\w-]*)", selectors))
    assert named
    assert not {name for name in named - words if not COMPOSED.fullmatch(name)}


def test_a_colour_is_written_once():
    text = "".join((STATIC / sheet).read_text() for sheet in ("site.css", *SHEETS))
    found = Counter(re.findall(r"#[0-9a-f]{3,8}\b", text))
    tokens = set(re.findall(r"--[\w-]+: (#[0-9a-f]{6});", text))
    assert tokens
    assert not {colour: times for colour, times in found.items() if colour in tokens and times > 1}
