"""Files that people hand in: what is taken, what is refused and why; hostile archives."""

import io
import os
import stat
import struct
import zipfile

import geopandas as gpd
import pytest
import shapely

from geodata.errors import DataError
from geodata.readers.archives import ArchiveLimits, check_archive
from geodata.uploads.intake import receive
from geodata.uploads.retention import forget_old

POINTS = gpd.GeoDataFrame({"name": ["a"]}, geometry=[shapely.Point(-79.1, 36.1)], crs="EPSG:4326")


@pytest.fixture
def hand_in(tmp_path):
    folder = tmp_path / "quarantine"

    def handed(content, name="x.bin", **options):
        try:
            return receive(io.BytesIO(content), name, folder, **options)
        finally:
            handed.left = sorted(folder.iterdir())

    return handed


def zipped(*entries, **options):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED, **options) as archive:
        for name, text in entries:
            archive.writestr(name, text)
    return content.getvalue()


@pytest.fixture
def shapefile(tmp_path):
    POINTS.to_file(tmp_path / "a.shp")
    return [(f"a.{e}", (tmp_path / f"a.{e}").read_bytes()) for e in ("shp", "shx", "dbf", "prj")]


def test_kinds_are_known_by_content_whatever_the_name(hand_in, tmp_path, shapefile):
    POINTS.to_file(tmp_path / "a.gpkg")
    POINTS.to_file(tmp_path / "a.geojson")
    POINTS.to_parquet(tmp_path / "a.parquet")
    contents = {
        "text": b"id,x\n1,2\n",
        "json": (tmp_path / "a.geojson").read_bytes(),
        "zip": zipped(*shapefile),
        "sqlite": (tmp_path / "a.gpkg").read_bytes(),
        "parquet": (tmp_path / "a.parquet").read_bytes(),
    }
    for kind, content in contents.items():
        for name in ("x.exe", "../../x.csv", ""):
            upload = hand_in(content, name)
            assert upload.kind == kind
            assert upload.path.read_bytes() == content
            assert upload.path.parent.name == "quarantine"
            assert upload.id in upload.path.name
            assert upload.size == len(content)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "the file is empty"),
        (b"\x1f\x8bxx", "compressed file is damaged"),
        (b"\x00\x00\x27\x0a" + bytes(99), "one part of a shapefile"),
        (b"\x7fELF" + bytes(600), "of no kind that is known"),
        (b"<!DOCTYPE html><html>", "is a web page; save the file itself"),
        (b'<?xml version="1.0"?>', "is XML; export it as GeoJSON or CSV"),
        (b'{"a": 1}', "not GeoJSON"),
        (b"[1, 2]", "not GeoJSON"),
        (b'{"type": "FeatureCollection"', "no JSON that can be read"),
        (b"[" * 100_000, "no JSON that can be read"),
        (b"just words\nand more\n", "one column only"),
        (b"\n\n", "no header"),
        (b"PK\x03\x04broken", "archive is damaged"),
        (zipped(("readme.pdf", "x")), "holds no map layer"),
        (zipped(("a.shp", "x")), "lacks its .shx part"),
    ],
)
def test_what_is_refused_is_told_and_not_kept(hand_in, content, told):
    with pytest.raises(DataError, match=told) as caught:
        hand_in(content, "mine.dat")
    assert str(caught.value).startswith("mine.dat: ")
    assert hand_in.left == []


def test_a_stream_that_is_too_long_is_cut(tmp_path):
    class Endless(io.RawIOBase):
        taken = 0

        def read(self, size):
            self.taken += size
            return b"x" * size

    stream = Endless()
    with pytest.raises(DataError, match="longer than 5 MB"):
        receive(stream, "x", tmp_path, most_bytes=5_000_000)
    assert stream.taken < 10_000_000
    assert list(tmp_path.iterdir()) == []


def test_old_uploads_are_forgotten(hand_in, tmp_path):
    old, new = hand_in(b"id,x\n"), hand_in(b"id,y\n")
    (old.path.parent / "mine.csv").write_text("kept")
    for path in (old.path, old.path.parent / "mine.csv"):
        os.utime(path, (0, 0))
    assert forget_old(old.path.parent, 3600) == 1
    left = sorted(p.name for p in new.path.parent.iterdir() if p.suffix != ".rows")
    assert left == ["mine.csv", new.path.name]


@pytest.mark.parametrize(
    "name", ["../a.shp", "/etc/a.shp", "a/../../b.shp", "C:\\a.shp", "..\\a.shp", "\\\\host\\a.shp"]
)
def test_entries_that_lead_out_are_refused(hand_in, name):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(zipfile.ZipInfo(name), "x")
    with pytest.raises(DataError, match="leads out of the archive"):
        hand_in(content.getvalue())


def test_links_and_devices_are_refused(hand_in):
    for kind in (stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO):
        entry = zipfile.ZipInfo("a.shp")
        entry.external_attr = (kind | 0o777) << 16
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as archive:
            archive.writestr(entry, "/etc/passwd")
        with pytest.raises(DataError, match="a link or a device"):
            hand_in(content.getvalue())


def test_encrypted_entries_are_refused(hand_in, shapefile):
    content = bytearray(zipped(*shapefile))
    start = 0
    while (start := content.find(b"PK\x01\x02", start)) >= 0:
        flags = struct.unpack_from("<H", content, start + 8)[0]
        struct.pack_into("<H", content, start + 8, flags | 1)
        start += 4
    with pytest.raises(DataError, match="is encrypted; zip it without a password"):
        hand_in(bytes(content))


def test_archives_in_archives_are_refused(hand_in, shapefile):
    inner = zipped(("b.txt", "x"))
    with pytest.raises(DataError, match="is an archive itself"):
        hand_in(zipped(*shapefile, ("more.zip", inner)))
    with pytest.raises(DataError, match="is an archive itself"):
        hand_in(zipped(*shapefile, ("more.txt", inner)))  # whatever it is called


def test_too_many_entries_are_refused(hand_in, shapefile):
    with pytest.raises(DataError, match="1,001 entries, more than 1,000"):
        hand_in(zipped(*shapefile, *((f"{i}.txt", "") for i in range(997))))


def test_bombs_are_refused_by_what_they_say_and_by_what_they_are(hand_in, tmp_path):
    bomb = bytearray(zipped(("a.shp", b"0" * 50_000_000)))
    with pytest.raises(DataError, match="unpacks to 50 MB or more"):
        hand_in(bytes(bomb))
    small = ArchiveLimits(total_bytes=1_000_000)
    (tmp_path / "a.zip").write_bytes(zipped(("a.bin", bytes(2_000_000))))
    with pytest.raises(DataError, match="unpacks to 2 MB or more"):
        check_archive(tmp_path / "a.zip", "a", small)
    for sign, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):  # a false size, told twice
        struct.pack_into("<I", bomb, bomb.find(sign) + offset, 100)
    with pytest.raises(DataError, match=r"unpacks to|archive is damaged"):
        hand_in(bytes(bomb))
    assert hand_in.left == []
