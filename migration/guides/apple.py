"""A configuration profile for Apple's devices: adds the mailbox with all values filled in, except the password.

Apple, "Configuration Profile Reference": the payload `com.apple.mail.managed`. A profile adds a mailbox, it never
changes the one that is there; who installs the same profile twice gets one, because its identifiers stay the same.
"""

import plistlib
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import structlog
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs7
from django.conf import settings
from django.utils.translation import gettext as _

from .facts import Guide, Protocol, Server

CONTENT_TYPE = "application/x-apple-aspen-config"

log = structlog.get_logger(__name__)


def profile(guide: Guide, protocol: Protocol) -> bytes:
    """The profile for a mailbox: signed (DER) where a certificate is set and usable, else plain XML."""
    plain = plistlib.dumps(_profile(guide, protocol))
    if not settings.PROFILE_CERT_FILE:
        return plain
    try:
        return signed(plain, Path(settings.PROFILE_CERT_FILE), Path(settings.PROFILE_KEY_FILE))
    except (OSError, ValueError, TypeError) as error:
        # A profile that is not signed works too; the device says so. Somebody must hear of it, not the owner.
        log.warning("profile.not_signed", reason=type(error).__name__)
        return plain


def signed(data: bytes, certificate_file: Path, key_file: Path) -> bytes:
    """The data inside a CMS signature (RFC 5652, DER), with the chain of the certificate's file.

    Raises OSError for a file that cannot be read, ValueError or TypeError for one that holds no usable PEM.
    """
    first, *chain = x509.load_pem_x509_certificates(certificate_file.read_bytes())
    key = serialization.load_pem_private_key(key_file.read_bytes(), password=None)
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise TypeError("only RSA and elliptic curve keys can sign a profile")
    builder = pkcs7.PKCS7SignatureBuilder().set_data(data).add_signer(first, key, hashes.SHA256())
    for certificate in chain:
        builder = builder.add_certificate(certificate)
    return builder.sign(serialization.Encoding.DER, [pkcs7.PKCS7Options.Binary])


def _profile(guide: Guide, protocol: Protocol) -> dict[str, Any]:
    # IMAP and POP3 are named apart: one must not replace the other, and with it the mails that lie on the device.
    name = uuid.uuid5(uuid.NAMESPACE_URL, f"mailto:{guide.login_name}?{protocol.value}")
    host = ".".join(reversed((urlsplit(settings.BASE_URL).hostname or "localhost").split(".")))
    identifier = f"{host}.mail.{name}"
    return {
        "PayloadType": "Configuration",
        "PayloadVersion": 1,
        "PayloadIdentifier": identifier,
        "PayloadUUID": str(name).upper(),
        "PayloadDisplayName": guide.display,
        "PayloadDescription": _("Adds this mailbox. The password is asked for by your device."),
        "PayloadOrganization": settings.PROVIDER_NAME,
        "PayloadRemovalDisallowed": False,
        "PayloadContent": [_mailbox(guide, protocol, identifier)],
    }


def _mailbox(guide: Guide, protocol: Protocol, identifier: str) -> dict[str, Any]:
    content = uuid.uuid5(uuid.NAMESPACE_URL, identifier)
    return {
        "PayloadType": "com.apple.mail.managed",
        "PayloadVersion": 1,
        "PayloadIdentifier": f"{identifier}.mailbox",
        "PayloadUUID": str(content).upper(),
        "PayloadDisplayName": guide.display,
        "EmailAccountType": "EmailTypePOP" if protocol is Protocol.POP3 else "EmailTypeIMAP",
        "EmailAccountDescription": guide.display,
        "EmailAddress": guide.login_name,
        **_server("Incoming", guide.fetching(protocol), guide),
        **_server("Outgoing", guide.smtp, guide),
        "OutgoingPasswordSameAsIncomingPassword": True,
    }


def _server(side: str, server: Server, guide: Guide) -> dict[str, Any]:
    return {
        f"{side}MailServerAuthentication": "EmailAuthPassword",
        f"{side}MailServerHostName": server.host,
        f"{side}MailServerPortNumber": server.port,
        f"{side}MailServerUseSSL": True,
        f"{side}MailServerUsername": guide.login_name,
    }
