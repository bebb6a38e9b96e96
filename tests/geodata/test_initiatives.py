import csv
import datetime as dt
import json
import re
from pathlib import Path

import pytest
from initiatives_text import MEASURES, TEXT, change

from geodata.cityfile.initiatives import Initiative, differences, digest_document, read_initiatives
from geodata.demo import generate as demo_city
from geodata.demo.pilots import write_initiatives
from geodata.errors import FaultyFileError, InitiativesFileError
from geodata.measures.registry import MEASURES as REGISTRY

EXAMPLE = Path(__file__).parents[2] / "examples" / "durham" / "initiatives.toml"


@pytest.fixture
def read(tmp_path):
    def read_text(text):
        path = tmp_path / "initiatives.toml"
        path.write_text(text, encoding="utf-8")
        return read_initiatives(path, MEASURES)

    return read_text


@pytest.fixture
def faults(read):
    def faults_of(*pairs, text=TEXT):
        with pytest.raises(InitiativesFileError) as caught:
            read(change(*pairs, text=text))
        return caught.value.faults

    return faults_of


def test_a_file_is_read_whole(read):
    file = read(TEXT)
    assert file.city == "town"
    first, second = file.initiatives
    assert (first.slug, first.number, first.title, first.goal, first.status, first.owner) == (
        "policing",
        "2.13",
        "New strategies",
        "Safer together",
        "In Progress",
        "Police",
    )
    assert first.updated == dt.date(2026, 1, 4)
    assert first.narrative.why == ("It matters to people.", 'A second paragraph, 2 < 3 & "quoted".')
    assert first.narrative.analysis == ("We count.",)
    zones, detection = first.strategies
    assert (zones.measures, zones.also_touched) == (("zones.pai",), ("alerts.guns",))
    assert (zones.slug, zones.title, zones.summary) == ("zones", "Zones", ("Places.",))
    assert (zones.status, detection.status) == ("Complete/Ongoing", "On Hold")
    (target,) = detection.targets
    assert (target.measure, target.target, target.source) == ("alerts.guns", 5.0, "plan")
    guns, wards = first.facts
    assert (guns.value, guns.unit, guns.period) == ("7", "guns", "through May")
    assert (guns.source, guns.url) == ("dashboard", "https://example.org/a?b=1")
    assert (guns.quality, guns.measure) == ("primary", "alerts.guns")
    assert (guns.retrieved, guns.note) == (dt.date(2026, 1, 2), "As read.")
    stated = (wards.unit, wards.period, wards.measure, wards.retrieved, wards.note)
    assert stated == (None,) * 5
    assert (second.slug, second.strategies, second.facts) == ("parks", (), ())


def test_an_initiative_comes_back_from_its_document(read):
    for initiative in read(TEXT).initiatives:
        document = json.loads(json.dumps(initiative.as_json()))
        assert Initiative.from_json(document) == initiative
        assert None not in document.values()


def test_the_digest_is_of_the_content_alone():
    assert digest_document({"a": 1, "b": "ü"}) == digest_document({"b": "ü", "a": 1})
    assert digest_document({"a": 1}) != digest_document({"a": 2})
    # echo -n '{"a":[1,"ü"],"b":0.9}' | sha256sum
    assert digest_document({"b": 0.9, "a": [1, "ü"]}) == (
        "aa301a95e9b48b95683009a75e906a12ee87f16d913f285eee086ff45c3f0e21"
    )


def test_every_fault_is_told_at_once(faults):
    told = faults(
        ('city = "town"', 'town = "town"'),
        ('slug = "policing"', 'slug = "The Policing"'),
        ('number = "2.13"', "number = 2.13"),
        ('title = "New strategies"', 'titel = "New strategies"'),
        ('status = "In Progress"', 'status = "in progress"'),
        ("updated = 2026-01-04", 'updated = "soon"'),
        ('next = "We go on."', 'then = "We go on."'),
        ('measures = ["zones.pai"]', 'measures = ["zones.pia"]'),
        ("target = 5", 'target = "5"'),
        ('url = "http://example.org"', 'url = "ftp://example.org"'),
        ('status = "On Hold"\nowner = "Parks"', 'owner = "Parks"'),
    )
    assert told == [
        "the initiatives file: unknown key 'town'; known: city, initiatives",
        "the initiatives file: city is missing",
        "[[initiatives]] 1: unknown key 'titel'; did you mean title?",
        "[[initiatives]] 1: slug 'The Policing': use small letters, digits and hyphens, 80 at most",
        "[[initiatives]] 1 [[strategies]] 1: measures: unknown measure 'zones.pia'; did you mean "
        "zones.pai?",
        "[[initiatives]] 1 [[strategies]] 2 [[targets]] 1: target must be a finite number, got '5'",
        "[[initiatives]] 1 [[facts]] 2: url must be an http:// or https:// address, got "
        "'ftp://example.org'",
        "[[initiatives]] 1: number must be text, got 2.13; write it in quotes",
        "[[initiatives]] 1: title is missing",
        "[[initiatives]] 1: status must be one of In Progress, On Hold, Complete/Ongoing, got "
        "'in progress'",
        "[[initiatives]] 1: updated must be a date such as 2026-01-31, got 'soon'",
        "[[initiatives]] 1 narrative: unknown key 'then'; known: analysis, doing, next, why",
        "[[initiatives]] 1 narrative: next (What's next) is missing",
        "[[initiatives]] 2: status is missing",
    ]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('title = "New strategies"', 'title = ""', "title must be text, got ''"),
        ('title = "New strategies"', 'title = "a\\nb"', "title must be one line"),
        ('title = "New strategies"', 'title = "a\\u0000b"', "title holds control characters"),
        ('title = "New strategies"', 'title = "a\\u202eb"', "title holds control characters"),
        ("updated = 2026-01-04", "", "1: updated is missing"),
        ("updated = 2026-01-04", "updated = 2026-01-04T10:00:00", "updated must be a date"),
        ("retrieved = 2026-01-02", "retrieved = 2", "retrieved must be a date"),
        ('doing = "We did."', "doing = 3", "doing (What we have been doing) must be text"),
        ('status = "Complete/Ongoing"', 'status = "Complete"', "[[strategies]] 1: status must be"),
        ('measures = ["zones.pai"]', 'measures = "zones.pai"', "must be a list of measure ids"),
        ('measures = ["zones.pai"]', "measures = [1]", "must be a list of measure ids"),
        ('["zones.pai"]', '["zones.pai", "zones.pai"]', "measures 'zones.pai' is given twice"),
        (
            '["alerts.guns"]',
            '["alert.guns"]',
            "also_touched: unknown measure 'alert.guns'; did you",
        ),
        (
            'also_touched = ["alerts.guns"]',
            'also_touched = ["zones.pai"]',
            "zones.pai is counted here",
        ),
        (
            'also_touched = ["alerts.guns"]',
            'also_touched = ["dirtbike.arrests"]',
            "dirtbike.arrests is under measures of no strategy",
        ),
        ("target = 5", "", "target is missing"),
        ("target = 5", "target = nan", "finite number, got nan"),
        ("target = 5", "target = true", "finite number, got True"),
        ("target = 5", f"target = 1{'0' * 400}", "finite number"),
        ('measure = "alerts.guns"', 'measure = "zones.pai"', "not under measures of this strategy"),
        ('source = "plan"', "", "[[targets]] 1: source is missing"),
        ('measure = "alerts.guns"\nretr', 'measure = "guns"\nretr', "unknown measure 'guns'"),
        ('value = "7"', "value = 7", "value must be text, got 7; write it in quotes"),
        ('source = "dashboard"', "", "[[facts]] 1: source is missing"),
        ('quality = "press"', "", "[[facts]] 2: quality is missing"),
        ('url = "http://example.org"', 'url = "javascript:alert(1)"', "url must be an http"),
        ('url = "http://example.org"', 'url = "https://"', "url must be an http"),
        ('url = "http://example.org"', 'url = "http://[a"', "url must be an http"),
        ('url = "http://example.org"', 'url = "http://a b"', "url must be an http"),
        ('slug = "parks"', 'slug = "policing"', "[[initiatives]]: slug 'policing' is given twice"),
        ('number = "2.14"', 'number = "2.13"', "[[initiatives]]: number '2.13' is given twice"),
        ('slug = "detection"', 'slug = "zones"', "[[strategies]]: slug 'zones' is given twice"),
        ("[[initiatives.facts]]", "[initiatives.facts]", "not valid TOML"),
        ("[[initiatives.strategies.targets]]", "[initiatives.strategies.targets]", "targets must"),
        ("[initiatives.narrative]", "[initiatives.story]", "needs [initiatives.narrative]"),
        ("[initiatives.narrative]", "narrative = 3\n[initiatives.x]", "narrative must be a table"),
        ('note = "As read."', 'notes = "As read."', "unknown key 'notes'; did you mean note?"),
    ],
)
def test_each_fault_names_its_place(faults, old, new, told):
    assert told in "\n".join(faults((old, new)))


@pytest.mark.parametrize(
    "markup",
    [
        "<b>now</b>",
        "a <script src=x>",
        "<!-- hidden",
        "5 &gt; 4",
        "&#60;",
        "see [this](https://example.org)",
        "**loud**",
        "# Head",
        "<B>NOW</B>",
        "Below\\n## Head",
    ],
)
def test_text_is_plain(faults, markup):
    (told,) = faults(("We did.", markup))
    assert "doing must be plain text, without" in told


def test_signs_that_are_no_markup_are_kept(read):
    plain = "R&D; 3 < 4 > 2, #1, 2 * 3 ** 4, [sic] (so), AT&T <3"
    (first, _) = read(change(("We did.", plain))).initiatives
    assert first.narrative.doing == (plain,)


def test_facts_differ_in_label_period_or_source(read, faults):
    twin = (
        'label = "Wards"\nvalue = "2 / 3"\nsource = "paper"',
        'label = "Guns recovered"\nvalue = "8"\nperiod = "through May"\nsource = "dashboard"',
    )
    assert "is given twice" in "\n".join(faults(twin))
    assert len(read(change(twin, ('"dashboard"', '"report"'))).initiatives[0].facts) == 2


@pytest.mark.parametrize("where", ["the same initiative", "another initiative"])
def test_a_measure_is_counted_by_one_strategy(faults, where):
    second = (
        '[[initiatives.strategies]]\nslug = "more"\ntitle = "More"\nsummary = "s"\n'
        'status = "On Hold"\nmeasures = ["alerts.arrests"]\n'
    )
    if where == "another initiative":
        told = faults(text=TEXT + second)
        other = "strategy more of parks"
    else:
        told = faults(("[[initiatives.facts]]", second + "[[initiatives.facts]]"))
        other = "strategy more of policing"
    assert told == [
        "alerts.arrests is counted more than once, by strategy detection of policing and by "
        f"{other}; leave it under measures of one of them and write it under also_touched of the "
        "others"
    ]


def test_a_file_without_initiatives_says_so_on_purpose(read, faults):
    assert read('city = "town"\ninitiatives = []').initiatives == ()
    assert "write initiatives = []" in faults(text='city = "town"')[0]
    assert "must be a list of tables" in faults(text='city = "town"\ninitiatives = [3]')[0]


def test_a_file_that_cannot_be_read_is_told(tmp_path):
    for name, content, told in (
        ("none.toml", None, "no such file; name the TOML file of the city's initiatives"),
        ("broken.toml", b"[city", "not valid TOML"),
        ("digits.toml", b"a = 1" + b"0" * 5000, "not valid TOML"),
        ("nested.toml", b"a = " + b"[" * 100_000, "not valid TOML"),
        ("latin.toml", "city = 'Zürich'".encode("latin-1"), "not UTF-8"),
    ):
        if content is not None:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(InitiativesFileError, match=told):
            read_initiatives(tmp_path / name, MEASURES)
    assert issubclass(InitiativesFileError, FaultyFileError)


@pytest.mark.parametrize(
    ("pairs", "told"),
    [
        ([], ()),
        ([('status = "In Progress"', 'status = "On Hold"')], ("status: In Progress -> On Hold",)),
        ([("2026-01-04", "2026-01-11")], ("updated: 2026-01-04 -> 2026-01-11",)),
        ([("We did.", "We did more.")], ("narrative doing changed",)),
        ([('title = "Zones"', 'title = "Areas"')], ("strategies zones title: Zones -> Areas",)),
        (
            [('slug = "zones"', 'slug = "areas"')],
            ("strategies zones removed", "strategies areas added"),
        ),
        (
            [("target = 5", "target = 6")],
            ("strategies detection targets alerts.guns target: 5.0 -> 6.0",),
        ),
        (
            [('["alerts.guns", "alerts.arrests"]', '["alerts.arrests", "alerts.guns"]')],
            ("strategies detection measures changed",),
        ),
        (
            [('value = "7"', 'value = "8"')],
            ("facts Guns recovered / through May / dashboard value: 7 -> 8",),
        ),
        (
            [('unit = "guns"\n', "")],
            ("facts Guns recovered / through May / dashboard unit removed",),
        ),
        ([('"New strategies"', f'"{"long " * 30}"')], ("title changed",)),
    ],
)
def test_differences_are_named(read, pairs, told):
    before, after = read(TEXT).initiatives[0], read(change(*pairs)).initiatives[0]
    found = differences(before, after)
    assert (sorted(found), len(found)) == (sorted(told), len(told))


def test_another_order_is_a_difference_too(read):
    before = read(TEXT).initiatives[0]
    after = Initiative.from_json(
        {**before.as_json(), "strategies": before.as_json()["strategies"][::-1]}
    )
    assert differences(before, after) == ("another order",)


def test_the_last_of_a_list_can_go(read):
    before = read(TEXT).initiatives[0]
    after = Initiative.from_json({**before.as_json(), "facts": []})
    assert differences(before, after) == (
        "facts Guns recovered / through May / dashboard removed",
        "facts Wards / paper removed",
    )


def test_the_example_of_durham_counts_every_measure_once():
    (initiative,) = read_initiatives(EXAMPLE, REGISTRY).initiatives
    assert initiative.number == "2.13"
    figures = {(f.label, f.value, f.period) for f in initiative.facts}
    assert ("Guns recovered", "21", "through December 2023") in figures
    assert ("Arrests", "23", "through December 2023") in figures
    counted = [m for s in initiative.strategies for m in s.measures]
    assert len(set(counted)) == len(counted) > 25


@pytest.mark.shared_data
def test_the_example_of_durham_holds_published_figures_only(shared_data):
    with (shared_data / "durham" / "reference_figures.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    (initiative,) = read_initiatives(EXAMPLE, REGISTRY).initiatives
    for fact in initiative.facts:
        assert any(
            (row["source"], row["url"], row["quality"]) == (fact.source, fact.url, fact.quality)
            and fact.value in [row["value"], *(part.strip() for part in row["value"].split("/"))]
            for row in rows
        ), fact
    published = set(re.findall(r"\d+(?:\.\d+)?", " ".join(" ".join(r.values()) for r in rows)))
    published |= {number.lstrip("0") for number in published}
    for text in (
        json.dumps(initiative.as_json()["narrative"]),
        json.dumps([(s.summary, s.title) for s in initiative.strategies]),
    ):
        said = set(re.findall(r"\d+(?:\.\d+)?", text.replace(",", "")))
        assert said <= published, said - published


def test_the_demonstration_city_says_that_it_is_made_up(tmp_path):
    write_initiatives(tmp_path)
    path = tmp_path / "initiatives.toml"
    file = read_initiatives(path, REGISTRY)
    assert file.city == demo_city.SLUG
    (initiative,) = file.initiatives
    assert initiative.facts == ()
    assert len(initiative.strategies) == 3
    counted = [m for s in initiative.strategies for m in s.measures]
    assert len(set(counted)) == len(counted) > 25
    for section in ("why", "doing", "next", "analysis"):
        assert getattr(initiative.narrative, section)[0].startswith("Made up"), section
    assert path.read_text().startswith("# Generated. A synthetic city")
    write_initiatives(tmp_path, city="elsewhere", updated=dt.date(2026, 2, 1))
    other = read_initiatives(path, REGISTRY)
    assert (other.city, other.initiatives[0].updated) == ("elsewhere", dt.date(2026, 2, 1))
