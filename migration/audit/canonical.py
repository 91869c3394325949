"""What of an event is sealed, byte for byte. Whoever changes a line here breaks every chain there is."""

import hashlib
import hmac
import ipaddress
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from migration.models import Event, Seal

DIGEST_BYTES = 32
SALT_BYTES = 16

# Which salt of the seal hides which field's digest, in the order of the digests. One salt goes when the address is cut,
# one when it is deleted, the last when the event is anonymised: see `migration.retention`.
SALTS: Mapping[str, str] = MappingProxyType(
    {
        "address": "address_salt",
        "network": "network_salt",
        "mailbox": "salt",
        "actor": "salt",
        "detail": "salt",
    }
)


@lru_cache(maxsize=4096)
def network_of(ip: str) -> str:
    """The address with its last part zero: /24 of IPv4, /48 of IPv6."""
    address = ipaddress.ip_address(ip)
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    length = 24 if address.version == 4 else 48
    return str(ipaddress.ip_network(f"{address}/{length}", strict=False).network_address)


def anonymous(actor: str) -> str:
    """What stays of an actor for good: a member of staff is one of the staff."""
    return "staff" if actor.startswith("staff:") else actor


def fields(event: Event) -> dict[str, object]:
    """What retention may erase of an event one day, by name."""
    return {
        "address": event.ip,
        "network": network_of(event.ip) if event.ip else None,
        "mailbox": event.mailbox_id,
        "actor": event.actor,
        "detail": event.detail,
    }


def digest(salt: bytes, field: str, value: object) -> bytes:
    """The salted digest of one field: HMAC-SHA-256 under the salt."""
    return hmac.digest(salt, _text([field, value]), "sha256")


def digests(event: Event, salts: Mapping[str, bytes]) -> bytes:
    """The digests of all fields, one after another; `salts` by the name of the seal's column."""
    return b"".join(digest(salts[SALTS[name]], name, value) for name, value in fields(event).items())


def digest_of(seal: Seal, field: str) -> bytes:
    """The digest a seal holds of this field."""
    start = list(SALTS).index(field) * DIGEST_BYTES
    return bytes(seal.digests)[start : start + DIGEST_BYTES]


def link(before: bytes, seal: Seal, event: Event) -> bytes:
    """The hash over the link before, what is kept of the event for good, and the digests of the rest."""
    kept = _text(
        [
            seal.number,
            seal.event,
            _time(seal.sealed_at),
            seal.domain,
            _time(event.at),
            event.action,
            anonymous(event.actor),
        ]
    )
    return hashlib.sha256(before + hashlib.sha256(kept).digest() + bytes(seal.digests)).digest()


def signed(number: int, link: bytes) -> bytes:
    """What the key of the ring seals: a link at its place."""
    return f"{number}|".encode() + link


_JSON = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def _text(value: Any) -> bytes:
    return _JSON.encode(value).encode()


def _time(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="microseconds")
