"""What a city or the library calls factors is what people read; names stay in files."""

import json
import re

import pytest
from staffing import KEY
from town import Town

from app import create_app
from app.config import Settings
from app.i18n import numbers, titles
from app.i18n.language import speaking

OUTCOME = '[outcomes.robbery]\ntitle = "robbery of <persons>"\n[[factors]]'


@pytest.fixture
def published(run, tmp_path):
    """A town whose factor has a name of the library, and whose outcome has a title."""
    town = Town(tmp_path, n=700).crowd(500)
    town.change('name = "bars"', 'name = "atms"')
    town.change("[[factors]]", OUTCOME)
    run("init")
    run("import", town.path)
    fitted = json.loads(run("fit", "town", "--outcome", "robbery", "--json").stdout)
    drafted = json.loads(run("publish", "draft", "town", "--as", "ana", "--json").stdout)
    run("publish", "approve", drafted["release"], "--as", "ben")
    folder = tmp_path / "instance"
    url = f"sqlite:///{folder / 'saferground.sqlite'}"
    app = create_app(Settings(database_url=url, instance=folder, secret_key=KEY))
    return app.test_client(), fitted, folder / "releases" / "town" / drafted["release"]


def test_pages_reports_and_maps_say_titles_and_files_say_names(run, published, tmp_path):
    client, fitted, release = published
    assert {factor["name"] for factor in fitted["model"]["factors"]} == {"atms"}
    for page in ("/", "/zones/", "/methods/", "/map"):
        text = client.get(page).text
        assert "robbery of &lt;persons&gt;" in text, page
        assert not re.search(r"\batms\b", re.sub(r"<[^>]*>", "", text)), page
    zones = client.get("/zones/").text
    assert re.search(r"(Within [\d,]+ m of|Where) cash machines", zones), zones
    assert re.search(r"cajeros automáticos", client.get("/zones/?lang=es").text)
    drawn = "".join(path.read_text() for path in (release / "site" / "map").glob("zones-*.json"))
    assert "cash machines" in drawn
    assert "atms" not in drawn
    data = json.loads((release / "data" / "zones.geojson").read_text())
    reasons = [r["name"] for f in data["features"] for r in f["properties"]["reasons"]]
    assert set(reasons) == {"atms"}
    city = json.loads((release / "site" / "city.json").read_text())
    assert city["titles"] == {"robbery": "robbery of <persons>"}
    report = tmp_path / "report.html"
    run("export", fitted["run"], "--what", "report", report)
    assert "cash machines" in report.read_text()
    assert "obbery of &lt;persons&gt;" in report.read_text()


def test_titles_are_those_of_one_answer(tmp_path):
    app = create_app(Settings(database_url="sqlite://", instance=tmp_path, secret_key=None))
    titles.use_titles({"atms": "money boxes"})
    assert numbers.plain("atms") == "money boxes"
    with app.test_request_context("/healthz"):
        app.preprocess_request()
        assert numbers.plain("atms") == "cash machines"
        with speaking("es"):
            assert numbers.plain("atms") == "cajeros automáticos"
    assert numbers.plain("vehicle_theft") == "vehicle theft"
