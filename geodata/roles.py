"""Roles of people, by the codes that are stored, and how their mail addresses are written."""

from __future__ import annotations

import re

VIEWER, OFFICER, ANALYST = "viewer", "officer", "analyst"
COMMANDER, PUBLISHER, ADMINISTRATOR = "commander", "publisher", "administrator"

ROLES = {  # what each may do, in the order that forms list them
    VIEWER: "reads what staff may read",
    OFFICER: "logs visits in own districts",
    ANALYST: "imports, fits models, drafts releases",
    COMMANDER: "plans patrols of own districts",
    PUBLISHER: "approves what others drafted",
    ADMINISTRATOR: "manages people and reads the audit, and no data by that alone",
}
SCOPES = {  # what a token may do at most, of what its person may
    "read": "reads what the roles of its person may read",
    "jobs": "asks for fits and validations, and cancels them",
    "rows": "sends alerts, calls, visits and other records as they happen",
}
READERS = frozenset(ROLES) - {ADMINISTRATOR}  # who may do all that a viewer may
WITH_DISTRICTS = frozenset({OFFICER, COMMANDER})
MAIL_ADDRESS = re.compile(  # the dot-atom form of RFC 5322, with the lengths of RFC 5321
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-][A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{0,63}"
    r"@[A-Za-z0-9][A-Za-z0-9.-]{0,183}[A-Za-z0-9]"
)
