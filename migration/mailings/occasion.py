"""What a mail about one mailbox can tell of it: every value as text in the mail's language, fit for one line."""

from datetime import date, datetime

from django.conf import settings
from django.db import connection
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from migration.first_login import expires_at, is_valid, show
from migration.models import Domain, Event, FirstLogin, Mailbox, Mailing

from .layout import one_line

Values = dict[str, object]
_ARRIVED = (Mailing.State.SENT, Mailing.State.UNCLEAR)


def of_mailbox(mailbox: Mailbox, language: str) -> Values:
    """What every mail about a mailbox may tell."""
    kind, name = mailbox.worded_as, one_line(mailbox.name)
    return {
        "address": str(mailbox),
        "kind": str(kind),
        "name": name,
        "greeting": greeting(name if kind == Mailbox.Kind.PERSONAL else "", language),
        "domain": mailbox.domain.display_name,
        "customer": one_line(mailbox.domain.customer.name),
        "saved": mailbox.version > 0,
    }


def of_first_login(first_login: FirstLogin, secret: str, language: str) -> Values:
    """What an invitation or a reminder tells besides: the secret, where and until when it is good, what was before."""
    mailbox = first_login.mailbox
    domain, customer = mailbox.domain, mailbox.domain.customer
    # The first invitation has nothing before it; most mails are such.
    previous = _previous(first_login) if first_login.number > 1 else None
    return of_mailbox(mailbox, language) | {
        "responsible": mailbox.responsible,
        "contact": one_line(customer.contact_name),
        "told": one_line(customer.name) if _was_told(domain) else "",
        "secret": show(secret),
        "link": f"{settings.BASE_URL}/s/{first_login.locator}",
        "last_day": day(last_day(first_login), language),
        "earlier": _what_became_of(previous) if previous else "",
    }


def of_reminder(first_login: FirstLogin, language: str) -> Values:
    """What only a reminder tells: when we wrote before, and when delivery moves or did."""
    domain = first_login.mailbox.domain
    before = Mailing.objects.filter(
        mailbox=first_login.mailbox_id,
        kind__in=(Mailing.Kind.INVITATION, Mailing.Kind.REMINDER),
        state=Mailing.State.SENT,
    ).exclude(first_login=first_login)
    sent = before.order_by("-sent_at").values_list("sent_at", flat=True).first()
    ahead = domain.cut_over_on if domain.cut_over_on and domain.cut_over_on >= timezone.localdate() else None
    return {
        "late": domain.cut_over_at is not None,
        "cut_over_at": day(domain.cut_over_at, language),
        "cut_over_on": day(ahead, language),
        "sent": day(sent, language),
    }


def last_day(first_login: FirstLogin) -> date:
    """The day to name: the domain's deadline, or when that is over or none, the last whole day of the secret."""
    deadline = first_login.mailbox.domain.deadline
    if deadline and deadline >= timezone.localdate():
        return deadline
    return timezone.localdate(expires_at(first_login))


def day(moment: date | datetime | None, language: str) -> str:
    """A day as the language writes it; empty for none."""
    if moment is None:
        return ""
    local = timezone.localtime(moment) if isinstance(moment, datetime) else moment
    with translation.override(language):
        return date_format(local, "DATE_FORMAT")


def hour(moment: datetime) -> str:
    """The local time of day: 14:30."""
    return f"{timezone.localtime(moment):%H:%M}"


def greeting(name: str, language: str) -> str:
    """The first line, with a name if there is one."""
    with translation.override(language):
        return _("Hello %(name)s,") % {"name": name} if name else _("Hello,")


def _was_told(domain: Domain) -> bool:
    """Whether the contact's server took a pre-announcement, which `Domain.announced_at` tells with its time."""
    sql = """
        SELECT 1 FROM migration_mailing
        WHERE domain_id = %s AND kind = 'announcement' AND state = 'sent' AND bounced_at IS NULL LIMIT 1
    """
    with connection.cursor() as cursor:
        cursor.execute(sql, [domain.pk])
        return cursor.fetchone() is not None


def _previous(first_login: FirstLogin) -> FirstLogin | None:
    """The one mailed before, if that mail was taken; of one on paper, or never arrived, the mail need not tell."""
    mailed = FirstLogin.objects.filter(mailbox=first_login.mailbox_id, mailing__state__in=_ARRIVED, mac__isnull=False)
    previous = mailed.filter(number__lt=first_login.number).first()
    if previous:
        previous.mailbox = first_login.mailbox
    return previous


def _what_became_of(previous: FirstLogin) -> str:
    """`works`, `over`, or `replaced` after too many wrong tries with its link."""
    if is_valid(previous):
        return "works"
    replaced = Event.objects.filter(mailbox=previous.mailbox_id, action=Event.Action.REPLACED)
    return "replaced" if previous.revoked_at and replaced.filter(detail__number=previous.number).exists() else "over"
