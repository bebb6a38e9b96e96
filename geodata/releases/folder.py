"""Read an approved release from its folder: no database, nothing but files.

``releases/<city>/current.json`` names the newest approved release of a city;
``releases/<city>/<id>/`` holds ``manifest.json``, the files that it tells, and beside them
``approval.json``, and ``withdrawal.json`` if it was withdrawn. A preview is a draft elsewhere:
``previews/<city>/preview.json`` names the folder beside it.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from geodata.documents import from_json
from geodata.errors import BrokenReleaseError, NotStoredError, ReleaseError
from geodata.release_manifest import Approval, Manifest, ReleasePointer, Withdrawal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MANIFEST, APPROVAL, WITHDRAWAL = "manifest.json", "approval.json", "withdrawal.json"
CURRENT, PREVIEW = "current.json", "preview.json"
BESIDE = (MANIFEST, APPROVAL, WITHDRAWAL)  # not reported by the manifest
ID_DIGITS = 12
FROM_COPY = "restore the release from a copy"
_T = TypeVar("_T")


@dataclass(frozen=True, kw_only=True)
class ReleaseFolder:
    """One release on disk."""

    path: Path

    @classmethod
    def current(cls, releases: Path, city: str) -> ReleaseFolder | None:
        """Return the newest approved release of a city, nothing where there is none.

        A withdrawal takes effect before ``current.json`` follows it.

        Raises
        ------
        BrokenReleaseError
            If the folder names a release that is not there or was not approved.
        """
        pointer = releases / city / CURRENT
        if not pointer.is_file():
            return None
        found = cls(path=releases / city / _read(ReleasePointer, pointer).release)
        if found.state == "withdrawn":
            left = (one for one in approved_releases(releases, city) if one.state == "approved")
            return next(left, None)
        if found.state != "approved":
            msg = f"{pointer} names a release that is not approved; approve one anew"
            raise BrokenReleaseError(msg, code="not_approved")
        return found

    @classmethod
    def find(cls, releases: Path, identity: str) -> ReleaseFolder:
        """Return a release of any city by its id.

        Raises
        ------
        NotStoredError
            If there is none.
        """
        if identity.isalnum():
            for folder in sorted(releases.glob(f"*/{identity}")):
                if (folder / MANIFEST).is_file():
                    return cls(path=folder)
        msg = f"no release {identity[:40]!r} in {releases}; see: saferground publish list CITY"
        raise NotStoredError(msg, code="no_release")

    @property
    def id(self) -> str:
        """Identifier: the start of the digest of all that it says."""
        return self.path.name

    @cached_property
    def manifest(self) -> Manifest:
        """What the release says of itself, with the digest of every file."""
        return _read(Manifest, self.path / MANIFEST)

    @property
    def shown_run(self) -> str:
        """Digest of the run whose zones it shows, empty if it shows none."""
        return self.manifest.run.sha256 if self.manifest.run else ""

    @property
    def approval(self) -> Approval | None:
        """Who approved it and when, if it was."""
        path = self.path / APPROVAL
        return _read(Approval, path) if path.is_file() else None

    @property
    def withdrawal(self) -> Withdrawal | None:
        """Who withdrew it, when and why, if it was."""
        path = self.path / WITHDRAWAL
        return _read(Withdrawal, path) if path.is_file() else None

    @property
    def state(self) -> str:
        """Say ``drafted``, ``approved`` or ``withdrawn``."""
        if (self.path / WITHDRAWAL).is_file():
            return "withdrawn"
        return "approved" if (self.path / APPROVAL).is_file() else "drafted"

    @property
    def files(self) -> tuple[str, ...]:
        """Names of its files."""
        return tuple(entry.name for entry in self.manifest.files)

    def read(self, name: str) -> bytes:
        """Return a file, after holding it against its digest.

        Raises
        ------
        NotStoredError
            If the release has no such file.
        BrokenReleaseError
            If the file is not what was approved.
        """
        entry = next((e for e in self.manifest.files if e.name == name), None)
        if entry is None:
            msg = f"release {self.id} has no file {name[:80]!r}"
            raise NotStoredError(msg, code="no_file")
        try:
            content = (self.path / name).read_bytes()
        except OSError as error:
            msg = f"release {self.id}: {name} cannot be read ({error.strerror})"
            raise BrokenReleaseError(msg, code="unreadable") from error
        if hashlib.sha256(content).hexdigest() != entry.sha256:
            msg = f"release {self.id}: {name} is not what was approved; restore it from a copy"
            raise BrokenReleaseError(msg, code="altered")
        return content

    def verify(self) -> tuple[str, ...]:
        """Name everything in which the folder differs from what its id was taken from."""
        try:
            entries = {entry.name: entry for entry in self.manifest.files}
            written = json.loads((self.path / MANIFEST).read_bytes())
        except ReleaseError as error:
            return (f"{MANIFEST} cannot be read ({error})",)
        faults = []
        if not self.manifest.id == self.id == identity_of(written):
            faults.append(f"{MANIFEST} is not what the id {self.id} was taken from")
        for name, entry in entries.items():
            path = self.path / name
            if not path.is_file():
                faults.append(f"{name} is missing")
            elif hashlib.sha256(path.read_bytes()).hexdigest() != entry.sha256:
                faults.append(f"{name} differs from its digest")
        found = {p.relative_to(self.path).as_posix() for p in self.path.rglob("*") if p.is_file()}
        faults += [f"{name} is not in the manifest" for name in sorted(found - {*entries, *BESIDE})]
        return tuple(faults)


@dataclass(frozen=True, kw_only=True)
class UnwrittenRelease(ReleaseFolder):
    """A release that is being drafted, to be read as if it were on disk; it has no id yet."""

    told: Manifest
    contents: Mapping[str, bytes]

    @property
    def id(self) -> str:
        """Nothing: the id follows from all files, and some are still to be made from these."""
        return ""

    @property
    def manifest(self) -> Manifest:
        """What is known of it already."""
        return self.told

    @property
    def files(self) -> tuple[str, ...]:
        """Names of the files that there are."""
        return tuple(self.contents)

    def read(self, name: str) -> bytes:
        """Return a file.

        Raises
        ------
        NotStoredError
            If there is no such file.
        """
        if name not in self.contents:
            msg = f"the draft has no file {name[:80]!r}"
            raise NotStoredError(msg, code="no_file")
        return self.contents[name]


@dataclass(frozen=True, kw_only=True)
class PreviewFolder(ReleaseFolder):
    """A draft that staff look at, read as if it had been approved when it was made.

    ``made_at`` is UTC, as ``preview.json`` writes it. There is no approval on disk, so that the
    folder is nothing but a draft wherever it is copied.
    """

    made_at: str

    @classmethod
    def current(cls, previews: Path, city: str) -> PreviewFolder | None:
        """Return the preview of a city, nothing where none was made.

        Raises
        ------
        BrokenReleaseError
            If ``preview.json`` cannot be read.
        """
        pointer = previews / city / PREVIEW
        if not pointer.is_file():
            return None
        named = _read(ReleasePointer, pointer)
        found = cls(path=previews / city / named.release, made_at=str(named.at))
        return found if (found.path / MANIFEST).is_file() else None

    @property
    def approval(self) -> Approval | None:
        """When it was made: what an approval at that moment would say."""
        return Approval(at=self.made_at)

    @property
    def state(self) -> str:
        """Return what it would be."""
        return "approved"


def identity_of(manifest: Mapping[str, object]) -> str:
    """Take a release's id from its manifest: 12 digits of the SHA-256 of all but the id."""
    options = {key: value for key, value in manifest.items() if key != "id"}
    text = json.dumps(
        options, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
    )
    return hashlib.sha256(text.encode()).hexdigest()[:ID_DIGITS]


def approved_releases(releases: Path, city: str) -> list[ReleaseFolder]:
    """Return the releases of a city that were ever approved, newest approval first."""
    found = [
        ReleaseFolder(path=path.parent)
        for path in (releases / city).glob(f"*/{APPROVAL}")
        if (path.parent / MANIFEST).is_file()
    ]
    return sorted(found, key=lambda one: (str(one.approval and one.approval.at), one.id))[::-1]


def _read(kind: type[_T], path: Path) -> _T:
    try:
        content = path.read_bytes()
    except OSError as error:
        msg = f"{path} cannot be read ({error}); {FROM_COPY}"
        raise BrokenReleaseError(msg, code="unreadable") from error
    return from_json(kind, content, str(path), FROM_COPY, BrokenReleaseError)
