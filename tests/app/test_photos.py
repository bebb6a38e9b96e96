import io
import stat

import pytest
from PIL import Image

from app.usecases import photos
from geodata.errors import DataError


def picture(form="JPEG", size=(40, 20), colour="red", **options):
    out = io.BytesIO()
    Image.new("RGBA" if form == "PNG" else "RGB", size, colour).save(out, form, **options)
    return out.getvalue()


def with_metadata():
    exif = Image.Exif()
    exif[0x010F] = "Maker of cameras"
    exif[0x0112] = 6  # lies on its side
    exif.get_ifd(0x8825)[2] = (36.0, 0.0, 0.0)
    return picture(exif=exif, comment=b"a secret")


def test_only_the_pixels_are_kept_and_upright():
    sent = with_metadata()
    assert b"Maker of cameras" in sent
    kept = photos.redraw(sent)
    with Image.open(io.BytesIO(kept.content)) as back:
        assert (back.format, back.size) == ("JPEG", (20, 40))
        assert not back.getexif()
        assert set(back.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    assert b"secret" not in kept.content
    assert b"Exif" not in kept.content


def test_what_comes_after_a_picture_is_not_kept():
    sent = picture() + b"<script>alert(1)</script>" + b"PK\x03\x04"
    assert b"script" not in photos.redraw(sent).content


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_large_ones_are_made_smaller(form):
    kept = photos.redraw(picture(form, (3000, 1500)))
    assert (kept.width, kept.height) == (2000, 1000)


def test_glass_becomes_white_paper():
    kept = photos.redraw(picture("PNG", colour=(0, 0, 0, 0)))
    with Image.open(io.BytesIO(kept.content)) as back:
        assert min(back.getpixel((5, 5))) > 250


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"GIF89a" + b"\0" * 40,
        picture()[:300],
        picture("BMP"),
        picture("GIF"),
        b"\x89PNG\r\n\x1a\n" + b"\xff" * 200,
    ],
)
def test_what_is_no_picture_is_refused(sent):
    with pytest.raises(DataError, match="photo: "):
        photos.redraw(sent)


def test_what_is_too_large_is_refused_unread(monkeypatch):
    monkeypatch.setattr(photos, "MOST_PIXELS", 799)
    with pytest.raises(DataError, match="pixels"):
        photos.redraw(picture())
    monkeypatch.setattr(photos, "LARGEST", 10)
    with pytest.raises(DataError, match="larger than"):
        photos.redraw(picture())


def test_files_have_random_names_for_their_owner_alone(tmp_path):
    folder = tmp_path / "photos"
    kept = photos.redraw(picture())
    names = {photos.keep(folder, kept) for _ in range(3)}
    assert len(names) == 3
    for name in names:
        assert photos.NAME.fullmatch(name)
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
        assert photos.read(folder, name) == kept.content
    (tmp_path / "secret.jpg").write_bytes(b"x")
    for wrong in ("../secret.jpg", "nope.jpg", "", f"{'a' * 32}.jpg"):
        assert photos.read(folder, wrong) is None
        photos.forget(folder, wrong)
    assert (tmp_path / "secret.jpg").exists()
    photos.forget(folder, name)
    assert photos.read(folder, name) is None
