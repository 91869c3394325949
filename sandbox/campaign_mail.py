"""What the mail servers and mailcow did in the demo's story, written as the workers write it."""

import secrets
from datetime import timedelta
from typing import Any

from django.utils import timezone

from migration.findings import Finding, Severity
from migration.models import Domain, Event, FirstLogin, Mailbox, Mailing, ProvisionedObject, Provisioning
from migration.secrets import Purpose, mac

REFUSED = "550 5.1.1 recipient unknown"


def send_open(domain: Domain) -> None:
    """The old server accepts what is queued for this domain; the first-login passwords are nobody's to know."""
    now = timezone.now()
    queued = list(Mailing.objects.filter(domain=domain, state=Mailing.State.QUEUED).select_related("domain", "mailbox"))
    pks = [mailing.pk for mailing in queued]
    Mailing.objects.filter(pk__in=pks).update(state=Mailing.State.SENT, sent_at=now, attempts=1)
    unknown = mac(Purpose.FIRST_LOGIN, secrets.token_bytes(32))
    FirstLogin.objects.filter(mailing__in=pks, minted_at=None).update(mac=unknown, minted_at=now)
    for mailing in queued:
        record(Event.Action.MAIL_SENT, mailing)


def refuse_open(domain: Domain) -> None:
    """The server of the recipient takes none of what is queued."""
    for mailing in Mailing.objects.filter(domain=domain, state=Mailing.State.QUEUED).select_related("mailbox"):
        refuse(mailing)


def refuse(mailing: Mailing) -> None:
    """This mail was not accepted."""
    Mailing.objects.filter(pk=mailing.pk).update(state=Mailing.State.FAILED, error=REFUSED, sent_at=None, attempts=1)
    record(Event.Action.MAIL_FAILED, mailing, code=550)


def send_back(mailbox: Mailbox | None, code: str) -> None:
    """The newest invitation of this mailbox came back."""
    if mailbox is None:
        return
    mailing = mailbox.mailings.filter(kind__in=Mailing.WITH_SECRET).order_by("-pk")[0]
    words = {"5.2.2": "mailbox full", "5.1.1": "user unknown"}.get(code, "message rejected as spam")
    told = {"bounced_at": timezone.now(), "bounce_code": code, "bounce_text": words}
    Mailing.objects.filter(pk=mailing.pk).update(**told)
    record(Event.Action.BOUNCED, mailing, code=code)


def send_back_again(domain: Domain) -> None:
    """Whose mail came back once does not get the next one either."""
    earlier = domain.mailings.filter(bounced_at__isnull=False, mailbox__isnull=False)
    for mailing in earlier.select_related("mailbox"):
        send_back(mailing.mailbox, mailing.bounce_code)


def record(action: Event.Action, mailing: Mailing, **detail: Any) -> None:
    """The worker's line about a mail."""
    Event.record(
        action,
        actor="worker",
        mailbox=mailing.mailbox,
        domain=mailing.domain,
        mail=mailing.kind,
        mailing=mailing.pk,
        **detail,
    )


def provision(domain: Domain, findings: tuple[tuple[str, str, str, dict[str, str | int]], ...], *, actor: str) -> None:
    """The domain was compared with mailcow; it was made there if nothing spoke against it."""
    now, boxes = timezone.now(), list(domain.mailboxes.all())
    kept = [
        Finding(Severity(severity), code, f"{local_part}@{domain.name}" if local_part else "", detail).kept
        for severity, code, local_part, detail in findings
    ]
    row = Provisioning(domain=domain, checked_at=now, findings=kept, to_make={"domain": 1, "mailbox": len(boxes)})
    if findings:
        row.save()
        return
    row.started_at, row.started_by, row.finished_at = now, actor, now + timedelta(minutes=3)
    row.save()
    made = {"domain": domain, "state": ProvisionedObject.State.MADE, "attempts": 1, "written_at": now}
    made["settled_at"] = now
    kinds = ProvisionedObject.Kind
    objects = [ProvisionedObject(kind=kinds.DOMAIN, **made)]
    objects += [ProvisionedObject(kind=kinds.MAILBOX, mailbox=box, **made) for box in boxes]
    ProvisionedObject.objects.bulk_create(objects)
    Event.record(Event.Action.PROVISION_STARTED, actor=actor, domain=domain, objects=len(objects))
    Event.record(Event.Action.PROVISIONED, actor="worker", domain=domain, objects={"made": len(objects)})
