"""Mail about drafts: one waits for a second person, or was returned to who drafted it.

Mail names the city, who acted and the address of the draft's page: no figure, place or reason. Each
is a job of its own, sent by a worker, so that nothing waits for a mail server and one that fails is
listed, with its fault, and can be asked for again.
"""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import TYPE_CHECKING

from app.config import STARTTLS, TLS, SettingsError
from app.usecases.arguments import digest_arguments
from geodata.errors import DataError
from geodata.repositories import audit, job_queue, people, releases
from geodata.repositories.cities import get_city
from geodata.repositories.releases import same_person
from geodata.roles import PUBLISHER
from spatial.errors import one_line

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from app.config import MailServer, Settings
    from geodata.db.engine import Database
    from geodata.repositories.people import PersonRecord
    from geodata.repositories.releases import ReleaseRecord

MAIL = "mail"  # kind of job
ANSWER_SECONDS = 30.0  # that a mail server may take for each of its answers
TEXTS = {  # by the state of a draft: subject and body
    releases.DRAFTED: (
        "{city}: a draft waits for approval",
        "{who} drafted a release of {city}. It is not public until a publisher who did not draft "
        "it has read and approved it:\n\n{link}\n",
    ),
    releases.RETURNED: (
        "{city}: your draft was returned",
        "{who} returned the release of {city} that you drafted. The reason is on its page:\n\n"
        "{link}\n",
    ),
}


def approvers(session: Session, release: ReleaseRecord) -> list[PersonRecord]:
    """Return the people who may approve a draft: publishers, but not who drafted it."""
    return [
        person
        for person in people.list_people(session)
        if person.may({PUBLISHER}) and not same_person(person.name, release.drafted_by)
    ]


def ask_mail(database: Database, settings: Settings, identity: str) -> None:
    """Ask for mail to whom a draft waits for, once a person; nothing without a mail server."""
    if settings.mail is None:
        return
    with database.session(write=True) as session:
        release = releases.get_release(session, identity)
        for person in _recipients(session, release):
            arguments = {
                "city": release.city,
                "release": identity,
                "state": release.state,
                "to": person.name,
            }
            digest = digest_arguments(arguments)
            if not job_queue.was_added(session, MAIL, digest):
                job_queue.add_job(
                    session,
                    kind=MAIL,
                    city=release.city,
                    asked_by=release.returned_by or release.drafted_by,
                    arguments=arguments,
                    digest=digest,
                )


def send_mail(database: Database, settings: Settings, identity: str, state: str, to: str) -> None:
    """Send one mail, unless the draft or the person has changed since it was asked for.

    Raises
    ------
    NotStoredError
        If the draft is not stored.
    SettingsError
        If no mail server is set where the worker runs.
    DataError
        If the mail server does not take it.
    """
    if settings.mail is None or settings.address is None:
        msg = "no mail server is set where the worker runs; set SAFERGROUND_SMTP_HOST there"
        raise SettingsError(msg, code="no_mail_server")
    with database.session() as session:
        release = releases.get_release(session, identity)
        found = [one for one in _recipients(session, release) if one.name == to]
        city = get_city(session, release.city).name
    if release.state != state or not found:
        return
    subject, body = TEXTS[state]
    words = {
        "city": " ".join(city.split()),
        "who": " ".join((release.returned_by or release.drafted_by).split()),
        "link": f"{settings.address.rstrip('/')}/analyst/{release.city}/releases/{identity}",
    }
    message = EmailMessage()
    message["From"], message["To"] = settings.mail.sender, found[0].email
    message["Subject"], message["Date"] = subject.format(**words), formatdate()
    message["Message-ID"] = make_msgid(domain=settings.mail.sender.rpartition("@")[2])
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers
    message.set_content(body.format(**words))
    fault = _deliver(settings.mail, message)
    with database.session(write=True) as session:
        audit.record(session, "mail", "release.mail", identity, {"to": to, "fault": fault})
    if fault:
        msg = f"mail to {to} was not sent: {fault}; see to the mail server, then ask again"
        raise DataError(msg, code="mail_not_sent")


def _recipients(session: Session, release: ReleaseRecord) -> list[PersonRecord]:
    if release.state == releases.DRAFTED:
        found = approvers(session, release)
    elif release.state == releases.RETURNED:
        person = people.find_person(session, release.drafted_by)
        found = [person] if person and person.state == people.ACTIVE else []
    else:
        found = []
    return [person for person in found if person.email]


def _deliver(server: MailServer, message: EmailMessage) -> str:
    """Hand a message to the server; return the fault, empty if it was taken."""
    try:
        context = ssl.create_default_context()
        if server.tls == TLS:
            client: smtplib.SMTP = smtplib.SMTP_SSL(
                server.host, server.port, timeout=ANSWER_SECONDS, context=context
            )
        else:
            client = smtplib.SMTP(server.host, server.port, timeout=ANSWER_SECONDS)
        with client:
            if server.tls == STARTTLS:
                client.starttls(context=context)
            if server.user is not None and server.password is not None:
                client.login(server.user, server.password)
            client.send_message(message)
    except (OSError, smtplib.SMTPException, ValueError) as error:
        return one_line(error)[:300] or type(error).__name__
    return ""
