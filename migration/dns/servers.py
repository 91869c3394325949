"""Addresses of servers: those of the settings, and which ones a stranger's records may make us talk to."""

import ipaddress
import re


def address_and_port(text: str) -> tuple[str, int]:
    """`192.0.2.1`, `192.0.2.1:53`, `2001:db8::1` or `[2001:db8::1]:53` taken apart. Raises ValueError."""
    host, port = text.strip(), "53"
    if found := re.fullmatch(r"\[([^]]+)\](?::(\d+))?|([0-9.]+):(\d+)", host):
        host, port = found[1] or found[3], found[2] or found[4] or "53"
    ipaddress.ip_address(host)
    if not 1 <= int(port) <= 65535:
        raise ValueError(f"no port: {port}")
    return host, int(port)


def is_public(address: str) -> bool:
    """Whether an address is one of the internet's, not of this machine's or a private network."""
    parsed = ipaddress.ip_address(address)
    mapped = getattr(parsed, "ipv4_mapped", None)
    return (mapped or parsed).is_global and not parsed.is_multicast
