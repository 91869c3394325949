"""What the desk's lists show: mailboxes with their badges, found by address, state or need."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, OuterRef, Prefetch, QuerySet, Subquery
from django.utils.translation import gettext as _

from migration import first_login, reports
from migration.mailings import bounces
from migration.models import Domain, Event, FirstLogin, Mailbox, Mailing, Push

# What an owner does at the door, whether he gets in or not.
TRIES = (Event.Action.SIGNED_IN, Event.Action.SIGN_IN_FAILED, Event.Action.SIGN_IN_REFUSED)

# How a state is coloured; the word is always there too.
TONES = {
    Mailbox.State.INVITED: "brand",
    Mailbox.State.SIGNED_IN: "brand",
    Mailbox.State.PASSWORD_SET: "brand",
    Mailbox.State.ACTIVE: "good",
    Mailbox.State.MOVED: "good",
}


@dataclass(frozen=True)
class Badge:
    """A word beside the state, and the sentence that explains it."""

    text: str
    tone: str
    why: str = ""


@dataclass(frozen=True)
class Row:
    """One mailbox in a list."""

    mailbox: Mailbox
    tone: str
    badges: Sequence[Badge]

    @property
    def mailed_at(self) -> datetime | None:
        """When the newest mail left."""
        at: datetime | None = getattr(self.mailbox, "mailed_at", None)
        return at

    @property
    def tried_at(self) -> datetime | None:
        """When the owner was last at the door."""
        at: datetime | None = getattr(self.mailbox, "tried_at", None)
        return at

    @property
    def tried(self) -> str:
        """Whether he got in; empty when he was never there."""
        action = getattr(self.mailbox, "tried", None)
        return str(Event.Action(action).label) if action else ""

    @property
    def read_at(self) -> datetime | None:
        """When he last read his mail on the new server."""
        login = getattr(self.mailbox, "target_login", None)
        return login.read_at if login else None


@dataclass(frozen=True)
class ToInvite:
    """What inviting a whole domain would do: how many get a mail, and how many of which kind are left out."""

    number: int
    left_out: int
    of_kinds: str


def to_invite(domain: Domain) -> ToInvite:
    """The mailboxes of a domain nobody has invited yet, as `mailboxes.invite_all` would treat them. One query."""
    imported = Mailbox.objects.filter(domain=domain, state=Mailbox.State.IMPORTED)
    counts = dict(imported.order_by().values_list("kind").annotate(number=Count("pk")))
    words = {Mailbox.Kind.DORMANT: _("dormant"), Mailbox.Kind.OUTSIDE: _("forwarding to outside")}
    left_out = {words[kind]: counts[kind] for kind in Mailbox.ON_REQUEST if kind in counts}
    return ToInvite(
        number=sum(counts.values()) - sum(left_out.values()),
        left_out=sum(left_out.values()),
        of_kinds=", ".join(f"{word} {number}" for word, number in left_out.items()),
    )


def listed(pks: Sequence[int]) -> list[Row]:
    """The mailboxes of these numbers, in their order, with what is derived."""
    found = {row.mailbox.pk: row for row in rows(_listed(Mailbox.objects.filter(pk__in=pks)))}
    return [found[pk] for pk in pks if pk in found]


def rows(mailboxes: QuerySet[Mailbox]) -> list[Row]:
    """Mailboxes with what is derived: not delivered, expired, waiting, needs attention."""
    return [Row(mailbox, TONES.get(Mailbox.State(mailbox.state), ""), badges(mailbox)) for mailbox in mailboxes]


def one(pk: int) -> Row:
    """The same for one mailbox, which must exist."""
    return rows(_listed(Mailbox.objects.filter(pk=pk)))[0]


def badges(mailbox: Mailbox) -> list[Badge]:
    """The badges of a mailbox that came from one of the lists above."""
    shown: list[Badge] = []
    invited = mailbox.state in (Mailbox.State.INVITED, Mailbox.State.SIGNED_IN)
    mail_state, push_state = getattr(mailbox, "mail_state", None), getattr(mailbox, "push_state", None)
    if invited and _has_letter(mailbox):
        shown.append(Badge(_("letter printed"), ""))
    elif invited and mail_state in (Mailing.State.FAILED, Mailing.State.UNCLEAR):
        shown.append(Badge(_("not delivered"), "bad", _why_not_delivered(mailbox)))
    elif invited and mail_state and mail_state != Mailing.State.SENT:
        shown.append(Badge(_("mail on its way"), ""))
    elif invited and mailbox.first_logins.all() and not _has_valid_first_login(mailbox):
        shown.append(
            Badge(_("invitation expired"), "warn", _("The first-login password no longer works. Invite again."))
        )
    if push_state:
        reason = getattr(mailbox, "push_reason", "")
        why = str(Push.Reason(reason).label) if reason else ""
        if push_state == Push.State.BLOCKED:
            shown.append(Badge(_("needs attention"), "bad", why))
        else:
            shown.append(Badge(_("transfer pending"), "warn" if reason else "", why))
    if mailbox.kind != Mailbox.Kind.PERSONAL:
        shown.append(Badge(mailbox.get_kind_display(), ""))
    return shown


def _why_not_delivered(mailbox: Mailbox) -> str:
    code = getattr(mailbox, "mail_code", "")
    why = f"{bounces.words(code)} " if code else ""
    return why + _("The invitation did not arrive. Correct the cause, then invite again, or give a code by phone.")


def _listed(mailboxes: QuerySet[Mailbox]) -> QuerySet[Mailbox]:
    newest = FirstLogin.objects.filter(minted_at__isnull=False).defer("mac").order_by("-number")
    tries = Event.objects.filter(mailbox=OuterRef("pk"), action__in=TRIES).order_by("-id")
    sent = Mailing.objects.filter(mailbox=OuterRef("pk"), sent_at__isnull=False).order_by("-id")
    return (
        reports.with_badges(mailboxes)
        .annotate(
            mailed_at=Subquery(sent.values("sent_at")[:1]),
            tried_at=Subquery(tries.values("at")[:1]),
            tried=Subquery(tries.values("action")[:1]),
        )
        .select_related("domain__customer", "target_login")
        .defer("legacy_hash")
        .prefetch_related(Prefetch("first_logins", queryset=newest))
        .order_by("domain__name", "local_part")
    )


def _has_valid_first_login(mailbox: Mailbox) -> bool:
    return any(first_login.is_valid(row) for row in mailbox.first_logins.all()[:2])


def _has_letter(mailbox: Mailbox) -> bool:
    """Whether the newest way in went out on paper and still works."""
    newest = mailbox.first_logins.all()[:1]
    return bool(newest) and newest[0].printing_id is not None and first_login.is_valid(newest[0])


def invitations(mailbox: Mailbox) -> list[tuple[FirstLogin, bool]]:
    """The invitations of a mailbox, newest first, and whether each still works. No secret and no link is read."""
    numbered = list(mailbox.first_logins.defer("mac", "locator").order_by("-number")[:20])
    for row in numbered:
        row.mailbox = mailbox
    newest_two = [row for row in numbered if row.minted_at][:2]
    return [(row, row in newest_two and first_login.is_valid(row)) for row in numbered]


def pushes(mailbox: Mailbox) -> list[Push]:
    """The pushes of a mailbox, newest first, without what they carry."""
    return list(mailbox.pushes.defer("payload").order_by("-version")[:20])
