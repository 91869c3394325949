"""The envelope's sender names its mail (VERP), under a MAC, so that a bounce can be believed.

`support+m17.k3xq7b2a@provider.example` is the sender of mail 17. Whoever has not seen that mail cannot make the eight
symbols: 40 bits of an HMAC under the key ring. Mails of before that had `+m17` alone, and their rows say so.
"""

import base64
import re

from django.conf import settings

from migration.secrets import Purpose, mac, macs

_TAG = re.compile(r"\+m(\d{1,18})(?:\.([a-z2-7]{8}))?", re.ASCII)


def sender(mailing_id: int) -> str:
    """The address bounces of this mail come to."""
    local_part, _, domain = settings.MAIL_FROM.rpartition("@")
    return f"{local_part}+m{mailing_id}.{_symbols(mac(Purpose.BOUNCE, _message(mailing_id)))}@{domain}"


def named_by(address: str) -> tuple[int, bool] | None:
    """The number of the mail whose bounces come to this address, and whether a MAC proves it; None for all others.

    A wrong MAC is no address of ours. Case does not matter: some servers change it.
    """
    local_part, _, domain = address.strip().strip("<>").lower().rpartition("@")
    ours, _, our_domain = settings.MAIL_FROM.lower().rpartition("@")
    tag = _TAG.fullmatch(local_part[len(ours) :]) if local_part.startswith(ours) and domain == our_domain else None
    if tag is None:
        return None
    number, symbols = int(tag[1]), tag[2]
    if symbols is None:
        return number, False
    # An address is no secret that is guessed at one symbol a time: the sender has seen it whole, or tries 2^40.
    proven = symbols in {_symbols(made) for made in macs(Purpose.BOUNCE, _message(number))}
    return (number, True) if proven else None


def _message(mailing_id: int) -> bytes:
    return str(mailing_id).encode("ascii")


def _symbols(made: bytes) -> str:
    return base64.b32encode(made[-32:][:5]).decode("ascii").lower()
