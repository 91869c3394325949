"""The portal's door in bad weather: owners with their mail, strangers who guess, and what all of them are answered."""

import re
import threading
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any

from django.test import Client

from migration import first_login as first_logins
from migration.models import Mailbox
from sandbox.mailhost import MailHost
from tests.integration.door import sign_in

# How every password begins that an owner chooses here: what is searched for afterwards.
CANARY = "Kanarienvogel-im-Bergwerk"
LOCATOR = re.compile(r"/s/([\w-]{11})")
SECRET = re.compile(r"\b\w{4}-\w{4}-\w{4}-\w{4}\b")
WRONG = "bcdf-ghjk-mnpq-rst3"
# A network may guess 30 times before nothing of it is looked at any more.
GUESSES_OF_A_NETWORK = 25
TRIES = 3


class Door:
    """`saved[mailbox][version]` is every password an owner was told is saved; `answers` are (status, seconds)."""

    def __init__(self, host: MailHost) -> None:
        self._host = host
        self.saved: dict[int, dict[int, str]] = defaultdict(dict)
        self.answers: list[tuple[int, float]] = []
        self.guesses: Counter[str] = Counter()
        self.guessers: Counter[str] = Counter()
        self.turned_away: Counter[str] = Counter()
        self.locked_out: list[str] = []
        self._clients: dict[int, Client] = {}
        self._one_at_a_time: dict[int, threading.Lock] = defaultdict(threading.Lock)
        self._counting = threading.Lock()

    def owner_saves(self, mailbox: Mailbox, chance: Random) -> bool:
        """The owner signs in unless he is in, and saves a password; whether he was told so."""
        with self._one_at_a_time[mailbox.pk]:
            client = self._inside(mailbox)
            if client is None:
                return False
            fields = {"password": f"{CANARY}-{chance.getrandbits(48):012x}", "submission": str(uuid.uuid4())}
            told = [self._posted(client, "/password", fields) for _ in range(chance.choice([1, 1, 2]))]
            if not any(answer.status_code == 302 and answer["Location"] == "/done" for answer in told):
                return False
            mailbox.refresh_from_db(fields=["version"])
            self.saved[mailbox.pk][mailbox.version] = fields["password"]
            self._seen(lambda: client.get("/done"))
            return True

    def stranger_guesses(self, address: str) -> None:
        """Somebody without a link tries a password."""
        with self._counting:
            network = f"10.66.0.{sum(self.guessers.values()) // GUESSES_OF_A_NETWORK}"
            self.guessers[network] += 1
            self.guesses[address] += 1
        self._seen(lambda: sign_in(_browser(network), address, WRONG))

    def _inside(self, mailbox: Mailbox) -> Client | None:
        """The owner's browser past the door; None if he has no mail yet, or a newer one is on its way."""
        client = self._clients.get(mailbox.pk)
        if client and self._seen(partial(client.get, "/password")).status_code == 200:
            return client
        mails = [mail.text for mail in self._host.mails(mailbox.address) if LOCATOR.search(mail.text)]
        if not mails:
            return None
        (locator, *_), (secret, *_) = LOCATOR.findall(mails[-1]), SECRET.findall(mails[-1])
        client = _browser(f"10.{mailbox.pk >> 16 & 255}.{mailbox.pk >> 8 & 255}.{mailbox.pk & 255}")
        for _ in range(TRIES):
            answer = self._seen(lambda: sign_in(client, mailbox.address, secret, locator=locator))
            if answer.status_code != 503:
                break
        if answer.status_code == 302:
            self._clients[mailbox.pk] = client
            return client
        with self._counting:
            self.turned_away[mailbox.address] += 1
            if first_logins.check(mailbox, secret):
                self.locked_out.append(f"{mailbox.address}: {answer.status_code} to the link and its password")
        return None

    def _posted(self, client: Client, path: str, fields: dict[str, str]) -> Any:
        """The answer; what is told to try again is sent again, as its page asks."""
        for _ in range(TRIES):
            answer = self._seen(lambda: client.post(path, fields))
            if answer.status_code != 503:
                break
        return answer

    def _seen(self, request: Callable[[], Any]) -> Any:
        began = time.monotonic()
        answer = request()
        with self._counting:
            self.answers.append((answer.status_code, time.monotonic() - began))
        return answer


def _browser(ip: str) -> Client:
    return Client(raise_request_exception=False, REMOTE_ADDR=ip)
