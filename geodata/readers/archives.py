"""Zip archives from outside: looked at before anything in them is unpacked."""

from __future__ import annotations

import stat
import zipfile
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from geodata.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

CHUNK = 1 << 20
NESTED = (".zip", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar", ".tar", ".zst", ".kmz")
NESTED_STARTS = (b"PK\x03\x04", b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"7z\xbc\xaf", b"Rar!")
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveLimits:
    """What an archive may hold: entries, bytes unpacked, and bytes unpacked for each byte."""

    # A file geodatabase has some forty files of its own and six to ten for each layer.
    entries: int = 1_000
    total_bytes: int = 2_000_000_000
    ratio: float = 200.0
    ratio_from_bytes: int = 10_000_000  # small files may be as regular as they like


DEFAULT_LIMITS = ArchiveLimits()


def check_archive(path: Path, label: str, limits: ArchiveLimits = DEFAULT_LIMITS) -> None:
    """Refuse an archive that is not what an export of a map layer is.

    Entries are unpacked once into nothing and counted, because what an archive says of their size
    may be false.

    Raises
    ------
    DataError
        If it is damaged, encrypted, too large when unpacked, or has too many entries, entries that
        lead out of it, links, or archives inside.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            if len(entries) > limits.entries:
                msg = (
                    f"{label}: the archive has {len(entries):,} entries, more than "
                    f"{limits.entries:,}; put only the parts of one layer into it"
                )
                raise DataError(msg)
            for entry in entries:
                _check_entry(entry, label)
            declared = sum(entry.file_size for entry in entries)
            require_small(declared, path.stat().st_size, label, limits)
            _unpack_into_nothing(archive, path, label, limits)
    except (
        zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError,
    ) as error:  # fmt: skip
        msg = f"{label}: the zip archive is damaged ({error}); export it again"
        raise DataError(msg) from error


def _check_entry(entry: zipfile.ZipInfo, label: str) -> None:
    name = entry.filename
    path = PurePosixPath(name.replace("\\", "/"))
    visible = name[:80]
    fault = ""
    if path.is_absolute() or ".." in path.parts or (path.parts and ":" in path.parts[0]):
        fault = f"the entry {visible!r} leads out of the archive"
    elif any(ord(sign) < 32 or ord(sign) == 127 for sign in entry.orig_filename):
        fault = f"the entry {visible!r} has control characters in its name"
    elif stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
        fault = f"the entry {visible!r} is a link or a device, not a file"
    elif entry.flag_bits & 0x1:
        fault = f"the entry {visible!r} is encrypted; zip it without a password"
    elif entry.compress_type not in METHODS:
        fault = f"the entry {visible!r} is packed in an unusual way; zip it again"
    elif name.lower().endswith(NESTED):
        fault = f"the entry {visible!r} is an archive itself; zip the parts of the layer only"
    if fault:
        msg = f"{label}: {fault}"
        raise DataError(msg)


def _unpack_into_nothing(
    archive: zipfile.ZipFile, path: Path, label: str, limits: ArchiveLimits
) -> None:
    total, packed = 0, path.stat().st_size
    for entry in archive.infolist():
        if entry.is_dir():
            continue
        with archive.open(entry) as file:
            first = True
            while piece := file.read(CHUNK):
                if first and piece.startswith(NESTED_STARTS):
                    msg = (
                        f"{label}: the entry {entry.filename[:80]!r} is an archive itself; zip the "
                        "parts of the layer only"
                    )
                    raise DataError(msg)
                first = False
                total += len(piece)
                require_small(total, packed, label, limits)


def require_small(total: int, packed: int, label: str, limits: ArchiveLimits) -> None:
    """Refuse what unpacks to too many bytes, or to too many for each packed byte.

    Raises
    ------
    DataError
        If it does.
    """
    bomb = total > limits.ratio_from_bytes and total > limits.ratio * max(packed, 1)
    if total > limits.total_bytes or bomb:
        msg = (
            f"{label}: unpacks to {total / 1e6:,.0f} MB or more from "
            f"{packed / 1e6:,.1f} MB, which no export of a map layer does; export it again"
        )
        raise DataError(msg)
