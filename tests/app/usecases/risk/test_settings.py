"""The settings of a run stand once: command line, form, job arguments and document agree."""

from pathlib import Path

import click
import pytest

from app.cli.fit_commands import fit
from app.usecases.arguments import Arguments
from app.usecases.risk.settings import SETTINGS, USUAL, as_table, parts_of, written
from app.workbench.run_form import RunForm
from spatial.errors import SpecError

DOCUMENT = Path(__file__).parents[4] / "docs" / "run-settings.md"
OTHER = {  # a value for each setting that is not the usual one
    "seed": 7,
    "area_share": 0.05,
    "zones_from": "rtm",
    "allotment": "even",
    "city_zones": 12,
    "least_compactness": 0.0,
    "least_expected": 1.5,
    "barriers": "crossed",
    "min_cells": 3,
    "max_cells": 30,
    "max_zones": 3,
    "sharing": "shared",
    "min_incidents_district": 20,
    "sign": "protective",
    "families": ("nb2",),
    "folds": 5,
    "mixing": 1.0,
    "lambda_rule": "1se",
    "half_life_days": None,
}


def test_the_document_has_the_table_of_the_settings():
    assert as_table() in DOCUMENT.read_text(encoding="utf-8")


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_every_setting_is_an_option_a_field_and_an_argument(setting):
    names = {param.name for param in fit.params if isinstance(param, click.Option)}
    assert setting.argument in names
    assert hasattr(RunForm, setting.name)
    spec = USUAL[setting.part]
    assert hasattr(spec, setting.field)


@pytest.mark.parametrize("name", OTHER)
def test_what_is_chosen_comes_back_from_the_arguments_of_a_job(name):
    values = {one.name: getattr(USUAL[one.part], one.field) for one in SETTINGS}
    assert values[name] != OTHER[name]
    parts = parts_of({**values, name: OTHER[name]})
    arguments = Arguments("fit", written(parts))
    again = parts_of({one.name: one.read(arguments) for one in SETTINGS})
    arguments.check()
    assert again == parts
    assert len(arguments.given) == 1


def test_a_setting_out_of_bounds_is_refused():
    values = {one.name: getattr(USUAL[one.part], one.field) for one in SETTINGS}
    with pytest.raises(SpecError, match="folds must be from 3 to 100, got 2"):
        parts_of({**values, "folds": 2})
