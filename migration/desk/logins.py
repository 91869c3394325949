"""Still on the old server: whose new password works, and who is read on the old server all the same.

The page shows where people sign in from, so it is for those who help them: whoever may invite.
"""

from collections.abc import Iterable
from itertools import chain

from django import forms
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from migration import logins, spreadsheets
from migration.models import Domain, Mailbox

from .access import staff_with

PER_PAGE = 50

_TIMES = {
    "source": gettext_lazy("Last login on the old server"),
    "delivered": gettext_lazy("New password works since"),
    "read": gettext_lazy("Last read on the new server"),
    "sent": gettext_lazy("Last sent by the new server"),
}


class DomainForm(forms.Form):
    """Narrow the list to one domain."""

    domain = forms.ModelChoiceField(
        label=gettext_lazy("Domain"),
        required=False,
        queryset=Domain.objects.none(),
        empty_label=gettext_lazy("all"),
    )

    def __init__(self, *args: object, domains: Iterable[Domain], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        field = self.fields["domain"]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101 - told to mypy
        field.queryset = Domain.objects.filter(pk__in=[domain.pk for domain in domains])


@staff_with("migration.invite_mailbox")
@require_safe
def still_on_source(request: HttpRequest) -> HttpResponse:
    """Whom to call: by domain and altogether, the newest login on the old server first."""
    by_domain = logins.still_on_source_by_domain()
    form = DomainForm(request.GET, domains=[domain for domain, _number in by_domain])
    chosen = form.cleaned_data["domain"] if form.is_valid() else None
    page = Paginator(_found(chosen), PER_PAGE).get_page(request.GET.get("page", 1))
    return render(
        request,
        "desk/logins.html",
        {
            "section": "logins",
            "by_domain": by_domain,
            "form": form,
            "chosen": chosen,
            "page": page,
            "columns": [_("Address"), _TIMES["source"], _TIMES["delivered"], _("On the new server")],
            "known_until": logins.newest_source_login(),
            "patience": logins.PATIENCE.days,
        },
    )


@staff_with("migration.invite_mailbox")
@require_safe
def still_on_source_csv(request: HttpRequest) -> HttpResponse:
    """The same list as a table for a spreadsheet; `?domain=` narrows it."""
    form = DomainForm(request.GET, domains=Domain.objects.all())
    chosen = form.cleaned_data["domain"] if form.is_valid() else None
    times = [str(name) for name in _TIMES.values()]
    head = [_("Address"), _("Name"), _("Customer"), *times, _("IP address"), _("Protocol")]
    rows = chain([head], map(_cells, _found(chosen)))
    return spreadsheets.download(rows, "still-on-the-old-server.csv")


def _found(domain: Domain | None) -> QuerySet[Mailbox]:
    found = logins.still_on_source()
    return found.filter(domain=domain) if domain else found


def _cells(mailbox: Mailbox) -> list[str]:
    source, target = getattr(mailbox, "source_login", None), getattr(mailbox, "target_login", None)
    times = (
        mailbox.source_login_at,
        getattr(mailbox, "delivered_at", None),
        target and target.read_at,
        target and target.smtp_at,
    )
    shown = [f"{timezone.localtime(at):%Y-%m-%d %H:%M}" if at else "" for at in times]
    origin = [source.ip or "", source.protocol] if source else ["", ""]
    return [str(mailbox), mailbox.name, str(mailbox.domain.customer), *shown, *origin]
