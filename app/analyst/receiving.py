"""Files that come with a form, and addresses that are typed into one."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from geodata.errors import DataError
from geodata.quarantine import handed_in
from geodata.quarantine.uploads import receive
from geodata.sources.fetching import is_address, shown_address
from geodata.sources.hosts import check_host
from geodata.store import audit

if TYPE_CHECKING:
    from werkzeug.datastructures import FileStorage

    from app.config import Settings
    from app.workroom import Workroom
    from geodata.quarantine.handed_in import HandedIn

MOST_WAITING_BYTES = 5_000_000_000
LONGEST_ADDRESS = 900


def receive_file(room: Workroom, file: FileStorage | None, city: str, who: str) -> HandedIn:
    """Put a file of a form into quarantine, and write down who handed it in.

    Raises
    ------
    DataError
        If there is none, it is refused, or too many wait already.
    """
    if file is None or not file.filename:
        msg = "choose a file first"
        raise DataError(msg)
    folder = room.settings.uploads
    if handed_in.bytes_waiting(folder) > MOST_WAITING_BYTES:
        msg = (
            "too many files wait to be described; finish or forget some of them, the rest are "
            "forgotten after a week"
        )
        raise DataError(msg)
    upload = receive(file.stream, file.filename, folder)
    handed = handed_in.HandedIn(
        upload=upload, city=city, who=who, when=dt.datetime.now(dt.UTC).replace(tzinfo=None)
    )
    handed_in.keep(handed)
    told = {
        "file": upload.name,
        "kind": upload.kind,
        "bytes": upload.size,
        "sha256": upload.sha256,
    }
    with room.database.session(write=True) as session:
        audit.record(session, who, "source.upload", city, told)
    return handed


def address_fault(settings: Settings, address: str) -> str:
    """Tell why an address will not be asked, nothing where it may be.

    The job that fetches it holds it against the same rules again; here the answer comes at once.
    """
    if not address:
        return "type an address, or choose a file above"
    if len(address) > LONGEST_ADDRESS:
        return f"is longer than {LONGEST_ADDRESS} characters; shorten what it asks for"
    if not is_address(address):
        return "is no address; write it as https://host/path"
    try:
        check_host(address, shown_address(address), allow_private=settings.allow_private_sources)
    except DataError as error:
        return str(error)
    except ValueError:
        return "is no address that can be read; write it as https://host/path"
    return ""
