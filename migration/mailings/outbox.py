"""The mail outbox: every mail at most once, every failure visible.

The row is the job. A worker claims what is due one way (`claims`), at the pace of that way, mints the first-login
passwords in the same transaction, talks SMTP outside any, and settles each row in another. One connection serves the
run, and a mail that somebody waits for leaves before those of a whole domain.
"""

import time
from collections.abc import Sequence
from contextlib import suppress
from functools import partial

import structlog

from migration import restore_guard
from migration.addresses import InvalidAddress, parse
from migration.doorbell import ring
from migration.inserts import insert
from migration.models import Domain, FirstLogin, Mailbox, Mailing
from migration.secrets import SecretsError

from . import claims, compose, pace, route, verp
from .smtp import Answer, Line, Verdict

log = structlog.get_logger(__name__)

# Few enough that the last of a batch is under way long before the lease of the claim is over.
BATCH = 20
RUN_AT_MOST = 1_000
# A task that works on and on keeps a worker from pushes, and meets Celery's time limit in the middle of a mail.
TIRED_SECONDS = 50


def enqueue(
    kind: Mailing.Kind,
    *,
    domain: Domain,
    recipient: str,
    language: str,
    mailbox: Mailbox | None = None,
    first_login: FirstLogin | None = None,
    subject: str = "",
    text: str = "",
) -> Mailing:
    """Queue a mail in the caller's transaction; the doorbell rings when that commits."""
    mailing = Mailing(
        kind=kind,
        domain=domain,
        mailbox=mailbox,
        first_login=first_login,
        recipient=recipient,
        language=language,
        subject=compose.one_line(subject, compose.MAX_SUBJECT),
        text=text,
        is_bulk=kind in Mailing.BULK,
    )
    insert(mailing)
    ring("send_mail", mailing.pk)
    return mailing


def notify_saved(mailbox: Mailbox) -> None:
    """Queue the notice for the old mailbox that a new password was saved.

    It does not ring: who delivers the push that was saved with it looks for mails afterwards, or the sweep does.
    """
    insert(
        Mailing(
            kind=Mailing.Kind.PASSWORD_SAVED,
            domain=mailbox.domain,
            mailbox=mailbox,
            recipient=route.recipient(mailbox),
            language=mailbox.mail_language,
        )
    )


def notify_active(mailbox: Mailbox) -> None:
    """Queue the notice for the new mailbox that its password is active, if the settings name a way there.

    A machine reads no notices, and whoever looks after it has his mailbox elsewhere.
    """
    if route.target() and mailbox.kind != Mailbox.Kind.MACHINE:
        enqueue(
            Mailing.Kind.PASSWORD_ACTIVE,
            domain=mailbox.domain,
            mailbox=mailbox,
            recipient=mailbox.address,
            language=mailbox.mail_language,
        )


def due() -> list[int]:
    """The mails that may leave now: of each way no more than its pace allows, whom somebody waits for first.

    Settles the rows of lost workers on the way.
    """
    claims.reap_leases()
    return [pk for way in route.ways() for pk in _first(way, pace.left(way))]


def wake() -> None:
    """Ring for each way that has something due and that no worker looks after."""
    claims.reap_leases()
    for way in route.ways():
        first = _first(way, 1)
        if first and pace.wake(way):
            ring("send_mails", first[0])


def send(pk: int) -> None:
    """Send this mail if it is due, the pace allows it and nobody else has it.

    Safe to call twice, late, or for a row that is gone. A mail the pace does not allow yet is left to the next run.
    """
    way = _way_of(pk)
    if way is None:
        return
    if pace.take(way, 1):
        with _Run(way) as run:
            run.send([pk])
    elif pace.wake(way):
        _ring_again(way, pk)


def work(pk: int) -> int:
    """Send what is due the way this mail goes, then ring for the rest. Returns how many mails were taken."""
    way = _way_of(pk)
    if way is None:
        return 0
    with _Run(way) as run:
        while run.goes_on:
            pks = _first(way, BATCH)
            allowed = pace.take(way, len(pks)) if pks else 0
            if allowed == 0:
                break
            run.send(pks[:allowed])
    rest = _first(way, 1)
    if rest and not run.is_down:
        _ring_again(way, rest[0])
    else:
        pace.rest(way)
    return run.taken


class _Run:
    """Mails of one way, one after the other, over one connection that is opened when it is needed."""

    def __init__(self, way: route.Way) -> None:
        self.taken = 0
        self.is_down = False
        self._ends = time.monotonic() + TIRED_SECONDS
        self._way = way
        self._line: Line | None = None
        self._ready: dict[int, tuple[bytes, int | None]] = {}

    def __enter__(self) -> "_Run":
        return self

    def __exit__(self, *_error: object) -> None:
        if self._line:
            self._line.close()

    @property
    def goes_on(self) -> bool:
        """Whether more may be taken: the server answers, and the run is not too long yet."""
        return not self.is_down and self.taken < RUN_AT_MOST and time.monotonic() < self._ends

    def send(self, pks: Sequence[int]) -> None:
        """Send those of the mails that can be claimed; what is not begun is given back."""
        claimed = claims.claim(pks)
        for number, claim in enumerate(claimed):
            if not self.goes_on:
                claims.release(claimed[number:])
                return
            self.taken += 1
            following = claimed[number + 1] if number + 1 < len(claimed) else None
            claims.settle(claim.mailing, self._answer(claim, following))

    def _answer(self, claim: claims.Claim, following: claims.Claim | None) -> Answer:
        mailing = claim.mailing
        try:
            to = str(parse(mailing.recipient))
        except InvalidAddress:
            return Answer(Verdict.REFUSED, text="the recipient is no mail address")
        if self._line is None:
            try:
                way = self._way.route()
            except SecretsError:
                self.is_down = True
                return Answer(Verdict.AGAIN, text="the password of this server cannot be read: type it again")
            if way is None:
                return Answer(Verdict.REFUSED, text="the settings name no SMTP host of the new server")
            self._line = Line(way)
        is_ready = mailing.pk in self._ready
        content, wording = self._ready.pop(mailing.pk) if is_ready else _composed(claim, to)
        answer = self._line.deliver(
            content,
            sender=verp.sender(mailing.pk),
            to=to,
            before_end=partial(claims.mark_end, mailing, wording=wording),
            meanwhile=partial(self._prepare, following),
            hide=claim.secret,
        )
        self.is_down = self._line.is_down
        return answer

    def _prepare(self, claim: claims.Claim | None) -> None:
        """Put the next mail together while the server still thinks about this one."""
        # What goes wrong goes wrong again when it is that mail's turn, and is told then.
        with suppress(Exception):
            if claim:
                self._ready[claim.mailing.pk] = _composed(claim, str(parse(claim.mailing.recipient)))


def _composed(claim: claims.Claim, to: str) -> tuple[bytes, int | None]:
    """The finished mail, and the number of the customer's wording it was made from."""
    mail = compose.of(claim.mailing, claim.secret)
    return compose.message(mail, to=to, mailing_id=claim.mailing.pk).as_bytes(), mail.wording


def _way_of(pk: int) -> route.Way | None:
    if not restore_guard.watch():
        return None
    mailing = claims.ready().filter(pk=pk).select_related("domain__source").first()
    return route.of(mailing) if mailing else None


def _first(way: route.Way, number: int) -> list[int]:
    return list(claims.ready().filter(way.mails()).values_list("pk", flat=True)[:number])


def _ring_again(way: route.Way, pk: int) -> None:
    after = pace.wait(way)
    pace.go_on(way, after)
    ring("send_mails", pk, after=after)
