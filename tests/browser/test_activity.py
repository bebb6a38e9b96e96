"""Alerts and complaints on the map: one choice of weeks filters map, figures and tables."""

from urllib.parse import parse_qs, urlparse

import pytest

pytestmark = pytest.mark.browser


def query(window):
    return {key: values[0] for key, values in parse_qs(urlparse(window.page.url).query).items()}


def numbers(window, layer="alerts"):
    cells = window.page.locator(f'#activity-table td[data-layer="{layer}"]')
    return [int(text.replace(",", "")) for text in cells.all_text_contents()]


def drawn(window):
    """The picture of the areas as text: the more is drawn, the longer."""
    script = "canvases => canvases.map(canvas => canvas.toDataURL())"
    return sum(map(len, window.page.eval_on_selector_all(".leaflet-areas-pane canvas", script)))


def slide(window, slider, week):
    window.page.evaluate(
        """([name, value]) => {
            const input = document.getElementById(name);
            input.value = value;
            input.dispatchEvent(new Event("input", { bubbles: true }));
            input.dispatchEvent(new Event("change", { bubbles: true }));
        }""",
        [slider, week],
    )


def test_weeks_filter_map_figures_and_tables_together(visit):
    window = visit()
    window.go("/map")
    *by_district, total = numbers(window)
    assert sum(by_district) == total > 0
    painted = drawn(window)
    slide(window, "first-week", 0)
    *more, all_weeks = numbers(window)
    assert sum(more) == all_weeks > total
    assert drawn(window) != painted
    assert f"{all_weeks:,} alerts" in window.page.text_content("#activity-told")
    label = window.page.text_content('.district-name small[data-code="D3"]')
    codes = window.page.eval_on_selector_all(
        "#activity-table th[data-code]", "heads => heads.map(head => head.dataset.code)"
    )
    assert label == f"{more[codes.index('D3')]:,} alerts"


def test_the_address_holds_the_weeks_and_the_server_tells_the_same_without_scripts(visit):
    window = visit()
    window.go("/map")
    slide(window, "first-week", 10)
    slide(window, "last-week", 40)
    told, table = window.page.text_content("#activity-told"), numbers(window)
    asked = query(window)
    assert asked["from"] < asked["to"]
    plain = visit(java_script_enabled=False)
    plain.go(f"/map?from={asked['from']}&to={asked['to']}")
    assert plain.page.text_content("#activity-told") == told
    assert numbers(plain) == table
    assert plain.page.locator("#week-selects").is_visible()
    assert not plain.page.locator("#play").is_visible()
    plain.page.select_option("#from", asked["to"])
    plain.page.click("#week-selects button")
    assert query(plain)["from"] == asked["to"]
    again = visit()
    again.go(f"/map?from={asked['from']}&to={asked['to']}")
    assert numbers(again) == table


def test_playing_moves_the_weeks_and_stops_at_the_end(visit):
    window = visit()
    window.go("/map")
    last = window.page.eval_on_selector("#last-week", "input => Number(input.max)")
    slide(window, "first-week", last - 3)
    slide(window, "last-week", last - 2)
    before = window.page.text_content("#weeks-told")
    window.page.focus("#play")
    window.page.keyboard.press("Enter")
    assert window.page.text_content("#play") == "Pause"
    window.page.locator("#play", has_text="Play").wait_for()
    assert window.page.text_content("#weeks-told") != before
    assert window.page.eval_on_selector("#last-week", "input => Number(input.value)") == last
    assert query(window)["to"] == window.page.eval_on_selector("#to", "select => select.value")


def test_sliders_say_their_week_and_obey_the_keyboard(visit):
    window = visit()
    window.go("/map")
    window.page.focus("#first-week")
    words = window.page.get_attribute("#first-week", "aria-valuetext")
    assert words.startswith("Week of ")
    before = numbers(window)[-1]
    window.page.keyboard.press("ArrowLeft")
    assert window.page.get_attribute("#first-week", "aria-valuetext") != words
    assert numbers(window)[-1] > before


def test_layers_can_be_shown_and_hidden_and_the_address_remembers(visit):
    window = visit()
    window.go("/map")
    window.page.check('#layers input[value="complaints"]')
    window.page.uncheck('#layers input[value="alerts"]')
    assert query(window)["layers"] == "zones,districts,complaints"
    assert window.page.locator("#legend-complaints").is_visible()
    assert not window.page.locator("#legend-alerts").is_visible()
    again = visit()
    again.go(f"/map?{urlparse(window.page.url).query}")
    assert again.page.is_checked('#layers input[value="complaints"]')
    assert not again.page.is_checked('#layers input[value="alerts"]')
    empty = visit()
    empty.go("/map?layers=zones")
    assert drawn(again) > drawn(empty)


def test_an_area_of_the_table_is_found_on_the_map(visit):
    window = visit()
    window.go("/map")
    window.page.click("details >> text=Approximate areas with the most")
    before = window.page.url
    window.page.click("#areas button >> nth=0")
    window.page.wait_for_function("before => location.href !== before", arg=before)
    assert "view" in query(window)


def test_zones_stay_within_reach_below_the_areas(visit, shown):
    window = visit()
    window.go(f"/map?zone={shown.run.zones['id'].iloc[0]}")
    outline = window.page.locator(f'path[data-zone="{shown.run.zones["id"].iloc[0]}"]')
    box = outline.bounding_box()
    hit = window.page.evaluate(
        "([x, y]) => document.elementFromPoint(x, y).dataset.zone",
        [box["x"] + box["width"] / 2, box["y"] + 1],
    )
    assert hit is None or hit == shown.run.zones["id"].iloc[0]


LABELS = """labels => labels.filter(
    one => getComputedStyle(one).visibility === "visible" && one.offsetWidth
).map(one => {
    const { left, top, right, bottom } = one.getBoundingClientRect();
    return [one.textContent, left, top, right, bottom];
})"""


@pytest.mark.parametrize("width", [390, 1400])
def test_labels_never_lie_over_one_another_at_any_zoom(visit, width):
    window = visit(width, 900)
    window.go("/map?layers=zones,districts,neighbourhoods,alerts")
    window.page.locator("path[data-zone]").first.wait_for(state="attached")
    shown = set()
    for _ in range(4):
        window.page.wait_for_timeout(500)
        labels = window.page.eval_on_selector_all(".map-label", LABELS)
        shown.add(len(labels))
        for i, (text, *one) in enumerate(labels):
            for other_text, *other in labels[i + 1 :]:
                apart = one[0] >= other[2] or other[0] >= one[2]
                apart |= one[1] >= other[3] or other[1] >= one[3]
                assert apart, (text, other_text)
        window.page.click(".leaflet-control-zoom-in")
    assert max(shown) > 20
    assert len(shown) > 1  # laid out anew at each zoom


def test_pointing_at_a_number_says_it_and_draws_the_area_it_stands_for(visit):
    window = visit()
    window.go("/map")
    window.page.click("details >> text=Approximate areas with the most")
    window.page.click("#areas button >> nth=0")
    area = window.page.locator(".leaflet-reach-pane path[clip-path]")
    area.first.wait_for(state="attached")
    assert area.count() == 1
    cut = window.page.evaluate(
        "name => document.querySelector(name + ' use').getAttribute('href')",
        area.first.get_attribute("clip-path")[4:-1].replace('"', ""),
    )
    assert window.page.locator(cut).get_attribute("d")


def test_each_chart_ignores_its_own_filter_and_the_server_tells_the_same(visit):
    window = visit(bypass_csp=True)  # for axe
    window.go("/map")
    page = window.page
    everything = numbers(window)[-1]
    page.click("#histograms summary")

    def bars(on, field):
        cells = on.page.locator(f'.histogram[data-field="{field}"] .num').all_text_contents()
        return [int(text.replace(",", "")) for text in cells]

    hours, days = bars(window, "hours"), bars(window, "weekdays")
    assert sum(days) == everything
    page.check('.histogram input[name="weekdays"][value="6"]')
    page.check('.histogram input[name="weekdays"][value="7"]')
    weekend = days[5] + days[6]
    assert numbers(window)[-1] == weekend
    assert bars(window, "weekdays") == days  # it ignores itself
    assert sum(bars(window, "hours")) <= weekend < sum(hours)
    page.check('.histogram input[name="hours"][value="20-24"]')
    assert bars(window, "hours")[5] == numbers(window)[-1] < weekend
    assert bars(window, "weekdays")[5] + bars(window, "weekdays")[6] == numbers(window)[-1]
    assert query(window)["weekdays"] == "6,7"
    assert page.locator("#downloads").is_hidden()  # a file cannot be cut so
    told = page.text_content("#activity-told")
    assert told.endswith("in the chosen hours, weekdays and months alone")
    plain = visit(java_script_enabled=False)
    plain.go(f"/map?{urlparse(page.url).query}")
    assert plain.page.text_content("#activity-told") == told
    for field in ("hours", "weekdays", "months"):
        assert bars(plain, field) == bars(window, field)
    page.click("#histogram-clear")
    assert numbers(window)[-1] == everything
    page.go_back()
    assert numbers(window)[-1] == int(told.split(" ")[0].replace(",", ""))
    assert window.violations() == []
