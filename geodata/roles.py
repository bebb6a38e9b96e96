"""Roles of people, by the codes that are stored."""

from __future__ import annotations

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
}
READERS = frozenset(ROLES) - {ADMINISTRATOR}  # who may do all that a viewer may
WITH_DISTRICTS = frozenset({OFFICER, COMMANDER})
