"""Names of zones on real street nets, as docs/zone-names.md lists them."""

import importlib.util
import re
from pathlib import Path

import pytest

from spatial.zones.name_words import SHORTEST

ROOT = Path(__file__).parents[1]
EXTRACTS = ("baltimore.osm.pbf", "liechtenstein.osm.pbf", "porto.osm.pbf", "west_oakland.osm.bz2")
FEW = 8  # zones; West Oakland has 17 streets


def script():
    spec = importlib.util.spec_from_file_location("zone_names", ROOT / "scripts/zone_names.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.shared_data
@pytest.mark.parametrize("name", EXTRACTS)
def test_zones_of_real_cities_are_named(shared_data, name):
    path = shared_data / "osm" / name
    rows = script().of_extract(path, FEW, seed=1)
    shorts, wholes = [row[1] for row in rows], [row[2] for row in rows]
    assert len(set(shorts)) == len(set(wholes)) == len(rows) >= FEW / 2
    assert all(0 < len(text) <= SHORTEST for text in shorts)
    assert not any(text.startswith("District ") for text in wholes)
    assert not any(re.match(r"(Beside )?[AI][ -]\d+ (from|between|at) ", text) for text in wholes)


@pytest.mark.shared_data
def test_the_document_has_the_names_that_the_script_makes(shared_data):
    page = (ROOT / "docs/zone-names.md").read_text(encoding="utf-8")
    rows = script().of_extract(shared_data / "osm/baltimore.osm.pbf", 16, seed=1)
    assert all(f"| {code} | {short} | " in page for code, short, _ in rows)
