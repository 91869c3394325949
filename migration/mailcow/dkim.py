"""The DKIM key of a domain, as mailcow tells it: `get/dkim/DOMAIN` (json_api.php, functions.dkim.inc.php, `details`).

No reply of this route was recorded; its form is the one of the source. With SHOW_DKIM_PRIV_KEYS mailcow sends the
private key along: it is not looked at and goes with the reply.
"""

import re
from dataclasses import dataclass

from .client import Client, check_address
from .errors import Missing, Reason, Unknown
from .replies import Reply, json_of, text

_SELECTOR = re.compile(r"[A-Za-z0-9_.-]{1,63}")
_PUBLIC_KEY = re.compile(r"[A-Za-z0-9+/]{40,2000}={0,2}")


@dataclass(frozen=True, slots=True)
class DkimKey:
    """Where the public key is to stand (`selector`), and its base64."""

    selector: str
    public_key: str


def dkim_key(client: Client, domain: str) -> DkimKey:
    """The key of the domain (its xn-- form). Raises MailcowError: Missing when there is none."""
    check_address(f"a@{domain}")
    return read_key(client.call("GET", f"get/dkim/{domain}"))


def read_key(reply: Reply) -> DkimKey:
    """The key in a reply. Raises MailcowError: Missing when there is none, Unknown for anything unexpected."""
    row = json_of(reply)
    if row in ({}, []):
        raise Missing(Reason.MISSING)
    if not isinstance(row, dict):
        raise Unknown(Reason.UNEXPECTED)
    found = DkimKey(text(row.get("dkim_selector")), text(row.get("pubkey")))
    if not (_SELECTOR.fullmatch(found.selector) and _PUBLIC_KEY.fullmatch(found.public_key)):
        raise Unknown(Reason.UNEXPECTED)
    return found
