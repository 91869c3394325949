"""Visits to the running portal, page by page, from a network of one's own: how long each page took."""

import re
import statistics
import time
from http.client import HTTPConnection
from urllib.parse import urlencode, urlsplit

from bench.browser import FORM, Browser, Page
from tests.faults.owners import Owner

_FIELD = re.compile(r'<input[^>]*\bname="(csrfmiddlewaretoken|submission|address)"[^>]*\bvalue="([^"]*)"')
WRONG = {"address": "owner0@bench.example", "secret": "bcdf-ghjk-mnpq-rst3"}


class Visit(Browser):
    """Notes in `seconds` what each click took, with the page it led to."""

    def __init__(self, server: str, network: str, seconds: list[float]) -> None:
        super().__init__(server)
        self._connection = HTTPConnection(urlsplit(server).netloc, timeout=60, source_address=(network, 0))
        self._seconds = seconds

    def get(self, url: str) -> Page:
        began = time.monotonic()
        page = super().get(url)
        self._seconds.append(time.monotonic() - began)
        return page

    def post(self, url: str, fields: dict[str, str]) -> Page:
        began = time.monotonic()
        page = super().post(url, fields)
        self._seconds.append(time.monotonic() - began)
        return page


def comes_and_saves(owner: Owner, network: str, seconds: list[float]) -> None:
    """The owner's five steps. Raises RuntimeError when one does not lead to the next."""
    with Visit(owner.stack.portal, network, seconds) as visit:
        page = visit.get(owner.link)
        page = visit.post(page.url, dict(_FIELD.findall(page.text)) | {"secret": owner.secret})
        page = visit.post(page.url, dict(_FIELD.findall(page.text)) | {"password": owner.password})
        if page.url != "/done":
            raise RuntimeError(f"{owner.address} came to {page.url}")


def guesses(server: str, network: str, times: int) -> list[int]:
    """Wrong sign-ins without a link, as fast as they are answered; the statuses."""
    place = urlsplit(server).netloc
    connection = HTTPConnection(place, timeout=60, source_address=(network, 0))
    connection.request("GET", "/")
    answer = connection.getresponse()
    token = dict(_FIELD.findall(answer.read().decode()))
    cookie = str(answer.headers["Set-Cookie"]).partition(";")[0]
    statuses = []
    for _ in range(times):
        connection.request("POST", "/", urlencode(WRONG | token), {"Content-Type": FORM, "Cookie": cookie})
        answer = connection.getresponse()
        answer.read()
        statuses.append(answer.status)
    connection.close()
    return statuses


def figures(seconds: list[float]) -> str:
    """How long most and nearly all had to wait."""
    parts = statistics.quantiles(seconds, n=100, method="inclusive")
    return f"p95 {parts[94]:.2f} s, p99 {parts[98]:.2f} s of {len(seconds)} pages"
