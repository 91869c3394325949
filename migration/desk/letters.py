"""Letters: choose for whom, see how many, print. The answer is the file; nothing keeps it."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from migration import printing
from migration.models import Domain
from migration.printing import Choice, Group
from migration.refusals import VerbRefused

from . import access
from .access import actor, staff_with

EARLIER_AT_MOST = 20


@staff_with("migration.invite_mailbox")
@require_http_methods(["GET", "HEAD", "POST"])
def letters(request: HttpRequest, pk: int) -> HttpResponse:
    """Without a group: what can be chosen. With one: how many and who not. On yes: the PDF."""
    found = access.domain(pk)
    sent = request.POST if request.method == "POST" else request.GET
    choice = _choice(sent.get("group", ""), sent.getlist("mailbox"), sent.get("printing", ""))
    if choice is None:
        return _choices(request, found)
    if request.method != "POST":
        return _question(request, found, choice)
    try:
        done, pdf = printing.print_letters(
            found, choice, actor=actor(request), seen=access.number(sent.get("seen", ""))
        )
    except VerbRefused as refused:
        return _question(request, found, choice, refused=str(refused), status=409)
    name = f"{found.name}-{timezone.localdate():%Y-%m-%d}-{done.pk}.pdf"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return HttpResponse(pdf, content_type="application/pdf", headers=headers)


def _choice(group: str, mailboxes: list[str], number: str) -> Choice | None:
    if group not in list(Group):
        return None
    return Choice(Group(group), access.numbers(mailboxes), access.number(number))


def _choices(request: HttpRequest, found: Domain) -> HttpResponse:
    groups = (Group.UNDELIVERED, Group.NEVER)
    wanted = {group: printing.wanted(found, Choice(group)) for group in groups}
    context = {
        "domain": found,
        "numbers": {str(group): len(wanted[group].letters) + wanted[group].left for group in groups},
        "earlier": found.printings.all()[:EARLIER_AT_MOST],
        "refused": _refused(found),
    }
    return render(request, "desk/letters.html", context)


def _question(
    request: HttpRequest, found: Domain, choice: Choice, *, refused: str = "", status: int = 200
) -> HttpResponse:
    wanted = printing.wanted(found, choice)
    context = {
        "domain": found,
        "choice": choice,
        "wanted": wanted,
        "number": len(wanted.letters),
        "seen": printing.newest(found) or "",
        "refused": refused,
        "impossible": "" if refused else _refused(found, wanted),
        "address": found.customer.postal_address.strip().splitlines(),
    }
    return render(request, "desk/letters_print.html", context, status=status)


def _refused(found: Domain, wanted: printing.Wanted | None = None) -> str:
    try:
        printing.refuse(found, wanted.letters if wanted else ())
    except VerbRefused as refused:
        return str(refused)
    return ""
