"""The mailboxes of one domain as staff want to see them: narrowed, sorted, page by page."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.paginator import Page, Paginator
from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, Subquery, TextChoices, Value, When
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from migration import logins, reports
from migration.models import Domain, Event, Mailbox, Mailing, Push

from .forms import FindForm

PER_PAGE = 50
S = Mailbox.State


class Need(TextChoices):
    """What somebody may have to do something about; derived, never stored."""

    ATTENTION = "attention", _("needs attention")
    UNDELIVERED = "undelivered", _("invitation not delivered")
    NEVER = "never", _("invited, never signed in")
    SOURCE = "source", _("still on the old server")


class Sort(TextChoices):
    """In which order."""

    ADDRESS = "", _("address")
    STATE = "state", _("state")
    LOGIN = "login", _("last login on the old server")


_COURSE = Case(*[When(state=state, then=Value(place)) for place, state in enumerate(S)], default=Value(9))
_ORDERS: dict[str, tuple[Any, ...]] = {
    Sort.ADDRESS: ("local_part",),
    Sort.STATE: (_COURSE, "local_part"),
    Sort.LOGIN: (F("source_login_at").desc(nulls_last=True), "local_part"),
}


class FilterForm(FindForm):
    """Narrow a domain's list of mailboxes."""

    state = forms.ChoiceField(label=_("State"), required=False, choices=[("", _("all")), *S.choices])
    kind = forms.ChoiceField(label=_("Kind"), required=False, choices=[("", _("all")), *Mailbox.Kind.choices])
    need = forms.ChoiceField(label=_("Only those"), required=False, choices=[("", _("all")), *Need.choices])
    sort = forms.ChoiceField(label=_("Sorted by"), required=False, choices=Sort.choices)

    def __init__(self, data: QueryDict) -> None:
        # Links to what needs attention have named it as a state.
        if data.get("state") == Need.ATTENTION:
            data = data.copy()
            data["state"], data["need"] = "", Need.ATTENTION
        super().__init__(data)
        self.fields["q"].label = _("Address or name")


@dataclass(frozen=True)
class Wanted:
    """Which mailboxes, in which order; what is empty narrows nothing."""

    text: str = ""
    state: str = ""
    kind: str = ""
    need: str = ""
    sort: str = ""

    @property
    def is_all(self) -> bool:
        """Nothing narrows the list."""
        return not (self.text or self.state or self.kind or self.need)

    @property
    def query(self) -> Mapping[str, str]:
        """The same for an address."""
        named = {"q": self.text, "state": self.state, "kind": self.kind, "need": self.need, "sort": self.sort}
        return {name: value for name, value in named.items() if value}


def wanted(form: FilterForm) -> Wanted:
    """What the form says; a field that says nonsense narrows nothing."""
    form.is_valid()
    said = {name: form.cleaned_data.get(name, "") for name in ("state", "kind", "need", "sort")}
    return Wanted(text=form.cleaned_data.get("q", "").strip(), **said)


def matching(domain: Domain, wanted: Wanted) -> QuerySet[Mailbox]:
    """The mailboxes of the domain that are wanted, in no order."""
    found = _needing(domain, wanted.need).filter(domain=domain).order_by()
    if wanted.state:
        found = found.filter(state=wanted.state)
    if wanted.kind:
        found = found.filter(kind=wanted.kind)
    if wanted.text:
        local_part = wanted.text.partition("@")[0].casefold()
        found = found.filter(Q(local_part__contains=local_part) | Q(name__icontains=wanted.text))
    return found


def page_of(domain: Domain, wanted: Wanted, number: int | str) -> Page[int]:
    """One page of their numbers; the last for a page there is none."""
    return Paginator(
        matching(domain, wanted).order_by(*_ORDERS[wanted.sort]).values_list("pk", flat=True), PER_PAGE
    ).get_page(number)


def _needing(domain: Domain, need: str) -> QuerySet[Mailbox]:
    if need == Need.ATTENTION:
        blocked = Push.objects.filter(mailbox__domain=domain, state=Push.State.BLOCKED)
        few = Q(pk__in=blocked.values("mailbox")) | Q(pk__in=_undelivered(domain))
        return reports.needing_attention().filter(few)
    if need == Need.UNDELIVERED:
        found = Mailbox.objects.filter(pk__in=_undelivered(domain), state__in=(S.INVITED, S.SIGNED_IN))
        newest = Mailing.objects.filter(mailbox=OuterRef("pk"), kind__in=Mailing.WITH_SECRET).order_by("-id")
        newest_fate = Subquery(newest.values(fate=reports.FATE)[:1])
        return found.annotate(newest_fate=newest_fate).filter(newest_fate__in=reports.UNDELIVERED)
    if need == Need.NEVER:
        signed_in = Event.objects.filter(mailbox=OuterRef("pk"), action=Event.Action.SIGNED_IN)
        return Mailbox.objects.filter(~Exists(signed_in), state=S.INVITED)
    if need == Need.SOURCE:
        return logins.still_on_source().filter(source_login_at__isnull=False)
    return Mailbox.objects.all()


def _undelivered(domain: Domain) -> QuerySet[Any]:
    """Mailboxes with a mail that did not arrive: few, and found by an index. A later one may have arrived."""
    mails = Mailing.objects.filter(domain=domain, kind__in=Mailing.WITH_SECRET)
    return mails.filter(Q(state__in=reports.UNDELIVERED) | Q(bounced_at__isnull=False)).order_by().values("mailbox")
