"""From a fit to a release by commands: what is in use, and what happens where nothing is."""

import json

import pytest
from statements import blobs_in, statements_of
from town import Town


@pytest.fixture
def town(tmp_path, run):
    """A town with two runs of robbery, none of them in use."""
    run("init")
    run("import", Town(tmp_path, n=700).crowd(400).path)
    asked = ("fit", "town", "--outcome", "robbery", "--json")
    first = json.loads(run(*asked, "--name", "First", "--note", "all of it").stdout)
    second = json.loads(run(*asked, "--to", "2024-10-01", "--area-share", "0.06").stdout)
    return first, second


def test_a_run_is_put_to_use_by_name_and_with_a_reason(run, town):
    first, second = town
    runs = json.loads(run("runs", "town", "--json").stdout)["runs"]
    assert [(one["run"], one["name"], one["in_use"], one["used_since"]) for one in runs] == [
        (second["run"], "", False, None),
        (first["run"], "First", False, None),
    ]
    assert "saferground use RUN" in run("runs", "town").stderr
    run("use", first["run"], "--as", "ana", status=2)
    run("use", first["run"], "--why", "good", status=2)
    said = run("use", "nope", "--as", "ana", "--why", "good", status=1).stderr
    assert "no run 'nope' is stored" in said
    used = json.loads(run("use", first["run"], "--as", "ana", "--why", "good", "--json").stdout)
    assert (used["run"], used["in_use"], used["before"]) == (first["run"], True, None)
    assert (used["used_by"], used["reason"], used["outcome"]) == ("ana", "good", "robbery")
    assert "in use already" in run("use", first["run"], "--as", "b", "--why", "c", status=1).stderr
    runs = {one["run"]: one for one in json.loads(run("runs", "town", "--json").stdout)["runs"]}
    assert runs[first["run"]]["used_since"] == used["used_since"]
    assert runs[first["run"]]["in_use"]
    assert not runs[second["run"]]["in_use"]
    assert "since 20" in run("runs", "town").stdout
    shown = json.loads(run("show", first["run"], "--json").stdout)
    assert (shown["name"], shown["note"], shown["in_use"]) == ("First", "all of it", True)
    assert {key: shown[key] for key in first} == first
    told = run("use", second["run"], "--as", "ana", "--why", "better").stderr
    assert f"instead of {first['run']}" in told
    assert "run.use" in run("audit", "show").stdout


def test_zones_have_codes_that_stay_from_run_to_run(run, town):
    first, _ = town
    codes = [[zone["code"] for zone in one["zones"]] for one in town]
    assert all(code.startswith(("D1-", "D2-")) for code in codes[0] + codes[1])
    assert len(set(codes[1])) == len(codes[1])
    assert set(codes[0]) & set(codes[1])
    again = json.loads(run("fit", "town", "--outcome", "robbery", "--json").stdout)
    assert again == first  # it is stored, and so are its codes


def test_a_draft_without_a_run_in_use_warns_and_puts_nothing_to_use(run, town):
    first, second = town
    drafted = run("publish", "draft", "town", "--as", "ana", "--json")
    assert json.loads(drafted.stdout)["manifest"]["run"]["id"] == second["run"]
    assert f"saferground use {second['run']}" in drafted.stderr
    assert "warning: no run of town is in use" in drafted.stderr
    release = json.loads(drafted.stdout)["release"]
    approved = json.loads(run("publish", "approve", release, "--as", "ben", "--json").stdout)
    assert approved["state"] == "approved"
    assert not any(
        one["in_use"] for one in json.loads(run("runs", "town", "--json").stdout)["runs"]
    )
    other = run("publish", "draft", "town", "--run", first["run"], "--as", "ana", "--json")
    assert json.loads(other.stdout)["manifest"]["run"]["id"] == first["run"]
    assert "warning" not in other.stderr
    run("use", first["run"], "--as", "ana", "--why", "good")
    third = run("publish", "draft", "town", "--as", "ana", "--json")
    assert json.loads(third.stdout)["manifest"]["run"]["id"] == first["run"]
    assert "warning" not in third.stderr
    refused = run("publish", "draft", "town", "--run", "nope", "--as", "ana", status=1)
    assert "no run 'nope' is stored" in refused.stderr


def test_a_budget_that_zones_do_not_take_is_told_with_what_would_honour_it(run, town):
    asked = ("fit", "town", "--outcome", "robbery", "--area-share", "0.2", "--max-zones", "2")
    told = run(*asked)
    assert "20 % was the budget: 2 zones a district were allowed" in told.stderr
    document = json.loads(run(*asked, "--json").stdout)
    (caution,) = [one for one in document["warning_codes"] if one["code"] == "zones.budget_capped"]
    assert caution["warning"] in document["warnings"]
    needed = caution["parameters"]["max_zones_needed"]
    wider = json.loads(run(*asked[:-1], needed, "--json").stdout)
    held = sum(zone["cells"] for zone in wider["zones"]) / wider["grid"]["cells"]
    assert held == pytest.approx(caution["parameters"]["share_without_limit"])
    assert "zones.budget_capped" not in {one["code"] for one in wider["warning_codes"]}


def test_the_list_of_runs_reads_no_document_of_a_run(run, town):
    with statements_of() as sent:
        listed = json.loads(run("runs", "town", "--json").stdout)["runs"]
    assert [one["undone_imports"] for one in listed] == [[], []]
    assert sent
    assert blobs_in(sent) == []
