"""Which server a mail goes to, how it is talked to, and what its words may say."""

import datetime
import ipaddress
import re
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from migration import first_login as first_logins
from migration.mailings import compose, outbox, route, verp
from migration.mailings.smtp import Answer, Line, Route, Verdict
from migration.models import Domain, FirstLogin, Mailbox, Mailing, Source
from migration.secrets import SealBroken
from sandbox.mailhost import At, MailHost
from tests import factories

SECRET = "kfp7mrt4xwd9hc3q"


def send(way: Route, *, let_it_end: bool = True) -> Answer:
    mail = compose.announcement("Umzug", "Bald ist es so weit.\n", language="de")
    line = Line(way)
    answer = line.deliver(
        compose.message(mail, to="anna@demo.example", mailing_id=7).as_bytes(),
        sender=verp.sender(7),
        to="anna@demo.example",
        before_end=lambda: let_it_end,
        hide=SECRET,
    )
    line.close()
    return answer


@pytest.fixture
def host(tmp_path: Path) -> Iterator[MailHost]:
    with MailHost(tmp_path / "mails") as host:
        yield host


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for localhost and its key, in one file; nobody trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    today = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(today - datetime.timedelta(days=1))
        .not_valid_after(today + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "localhost.pem"
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    return file


@pytest.fixture
def server_tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def way_to(domain: Domain) -> Route | None:
    return route.of_source(domain.source).route()


def test_domain_goes_by_the_settings_unless_it_names_its_own_server(db: None, settings: Any) -> None:
    settings.SOURCE_SMTP_HOST, settings.SOURCE_SMTP_PORT = "alt.provider.example", 2525
    settings.SOURCE_SMTP_SECURITY = "tls"
    domain = factories.make_domain()
    assert way_to(domain) == Route("alt.provider.example", 2525, "tls")

    domain.source = Source.objects.create(name="Other", smtp_host="other.example", smtp_port=26)
    assert way_to(domain) == Route("other.example", 26, "starttls")


@pytest.mark.parametrize(
    ("security", "own_host", "user"),
    [("starttls", "", "portal"), ("tls", "", "portal"), ("none", "", ""), ("tls", "other.example", "")],
)
def test_login_is_offered_only_to_the_settings_host_and_only_over_tls(
    db: None, settings: Any, security: str, own_host: str, user: str
) -> None:
    settings.SOURCE_SMTP_USER, settings.SOURCE_SMTP_PASSWORD = "portal", "Login-Secret-1"
    settings.SOURCE_SMTP_SECURITY = security
    source = Source.objects.create(name="Own", smtp_host=own_host, security=security) if own_host else None

    way = way_to(factories.make_domain(source=source))

    assert way is not None
    assert (way.user, way.password) == (user, "Login-Secret-1" if user else "")
    assert "Login-Secret-1" not in repr(way)


def test_password_of_an_old_server_is_sealed_and_offered_over_tls_only(db: None) -> None:
    source = Source.objects.create(name="Own", smtp_host="own.example", smtp_user="umzug", security="tls")
    route.seal_password(source, "Login-Secret-2")
    source.save()

    assert b"Login-Secret-2" not in bytes(source.sealed_password or b"")
    assert route.of_source(source).route() == Route("own.example", 25, "tls", "umzug", "Login-Secret-2")

    source.security = "none"
    assert route.of_source(source).route() == Route("own.example", 25, "none")


def test_password_of_an_old_server_does_not_open_for_another_host(db: None) -> None:
    source = Source.objects.create(name="Own", smtp_host="own.example", smtp_user="umzug", security="tls")
    route.seal_password(source, "Login-Secret-2")
    source.smtp_host = "evil.example"

    with pytest.raises(SealBroken):
        route.of_source(source).route()


@pytest.mark.parametrize(
    ("smarthost", "to", "key"),
    [
        ("", "eva@kunde.example", "settings"),
        ("smart.example", "eva@kunde.example", "smarthost"),
        ("smart.example", "chef@demo.example", "settings"),
        ("smart.example", "chef@other.example", "source"),
    ],
)
def test_mail_leaves_by_the_smarthost_unless_its_address_is_in_a_domain_that_moves(
    db: None, settings: Any, smarthost: str, to: str, key: str
) -> None:
    settings.SMARTHOST_HOST = smarthost
    domain = factories.make_domain("demo.example", announced=False)
    source = Source.objects.create(name="Other", smtp_host="other-host.example")
    factories.make_domain("other.example", source=source, announced=False)
    mailing = outbox.enqueue(Mailing.Kind.ANNOUNCEMENT, domain=domain, recipient=to, language="de")

    way = route.of(Mailing.objects.get(pk=mailing.pk))

    assert way.key.partition(":")[0] == key
    assert [other.key for other in route.ways() if Mailing.objects.filter(other.mails()).exists()] == [way.key]


@pytest.mark.parametrize(
    ("kind", "responsible", "expected"),
    [
        ("personal", "", "m@demo.example"),
        ("shared", "chef@demo.example", "m@demo.example"),
        ("machine", "chef@demo.example", "chef@demo.example"),
        ("machine", "", "eva@kunde.example"),
    ],
)
def test_mail_about_a_machines_mailbox_goes_to_a_person(db: None, kind: str, responsible: str, expected: str) -> None:
    customer = factories.make_customer(contact_email="eva@kunde.example")
    domain = factories.make_domain("demo.example", customer=customer)
    mailbox = factories.make_mailbox("m", domain=domain, kind=kind, responsible=responsible)

    assert route.recipient(mailbox) == expected


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_mail_travels_over_tls_with_a_login(
    tmp_path: Path, certificate: Path, server_tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch, security: str
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    side: dict[str, Any] = {security: server_tls}

    with MailHost(tmp_path / "mails", login=("portal", "right"), **side) as host:
        way = Route("localhost", host.smtp_port, security, "portal", "right")
        assert send(way) == Answer(Verdict.ACCEPTED, 250)
        refused = send(Route("localhost", host.smtp_port, security, "portal", "wrong"))

        assert (refused.verdict, refused.code) == (Verdict.AGAIN, 535)
        assert len(host.mails()) == 1


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_certificate_nobody_trusts_stops_the_mail(tmp_path: Path, server_tls: ssl.SSLContext, security: str) -> None:
    side: dict[str, Any] = {security: server_tls}

    with MailHost(tmp_path / "mails", **side) as host:
        answer = send(Route("localhost", host.smtp_port, security))

        assert answer.verdict == Verdict.AGAIN
        assert "certificate not trusted" in answer.text
        assert host.mails() == []


def test_server_without_starttls_gets_nothing_in_clear(host: MailHost) -> None:
    answer = send(Route("127.0.0.1", host.smtp_port, "starttls"))

    assert answer.verdict == Verdict.AGAIN
    assert "STARTTLS" in answer.text
    assert host.mails() == []


def test_mail_whose_end_is_not_sent_is_thrown_away(host: MailHost) -> None:
    way = Route("127.0.0.1", host.smtp_port, "none")

    assert send(way, let_it_end=False).verdict == Verdict.STOPPED
    assert send(way).verdict == Verdict.ACCEPTED
    assert len(host.mails()) == 1


def test_dots_at_the_beginning_of_a_line_survive(host: MailHost) -> None:
    mail = compose.announcement("Punkte", "a\n.\n..b\n. c\n", language="de")
    message = compose.message(mail, to="anna@demo.example", mailing_id=7)

    line = Line(Route("127.0.0.1", host.smtp_port, "none"))
    line.deliver(message.as_bytes(), sender=verp.sender(7), to="anna@demo.example", before_end=lambda: True)
    line.close()

    assert host.mails()[0].text == "a\n.\n..b\n. c\n"


# --- through the outbox ---


@pytest.fixture
def invitation(host: MailHost, settings: Any, mailbox: Mailbox) -> Mailing:
    settings.SOURCE_SMTP_HOST, settings.SOURCE_SMTP_PORT = "127.0.0.1", host.smtp_port
    return invite(mailbox)


def invite(mailbox: Mailbox) -> Mailing:
    row = FirstLogin.objects.create(mailbox=mailbox, number=1, locator=first_logins.new_locator())
    return outbox.enqueue(
        Mailing.Kind.INVITATION,
        domain=mailbox.domain,
        mailbox=mailbox,
        first_login=row,
        recipient=route.recipient(mailbox),
        language="de",
    )


def test_words_of_the_server_never_repeat_the_secret(host: MailHost, invitation: Mailing) -> None:
    host.fail(554, at=At.DOT)

    outbox.send(invitation.pk)

    invitation.refresh_from_db()
    assert "(struck out)" in invitation.error
    assert not re.search(r"\w{4}-\w{4}-\w{4}", invitation.error)
    assert len(invitation.error) <= 300


def test_bounce_address_names_the_mailing(host: MailHost, invitation: Mailing) -> None:
    outbox.send(invitation.pk)

    (mail,) = host.mails()
    assert mail.sender == verp.sender(invitation.pk)
    assert verp.named_by(mail.sender) == (invitation.pk, True)


def test_domain_with_umlauts_travels_in_its_ascii_form(db: None, host: MailHost, settings: Any) -> None:
    settings.SOURCE_SMTP_HOST, settings.SOURCE_SMTP_PORT = "127.0.0.1", host.smtp_port
    mailbox = factories.make_mailbox("anna", domain=factories.make_domain("xn--bcher-kva.example"))
    Mailing.objects.filter(pk=(mailing := invite(mailbox)).pk).update(recipient="anna@bücher.example")

    outbox.send(mailing.pk)

    (mail,) = host.mails("anna@xn--bcher-kva.example")
    assert "anna@bücher.example" in mail.text


def test_recipient_that_is_no_address_fails_without_a_conversation(host: MailHost, invitation: Mailing) -> None:
    Mailing.objects.filter(pk=invitation.pk).update(recipient="anna@demo.example\nRCPT TO:<eve@evil.example>")

    outbox.send(invitation.pk)

    invitation.refresh_from_db()
    assert (invitation.state, host.mails()) == (Mailing.State.FAILED, [])
