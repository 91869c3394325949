"""What may be mailcow's base URL."""

import ipaddress
from urllib.parse import urlsplit


def checked_url(base_url: str) -> str:
    """Scheme, host and port of the base URL; anything more, or plain http to another machine, raises ValueError."""
    parts = urlsplit(base_url)
    if (
        parts.scheme not in ("http", "https")
        or not parts.hostname
        or parts.username is not None
        or parts.password is not None
    ):
        raise ValueError("mailcow's base URL must be https://HOST")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError("mailcow's base URL ends after the host")
    if parts.scheme == "http" and not _is_loopback(parts.hostname):
        raise ValueError("mailcow's base URL must be https")
    return f"{parts.scheme}://{parts.netloc}"


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
