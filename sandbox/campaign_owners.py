"""What the owners of one domain did in the demo's story, each at his own time."""

import random
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from django.utils import timezone

from migration import cases, mailboxes
from migration.models import Case, Domain, Event, Mailbox, Push, TargetLogin
from migration.states import move

from . import campaign_mail
from .campaign_cast import Plot
from .campaign_story import Story

ADMIN = "staff:staff@provider.example"
# In the form mailcow takes; it is of no password.
HASH = "{ARGON2ID}$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$ZmFrZSBkaWdlc3Qgb25seSBmb3IgdGhlIGRlbW8gMTIzNDU"


class Owners:
    """The owners of a domain, from their invitations on."""

    def __init__(self, story: Story, plot: Plot, chance: random.Random, domain: Domain) -> None:
        self.story, self.plot, self.chance, self.domain = story, plot, chance, domain
        self.until = story.day(min(0, plot.finished or 0, plot.paused or 0), 6)

    def begin(self) -> None:
        """Give everybody his part, the troubled ones first."""
        people = list(self.domain.mailboxes.exclude(kind__in=Mailbox.ON_REQUEST).order_by("pk"))
        self.chance.shuffle(people)
        everybody, plot = iter(people), self.plot
        for code in plot.returned:
            self._after(next(everybody), partial(campaign_mail.send_back, code=code), minutes=9)
        for _number in range(plot.refused):
            self._after(next(everybody), self.refuse, minutes=5)
        for kind, note in plot.cases:
            self._after(next(everybody), partial(self.say, kind=kind, note=note), days=1.3)
        for _number in range(plot.excluded):
            self._after(next(everybody), self.exclude, days=2.1)
        done = round(len(people) * plot.done / 100)
        for reason in (*plot.blocked, *plot.waiting):
            self.go(next(everybody), stays=reason)
            done -= 1
        self.rest(everybody, done)

    def rest(self, everybody: Iterator[Mailbox], done: int) -> None:
        """So many save a password, the first of them are seen on the new server; some others only look in."""
        moved = round(done * self.plot.moved / 100)
        for number, mailbox in enumerate(everybody):
            if number < done:
                self.go(mailbox, moves=number < moved)
            elif self.plot.done and number % 3 == 0:
                self.story.at(self.moment(), partial(self.look_in, mailbox))

    def moment(self) -> datetime:
        """A time by day after the invitation, rather soon than late."""
        begun = timezone.now()
        days = (self.until - begun) / timedelta(days=1)
        chosen = timezone.localtime(begun + timedelta(days=days * self.chance.betavariate(1, 3.2)))
        chosen = chosen.replace(hour=self.chance.choice((7, 8, 8, 9, 9, 10, 11, 13, 14, 16, 19, 20)))
        return max(min(chosen, self.until), begun + timedelta(minutes=30 + self.chance.random() * 40))

    def go(self, mailbox: Mailbox, *, moves: bool = False, stays: str = "") -> None:
        """He signs in, saves a password; it arrives, unless it stays for this reason; later he reads mail there."""
        when = self.moment()
        if self.chance.random() < 0.2:
            self.story.at(when - timedelta(minutes=3), partial(self.mistype, mailbox))
        self.story.at(when, partial(self.sign_in, mailbox))
        self.story.at(when + timedelta(minutes=2), partial(self.save, mailbox))
        if stays:
            self.story.at(when + timedelta(minutes=3), partial(self.stay, mailbox, stays))
            return
        self.story.at(when + timedelta(minutes=2, seconds=7), partial(self.arrive, mailbox))
        if moves:
            seen = min(when + timedelta(hours=1 + 30 * self.chance.random()), self.until - timedelta(minutes=1))
            self.story.at(max(seen, when + timedelta(minutes=9)), partial(self.read_mail, mailbox))

    def mistype(self, mailbox: Mailbox) -> None:
        """A wrong first-login password."""
        Event.record(Event.Action.SIGN_IN_FAILED, actor="owner", mailbox=mailbox, ip=self.ip())

    def sign_in(self, mailbox: Mailbox) -> None:
        """With the link of his mail."""
        mailboxes.record_sign_in(mailbox, ip=self.ip())

    def look_in(self, mailbox: Mailbox) -> None:
        """Signs in and chooses no password that the rules allow."""
        self.sign_in(mailbox)
        rules = ["length", "digit"]
        Event.record(Event.Action.PASSWORD_REFUSED, actor="owner", mailbox=mailbox, ip=self.ip(), rules=rules)

    def save(self, mailbox: Mailbox) -> None:
        """A new password."""
        fresh = Mailbox.objects.select_related("domain__customer").get(pk=mailbox.pk)
        number = UUID(int=self.chance.getrandbits(128), version=4)
        mailboxes.set_password(fresh, password_hash=HASH, kept_old=False, submission=number, ip=self.ip())
        campaign_mail.send_open(fresh.domain)

    def arrive(self, mailbox: Mailbox) -> None:
        """It is stored on mailcow."""
        push = Push.objects.filter(mailbox=mailbox).order_by("-version")[0]
        stored = {"state": Push.State.DELIVERED, "payload": None, "delivered_at": timezone.now(), "attempts": 1}
        Push.objects.filter(pk=push.pk).update(**stored)
        Event.record(Event.Action.PUSH_DELIVERED, actor="worker", mailbox=mailbox, version=push.version)
        if move(mailbox, "advance", erasing=["legacy_hash"]):
            Event.record(Event.Action.ACTIVE, actor="worker", mailbox=mailbox)

    def stay(self, mailbox: Mailbox, reason: str) -> None:
        """It is not stored on mailcow, for this reason."""
        blocked = reason in self.plot.blocked
        push = Push.objects.get(mailbox=mailbox, state=Push.State.QUEUED)
        state = Push.State.BLOCKED if blocked else Push.State.WAITING
        due = self.story.now + timedelta(hours=5)
        Push.objects.filter(pk=push.pk).update(state=state, reason=reason, attempts=1 if blocked else 9, due_at=due)
        action = Event.Action.PUSH_BLOCKED if blocked else Event.Action.PUSH_WAITING
        Event.record(action, actor="worker", mailbox=mailbox, version=push.version, reason=reason)

    def read_mail(self, mailbox: Mailbox) -> None:
        """A mail program has signed in on the new server."""
        TargetLogin.objects.update_or_create(mailbox=mailbox, defaults={"imap_at": timezone.now()})
        mailboxes.see_login(mailbox, at=timezone.now())

    def refuse(self, mailbox: Mailbox) -> None:
        """The old server did not take the invitation."""
        campaign_mail.refuse(mailbox.mailings.select_related("mailbox", "domain").order_by("pk")[0])

    def say(self, mailbox: Mailbox, kind: str, note: str) -> None:
        """Something is not right with the mailbox."""
        self.sign_in(mailbox)
        cases.open_case(mailbox, kind=Case.Kind(kind), note=note, ip=self.ip())

    def exclude(self, mailbox: Mailbox) -> None:
        """An admin takes it out."""
        mailboxes.exclude(mailbox, actor=ADMIN, reason="Mitarbeiter ist ausgeschieden, Postfach wird nicht gebraucht.")

    def ip(self) -> str:
        """An address of the office, or of somebody's home (RFC 5737)."""
        return f"198.51.100.{7 if self.chance.random() < 0.6 else self.chance.randint(20, 250)}"

    def _after(self, mailbox: Mailbox, happens: Callable[[Mailbox], object], **wait: float) -> None:
        self.story.later(partial(happens, mailbox), **wait)
