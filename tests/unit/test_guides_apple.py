"""The profile for Apple's devices: complete but for the password, the same each time, signed where we can."""

import plistlib
import subprocess
from pathlib import Path
from typing import Any

import pytest

from migration.guides import apple, facts
from migration.guides.facts import Protocol
from migration.models import Mailbox
from tests import factories

from .test_settings import GOOD, start


def read(mailbox: Mailbox, protocol: Protocol = Protocol.IMAP) -> dict[str, Any]:
    found: dict[str, Any] = plistlib.loads(apple.profile(facts.for_mailbox(mailbox), protocol))
    return found


@pytest.fixture
def certificate(tmp_path: Path, settings: Any) -> Path:
    """A self-signed certificate and its key, where the settings look for them."""
    file, key = tmp_path / "profile.pem", tmp_path / "profile.key"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=umzug.provider.example"]
    subprocess.run([*command, "-keyout", key, "-out", file, "-days", "2"], check=True, capture_output=True)
    settings.PROFILE_CERT_FILE, settings.PROFILE_KEY_FILE = str(file), str(key)
    return file


@pytest.mark.parametrize(
    ("protocol", "kind", "port"), [(Protocol.IMAP, "EmailTypeIMAP", 993), (Protocol.POP3, "EmailTypePOP", 995)]
)
def test_profile_holds_servers_and_login_name(mailbox: Mailbox, protocol: Protocol, kind: str, port: int) -> None:
    profile = read(mailbox, protocol)
    [content] = profile["PayloadContent"]

    assert profile["PayloadRemovalDisallowed"] is False
    assert (content["PayloadType"], content["EmailAccountType"]) == ("com.apple.mail.managed", kind)
    assert (content["IncomingMailServerPortNumber"], content["OutgoingMailServerPortNumber"]) == (port, 465)
    for side in ("Incoming", "Outgoing"):
        assert content[f"{side}MailServerHostName"] == "mail.provider.example"
        assert content[f"{side}MailServerUseSSL"] is True
        assert content[f"{side}MailServerUsername"] == "anna@demo.example"
        assert content[f"{side}MailServerAuthentication"] == "EmailAuthPassword"


def test_profile_holds_no_password(mailbox: Mailbox) -> None:
    [content] = read(mailbox)["PayloadContent"]

    # Apple's names for it; the third says only that the device need ask once.
    assert {name for name in content if "Password" in name} == {"OutgoingPasswordSameAsIncomingPassword"}
    assert content["OutgoingPasswordSameAsIncomingPassword"] is True


def test_names_stay_the_same_and_differ_by_mailbox_and_protocol(mailbox: Mailbox) -> None:
    other = factories.make_mailbox("berta", domain=mailbox.domain)

    assert read(mailbox) == read(mailbox)
    profiles = [read(mailbox), read(mailbox, Protocol.POP3), read(other)]
    assert len({profile["PayloadIdentifier"] for profile in profiles}) == 3
    assert len({one["PayloadUUID"] for profile in profiles for one in (profile, *profile["PayloadContent"])}) == 6


def test_login_name_of_a_domain_with_umlauts_is_its_ascii_form(db: None) -> None:
    mailbox = factories.make_mailbox("anna", domain=factories.make_domain("xn--bcher-kva.example"))

    [content] = read(mailbox)["PayloadContent"]

    assert content["EmailAddress"] == content["IncomingMailServerUsername"] == "anna@xn--bcher-kva.example"
    assert content["EmailAccountDescription"] == "anna@bücher.example"


def test_openssl_verifies_the_signature_and_gets_the_same_profile(
    mailbox: Mailbox, certificate: Path, tmp_path: Path
) -> None:
    signed = tmp_path / "signed.der"
    signed.write_bytes(apple.profile(facts.for_mailbox(mailbox), Protocol.IMAP))

    verified = subprocess.run(
        ["openssl", "smime", "-verify", "-inform", "DER", "-in", signed, "-CAfile", certificate, "-purpose", "any"],
        capture_output=True,
        check=False,
    )

    assert b"erification successful" in verified.stderr
    assert plistlib.loads(verified.stdout)["PayloadType"] == "Configuration"


def test_a_changed_profile_is_not_verified(mailbox: Mailbox, certificate: Path, tmp_path: Path) -> None:
    signed = tmp_path / "signed.der"
    profile = apple.profile(facts.for_mailbox(mailbox), Protocol.IMAP)
    signed.write_bytes(profile.replace(b"mail.provider.example", b"mail.attacker.example"))

    verified = subprocess.run(
        ["openssl", "smime", "-verify", "-inform", "DER", "-in", signed, "-CAfile", certificate, "-purpose", "any"],
        capture_output=True,
        check=False,
    )

    assert verified.returncode != 0


@pytest.mark.parametrize("content", ["", "-----BEGIN PRIVATE KEY-----\nnonsense\n-----END PRIVATE KEY-----\n"])
def test_a_key_that_cannot_sign_leaves_a_profile_that_works(
    mailbox: Mailbox, certificate: Path, settings: Any, capsys: Any, content: str
) -> None:
    Path(settings.PROFILE_KEY_FILE).write_text(content)

    assert read(mailbox)["PayloadType"] == "Configuration"
    settings.PROFILE_CERT_FILE = "/nowhere/at/all"
    assert read(mailbox)["PayloadType"] == "Configuration"


@pytest.mark.parametrize("alone", ["PORTAL_PROFILE_CERT_FILE", "PORTAL_PROFILE_KEY_FILE"])
def test_a_certificate_without_its_key_stops_the_start(alone: str) -> None:
    assert alone in start(**GOOD | {alone: "/some/file.pem"})
