import datetime as dt
import json
from pathlib import Path

import pytest
from initiatives_text import TEXT, change
from town import Town

from app.cli.initiative_commands import initiatives

ROOT = Path(__file__).parents[2]
LATER = ("updated = 2026-01-04", "updated = 2026-01-11")


@pytest.fixture
def bring(run, tmp_path):
    """A stored town, and a way to import initiatives into it."""
    run("init")
    run("import", Town(tmp_path).path)

    def bring_in(*pairs, text=TEXT, options=(), status=0):
        path = tmp_path / "initiatives.toml"
        path.write_text(change(*pairs, text=text), encoding="utf-8")
        return run("initiatives", "import", path, *options, status=status)

    return bring_in


def test_who_imports_is_in_the_audit(run, bring):
    bring(options=["--as", "ann"])
    assert "ann" in run("audit", "show", "--action", "data.initiatives").stdout


def test_import_list_and_show_as_json(run, bring):
    assert json.loads(bring(options=["--json"]).stdout) == {
        "city": "town",
        "added": ["policing", "parks"],
        "changed": [],
        "unchanged": [],
        "retired": [],
        "notes": [],
    }
    listed = json.loads(run("initiatives", "list", "town", "--json").stdout)
    assert listed["city"] == "town"
    first, second = listed["initiatives"]
    moment = first.pop("recorded_at")
    assert moment.endswith("Z")
    assert dt.datetime.fromisoformat(moment).tzinfo
    assert first == {
        "slug": "policing",
        "number": "2.13",
        "title": "New strategies",
        "goal": "Safer together",
        "status": "In Progress",
        "owner": "Police",
        "updated": "2026-01-04",
        "strategies": ["zones", "detection"],
        "retired": False,
    }
    assert second["slug"] == "parks"
    shown = json.loads(run("initiatives", "show", "town", "policing", "--json").stdout)
    assert set(shown) == {"city", "retired", "recorded_at", "content_sha256", "initiative"}
    assert shown["initiative"]["narrative"]["doing"] == ["We did."]
    assert shown["initiative"]["facts"][0]["value"] == "7"
    assert shown["initiative"]["strategies"][1]["targets"] == [
        {"measure": "alerts.guns", "target": 5.0, "source": "plan"}
    ]


def test_history_as_json(run, bring):
    bring()
    bring(LATER, ("We did.", "We did more."))
    bring(text='city = "town"\ninitiatives = []')
    arguments = ("initiatives", "show", "town", "policing", "--history", "--json")
    shown = json.loads(run(*arguments).stdout)
    assert shown["retired"] is True
    assert [entry["event"] for entry in shown["history"]] == ["retired", "said", "said"]
    _, newest, oldest = shown["history"]
    assert newest["initiative"] == shown["initiative"]
    assert newest["content_sha256"] == shown["content_sha256"]
    assert oldest["initiative"]["narrative"]["doing"] == ["We did."]
    assert sorted(newest["changes"]) == [
        "narrative doing changed",
        "updated: 2026-01-04 -> 2026-01-11",
    ]
    assert oldest["changes"] == []


def test_people_read_tables_and_text(run, bring):
    assert "policing    added" in bring().stdout
    noted = bring(("We did.", "We did more."))
    assert "policing    changed" in noted.stdout
    assert "parks       unchanged" in noted.stdout
    assert "its updated date 2026-01-04 did not" in noted.stderr
    bring(LATER, text=TEXT[: TEXT.index('\n[[initiatives]]\nslug = "parks"')])
    lines = run("initiatives", "list", "town").stdout.splitlines()
    assert lines[1].split()[:4] == ["policing", "2.13", "In", "Progress"]
    assert lines[2].split()[:3] == ["parks", "2.14", "retired"]
    shown = run("initiatives", "show", "town", "policing").stdout
    for part in (
        "2.13 New strategies",
        "In Progress; Police; updated 2026-01-11\n",
        "goal: Safer together",
        "Why it is important\n  It matters to people.\n  A second paragraph",
        "Strategy: Zones (Complete/Ongoing)\n  Places.",
        "measures: zones.pai\nalso touched: alerts.guns",
        "target: alerts.guns 5 (plan)",
        "Guns recovered: 7 guns, through May\n    dashboard (primary), https://example.org/a?b=1",
        "    As read.",
        "Wards: 2 / 3\n    paper (press), http://example.org",
    ):
        assert part in shown, part
    assert "retired: no longer" in run("initiatives", "show", "town", "parks").stdout
    told = run("initiatives", "show", "town", "parks", "--history").stdout.splitlines()
    assert [line.split(maxsplit=1)[1] for line in told] == [
        "retired",
        "said, updated 2025-12-01, On Hold",
    ]


def test_nothing_yet_says_how_to_begin(run, bring):
    told = run("initiatives", "list", "town")
    assert told.stdout == ""
    assert "saferground initiatives import FILE" in told.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["import", "none.toml"], "no such file"),
        (["list", "atlantis"], "no city 'atlantis' is stored (stored: town)"),
        (["show", "town", "trees"], "no initiative 'trees' (stored: parks, policing)"),
        (["show", "atlantis", "policing", "--history"], "no city 'atlantis'"),
    ],
)
def test_a_known_error_is_one_line_and_status_one(run, bring, arguments, told):
    bring()
    result = run("initiatives", *arguments, status=1)
    assert result.stdout == ""
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("Error")]
    assert told in line


def test_a_faulty_or_older_file_stores_nothing(run, bring):
    bring()
    before = run("initiatives", "list", "town", "--json").stdout
    faulty = bring(('"zones.pai"', '"zones.pie"'), ("2.13", "2.14"), status=1)
    assert "did you mean zones.pai?" in faulty.stderr
    assert "'2.14' is given twice" in faulty.stderr
    older = bring(("2026-01-04", "2026-01-03"), status=1)
    assert "the stored version is of 2026-01-04" in older.stderr
    assert run("initiatives", "list", "town", "--json").stdout == before


@pytest.mark.parametrize("arguments", [["import"], ["show", "town"], ["nonsense"]])
def test_wrong_usage_is_status_two(run, arguments):
    run("initiatives", *arguments, status=2)


def test_the_example_of_durham_is_imported(run, tmp_path):
    town = Town(tmp_path)
    town.change('slug = "town"', 'slug = "durham"')
    run("init")
    run("import", town.path)
    run("initiatives", "import", ROOT / "examples" / "durham" / "initiatives.toml")
    arguments = ("initiatives", "show", "durham", "community-policing-strategies", "--json")
    initiative = json.loads(run(*arguments).stdout)["initiative"]
    assert initiative["title"] == "Pilot and evaluate new community policing strategies"
    assert len(initiative["strategies"]) == 3


def test_commands_and_measures_are_in_the_documents(run):
    document = (ROOT / "docs" / "initiatives.md").read_text()
    listed = (ROOT / "docs" / "commands.md").read_text()
    for name in initiatives.commands:
        assert "Usage:" in run("initiatives", name, "--help").stdout
        assert f"saferground initiatives {name}" in document
        assert f"saferground initiatives {name}" in listed
