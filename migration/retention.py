"""What is erased when: the whole table, as data, and the run that goes through it once a day.

Times are counted from what the row itself says. A run erases in batches and may be stopped and repeated at any point:
what is gone is not found again. A dry run asks the same questions and changes nothing.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_noop as _

from . import first_login
from .audit import canonical, sealing
from .models import Event, FirstLogin, ImportRun, Mailbox, Mailing, Push, SourceLogin

log = structlog.get_logger(__name__)

BATCH = 500

network_of = canonical.network_of


@dataclass(frozen=True)
class Rule:
    """One line of the table.

    `what` happens `after` that time; `due` finds the primary keys of the rows for which that moment was before the
    one given, and `erase` does it to a batch of them.
    """

    code: str
    what: str
    after: timedelta
    due: Callable[[datetime], Sequence[Any]]
    erase: Callable[[Sequence[Any]], object]


def run(rules: Sequence[Rule], *, dry_run: bool = False) -> dict[str, int]:
    """Erase what is due by each rule, or only count it. Returns the number of rows by the rule's code."""
    now, found = timezone.now(), {}
    if not dry_run:
        # What is erased is sealed before: only then can anybody prove that it was no more than that.
        sealing.seal_all()
    for rule in rules:
        due = rule.due(now - rule.after)
        found[rule.code] = len(due)
        for start in range(0, 0 if dry_run else len(due), BATCH):
            with transaction.atomic():
                rule.erase(due[start : start + BATCH])
    if not dry_run:
        # Not by the code as a name: of a field called so the log strikes out the value.
        log.info("retention", erased=[{"rule": code, "rows": rows} for code, rows in found.items()])
    return found


def pks(rows: QuerySet[Any]) -> list[Any]:
    """The primary keys of these rows."""
    return list(rows.order_by("pk").values_list("pk", flat=True))


# --- Hashes -----------------------------------------------------------------------------------------------------------


def _undelivered(before: datetime) -> list[Any]:
    """Pushes that hold a hash for too long. One in flight is in a worker's hands, for minutes."""
    held = Push.objects.filter(payload__isnull=False, created_at__lt=before)
    return pks(held.exclude(state=Push.State.IN_FLIGHT))


def _drop_payload(chosen: Sequence[Any]) -> None:
    """Blank the hash. An open push then needs a person: support reopens the mailbox, or the owner saves anew."""
    Push.objects.filter(pk__in=chosen, state=Push.State.SETTLING).update(
        state=Push.State.DELIVERED, payload=None, confirmed_update=""
    )
    still_open = Push.objects.filter(pk__in=chosen, state__in=Push.OPEN, payload__isnull=False)
    for push in still_open.select_for_update(of=("self",)).select_related("mailbox"):
        reason = Push.Reason.UNREADABLE
        Push.objects.filter(pk=push.pk).update(state=Push.State.BLOCKED, reason=reason, payload=None)
        detail: dict[str, Any] = {"version": push.version, "reason": str(reason), "erased": True}
        Event.record(Event.Action.PUSH_BLOCKED, actor="retention", mailbox=push.mailbox, **detail)


def _legacy_hashes(before: datetime) -> list[Any]:
    """Old hashes of mailboxes that are done, and all of a domain cut over long ago."""
    held = Mailbox.objects.filter(legacy_hash__isnull=False)
    return pks(held.filter(Q(state__in=Mailbox.DONE) | Q(domain__cut_over_at__lt=before)))


def _drop_legacy_hash(chosen: Sequence[Any]) -> None:
    Mailbox.objects.filter(pk__in=chosen).update(legacy_hash=None)


def _spent_first_logins(before: datetime) -> list[Any]:
    """First-login passwords used up, revoked or expired before that moment.

    The newest of a mailbox stays while the owner may still ask for another mail: it is how we know that he may. None
    goes before the older ones of its mailbox: the newest two count, so a predecessor must not come to life again.
    """
    return [row.pk for row in _over(before)]


def _over(before: datetime) -> Iterator[FirstLogin]:
    newer = FirstLogin.objects.filter(
        mailbox=OuterRef("mailbox"), number__gt=OuterRef("number"), minted_at__isnull=False
    )
    finished = Q(mailbox__state__in=(Mailbox.State.MOVED, Mailbox.State.EXCLUDED))
    unsent = Mailing.objects.filter(first_login=OuterRef("pk"), state__in=(*Mailing.OPEN, Mailing.State.SENDING))
    rows = FirstLogin.objects.annotate(may_go=finished | Exists(newer), is_unsent=Exists(unsent))
    kept_from = None
    for row in rows.select_related("mailbox__domain").defer("mailbox__legacy_hash").order_by("mailbox", "number"):
        if row.mailbox_id == kept_from:
            continue
        if row.may_go and not row.is_unsent and _ended_at(row) < before:
            yield row
        else:
            kept_from = row.mailbox_id


def _ended_at(row: FirstLogin) -> datetime:
    ends = (row.consumed_at, row.revoked_at, first_login.expires_at(row))
    return min(end for end in ends if end is not None)


def _delete_first_logins(chosen: Sequence[Any]) -> None:
    """The mail that carried it stays on the timeline, without the link."""
    Mailing.objects.filter(first_login__in=chosen).update(first_login=None)
    FirstLogin.objects.filter(pk__in=chosen).delete()


# --- IP addresses, events, the rest -----------------------------------------------------------------------------------


def _with_whole_ip(rows: QuerySet[Any]) -> Callable[[datetime], list[Any]]:
    def due(before: datetime) -> list[Any]:
        found = rows.filter(at__lt=before, ip__isnull=False).order_by("pk").values_list("pk", "ip")
        return [pk for pk, ip in found.iterator() if network_of(ip) != ip]

    return due


def _cut_ip(rows: QuerySet[Any]) -> Callable[[Sequence[Any]], None]:
    def erase(chosen: Sequence[Any]) -> None:
        batch = rows.filter(pk__in=chosen, ip__isnull=False)
        for ip in set(batch.order_by().values_list("ip", flat=True)):
            batch.filter(ip=ip).update(ip=network_of(ip))

    return erase


def _cut_event_ip(chosen: Sequence[Any]) -> None:
    sealing.hold()
    _cut_ip(_EVENTS)(chosen)
    sealing.forget_address(chosen)


def _event_ips(before: datetime) -> list[Any]:
    return pks(Event.objects.filter(at__lt=before, ip__isnull=False))


def _drop_event_ip(chosen: Sequence[Any]) -> None:
    sealing.hold()
    Event.objects.filter(pk__in=chosen).update(ip=None)
    sealing.forget_network(chosen)


def _events_of_somebody(before: datetime) -> list[Any]:
    telling = Q(mailbox__isnull=False) | Q(ip__isnull=False) | Q(actor__startswith="staff:") | ~Q(detail={})
    return pks(Event.objects.filter(telling, at__lt=before))


def _anonymise(chosen: Sequence[Any]) -> None:
    """What happened, when and in which domain stays; which mailbox, who, from where and why goes."""
    sealing.hold()
    events = Event.objects.filter(pk__in=chosen)
    events.filter(actor__startswith="staff:").update(actor=canonical.anonymous("staff:"))
    events.update(mailbox=None, ip=None, detail={})
    sealing.forget_person(chosen)


def _source_logins(before: datetime) -> list[Any]:
    return pks(SourceLogin.objects.filter(at__lt=before))


def _delete_source_logins(chosen: Sequence[Any]) -> None:
    SourceLogin.objects.filter(pk__in=chosen).delete()


def _imports(before: datetime) -> list[Any]:
    return pks(ImportRun.objects.filter(created_at__lt=before))


def _delete_imports(chosen: Sequence[Any]) -> None:
    ImportRun.objects.filter(pk__in=chosen).delete()


_EVENTS, _SOURCE_LOGINS = Event.objects.all(), SourceLogin.objects.all()

RULES = (
    Rule("pending_hash", _("a hash that was not pushed is blanked"), timedelta(days=30), _undelivered, _drop_payload),
    Rule(
        "legacy_hash",
        _("an old password's hash is blanked: at once when the mailbox is active, else after the cut-over"),
        timedelta(days=30),
        _legacy_hashes,
        _drop_legacy_hash,
    ),
    Rule(
        "first_login",
        _("a first-login password's row is deleted after it was used up, revoked or had expired"),
        timedelta(days=90),
        _spent_first_logins,
        _delete_first_logins,
    ),
    Rule(
        "event_ip_cut",
        _("an event's IP address is cut to its network (/24, /48)"),
        timedelta(days=7),
        _with_whole_ip(_EVENTS),
        _cut_event_ip,
    ),
    Rule("event_ip", _("an event's IP address is deleted"), timedelta(days=30), _event_ips, _drop_event_ip),
    Rule(
        "event",
        _("an event is anonymised: mailbox, member of staff and detail go"),
        timedelta(days=365),
        _events_of_somebody,
        _anonymise,
    ),
    Rule(
        "source_ip_cut",
        _("the IP address of a login on the old server is cut to its network (/24, /48)"),
        timedelta(days=7),
        _with_whole_ip(_SOURCE_LOGINS),
        _cut_ip(_SOURCE_LOGINS),
    ),
    Rule(
        "source_login",
        _("where a login on the old server came from is deleted"),
        timedelta(days=30),
        _source_logins,
        _delete_source_logins,
    ),
    Rule("import", _("an import with its counts and errors is deleted"), timedelta(days=30), _imports, _delete_imports),
)
