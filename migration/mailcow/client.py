"""Our verbs for passwords at mailcow's API, and the manners of a good client.

One connection kept alive, no cookies (mailcow's session cookie is an admin credential), no redirects, no proxies from
the environment, TLS verified, a deadline for the whole call, at most one mebibyte read (of a list 32). Only a read that
fell on a connection mailcow had just closed is repeated; what to do after an error is the outbox's decision.
"""

from __future__ import annotations

import http.client
import json
import re
import ssl
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

import requests
import urllib3.exceptions

from . import logins, replies
from .base_url import checked_url
from .errors import MailcowError, Reason, Refused, Unknown
from .replies import MailboxFacts, Reply
from .wire import Deadline, Transport

_ADDRESS = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[a-z0-9-]+(\.[a-z0-9-]+)+")
_PASSWORD_HASH = re.compile(r"\{[A-Z0-9-]+\}[!-~]+")
_API_KEY = re.compile(r"[!-~]{1,200}")
_MAX_HASH = 255  # the column's width; longer is an empty 200 and nothing stored
_FAILURES = (
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    http.client.HTTPException,
    OSError,
    ValueError,
)


class Client:
    """A connection to one mailcow.

    Threads may share it, but mailcow's database deadlocks from three parallel writes on.

    `base_url`: `https://HOST[:PORT]`; plain http only to this machine. `verify`: True for the system's
    authorities, or the path of a file with others; False is not taken. A `session` given is set up in the
    same way, so it should not serve anything else. Every verb raises MailcowError. Raises ValueError for
    arguments that must never reach the wire, without repeating them.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str,
        *,
        session: requests.Session | None = None,
        connect_timeout: float = 5,
        call_timeout: float = 75,
        verify: bool | str | Path = True,
    ) -> None:
        if not _API_KEY.fullmatch(api_key):
            raise ValueError("the API key must be printable ASCII without blanks")
        if verify is False:
            raise ValueError("TLS is always verified; name a file of authorities instead")
        self._base_url = checked_url(base_url)
        self._api_key = api_key
        self._timeout = (min(connect_timeout, call_timeout), call_timeout)
        self._call_timeout = call_timeout
        self._verify = verify if isinstance(verify, bool) else str(verify)
        self._session = session or requests.Session()
        self._session.trust_env = False
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._session.mount(self._base_url, Transport())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the kept connections."""
        self._session.close()

    def version(self) -> str:
        """The version, such as `2026-07a`: the cheapest check of address, certificate and key."""
        return replies.version(self.call("GET", "get/status/version"))

    def mailbox(self, address: str) -> MailboxFacts:
        """What mailcow knows about the mailbox. Raises Missing when there is none."""
        check_address(address)
        return replies.read_mailbox(self.call("GET", f"get/mailbox/{path_segment(address)}"), address)

    def mailboxes(self, domain: str) -> list[MailboxFacts]:
        """What mailcow knows about every mailbox of the domain (its xn-- form). Slow: 17 s for 20,000 mailboxes.

        For a domain it does not know mailcow lists every mailbox of every domain; those are dropped.
        """
        check_address(f"a@{domain}")
        return logins.read_mailboxes(self.call("GET", f"get/mailbox/reduced/{domain}", limit=logins.MAX_BODY), domain)

    def provisioned(self, domain: str) -> dict[str, Any]:
        """The mailboxes and aliases of the domain (its xn-- form) as mailcow tells them, JSON decoded and no more.

        For a domain it does not know mailcow lists every mailbox of every domain.
        """
        check_address(f"a@{domain}")
        paths = {"mailboxes": f"get/mailbox/reduced/{domain}", "aliases": f"get/alias/all/{domain}"}
        answers = {name: self.call("GET", path, limit=logins.MAX_BODY) for name, path in paths.items()}
        return {name: replies.json_of(answer, limit=logins.MAX_BODY) for name, answer in answers.items()}

    def set_password(self, address: str, password_hash: str, *, attribute_hash: str) -> None:
        """Replace the mailbox's password by a hash in Dovecot's form, `{SCHEME}…`.

        Returning means that mailcow reported success; the proof is `replies.confirm` with the facts read
        before and after. Look first (`mailbox`): an edit that fails makes mailcow rebuild a table of all
        mailboxes. `attribute_hash` is sent as it was read, because mailcow empties it otherwise.
        """
        check_address(address)
        if len(password_hash) > _MAX_HASH or not _PASSWORD_HASH.fullmatch(password_hash):
            raise ValueError("not a password hash that mailcow would store unchanged")
        change = {"password": password_hash, "password2": password_hash, "attribute_hash": attribute_hash}
        reply = self.call("POST", "edit/mailbox", {"items": [address], "attr": change})
        replies.password_stored(reply, address)

    def call(
        self, method: str, path: str, document: dict[str, Any] | None = None, *, limit: int = replies.MAX_BODY
    ) -> Reply:
        """One call of a verb; a read is repeated once when the kept connection it went over was just being closed.

        `limit`: bytes of the body that are read. Raises MailcowError when there is no HTTP reply.
        """
        with Deadline(self._call_timeout) as deadline:
            outcome = self._send(method, path, document, deadline, limit)
            if method == "GET" and deadline.reused and not deadline.passed and _lost(outcome):
                outcome = self._send(method, path, document, deadline, limit)
        if isinstance(outcome, Reply):
            return outcome
        raise outcome  # outside any except block: the transport's errors hold the request with key and hash

    def _send(
        self, method: str, path: str, document: dict[str, Any] | None, deadline: Deadline, limit: int
    ) -> Reply | MailcowError:
        url = f"{self._base_url}/api/v1/{path}"
        request = requests.Request(method, url, headers=self._headers(document), data=_encoded(document))
        try:
            # Not through the session, which reads the body of a redirect without a limit.
            response = self._session.get_adapter(url).send(
                request.prepare(),
                stream=True,
                timeout=self._timeout,
                verify=self._verify,
            )
            try:
                body = _read(response, limit)
            finally:
                if deadline.passed:
                    response.raw.close()
                response.close()
        except _FAILURES as error:
            return Unknown(Reason.TIMEOUT) if deadline.passed else _classified(error)
        if deadline.passed:  # a body without a length looks complete when its connection is shut down
            return Unknown(Reason.TIMEOUT)
        return Reply(response.status_code, response.headers.get("Content-Type", ""), body)

    def _headers(self, document: dict[str, Any] | None) -> dict[str, str]:
        headers = {
            "X-API-Key": self._api_key,
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": "umzug",
        }
        if document is not None:
            headers["Content-Type"] = "application/json"  # compared case-sensitively by mailcow
        return headers


def _read(response: requests.Response, limit: int) -> bytes:
    """The body, not decompressed, up to one byte more than is allowed."""
    body = bytearray()
    while len(body) <= limit:
        piece = response.raw.read(min(65536, limit + 1 - len(body)), decode_content=False)
        if not piece:
            return bytes(body)
        body += piece
    response.raw.close()
    return bytes(body)


def _classified(error: BaseException) -> MailcowError:
    """The outcome a failure of the transport stands for."""
    causes = list(_causes(error))
    if any(isinstance(cause, ssl.SSLEOFError | ssl.SSLZeroReturnError) for cause in causes):
        return Unknown(Reason.CONNECTION_LOST)  # mailcow's proxy restarting, not a wrong certificate
    if any(isinstance(cause, ssl.SSLError | requests.exceptions.SSLError) for cause in causes):
        return Refused(Reason.TLS)
    unreachable = (
        requests.ConnectTimeout,
        urllib3.exceptions.NewConnectionError,
        urllib3.exceptions.ConnectTimeoutError,
    )
    if any(isinstance(cause, unreachable) for cause in causes):
        return Unknown(Reason.UNREACHABLE)
    if any(isinstance(cause, requests.Timeout | TimeoutError | urllib3.exceptions.TimeoutError) for cause in causes):
        return Unknown(Reason.TIMEOUT)
    return Unknown(Reason.CONNECTION_LOST)


def _causes(error: BaseException) -> list[BaseException]:
    """The error and all it wraps, be it as an argument, a `reason` or in the chain."""
    seen: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting:
        cause = waiting.pop()
        if isinstance(cause, BaseException) and cause not in seen:
            seen.append(cause)
            waiting += [*cause.args, getattr(cause, "reason", None), cause.__cause__, cause.__context__]
    return seen


def _lost(outcome: Reply | MailcowError) -> bool:
    return isinstance(outcome, MailcowError) and outcome.reason is Reason.CONNECTION_LOST


def _encoded(document: dict[str, Any] | None) -> bytes | None:
    return None if document is None else json.dumps(document).encode("ascii")


def path_segment(address: str) -> str:
    """An address inside a path.

    Encoded twice: nginx decodes the path once and hands it to PHP as a query, which is decoded again.
    """
    return quote(quote(address, safe="@'"), safe="@'")


def check_address(address: str) -> None:
    """Raise ValueError for what must never reach the wire."""
    if len(address) > 254 or not _ADDRESS.fullmatch(address):
        raise ValueError("an address in lower-case ASCII is needed")
