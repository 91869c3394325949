"""The mail program guide: with the owner's values while he is signed in, without anybody's for everybody.

The guide for everybody is what a QR code leads to on the phone, and where an owner lands whose session has ended: his
first-login password is used up by then, so a sign-in page would be a dead end.
"""

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from migration.guides import apple, facts, qr
from migration.guides.facts import Guide, Protocol
from migration.guides.programs import PROGRAMS
from migration.guides.windows import windows

from . import owners


@require_safe
def guide(request: HttpRequest, program: str = "", protocol: str = "") -> HttpResponse:
    """The guide of who is signed in: which program, IMAP or POP3, then step by step."""
    if here := owners.current(request):
        return _page(request, facts.for_mailbox(here.mailbox), "guide", program, protocol)
    return redirect(_address("help", program, protocol))


@require_safe
def for_everybody(request: HttpRequest, program: str = "", protocol: str = "") -> HttpResponse:
    """The same pages without anybody's values."""
    return _page(request, facts.for_everybody(), "help", program, protocol)


@require_safe
def sheet(request: HttpRequest) -> HttpResponse:
    """One page of paper with the owner's values, old and new."""
    here = owners.current(request)
    if here is None:
        return redirect("accounts:help_sheet")
    return _sheet(request, facts.for_mailbox(here.mailbox), "guide")


@require_safe
def sheet_for_everybody(request: HttpRequest) -> HttpResponse:
    """One page of paper for anybody: the login name is "your whole e-mail address"."""
    return _sheet(request, facts.for_everybody(), "help")


@require_safe
@owners.owner_required
def apple_profile(request: HttpRequest, here: owners.Here) -> HttpResponse:
    """The profile that adds the mailbox on an iPhone, iPad or Mac; `?protocol=pop3` for that one."""
    protocol = Protocol.POP3 if request.GET.get("protocol") == Protocol.POP3 else Protocol.IMAP
    content = apple.profile(facts.for_mailbox(here.mailbox), protocol)
    response = HttpResponse(content, content_type=apple.CONTENT_TYPE)
    response["Content-Disposition"] = f'attachment; filename="mailbox-{protocol.value}.mobileconfig"'
    return response


def _page(request: HttpRequest, values: Guide, room: str, slug: str, protocol: str) -> HttpResponse:
    context: dict[str, Any] = {"guide": values, "home": reverse(f"accounts:{room}"), "qr": _code(slug, protocol)}
    if not slug:
        return render(request, "guides/guide.html", context | {"programs": PROGRAMS.values()})
    program = PROGRAMS.get(slug)
    if program is None or (protocol and not (program.asks_protocol and protocol in list(Protocol))):
        raise Http404
    context |= {"program": program, "there": _address(room, slug)}
    if program.asks_protocol and not protocol:
        return render(request, "guides/protocol.html", context)
    chosen = Protocol(protocol or Protocol.IMAP)
    context |= {"protocol": chosen, "fetching": values.fetching(chosen), "windows": windows(program, values, chosen)}
    return render(request, program.template, context)


def _sheet(request: HttpRequest, values: Guide, room: str) -> HttpResponse:
    context = {"guide": values, "home": reverse(f"accounts:{room}"), "qr": _code()}
    return render(request, "guides/sheet.html", context)


def _code(program: str = "", protocol: str = "") -> qr.Code:
    """The code never leads to the owner's own page: who photographs it learns nothing."""
    return qr.code(settings.BASE_URL + _address("help", program, protocol))


def _address(room: str, program: str = "", protocol: str = "") -> str:
    return reverse(f"accounts:{room}", args=[part for part in (program, protocol) if part])
