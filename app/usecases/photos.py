"""Photos that people send: checked, drawn anew without what the camera wrote, kept by random names.

Only the pixels of a photo are kept: place, time, owner and maker that cameras write into files are
not. The folder lies outside of all that is served; a view that knows who asks reads from it.
"""

from __future__ import annotations

import io
import os
import re
import secrets
import struct
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PIL import Image, ImageOps

from geodata.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

LARGEST = 12 * 1024 * 1024  # bytes of a file that is sent
MOST_PIXELS = 60_000_000
LONGEST_SIDE = 2000  # pixels of what is kept
QUALITY = 82
FORMATS = ("JPEG", "PNG", "WEBP")
NAME = re.compile(r"[A-Za-z0-9_-]{32}\.jpg")
NO_PHOTO = "photo: it is no JPEG, PNG or WebP picture that can be read; choose another file"


@dataclass(frozen=True, kw_only=True, eq=False)
class Photo:
    """A photo as it is kept: a JPEG without anything but its pixels."""

    content: bytes
    width: int
    height: int


def redraw(sent: bytes) -> Photo:
    """Read a photo, turn it upright, make it no larger than needed, and write it anew.

    Raises
    ------
    DataError
        If it is no picture of a known kind, or larger than can be taken.
    """
    if len(sent) > LARGEST:
        msg = f"photo: it is larger than {LARGEST // 2**20} MB; choose a smaller one"
        raise DataError(msg, code="photo_too_large")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # our own limit is lower than that of Pillow's warning
            return _redraw(sent)
    except (
        OSError,
        SyntaxError,
        ValueError,
        EOFError,
        struct.error,
        Image.DecompressionBombError,
    ) as error:
        raise DataError(NO_PHOTO, code="no_photo") from error


def _redraw(sent: bytes) -> Photo:
    with Image.open(io.BytesIO(sent), formats=FORMATS) as opened:
        if opened.width * opened.height > MOST_PIXELS:
            msg = f"photo: it has more than {MOST_PIXELS // 10**6} million pixels"
            raise DataError(msg, code="photo_too_large")
        opened.draft("RGB", (2 * LONGEST_SIDE, 2 * LONGEST_SIDE))
        upright = ImageOps.exif_transpose(opened)
        flat = upright.convert("RGBA")
        paper = Image.new("RGB", flat.size, "white")
        paper.paste(flat, mask=flat.getchannel("A"))
    paper.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    out = io.BytesIO()
    paper.save(out, "JPEG", quality=QUALITY, optimize=True)
    return Photo(content=out.getvalue(), width=paper.width, height=paper.height)


def keep(folder: Path, photo: Photo) -> str:
    """Write a photo under a random name, for the owner's eyes only; give the name.

    Raises
    ------
    DataError
        If the folder cannot be written.
    """
    name = f"{secrets.token_urlsafe(24)}.jpg"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as out:
            out.write(photo.content)
    except OSError as error:
        msg = f"photo: it cannot be kept at the moment ({error.strerror}); try again later"
        raise DataError(msg, code="not_writable") from error
    return name


def read(folder: Path, name: str) -> bytes | None:
    """Read a photo by its name; nothing where it is gone."""
    if not NAME.fullmatch(name):
        return None
    try:
        return (folder / name).read_bytes()
    except OSError:
        return None


def forget(folder: Path, name: str) -> None:
    """Delete a photo; one that is gone already is no fault."""
    if NAME.fullmatch(name):
        (folder / name).unlink(missing_ok=True)
