"""Mail about drafts, sent by a worker to a server of the tests that speaks SMTP."""

import dataclasses
import datetime as dt
import shutil
import socket
import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from mail_server import Mailbox
from releasing import TODAY, Publisher, keep_run
from staffing import KEY

from app.config import MailServer, Settings, SettingsError
from app.jobs.kinds import Tools, read_task
from app.jobs.worker import Worker
from app.usecases.draft_mail import ask_mail
from geodata.clock import utc_now
from geodata.db.engine import open_database, upgrade
from geodata.errors import DataError
from geodata.releases.build import approve_release, draft_release
from geodata.repositories import audit, job_queue, people
from geodata.repositories.releases import return_release

SITE = "https://safer.example.org"
SENDER = "safer@example.org"


def mail_through(port, **more):
    return MailServer(host="127.0.0.1", port=port, sender=SENDER, **{"tls": "none", **more})


@pytest.fixture(scope="module")
def drafted(tmp_path_factory):
    """A town with a draft of ana's, and people who may approve it."""
    folder = tmp_path_factory.mktemp("mail")
    url = f"sqlite:///{folder / 'saferground.sqlite'}"
    upgrade(url)
    database = open_database(url)
    Publisher(folder, alerts=8).bring(database)
    keep_run(database)
    with database.session(write=True) as session:
        for name, role, email in (
            ("ana", "publisher", "ana@example.org"),
            ("pia", "publisher", "pia@example.org"),
            ("ben", "publisher", "ben@example.org"),
            ("eve", "publisher", ""),
            ("gone", "publisher", "gone@example.org"),
            ("vic", "viewer", "vic@example.org"),
        ):
            people.add_person(session, name, roles=[role], email=email, who="root", when=utc_now())
        people.change_state(session, "gone", people.DISABLED, "root", utc_now())
    release = draft_release(database, folder / "releases", "town", "ana", today=TODAY).id
    database.close()
    return folder, release


@pytest.fixture
def release(drafted):
    return drafted[1]


@pytest.fixture
def settings(drafted, tmp_path):
    shutil.copytree(drafted[0], tmp_path / "town")
    return Settings(
        database_url=f"sqlite:///{tmp_path / 'town' / 'saferground.sqlite'}",
        instance=tmp_path / "town",
        secret_key=KEY,
        address=SITE,
        mail=mail_through(1),
        poll_seconds=0.01,
    )


@pytest.fixture
def town(settings):
    database = open_database(settings.database_url)
    yield database
    database.close()


def mails(town):
    with town.session() as session:
        found = job_queue.list_jobs(session, "town")
        return {job.arguments["to"]: job for job in found if job.kind == "mail"}


def send(town, settings, arguments):
    task = read_task("mail", arguments)
    return task.work(Tools(database=town, settings=settings, who="ana"), lambda *_: None)


def test_a_worker_writes_to_whoever_may_approve_a_draft_and_nobody_else(town, settings, release):
    with Mailbox() as box:
        settings = dataclasses.replace(settings, mail=mail_through(box.port))
        ask_mail(town, settings, release)
        ask_mail(town, settings, release)
        assert not box.messages, "whoever asks does not wait for a mail server"
        worker = Worker(town, settings)
        while worker.run_next():
            pass
        worker.close()
        ask_mail(town, settings, release)
        assert {one.state for one in mails(town).values()} == {"done"}
    assert sorted(to for _, to, _ in box.messages) == [("ben@example.org",), ("pia@example.org",)]
    sender, _, message = box.messages[0]
    assert (sender, message["From"]) == (SENDER, SENDER)
    assert message["Subject"] == "Town: a draft waits for approval"
    assert message["Auto-Submitted"] == "auto-generated"
    body = message.get_content()
    assert f"{SITE}/analyst/town/releases/{release}" in body
    assert "ana drafted a release of Town." in body
    assert not any(sign.isdigit() for sign in body.replace(release, "")), "no figures in mail"
    with town.session() as session:
        entries = list(audit.entries(session, audit.AuditFilter(action="release.mail")))
    assert {entry.details["to"] for entry in entries} == {"ben", "pia"}


def test_a_returned_draft_is_written_of_to_its_drafter_without_the_reason(town, settings, release):
    with Mailbox() as box:
        settings = dataclasses.replace(settings, mail=mail_through(box.port))
        with town.session(write=True) as session:
            return_release(session, release, "pia", utc_now(), "42 Elm Street is in it")
        ask_mail(town, settings, release)
        send(town, settings, mails(town)["ana"].arguments)
    ((_, to, message),) = box.messages
    assert to == ("ana@example.org",)
    assert "pia returned the release of Town that you drafted" in message.get_content()
    assert "Elm" not in message.as_string()


def test_mail_that_nobody_needs_any_more_is_not_sent(town, settings, release):
    with Mailbox() as box:
        settings = dataclasses.replace(settings, mail=mail_through(box.port))
        ask_mail(town, settings, release)
        with town.session(write=True) as session:
            people.change_email(session, "ben", "", "root")
        send(town, settings, mails(town)["ben"].arguments)
        approve_release(town, settings.releases, release, "pia")
        send(town, settings, mails(town)["pia"].arguments)
    assert box.messages == []


def test_without_a_mail_server_nothing_is_asked_for(town, settings, release):
    settings = dataclasses.replace(settings, mail=None)
    ask_mail(town, settings, release)
    assert mails(town) == {}


@pytest.mark.parametrize("fault", ["nobody listens", "refused", "no STARTTLS"])
def test_mail_that_fails_is_recorded_and_can_be_sent_again(town, settings, release, fault):
    with Mailbox(refusing=["pia@example.org"] if fault == "refused" else []) as box:
        tls = "starttls" if fault == "no STARTTLS" else "none"
        port = box.port
        if fault == "nobody listens":
            with socket.socket() as sock:
                sock.bind(("127.0.0.1", 0))
                port = sock.getsockname()[1]
        broken = dataclasses.replace(settings, mail=mail_through(port, tls=tls))
        ask_mail(town, broken, release)
        arguments = mails(town)["pia"].arguments
        with pytest.raises(DataError, match="mail to pia was not sent"):
            send(town, broken, arguments)
        assert box.messages == []
    with town.session() as session:
        (entry,) = audit.entries(session, audit.AuditFilter(action="release.mail"))
    assert entry.details["fault"]
    with Mailbox() as box:
        send(town, dataclasses.replace(settings, mail=mail_through(box.port)), arguments)
        assert len(box.messages) == 1


def certificate(folder):
    """Make a certificate of localhost, valid for a day."""
    key, now = ec.generate_private_key(ec.SECP256R1()), dt.datetime.now(dt.UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "mail.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path


def test_a_password_goes_over_tls_to_a_server_that_is_who_it_says(
    town, settings, release, tmp_path, monkeypatch
):
    pem = certificate(tmp_path)
    with Mailbox(certificate=pem) as box:
        server = MailServer(
            host="localhost", port=box.port, sender=SENDER, user="safer", password="a secret"
        )
        settings = dataclasses.replace(settings, mail=server)
        ask_mail(town, settings, release)
        arguments = mails(town)["pia"].arguments
        with pytest.raises(DataError, match="certificate"):
            send(town, settings, arguments)
        assert not any(line.startswith(b"AUTH") for line in box.commands)
        monkeypatch.setenv("SSL_CERT_FILE", str(pem))
        assert ssl.get_default_verify_paths().cafile == str(pem)
        send(town, settings, arguments)
        commands = [line.split()[0].upper() for line in box.commands]
        assert commands.index(b"STARTTLS") < commands.index(b"AUTH") < commands.index(b"MAIL")
        assert len(box.messages) == 1


@pytest.fixture
def environment(monkeypatch, tmp_path):
    (tmp_path / "password").write_text("a secret\n")
    values = {
        "ADDRESS": SITE,
        "SMTP_HOST": "mail.example.org",
        "SMTP_FROM": SENDER,
        "SMTP_USER": "safer",
        "SMTP_PASSWORD_FILE": str(tmp_path / "password"),
    }

    def change(**more):
        for name, value in {**values, **more}.items():
            if value is None:
                monkeypatch.delenv(f"SAFERGROUND_{name}", raising=False)
            else:
                monkeypatch.setenv(f"SAFERGROUND_{name}", value)

    return change


def test_settings_of_mail_are_read_and_the_password_is_shown_nowhere(environment):
    environment()
    server = Settings.from_env().mail
    assert (server.host, server.port, server.tls) == ("mail.example.org", 587, "starttls")
    assert server.password == "a secret"
    assert "a secret" not in repr(server)
    environment(SMTP_TLS="tls")
    assert Settings.from_env().mail.port == 465
    environment(SMTP_HOST=None)
    assert Settings.from_env().mail is None


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"SMTP_FROM": None}, "SMTP_FROM"),
        ({"SMTP_FROM": "safer"}, "SMTP_FROM"),
        ({"SMTP_FROM": "a@b.org\nBcc: c@d.org"}, "SMTP_FROM"),
        ({"ADDRESS": None}, "SAFERGROUND_ADDRESS"),
        ({"SMTP_TLS": "perhaps"}, "SMTP_TLS"),
        ({"SMTP_TLS": "none"}, "in the clear"),
        ({"SMTP_USER": None}, "belong together"),
        ({"SMTP_PASSWORD_FILE": None}, "belong together"),
        ({"SMTP_PASSWORD_FILE": "/nowhere"}, "/nowhere cannot be read"),
        ({"SMTP_PORT": "0"}, "SMTP_PORT"),
    ],
)
def test_settings_of_mail_that_cannot_be_are_refused(environment, wrong, named):
    environment(**wrong)
    with pytest.raises(SettingsError, match=named):
        Settings.from_env()
