"""Errors are told apart by code, and docs/errors.md lists every code."""

import collections
import importlib.util
import re
from pathlib import Path

import pytest

from geodata.errors import DataError, FaultyFileError
from spatial.errors import SaferGroundError

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "errors.md"
# Rooms in which the class alone is the code: what is wrong with a file is in its sentence, which
# names file, row or field.
BY_CLASS = (
    "geodata/basemap/",
    "geodata/ingest/",
    "geodata/readers/",
    "geodata/remote/",
    "geodata/uploads/",
    "app/admin/",
    "app/jobs/",
    "app/workbench/",
)


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("error_codes", ROOT / "scripts/error_codes.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_document_lists_every_code(script):
    assert script.table() in DOCUMENT.read_text(encoding="utf-8")


def test_each_error_outside_of_files_names_what_is_wrong(script):
    raised = script.every_raise()
    by_kind = collections.Counter(one.error.kind for one in raised if not one.code)
    alone = {kind for kind, number in by_kind.items() if number == 1} | {"cancelled"}
    missing = [
        f"{one.path}:{one.line} {one.error.__name__}"
        for one in raised
        if not one.code
        and not one.path.startswith(BY_CLASS)
        and one.error.kind not in alone
        and not issubclass(one.error, FaultyFileError)
    ]
    assert missing == []


def test_codes_are_words(script):
    codes = {one.code for one in script.every_raise() if one.code}
    assert len(codes) > 150
    assert [code for code in codes if not re.fullmatch(r"[a-z]+(_[a-z]+)*", code)] == []


def test_a_code_is_the_kind_and_what_is_wrong():
    assert DataError("x").code == SaferGroundError.code.fget(DataError("x")) == "data"
    error = DataError("x", code="period_empty", city="durham")
    assert (error.code, error.parameters) == ("data.period_empty", {"city": "durham"})
    at_field = DataError.at("is empty", field="due", code="field_text")
    assert (at_field.code, at_field.parameters) == ("data.field_text", {"field": "due"})
