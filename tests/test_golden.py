"""What the commands print and a release holds is what it was: see ``tests/support/golden.py``."""

import json
from pathlib import Path

import click
import pytest
from demo_fixtures import CITY, made_once
from golden import (
    GOLDEN,
    Normal,
    columns,
    compare,
    differences,
    printed,
    release_content,
    rendered,
)

from app.cli import main
from app.cli.demo_command import BEFORE_PILOT, CHOSEN_ON, PILOT, PILOTED
from geodata.releases.folder import ReleaseFolder

EXAMPLES = Path(__file__).parents[1] / "examples"
LONG = "60"  # seconds of a search, which ends by itself before


def period(days):
    return "/".join(day.isoformat() for day in days)


def kept(folder, found):
    """Keep what the commands printed, in the order in which they ran."""
    (folder / "printed.json").write_text(json.dumps(found))


def make_demo(folder):
    """Ask the rest of the demonstration city: its pilot, its measures and a plan."""
    found = json.loads((folder / "printed.json").read_text())
    days = ("--from", CHOSEN_ON[0], "--to", CHOSEN_ON[1])
    pilot = printed(folder, "fit", CITY, "--outcome", PILOT, *days, "--json")
    periods = ("--before", period(BEFORE_PILOT), "--after", period(PILOTED))
    asked = ("--run", pilot["run"], "--outcome", PILOT, *periods)
    found["evaluate"] = printed(folder, "evaluate", CITY, *asked, "--json")
    days = ("--from", "2025-01-01", "--to", "2026-01-01")
    found["measures"] = printed(folder, "measures", CITY, *days, "--json")
    found["measures_district"] = printed(
        folder, "measures", CITY, *days, "--district", "D2", "--json"
    )
    asked = ("--district", "D2", "--run", found["fit"]["run"], "--limit", LONG)
    shift = ("--shift", "2025-12-30T15:00/2025-12-30T23:00", "--units", 2)
    found["plan"] = printed(folder, "plan", CITY, *asked, *shift, "--json")
    kept(folder, found)


def make_hartford(shared):
    def make(folder):
        printed(folder, "init")
        found = {"import": bring(folder, "hartford", shared)}
        first = ("--from", "2017-01-01", "--to", "2018-07-01")
        found["fit"] = printed(folder, "fit", "hartford", "--outcome", "robbery", *first, "--json")
        run, last = found["fit"]["run"], ("--from", "2018-07-01", "--to", "2019-01-01")
        found["validate"] = printed(folder, "validate", run, *last, "--json")
        printed(folder, "use", run, "--as", "golden", "--why", "golden outputs")
        found["measures"] = printed(folder, "measures", "hartford", *last, "--json")
        shift = ("--shift", "2018-07-06T15:00/2018-07-06T23:00", "--units", 2, "--limit", LONG)
        found["plan"] = printed(
            folder, "plan", "hartford", "--district", "city", "--run", run, *shift, "--json"
        )
        periods = ("--before", "2017-01-01/2018-01-01", "--after", "2018-01-01/2019-01-01")
        asked = ("--run", run, "--outcome", "robbery", *periods)
        found["evaluate"] = printed(folder, "evaluate", "hartford", *asked, "--json")
        kept(folder, found)

    return make


def make_durham(shared):
    def make(folder):
        printed(folder, "init")
        found = {"import": bring(folder, "durham", shared)}
        asked = ("--from", "2013-01-01", "--to", "2013-05-01", "--json")
        found["fit"] = printed(folder, "fit", "durham", "--outcome", "burglary", *asked)
        run, last = found["fit"]["run"], ("--from", "2013-05-01", "--to", "2013-07-01")
        found["validate"] = printed(folder, "validate", run, *last, "--json")
        printed(folder, "use", run, "--as", "golden", "--why", "golden outputs")
        found["fit_each_district"] = printed(
            folder, "fit", "durham", "--outcome", "robbery", "--each-district", "--json"
        )
        found["measures"] = printed(folder, "measures", "durham", *last, "--json")
        shift = ("--shift", "2013-06-07T22:00/2013-06-08T08:00", "--units", 3, "--limit", LONG)
        found["plan"] = printed(
            folder, "plan", "durham", "--district", "D1", "--run", run, *shift, "--json"
        )
        periods = ("--before", "2013-01-01/2013-04-01", "--after", "2013-04-01/2013-06-30")
        asked = ("--run", run, "--outcome", "assault", *periods)
        found["evaluate"] = printed(folder, "evaluate", "durham", *asked, "--json")
        kept(folder, found)

    return make


def bring(folder, city, shared):
    described = EXAMPLES / city / "city.toml"
    return printed(folder, "import", described, "--data-root", shared / city, "--json")


@pytest.fixture(scope="module")
def documents(tmp_path_factory, request):
    """What the commands print of each city, normalised; each city is made once per run."""
    made = {}

    def of(city):
        if city not in made:
            if city == "demo":
                request.getfixturevalue("demo_settings")
                folder = made_once(tmp_path_factory, "golden-demo", make_demo, "demo")
            else:
                shared = request.getfixturevalue("shared_data")
                make = {"hartford": make_hartford, "durham": make_durham}[city](shared)
                folder = made_once(tmp_path_factory, f"golden-{city}", make)
            found, normal = json.loads((folder / "printed.json").read_text()), Normal()
            made[city] = {name: normal.value(document) for name, document in found.items()}
        return made[city]

    return of


NAMES = ("import", "fit", "validate", "measures", "plan", "evaluate")
SHARED, SLOW = pytest.mark.shared_data, pytest.mark.slow
CASES = [
    *(pytest.param("demo", name, marks=SLOW) for name in (*NAMES, "measures_district")),
    *(pytest.param("hartford", name, marks=SHARED) for name in NAMES),
    *(pytest.param("durham", name, marks=(SHARED, SLOW)) for name in (*NAMES, "fit_each_district")),
]


@pytest.mark.parametrize(("city", "name"), CASES)
def test_a_command_prints_what_it_printed(documents, city, name):
    document = documents(city)[name]
    if name == "plan":
        assert document["finished"], "a search that the clock ended is not the same twice"
    compare(f"{city}/{name}.json", document)


def test_a_release_holds_what_it_held(published_settings):
    folder = ReleaseFolder.current(published_settings.releases, CITY)
    compare("demo/release.json", release_content(folder.path, Normal()))


def test_the_description_of_the_interface_is_what_it_was(published_app):
    compare("openapi.json", published_app.test_client().get("/api/v1/openapi.json").get_json())


def helps(command, name, parent=None):
    """Yield the help of a command and of all in it."""
    asked = {"info_name": name, "parent": parent, "max_content_width": 100}
    context = click.Context(command, **asked, **command.context_settings)
    yield name if parent is None else context.command_path, command.get_help(context).splitlines()
    if isinstance(command, click.Group):
        for inner in command.list_commands(context):
            yield from helps(command.get_command(context, inner), inner, context)


def test_the_help_of_every_command_is_what_it_was():
    compare("help.json", dict(helps(main, "saferground")))


# ---- the comparison itself ----


def test_ids_are_the_same_word_wherever_they_stand():
    normal = Normal()
    told = {"run": "eb635f4e820e", "zone": "eb635f4e-city-1", "sha256": "0" * 64, "at": "now"}
    assert normal.value(told) == {
        "run": "<1>",
        "zone": "<1>-city-1",
        "sha256": "<digest>",
        "at": "<clock>",
    }
    assert normal.text("site/zones/eb635f4e-d4-2.svg") == "site/zones/<1>-d4-2.svg"
    assert normal.text("map-6a07503cdd91.css of 0123456789ab") == "map-<digest>.css of <2>"
    assert normal.text("20240101-1 and 1234567890123") == "20240101-1 and 1234567890123"


@pytest.mark.parametrize(
    ("one", "other", "line"),
    [
        ({"a": [1.0, 2.0]}, {"a": [1.0, 2.00001]}, "a[1]: 2.0 -> 2.00001"),
        ({"a": 1}, {"a": True}, "a: 1 -> true"),
        ({"a": None}, {"a": 0}, "a: null -> 0"),
        ({"a": "x"}, {}, 'a: is gone (was "x")'),
        ({}, {"b": {"c": 1}}, 'b: is new ({"c": 1})'),
        ({"a": [1]}, {"a": [1, 2]}, "a: 1 -> 2 values"),
    ],
)
def test_a_difference_is_one_line_with_its_place(one, other, line):
    assert list(differences(one, other)) == [line]
    assert list(differences(one, one)) == []


def test_noise_of_floats_is_no_difference():
    assert list(differences({"a": [1e6, 0.0]}, {"a": [1e6 + 0.1, 1e-12]})) == []


def test_one_value_of_many_shows_in_its_column_alone():
    rows = [{"zone": f"z{i}", "value": i / 7} for i in range(1000)]
    before = columns(rows)
    rows[500] = {"zone": "z500", "value": 500 / 7 + 1}
    total, digest = differences(before, columns(rows))
    assert total == "[].value.sum: 71357.1429 -> 71358.1429"
    assert digest.startswith("[].value.digest: ")
    rows[500] = {"zone": "z500", "value": 500 / 7 * (1 + 1e-6)}  # too little for the sum
    assert [line.split(":")[0] for line in differences(before, columns(rows))] == [
        "[].value.digest"
    ]


def test_goldens_are_small_and_none_is_left_over():
    files = [path for path in GOLDEN.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 1_500_000
    known = {"/".join(case.values) + ".json" for case in CASES}
    known |= {"demo/release.json", "openapi.json", "help.json"}
    assert {str(path.relative_to(GOLDEN)) for path in files} == known
    for path in files:
        text = path.read_text()
        assert text == rendered(json.loads(text)) + "\n", f"{path.name} is not as it is written"
