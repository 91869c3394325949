"""HTTP for the stand-in: keep-alive, chunked replies, and the doors to API, control side and page."""

from __future__ import annotations

import ipaddress
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, cast

from . import control
from .api import HTML, NOT_FOUND, Answer, Call
from .faults import Dropped

if TYPE_CHECKING:
    from .standin import MailcowStandIn

MAX_REQUEST = 4 * 1024 * 1024


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server_version = "nginx"
    sys_version = ""
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = 65  # mailcow's nginx closes idle connections after this many seconds

    def handle_one_request(self) -> None:
        """Serve one request; a fault may end the connection instead."""
        try:
            super().handle_one_request()
        except ConnectionError:
            self.close_connection = True

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(min(length, MAX_REQUEST))
        headers = {name.lower(): value for name, value in self.headers.items()}
        call = Call(self.command, self.path, headers, body)
        try:
            self._reply(self._answer(call))
        except Dropped:
            self.close_connection = True

    do_GET = do_POST = do_PUT = do_DELETE = do_OPTIONS = _serve  # noqa: N815  (the base class calls these)

    def _answer(self, call: Call) -> Answer:
        stand_in = cast("MailcowStandIn", self.server.stand_in)  # type: ignore[attr-defined]
        path = call.path.partition("?")[0]
        if not path.startswith("/sandbox/") and path != "/":
            return stand_in.answer(call)
        peer = ipaddress.ip_address(self.client_address[0])
        if not any(peer in network for network in stand_in.control_networks):
            return Answer(404, NOT_FOUND, HTML)
        return control.answer(stand_in, call)

    def _reply(self, answer: Answer) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        if answer.body:
            self.wfile.write(b"%x\r\n%b\r\n" % (len(answer.body), answer.body))
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the base class's name)
        """Nothing: a call may hold a hash or a key."""
