"""The contact's pages: his domains, their lines to answer, handing in, and how far the move is.

Every number in an address is looked up among what belongs to his list; another customer's is not found.
"""

import re
from collections import Counter
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from migration import reports
from migration.mailings.compose import shown
from migration.models import Answer, Domain, Review
from migration.refusals import VerbRefused
from migration.review import answering, lists

from .contact import contact_required
from .contact_forms import AnswerForm, ShowForm, SubmitForm

ADDRESSES_OFFERED = 1000
_FIELD = re.compile(r"([ma][0-9]{1,18})-(?:choice|detail|note)")


@require_safe
@contact_required
def overview(request: HttpRequest, review: Review) -> HttpResponse:
    """The domains of the list and how far the contact is with each."""
    rows = lists.progress(review)
    context = {
        "section": "list",
        "review": review,
        "rows": rows,
        "answered": sum(row.answered for row in rows),
        "lines": sum(row.lines for row in rows),
        "begun": review.answers.filter(settled_at__isnull=False).exists(),
    }
    return render(request, "review/overview.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@contact_required
def lines(request: HttpRequest, review: Review, pk: int) -> HttpResponse:
    """The lines of a domain, fifty a page; all that are sent are saved, or told why not."""
    domain = get_object_or_404(review.domains, pk=pk)
    if request.method == "POST":
        return _saved(request, review, domain)
    wanted = _wanted(request)
    page = lists.page(review, domain, **wanted, number=request.GET.get("page", 1))
    return _page(request, review, domain, [_shown(line) for line in page.object_list], page=page)


@require_POST
@contact_required
def keep_used(request: HttpRequest, review: Review, pk: int) -> HttpResponse:
    """Keep every mailbox of the domain that was used lately and is not answered yet."""
    domain = get_object_or_404(review.domains, pk=pk)
    try:
        number = answering.keep_used(review, domain)
    except VerbRefused as refused:
        messages.error(request, str(refused))
    else:
        said = ngettext("“Keep it” is noted for %(n)d mailbox.", "“Keep it” is noted for %(n)d mailboxes.", number)
        messages.success(request, said % {"n": number})
    return redirect("accounts:review_lines", pk)


@require_http_methods(["GET", "HEAD", "POST"])
@contact_required
def submit(request: HttpRequest, review: Review) -> HttpResponse:
    """Read once more what was answered, type one's name, hand it in. Nothing can hand it in by clicking alone."""
    if review.submitted_at:
        return redirect("accounts:review")
    form = SubmitForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            answering.submit(review, name=form.cleaned_data["name"], ip=request.META["REMOTE_ADDR"])
        except VerbRefused as refused:
            form.add_error(None, str(refused))
        else:
            return redirect("accounts:review")
    counts = Counter(review.answers.order_by().values_list("choice", flat=True))
    open_lines = sum(row.lines - row.answered for row in lists.progress(review))
    context = {
        "form": form,
        "counts": [(choice.label, counts[choice]) for choice in Answer.Choice if counts[choice]],
        "open": open_lines,
        "contradictions": answering.contradictions(review),
    }
    return render(request, "review/submit.html", context, status=422 if form.errors else 200)


@require_POST
@contact_required
def reopen(request: HttpRequest, review: Review) -> HttpResponse:
    """Take the answers back to change them."""
    try:
        answering.reopen(review, ip=request.META["REMOTE_ADDR"])
    except VerbRefused as refused:
        messages.error(request, str(refused))
    return redirect("accounts:review")


@require_safe
@contact_required
def progress(request: HttpRequest, review: Review) -> HttpResponse:
    """How far the move of his domains is: counts and dates, no owner's secrets."""
    rows = reports.completion(domains=review.domains.all())
    dates = {domain.pk: domain for domain in review.domains.all()}
    together = [(row, dates[row.pk]) for row in rows if row.pk in dates]
    return render(request, "review/progress.html", {"section": "progress", "rows": together})


def _saved(request: HttpRequest, review: Review, domain: Domain) -> HttpResponse:
    keys = {match[1] for name in request.POST if (match := _FIELD.fullmatch(name))}
    named = lists.named(review, domain, keys)
    if named is None:
        raise Http404
    addresses = set(lists.addresses(review))
    answers = [AnswerForm(request.POST, line=line, addresses=addresses) for line in named]
    valid = [form for form in answers if form.is_valid()]
    wrong = [form for form in answers if not form.is_valid()]
    by_script = request.headers.get("Accept") == "application/json"
    try:
        answering.save(review, [form.said for form in valid])
    except VerbRefused as refused:
        if by_script:
            return JsonResponse({"errors": {key: str(refused) for key in keys}}, status=409)
        messages.error(request, str(refused))
        return redirect("accounts:review_lines", domain.pk)
    if by_script:
        return JsonResponse({"errors": {form.line.key: form.error for form in wrong}}, status=422 if wrong else 200)
    if wrong:
        typed = [_shown(form.line) | {"error": form.error} | _typed(form) for form in wrong]
        return _page(request, review, domain, typed, status=422)
    messages.success(request, _("Saved."))
    query = request.GET.copy()
    if query.get("show") == lists.OPEN:
        query.pop("page", None)  # what was answered is gone from these pages, so the next ones have moved up
    address = reverse("accounts:review_lines", args=[domain.pk])
    return redirect(f"{address}?{query.urlencode()}" if query else address)


def _page(
    request: HttpRequest,
    review: Review,
    domain: Domain,
    shown_lines: list[dict[str, Any]],
    *,
    page: Any = None,
    status: int = 200,
) -> HttpResponse:
    wanted = _wanted(request)
    of_mailboxes = wanted["of"] == lists.MAILBOXES and review.submitted_at is None
    context = wanted | {
        "review": review,
        "domain": domain,
        "lines": shown_lines,
        "page": page,
        "read_only": review.submitted_at is not None,
        "addresses": [shown([one]) for one in lists.addresses(review)[:ADDRESSES_OFFERED]] if of_mailboxes else [],
        "used": lists.used_and_open(review, domain).count() if of_mailboxes else 0,
    }
    return render(request, "review/lines.html", context, status=status)


def _wanted(request: HttpRequest) -> dict[str, str]:
    form = ShowForm(request.GET)
    cleaned = form.cleaned_data if form.is_valid() else {}
    return {"of": cleaned.get("of") or lists.MAILBOXES, "show": cleaned.get("show") or lists.ALL}


def _shown(line: lists.Line) -> dict[str, Any]:
    """A line with what its fields hold."""
    answer = line.answer
    detail = answer.detail if answer else ""
    return {
        "line": line,
        "choice": answer.choice if answer else "",
        "detail": shown([detail]) if "@" in detail else detail,
        "note": answer.note if answer else "",
    }


def _typed(form: AnswerForm) -> dict[str, str]:
    return {name: form[name].value() or "" for name in ("choice", "detail", "note")}
