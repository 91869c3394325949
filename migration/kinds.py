"""What kind of mailbox it is: guessed from what an import file says, and put right by a person.

A guess is made once, for a mailbox that is new and whose file does not say its kind. It never changes a mailbox that
is there already.
"""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction

from .models import Event, Mailbox

DORMANT_AFTER = timedelta(days=180)
BATCH = 500

Kind, Reason = Mailbox.Kind, Mailbox.KindReason


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Whole names only: a machine's first-login mail goes to the customer's contact, so a person must not be taken for one.
_MACHINES = _names("""
    alarm alarmanlage alert alerts automat backup backups bot camera copier cron daemon device donotreply drucker
    erp fax faxserver firewall ftp geraet kamera kopierer logger logs mailer mailserver mfp monitor monitoring mx
    nagios nas noreply notification notifications notify nvr printer printserver robot root router scan scanner
    scans scantomail sensor server shop smtp sql switch sync synology system ups usv videorecorder voicemail
    webformular webserver webshop wordpress zabbix
""")
_SHARED = _names("""
    abuse accounting admin administration agentur anfrage anfragen angebot angebote anmeldung bestellung
    bestellungen bewerbung bewerbungen billing booking bookings buchhaltung buchung buchungen buero bureau
    callcenter career careers contact datenschutz direktion dispo disposition edv einkauf empfang event events
    feedback finance finanzen frontdesk geschaeftsleitung gmbh hallo hello help helpdesk hilfe hostmaster hotel
    hotline hr info infos invoice invoices it jobs kanzlei karriere kontakt kundendienst kundenservice labor laden
    lager leads legal logistik lohn mail management marketing mitglieder news newsletter office orders ordination
    personal post postmaster press presse privacy produktion projekte purchasing reception rechnung rechnungen
    redaktion reservation reservations reservierung reservierungen restaurant rezeption sales schulung security
    sekretariat service shipping shopping support team technik termin termine ticket tickets verein verkauf
    versand vertrieb verwaltung vorstand webmaster welcome werkstatt zentrale
""")
_DIGITS = re.compile(r"[0-9]+$")


def guess(
    local_part: str, domain: str, *, last_login: datetime | None, forwards: Iterable[str], now: datetime
) -> tuple[Mailbox.Kind, Mailbox.KindReason | str]:
    """Kind and reason for a mailbox whose file does not say its kind; one person and no reason if nothing tells more.

    `forwards` are canonical addresses. Who shares a name with a machine is a machine's even if nobody ever logged in
    there; a mailbox without a known login is not dormant, for most files know of no logins.
    """
    name = local_part.replace("-", "").replace("_", "").replace(".", "")
    bare = _DIGITS.sub("", name)
    if name in _MACHINES or bare in _MACHINES:
        return Kind.MACHINE, Reason.MACHINE_NAME
    if name in _SHARED or bare in _SHARED:
        return Kind.SHARED, Reason.SHARED_NAME
    if any(not target.endswith(f"@{domain}") for target in forwards):
        return Kind.OUTSIDE, Reason.FORWARDS
    if last_login is not None and last_login < now - DORMANT_AFTER:
        return Kind.DORMANT, Reason.NO_LOGIN
    return Kind.PERSONAL, ""


def set_kind(mailboxes: Iterable[Mailbox], kind: Mailbox.Kind, *, actor: str) -> int:
    """Say by hand of what kind these mailboxes are, each with its event. Returns how many were of another kind.

    In batches, each whole or not at all; the rows are read again under lock, so what is given may be old. From then
    on only a file that says another kind changes it. Raises ValueError for a kind there is none.
    """
    kind = Kind(kind)
    keys = sorted(mailbox.pk for mailbox in mailboxes)
    return sum(_set_kind(keys[start : start + BATCH], kind, actor) for start in range(0, len(keys), BATCH))


def _set_kind(keys: list[int], kind: Mailbox.Kind, actor: str) -> int:
    with transaction.atomic():
        rows = Mailbox.objects.select_for_update(of=("self",), no_key=True).filter(pk__in=keys).order_by("pk")
        found = list(rows.values_list("pk", "domain_id", "kind"))
        changed = [row for row in found if row[2] != kind]
        Mailbox.objects.filter(pk__in=[pk for pk, _domain, _before in found]).update(
            kind=kind, kind_reason=Reason.CORRECTED
        )
        Event.objects.bulk_create(
            Event(
                action=Event.Action.KIND_SET,
                actor=actor,
                mailbox_id=pk,
                domain_id=domain,
                detail={"before": before, "kind": str(kind)},
            )
            for pk, domain, before in changed
        )
    return len(changed)
