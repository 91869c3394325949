"""The audit trail at the desk: who did what, and whether the chain over it still holds.

Everybody sees what he did himself; who may `migration.audit` sees all. Pages go by the id, so the last one costs what
the first one does.
"""

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from itertools import chain
from typing import Any

from django import forms
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from migration import addresses, spreadsheets
from migration.audit import sealing
from migration.models import AuditHead, Domain, Event, Mailbox
from migration.models.events import FREQUENT_ACTIONS, FREQUENT_ACTORS

from . import access, actors, timeline
from .access import staff_with

PER_PAGE = 100
ROWS_AT_A_TIME = 1000
# The clocks of several machines differ, so ids and times may be in another order than each other, but not by more.
DISORDER = timedelta(hours=1)


class AuditForm(forms.Form):
    """Narrow the audit trail."""

    who = forms.ChoiceField(label=gettext_lazy("Who"), required=False)
    action = forms.ChoiceField(
        label=gettext_lazy("What"), required=False, choices=[("", gettext_lazy("all")), *Event.Action.choices]
    )
    domain = forms.CharField(label=gettext_lazy("Domain"), required=False, max_length=254)
    mailbox = forms.CharField(label=gettext_lazy("Mailbox"), required=False, max_length=254)
    ip = forms.GenericIPAddressField(label=gettext_lazy("IP address"), required=False)
    since = forms.DateField(
        label=gettext_lazy("From"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    until = forms.DateField(
        label=gettext_lazy("Until"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )

    def __init__(self, *args: Any, everybody: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not everybody:
            del self.fields["who"]
            return
        staff = get_user_model()._default_manager.order_by("email")
        self.fields["who"].choices = [  # type: ignore[attr-defined]
            ("", _("all")),
            *((actor, word) for actor, word in actors.WORDS.items() if actor != "portal"),
            (actors.COMMAND, _("an operator, by a command")),
            *((f"{actors.STAFF}{user.get_username()}", str(user)) for user in staff),
        ]

    def clean_domain(self) -> Domain | None:
        """The domain of this name."""
        if not (name := self.cleaned_data["domain"].strip()):
            return None
        try:
            found = Domain.objects.filter(name=addresses.domain_to_ascii(name)).first()
        except addresses.InvalidAddress:
            found = None
        if found is None:
            raise ValidationError(_("There is no such domain."))
        return found

    def clean_mailbox(self) -> Mailbox | None:
        """The mailbox of this address."""
        if not (typed := self.cleaned_data["mailbox"].strip()):
            return None
        try:
            found = Mailbox.objects.by_address(addresses.parse(typed)).defer("legacy_hash").first()
        except addresses.InvalidAddress:
            found = None
        if found is None:
            raise ValidationError(_("There is no such mailbox."))
        return found


@staff_with("migration.audit")
@staff_with("migration.export_mailbox")
@require_safe
def audit_csv(request: HttpRequest) -> HttpResponseBase:
    """The same as a file, of any length; that it was taken is an event of its own."""
    form = AuditForm(request.GET, everybody=True)
    if not form.is_valid():
        raise Http404
    found = _chosen(form)
    if request.method != "HEAD":
        only = {name: str(value) for name, value in request.GET.items() if value and name in form.fields}
        number = found.count()
        Event.record(
            Event.Action.EXPORTED, actor=access.actor(request), what="audit", format="csv", number=number, only=only
        )
    head = [_("Number"), _("Time"), _("Who"), _("What"), _("Why"), _("Domain"), _("Mailbox"), _("IP address")]
    file_name = f"audit-{timezone.localdate():%Y-%m-%d}.csv"
    rows = _rows(found, translation.get_language() or "de") if request.method != "HEAD" else ()
    return spreadsheets.streamed(chain([head], rows), file_name)


def _rows(found: QuerySet[Event], language: str) -> Iterator[list[str]]:
    """Each event as a row, the oldest first, so many at a time."""
    rows = found.select_related("domain", "mailbox__domain").defer("mailbox__legacy_hash").order_by("pk")
    last = 0
    with translation.override(language):
        while events := list(rows.filter(pk__gt=last)[:ROWS_AT_A_TIME]):
            for line in timeline.lines(events):
                event = line.event
                about = [str(event.domain or ""), str(event.mailbox or ""), event.ip or ""]
                at = timezone.localtime(event.at).isoformat(sep=" ", timespec="seconds")
                yield [str(event.pk), at, line.who, str(event.get_action_display()), line.why, *about]
            last = events[-1].pk


@staff_with("migration.view_domain")
@require_safe
def audit(request: HttpRequest) -> HttpResponse:
    """What happened, the newest first, and how the chain is."""
    everybody = request.user.has_perm("migration.audit")
    form = AuditForm(request.GET, everybody=everybody)
    found = _chosen(form) if form.is_valid() else Event.objects.none()
    if not everybody:
        found = found.filter(actor=access.actor(request))
    before, after = (access.number(request.GET.get(name, "")) for name in ("before", "after"))
    events, older, newer = _page(found, before, after)
    asked = request.GET.copy()
    for name in ("before", "after"):
        asked.pop(name, None)
    context = {
        "section": "audit",
        "everybody": everybody,
        "form": form,
        "lines": timeline.lines(events),
        "asked": asked.urlencode(),
        "older": older,
        "newer": newer,
        "chain": _chain() if everybody else None,
    }
    return render(request, "desk/audit.html", context)


def _chosen(form: AuditForm) -> QuerySet[Event]:
    wanted = form.cleaned_data
    found = Event.objects.all()
    if wanted["action"]:
        found = found.filter(action=wanted["action"])
        if wanted["action"] not in FREQUENT_ACTIONS:
            found = found.exclude(action__in=FREQUENT_ACTIONS)  # as the index asks for it
    if who := wanted.get("who"):
        found = found.filter(**{"actor__startswith" if who in (actors.COMMAND, "staff") else "actor": who})
        if who not in FREQUENT_ACTORS:
            found = found.exclude(actor__in=FREQUENT_ACTORS)
    for name in ("domain", "mailbox", "ip"):
        if wanted[name]:
            found = found.filter(**{name: wanted[name]})
    if wanted["since"]:
        found = _bounded(found.filter(at__gte=_midnight(wanted["since"])), since=_midnight(wanted["since"]))
    if wanted["until"]:
        end = _midnight(wanted["until"] + timedelta(days=1))
        found = _bounded(found.filter(at__lt=end), until=end)
    return found


def _bounded(
    found: QuerySet[Event], *, since: datetime | None = None, until: datetime | None = None
) -> QuerySet[Event]:
    """The same with the ids in which these times lie: the page goes by the id, and an index finds where a time is."""
    ids = Event.objects.order_by("at").values_list("pk", flat=True)
    if since and (first := ids.filter(at__gte=since - DISORDER).first()):
        return found.filter(pk__gte=first)
    if until and (last := ids.filter(at__lt=until + DISORDER).last()):
        return found.filter(pk__lte=last)
    return found


def _midnight(day: Any) -> datetime:
    return timezone.make_aware(datetime.combine(day, time()))


def _page(found: QuerySet[Event], before: int | None, after: int | None) -> tuple[list[Event], int | None, int | None]:
    """One page, and from which id on there are older and newer ones."""
    rows = found.select_related("domain", "mailbox__domain").defer("mailbox__legacy_hash")
    if after is not None:
        events = list(rows.filter(pk__gt=after).order_by("pk")[: PER_PAGE + 1])
        more = len(events) > PER_PAGE
        events = events[:PER_PAGE][::-1]
        return events, events[-1].pk if events else None, events[0].pk if more else None
    events = list((rows.filter(pk__lt=before) if before else rows).order_by("-pk")[: PER_PAGE + 1])
    more = len(events) > PER_PAGE
    events = events[:PER_PAGE]
    return events, events[-1].pk if more else None, events[0].pk if before and events else None


def _chain() -> dict[str, Any]:
    """How far the chain is, and what the last check found."""
    end = AuditHead.objects.first() or AuditHead()
    return {"end": end, "unsealed": sealing.unsealed(end.settled).count()}
