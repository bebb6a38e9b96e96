"""Programs that ask the interface: GDAL, which QGIS uses, and the notebook of the examples."""

import json
import subprocess
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import pyogrio
import pytest
from serving import serving

ROOT = Path(__file__).parents[3]
NOTEBOOK = ROOT / "examples" / "notebook" / "release.ipynb"
READ = """
import json, sys, pyogrio
site, box = sys.argv[1], json.loads(sys.argv[2])
where = f"OAPIF:{site}/api/v1"
alerts = pyogrio.read_dataframe(where, layer="alerts")
zones = pyogrio.read_dataframe(where, layer="zones")
inside = pyogrio.read_dataframe(where, layer="alerts", bbox=tuple(box))
plain = pyogrio.read_dataframe(f"{site}/api/v1/zones")
print(json.dumps({
    "layers": pyogrio.list_layers(where)[:, 0].tolist(), "crs": alerts.crs.to_epsg(),
    "alerts": alerts["site"].tolist(), "zones": zones["id"].tolist(), "inside": len(inside),
    "plain": plain["id"].tolist(), "bounds": alerts.total_bounds.tolist(),
}))
"""


@pytest.fixture(scope="module")
def site(published_app):
    with serving(published_app) as address:
        yield address


@pytest.mark.skipif("OAPIF" not in pyogrio.list_drivers(), reason="this GDAL has no OAPIF driver")
def test_gdal_finds_the_layers_reads_all_pages_and_asks_for_a_part(site, published_app):
    client = published_app.test_client()
    held = client.get("/api/v1/alerts?limit=10000").get_json()["features"]
    box = [-39.5, 35.9, -39.45, 36.0]
    part = client.get("/api/v1/alerts?bbox=" + ",".join(map(str, box))).get_json()["numberMatched"]
    # In a process of its own: GDAL keeps this one from answering while it reads.
    command = [sys.executable, "-c", READ, site, json.dumps(box)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["layers"] == ["zones", "districts", "alerts", "complaints"]
    assert told["crs"] == 4326
    assert told["alerts"] == [one["properties"]["site"] for one in held]
    assert len(held) > 1000  # more than one page
    assert told["inside"] == part
    assert 0 < part < len(held)
    zones = client.get("/api/v1/zones").get_json()["features"]
    assert told["zones"] == told["plain"] == [one["id"] for one in zones]


def test_the_notebook_runs_from_start_to_finish(site, published_app, monkeypatch, capsys):
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert len({cell["id"] for cell in notebook["cells"]}) == len(notebook["cells"])
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] for cell in cells)  # what it shows is made, not kept
    monkeypatch.setenv("SAFERGROUND_SITE", site)
    plt.switch_backend("Agg")
    found = {}
    for cell in cells:
        exec(compile("".join(cell["source"]), cell["id"], "exec"), found)  # noqa: S102
    said = capsys.readouterr().out
    assert "Synthetic data: this city does not exist." in said
    told, client = found["table"], published_app.test_client()
    span = f"{found['start']:%Y-%m-%d}/{found['newest']:%Y-%m-%d}"
    alerts = client.get(f"/api/v1/alerts?datetime={span}").get_json()["numberMatched"]
    assert told["alerts"].sum() == alerts > 0
    assert told["zones"].sum() == client.get("/api/v1/zones").get_json()["numberMatched"]
    assert (told["touch a zone"] <= told["alerts"]).all()
    assert 0 < told["touch a zone"].sum() < alerts
    assert told["share in zones"].between(0, 0.2).all()
    axes = found["figure"].axes[0]
    assert "does not exist" in axes.get_title()
    assert len(axes.collections) >= 3
    found["figure"].canvas.draw()
    plt.close(found["figure"])
