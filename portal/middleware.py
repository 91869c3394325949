"""Headers on every answer, and the client's address behind a configured number of proxies."""

import ipaddress
from collections.abc import Callable

from csp.utils import build_policy
from django.conf import settings
from django.http import HttpRequest, HttpResponse

GetResponse = Callable[[HttpRequest], HttpResponse]


def client_address(peer: str, forwarded_for: str, proxies: int) -> str:
    """Return the address of the client: the entry `proxies` places from the right of X-Forwarded-For.

    Each trusted proxy appends the address it saw, so anything further left was written by the client himself and is
    never believed. An unparsable or missing entry falls back to the peer.
    """
    if proxies == 0:
        return peer
    entries = [entry.strip() for entry in forwarded_for.split(",")]
    if len(entries) < proxies:
        return peer
    try:
        return str(ipaddress.ip_address(entries[-proxies]))
    except ValueError:
        return peer


class ClientAddressMiddleware:
    """Put the client's address into REMOTE_ADDR, where Django, allauth and our attempt budgets look for it."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.META["REMOTE_ADDR"] = client_address(
            request.META.get("REMOTE_ADDR", ""),
            request.META.get("HTTP_X_FORWARDED_FOR", ""),
            settings.TRUSTED_PROXY_COUNT,
        )
        return self.get_response(request)


class HeadersMiddleware:
    """Say to browsers and search engines what Django has no setting for."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        # One policy for all answers (CONTENT_SECURITY_POLICY): no nonce, so nothing to put together anew. Only the
        # desk's look at a mail, which has styles of its own and a frame around it, brings another.
        self.policy = build_policy()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", self.policy)
        # Pages name a mailbox: neither a shared PC's history nor a proxy may keep them. Static files are served
        # before this point and stay cacheable.
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers["X-Robots-Tag"] = "noindex, nofollow"
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        response.headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"
        return response
