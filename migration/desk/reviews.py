"""Contacts' lists at the desk: send one, read the answers beside the facts, carry them out one by one."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from migration.mailings.compose import shown
from migration.models import Answer, Domain, Mailbox, Review
from migration.refusals import VerbRefused
from migration.review import applying, asking, lists

from . import access
from .access import actor, staff_with

PER_PAGE = 50
WAITING, ALL = "waiting", "all"


class FilterForm(forms.Form):
    """Which answers to show."""

    show = forms.ChoiceField(
        label=gettext_lazy("Answers"),
        required=False,
        choices=[(WAITING, gettext_lazy("to be decided")), (ALL, gettext_lazy("all"))],
    )


class DomainsForm(forms.Form):
    """Which of the customer's domains go on the list."""

    domains = forms.ModelMultipleChoiceField(
        label=gettext_lazy("Domains on the list"), queryset=Domain.objects.none(), widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, domain: Domain, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs | {"initial": {"domains": [domain.pk]}})
        choice = self.fields["domains"]
        assert isinstance(choice, forms.ModelMultipleChoiceField)  # noqa: S101 - told to mypy
        choice.queryset = domain.customer.domains.exclude(reviews__in=Review.objects.filter(revoked_at=None))


class HarmlessForm(forms.Form):
    """Say yes to what was shown; what was answered after that moment was not."""

    until = forms.DateTimeField(widget=forms.HiddenInput, input_formats=["%Y-%m-%dT%H:%M:%S.%f%z"])


@staff_with("migration.view_review")
@require_safe
def reviews(request: HttpRequest) -> HttpResponse:
    """All lists, those with answers to be decided first."""
    number = Count("answers", filter=Answer.is_waiting("answers__"), distinct=True)
    found = Review.objects.select_related("customer").prefetch_related("domains").defer("mac").annotate(waiting=number)
    page = Paginator(found.order_by("-waiting", "-id"), PER_PAGE).get_page(request.GET.get("page", 1))
    columns = [_("Customer"), _("Domains"), _("Sent"), _("State")]
    return render(request, "desk/reviews.html", {"section": "reviews", "page": page, "columns": columns})


@staff_with("migration.view_review")
@require_safe
def review(request: HttpRequest, pk: int) -> HttpResponse:
    """The list a domain is on, and what the contact says about its mailboxes and aliases."""
    return _page(request, access.domain(pk))


@staff_with("migration.change_domain")
@require_POST
def send(request: HttpRequest, pk: int) -> HttpResponse:
    """Mail the contact the link to a list of the chosen domains."""
    domain = access.domain(pk)
    form = DomainsForm(request.POST, domain=domain)
    if not form.is_valid():
        return _page(request, domain, form)
    chosen = form.cleaned_data["domains"]
    done = _("The list is on its way to %(address)s.") % {"address": domain.customer.contact_email}
    return _carried_out(request, pk, lambda: asking.send(domain.customer, chosen, actor=actor(request)), done)


@staff_with("migration.change_domain")
@require_POST
def again(request: HttpRequest, pk: int) -> HttpResponse:
    """Mail a new code."""
    found = _listed(access.domain(pk))
    done = _("A new code is on its way. The earlier one no longer works once it is sent.")
    return _carried_out(request, pk, lambda: asking.send_again(found, actor=actor(request)), done)


@staff_with("migration.change_domain")
@require_POST
def revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """Make the link worthless."""
    found = _listed(access.domain(pk))
    done = _("The link no longer opens the list.")
    return _carried_out(request, pk, lambda: asking.revoke(found, actor=actor(request)), done)


@staff_with("migration.change_mailbox")
@require_http_methods(["GET", "HEAD", "POST"])
def apply_harmless(request: HttpRequest, pk: int) -> HttpResponse:
    """Show what would become of the answers that need no look; on yes, carry out the chosen ones."""
    domain = access.domain(pk)
    form = HarmlessForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        seen, until = access.numbers(request.POST.getlist("answer")), form.cleaned_data["until"]
        number = applying.apply_harmless(domain, actor=actor(request), seen=seen, until=until)
        said = ngettext("%(n)d answer is carried out.", "%(n)d answers are carried out.", number)
        messages.success(request, said % {"n": number})
        return redirect("desk:review", pk)
    answers = applying.harmless(domain)
    context = {
        "domain": domain,
        "rows": [(answer, *_change(answer)) for answer in answers[: access.SELECTED_AT_MOST]],
        "columns": [_("Address"), _("Now"), _("Afterwards")],
        "left": max(0, len(answers) - access.SELECTED_AT_MOST),
        "until": timezone.now().isoformat(),
    }
    return render(request, "desk/review_harmless.html", context)


@staff_with("migration.change_mailbox")
@require_POST
def apply(request: HttpRequest, pk: int) -> HttpResponse:
    """Carry one answer out. Where mail is sent on to what shall go, say from where and ask."""
    answer, domain = _answer(pk)
    seen = request.POST.getlist("seen")
    pointing = applying.pointing_at(answer)
    if not set(pointing) <= set(seen):
        context = {
            "domain": access.domain(domain),
            "answer": answer,
            "line": lists.Line(answer.mailbox, answer.alias, answer),
            "pointing": [(address, shown([address])) for address in pointing],
        }
        return render(request, "desk/review_pointed_at.html", context, status=409)
    return _carried_out(
        request, domain, lambda: applying.apply(answer, actor=actor(request), seen=seen), _("Carried out.")
    )


@staff_with("migration.change_mailbox")
@require_POST
def leave(request: HttpRequest, pk: int) -> HttpResponse:
    """Tick one answer off without carrying it out."""
    answer, domain = _answer(pk)
    return _carried_out(request, domain, lambda: applying.leave(answer, actor=actor(request)), _("Left as it is."))


def _change(answer: Answer) -> tuple[str, str]:
    """What is known of the mailbox now, and what will be."""
    mailbox = answer.mailbox
    assert mailbox is not None  # noqa: S101 - harmless answers are about mailboxes
    if answer.choice == Answer.Choice.PERSON:
        return mailbox.name, answer.detail
    now = [str(mailbox.get_kind_display()), shown([mailbox.responsible]) if mailbox.responsible else ""]
    return " · ".join(filter(None, now)), f"{Mailbox.Kind(answer.choice).label} · {_detail(answer)}"


def _page(request: HttpRequest, domain: Domain, form: DomainsForm | None = None) -> HttpResponse:
    found = domain.reviews.defer("mac").first()
    filtered = FilterForm(request.GET)
    show = (filtered.cleaned_data["show"] if filtered.is_valid() else "") or WAITING
    answers = applying.about(domain, found) if found else Answer.objects.none()
    answers = answers.filter(Answer.is_waiting()) if show == WAITING else answers
    page = Paginator(answers, PER_PAGE).get_page(request.GET.get("page", 1))
    context = {
        "domain": domain,
        "review": found,
        "mail": found.mailings.first() if found else None,
        "others": [other for other in found.domains.order_by("name") if other != domain] if found else [],
        "may_send": found is None or found.revoked_at is not None,
        "filter": filtered,
        "show": show,
        "form": form or DomainsForm(domain=domain),
        "page": page,
        "rows": [(answer, lists.Line(answer.mailbox, answer.alias, answer), _detail(answer)) for answer in page],
        "columns": [_("Address"), _("What we know"), _("What the contact says"), _("Decision")],
        "harmless": len(applying.harmless(domain)),
    }
    return render(request, "desk/review.html", context, status=422 if form else 200)


def _detail(answer: Answer) -> str:
    return shown([answer.detail]) if "@" in answer.detail else answer.detail


def _listed(domain: Domain) -> Review:
    """The newest list the domain is on; 404 if it never was."""
    return get_object_or_404(Review.objects.filter(pk__in=domain.reviews.values("pk")[:1]))


def _answer(pk: int) -> tuple[Answer, int]:
    found = get_object_or_404(
        Answer.objects.select_related("mailbox", "alias").defer("mailbox__legacy_hash"),
        Q(mailbox__isnull=False) | Q(alias__isnull=False),
        pk=pk,
    )
    thing = found.mailbox or found.alias
    assert thing is not None  # noqa: S101 - the query asks for it
    return found, thing.domain_id


def _carried_out(request: HttpRequest, domain: int, verb: Callable[[], object], done: str) -> HttpResponse:
    try:
        verb()
    except VerbRefused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, done)
    return redirect("desk:review", domain)
