"""Signing in through an OpenID Connect provider: code flow with PKCE, state and nonce.

People must be known here first, as people whom the provider vouches for. At the first sign-in the
provider's name for them must be theirs; from then on they are known by its subject alone, so a name
that is given to somebody else at the provider opens nothing.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.flask_client import OAuth
from flask import current_app
from joserfc.errors import JoseError
from werkzeug.exceptions import NotFound

from app.auth import sign_in
from app.auth.secrets import SignInError
from geodata.errors import PersonError
from geodata.repositories import audit, people

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Flask
    from flask.typing import ResponseReturnValue
    from sqlalchemy.orm import Session

    from app.auth.sign_in import Desk, Origin
    from app.config import Provider
    from geodata.repositories.people import PersonRecord

TIMEOUT_S = 10
REFUSED = "the provider knows you, but nobody here does; ask an administrator to let you in"
FAILED = "the provider did not let you in, or took too long; try again"
FAULTS = (
    AuthlibBaseError,
    JoseError,
    requests.RequestException,
    KeyError,
    TypeError,
    ValueError,
    RuntimeError,
)


def register(app: Flask, settings: Provider | None) -> None:
    """Make the provider known, if there is one; nothing is asked of it yet."""
    app.extensions["saferground.provider"] = None
    if settings is None:
        return
    client = OAuth(app).register(
        "provider",
        client_id=settings.client_id,
        client_secret=settings.client_secret,
        server_metadata_url=f"{settings.issuer}/.well-known/openid-configuration",
        client_kwargs={
            "scope": "openid profile email",
            "code_challenge_method": "S256",
            "default_timeout": TIMEOUT_S,
        },
    )
    app.extensions["saferground.provider"] = (settings, client)


def label() -> str | None:
    """Return what the provider is called, or nothing where there is none."""
    found = current_app.extensions["saferground.provider"]
    return found[0].label if found else None


def send_there(back: str) -> ResponseReturnValue:
    """Send the browser to the provider, which sends it back to an address of ours.

    Raises
    ------
    NotFound
        If there is no provider.
    SignInError
        If it does not answer.
    """
    _, client = _provider()
    try:
        answer: ResponseReturnValue = client.authorize_redirect(back)
    except FAULTS as error:
        current_app.logger.error("the provider cannot be reached: %s", error)
        raise SignInError(FAILED, code="provider_failed") from error
    return answer


def come_back(desk: Desk, origin: Origin) -> str:
    """Take the provider's answer; give the token of a session that is signed in.

    Raises
    ------
    NotFound
        If there is no provider.
    SignInError
        If the answer is not what was requested, or nobody here is meant.
    """
    settings, client = _provider()
    try:
        answer = client.authorize_access_token(
            claims_options={
                "iss": {"essential": True, "value": settings.issuer},
                "aud": {"essential": True, "value": settings.client_id},
            }
        )
        claims = answer["userinfo"]  # of the signed token, its nonce being ours
        subject = subject_hash(settings.issuer, claims["sub"])
    except FAULTS as error:
        current_app.logger.warning("the provider's answer was refused: %s", error)
        _refused(desk, origin, "")
        raise SignInError(FAILED, code="provider_failed") from error
    try:
        with desk.database.session(write=True) as session:
            person = _meant(session, settings, claims, subject)
            person = _with_roles(session, settings, claims, person, desk)
            return sign_in.finish(desk, session, person, "provider", origin)
    except PersonError as error:
        _refused(desk, origin, str(error))
        raise SignInError(REFUSED, code="provider_refused") from error


def subject_hash(issuer: str, subject: str) -> str:
    """Return what is stored of whom a provider means."""
    return hashlib.sha256(f"{issuer}\n{subject}".encode()).hexdigest()


def _provider() -> tuple[Provider, Any]:
    found: tuple[Provider, Any] | None = current_app.extensions["saferground.provider"]
    if found is None:
        raise NotFound
    return found


def _meant(
    session: Session, settings: Provider, claims: Mapping[str, object], subject: str
) -> PersonRecord:
    """Return who is meant: by subject, the first time by name."""
    person = people.find_subject(session, subject)
    if person is None:
        name = claims.get(settings.name_claim)
        if settings.name_claim == "email" and claims.get("email_verified") is not True:
            msg = "the provider did not verify the e-mail address"
            raise PersonError(msg, code="mail_unverified")
        person = people.find_person(session, name) if isinstance(name, str) else None
        if person is None:
            msg = f"nobody here has the name that the provider gives as {settings.name_claim}"
            raise PersonError(msg, code="name_unknown")
        person = people.bind_subject(session, person.name, subject)
    if person.state != people.ACTIVE:
        msg = f"{person.name} is {person.state}"
        raise PersonError(msg, code="not_active")
    return person


def _with_roles(
    session: Session,
    settings: Provider,
    claims: Mapping[str, object],
    person: PersonRecord,
    desk: Desk,
) -> PersonRecord:
    """Let the roles follow the provider, where it tells them."""
    if settings.role_claim is None:
        return person
    result = claims.get(settings.role_claim)
    values = [result] if isinstance(result, str) else result if isinstance(result, list) else []
    roles = [role for value, role in settings.roles if value in values]
    return people.change_roles(
        session,
        person.name,
        roles=roles,
        districts=person.districts,
        who="provider",
        when=desk.now(),
    )


def _refused(desk: Desk, origin: Origin, why: str) -> None:
    with desk.database.session(write=True) as session:
        document = {"address": origin.address, "what": "provider", "why": why}
        audit.record(session, "", "sign_in.failed", "", document)
