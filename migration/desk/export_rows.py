"""What a list of mailboxes holds when it is taken out as a file. No hash, no secret, no link."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

from django.db.models import OuterRef, Prefetch, QuerySet, Subquery
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from migration import reports
from migration.models import FirstLogin, Mailbox, Mailing, Note, Push

from . import tables

ROWS_AT_ONCE = 2_000


def head(language: str) -> list[str]:
    """What stands above the columns."""
    with translation.override(language):
        return [
            _("Address"),
            _("Name"),
            _("Kind"),
            _("State"),
            _("Remarks"),
            _("Last mail"),
            _("Password saved"),
            _("New password works since"),
            _("Last login on the old server"),
            _("Last read on the new server"),
            _("Deadline"),
            _("Customer"),
            _("Domain"),
            _("Follow up on"),
            _("Note to follow up"),
        ]


def rows(mailboxes: QuerySet[Mailbox], language: str) -> Iterator[list[str]]:
    """A row for each mailbox, in that language, read in pieces as they are asked for."""
    before = translation.get_language()
    with translation.override(language):
        words = {value: str(label) for value, label in (*Mailbox.Kind.choices, *Mailbox.State.choices)}
    try:
        for mailbox in _with_everything(mailboxes).iterator(chunk_size=ROWS_AT_ONCE):
            translation.activate(language)
            yield _cells(mailbox, words)
    finally:
        translation.activate(before or language)


def _with_everything(mailboxes: QuerySet[Mailbox]) -> QuerySet[Mailbox]:
    mails = Mailing.objects.filter(mailbox=OuterRef("pk"), sent_at__isnull=False).order_by("-id")
    pushes = Push.objects.filter(mailbox=OuterRef("pk")).order_by("-version")
    notes = Note.objects.filter(mailbox=OuterRef("pk"), follow_up_on__isnull=False, done_at=None)
    first_note = notes.order_by("follow_up_on", "pk")
    newest = FirstLogin.objects.filter(minted_at__isnull=False).defer("mac", "locator").order_by("-number")
    return (
        reports.with_badges(mailboxes)
        .annotate(
            last_mail_at=Subquery(mails.values("sent_at")[:1]),
            saved_at=Subquery(pushes.values("created_at")[:1]),
            works_since=Subquery(pushes.filter(delivered_at__isnull=False).values("delivered_at")[:1]),
            follow_up_on=Subquery(first_note.values("follow_up_on")[:1]),
            follow_up=Subquery(first_note.values("text")[:1]),
        )
        .select_related("domain__customer", "target_login")
        .defer("legacy_hash", "legacy_scheme")
        .prefetch_related(Prefetch("first_logins", queryset=newest))
        .order_by("domain__name", "local_part")
    )


def _cells(mailbox: Mailbox, words: Mapping[str, str]) -> list[str]:
    found: dict[str, Any] = vars(mailbox)
    target = getattr(mailbox, "target_login", None)
    domain = mailbox.domain.display_name
    return [
        f"{mailbox.local_part}@{domain}",
        mailbox.name,
        words[mailbox.kind],
        words[mailbox.state],
        ", ".join(badge.text for badge in tables.badges(mailbox)),
        _time(found["last_mail_at"]),
        _time(found["saved_at"]),
        _time(found["works_since"] if mailbox.is_done else None),
        _time(mailbox.source_login_at),
        _time(target.read_at if target else None),
        _day(mailbox.domain.deadline),
        mailbox.domain.customer.name,
        domain,
        _day(found["follow_up_on"]),
        found["follow_up"] or "",
    ]


def _time(at: datetime | None) -> str:
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M}" if at else ""


def _day(day: date | None) -> str:
    return day.isoformat() if day else ""
