"""One verb on many mailboxes: how many, who is left out and why, a yes, and then how far it is."""

import uuid

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from migration import bulk, campaign, outlook, restore_guard
from migration.bulk import Wish
from migration.models import BulkRun, Domain, Mailbox
from migration.refusals import SENTENCES, VerbRefused

from . import access, actors, listing
from .access import actor, staff_with
from .forms import BulkForm

NAMED_AT_MOST = 50
Verb = BulkRun.Verb
ADMINS = (Verb.EXCLUDE, Verb.INCLUDE, Verb.SET_KIND)
# Where the choice leads that is no verb: a page of its own.
ELSEWHERE = {"letters": "desk:letters"}


@staff_with("migration.invite_mailbox")
@require_http_methods(["GET", "HEAD", "POST"])
def question(request: HttpRequest, pk: int) -> HttpResponse:
    """Say what would happen to the selected ones, or to all that match; on yes, begin."""
    found = access.domain(pk)
    sent = request.POST if request.method == "POST" else request.GET
    choice = sent.get("verb", "")
    if choice in ELSEWHERE:
        return redirect(f"{reverse(ELSEWHERE[choice], args=[pk])}?{_selection(sent)}")
    chosen = _chosen(found, sent)
    if choice not in Verb or not chosen.exists():
        messages.warning(request, _("Choose what is to be done, and select the mailboxes it is to be done to."))
        return redirect(_list(found, sent))
    verb = Verb(choice)
    if verb in ADMINS and not request.user.has_perm("migration.change_mailbox"):
        raise PermissionDenied
    # Before the contact was told, inviting is a decision about the plan, and plans are an admin's.
    untold = verb == Verb.INVITE and found.announced_at is None
    if untold and not request.user.has_perm("migration.change_domain"):
        return _ask(request, found, verb, chosen, status=403 if request.method == "POST" else 200)
    fields = {"with_kind": verb == Verb.SET_KIND, "with_reason": untold or verb in (Verb.EXCLUDE, Verb.INCLUDE)}
    if request.method != "POST":
        return _ask(request, found, verb, chosen, BulkForm(**fields))
    form = BulkForm(request.POST, **fields)
    if form.is_valid() and outlook.look(chosen, verb).number > form.cleaned_data["seen"]:
        messages.warning(request, str(SENTENCES["more_meanwhile"]))
        return _ask(request, found, verb, chosen, BulkForm(**fields), status=409)
    return _begin(request, found, chosen, verb, form) if form.is_valid() else _ask(request, found, verb, chosen, form)


@staff_with("migration.view_mailbox")
@require_safe
def run(request: HttpRequest, pk: int) -> HttpResponse:
    """How far it is, and who was left out."""
    found = get_object_or_404(BulkRun.objects.select_related("domain"), pk=pk)
    refused = [(SENTENCES.get(code, code), number) for code, number in found.refused.items()]
    context = {
        "run": found,
        "who": actors.words([found.actor])[found.actor],
        "domain": found.domain,
        "stage": _stage(found),
        "waits": _waits(found),
        "refused": sorted(refused, key=lambda pair: -pair[1]),
        "percent": 100 * found.worked // found.chosen if found.chosen else 100,
    }
    return render(request, "desk/bulk_run.html", context)


@staff_with("migration.view_mailbox")
@require_safe
def progress(_request: HttpRequest, pk: int) -> JsonResponse:
    """The same for the script of the page."""
    found = get_object_or_404(BulkRun.objects.select_related("domain"), pk=pk)
    answer = {"state": _stage(found), "done": found.worked}
    return JsonResponse(answer, headers={"Cache-Control": "no-store"})


def _begin(
    request: HttpRequest, found: Domain, chosen: QuerySet[Mailbox], verb: BulkRun.Verb, form: BulkForm
) -> HttpResponse:
    said = form.cleaned_data
    wish = Wish(verb, reason=said.get("reason", ""), kind=said.get("kind", ""))
    pks = list(chosen.values_list("pk", flat=True))
    try:
        begun = bulk.begin(found, pks, wish, actor=actor(request), key=said["key"])
    except VerbRefused as refused:
        messages.error(request, str(refused))
        return redirect(_list(found, request.POST))
    if begun.ended_at is None or begun.chosen > bulk.AT_ONCE:
        return redirect("desk:bulk_run", begun.pk)
    done = ngettext("%(verb)s: done for %(n)d mailbox.", "%(verb)s: done for %(n)d mailboxes.", begun.done)
    tell = messages.success if begun.done else messages.warning
    tell(request, done % {"verb": begun.get_verb_display(), "n": begun.done})
    for code, number in begun.refused.items():
        messages.warning(request, f"{number} × {SENTENCES.get(code, code)}")
    return redirect(_list(found, request.POST))


def _ask(
    request: HttpRequest,
    found: Domain,
    verb: BulkRun.Verb,
    chosen: QuerySet[Mailbox],
    form: BulkForm | None = None,
    *,
    status: int = 200,
) -> HttpResponse:
    sent = request.POST if request.method == "POST" else request.GET
    foretold = outlook.look(chosen, verb)
    if form is not None and not form.is_bound:
        form.initial = {"key": uuid.uuid4(), "seen": foretold.number}
    context = {
        "domain": found,
        "verb": verb,
        "form": form,
        "number": foretold.number,
        "left_out": foretold.left_out,
        "hidden": [(name, value) for name, value in _pairs(sent) if name != "verb"],
        "all": bool(sent.get("all")),
        "named": [] if sent.get("all") else chosen.select_related("domain").order_by("local_part")[:NAMED_AT_MOST],
        "impossible": _impossible(found, verb, untold=form is None),
        "back": _list(found, sent),
        "worker": foretold.number > bulk.AT_ONCE,
    }
    return render(request, "desk/bulk.html", context, status=status)


def _impossible(found: Domain, verb: BulkRun.Verb, *, untold: bool) -> str:
    """Why it is done to nobody now, in words; empty if a yes is all that is missing."""
    if untold:
        return str(SENTENCES["not_begun"])
    try:
        bulk.refuse(found, Wish(verb, reason="to be typed"))
    except VerbRefused as refused:
        return str(refused)
    return ""


def _chosen(found: Domain, sent: QueryDict) -> QuerySet[Mailbox]:
    if sent.get("all"):
        return listing.matching(found, listing.wanted(listing.FilterForm(sent)))
    return Mailbox.objects.filter(domain=found, pk__in=access.numbers(sent.getlist("mailbox")))


def _pairs(sent: QueryDict) -> list[tuple[str, str]]:
    """What says which mailboxes, as it came; of the filter only what narrows."""
    if sent.get("all"):
        query = listing.wanted(listing.FilterForm(sent)).query
        return [("all", "1"), *query.items()]
    return [("mailbox", str(pk)) for pk in access.numbers(sent.getlist("mailbox"))]


def _selection(sent: QueryDict) -> str:
    query = QueryDict(mutable=True)
    query.setlist("mailbox", [str(pk) for pk in access.numbers(sent.getlist("mailbox"))])
    if query.getlist("mailbox"):
        query["group"] = "selected"
    return query.urlencode()


def _list(found: Domain, sent: QueryDict) -> str:
    """The list it was chosen from, as it was narrowed."""
    query = QueryDict(mutable=True)
    query.update(dict(listing.wanted(listing.FilterForm(sent)).query))
    return reverse("desk:domain", args=[found.pk]) + (f"?{query.urlencode()}" if query else "")


def _stage(found: BulkRun) -> str:
    if found.ended_at:
        return "ended"
    return "held" if _waits(found) else "working"


def _waits(found: BulkRun) -> str:
    """Why nobody works on it now, in words."""
    if found.ended_at:
        return ""
    if found.domain.paused_at:
        return _("It waits: the domain is paused.")
    if campaign.paused():
        return _("It waits: the whole move is paused.")
    return _("It waits: the database was restored from a backup.") if restore_guard.stopped_since() else ""
