"""Pages for sessions of staff: one's own, and for an admin those of the others."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from accounts import staff_sessions
from accounts.models import StaffSession, User
from migration.desk.access import actor, ask_again_who_it_is, staff_with

MAY = "accounts.change_user"


@login_required
@require_safe
def sessions(request: HttpRequest) -> HttpResponse:
    """One's own sessions; for an admin also who else of the staff is signed in."""
    others = staff_sessions.live().exclude(user=request.user.pk).select_related("user")
    context = {
        "section": "sessions",
        "sessions": staff_sessions.live(_me(request)),
        "here": request.session.session_key,
        "at_most": staff_sessions.AT_MOST,
        "others": others.order_by("user__email", "-seen_at") if request.user.has_perm(MAY) else None,
    }
    return render(request, "staff/sessions.html", context)


@login_required
@require_POST
def end(request: HttpRequest, pk: int) -> HttpResponse:
    """End one of one's own; an admin, once he has proven who he is, anybody's. Another's is not there for the rest."""
    session = get_object_or_404(StaffSession.objects.select_related("user"), pk=pk)
    if session.user_id != request.user.pk:
        if not request.user.has_perm(MAY):
            raise Http404
        ask_again_who_it_is(request)
    why = "ended by himself" if session.user_id == request.user.pk else "ended by an admin"
    staff_sessions.end(session, why=why, actor=actor(request), ip=request.META["REMOTE_ADDR"])
    messages.success(request, _("The session is ended."))
    return redirect("staff:sessions")


@login_required
@require_POST
def end_others(request: HttpRequest) -> HttpResponse:
    """End all of one's own but this one."""
    here, ip = request.session.session_key, request.META["REMOTE_ADDR"]
    number = staff_sessions.end_all(_me(request), why="ended by himself", actor=actor(request), but=here, ip=ip)
    return _said(request, number)


@staff_with(MAY)
@require_POST
def end_all_of(request: HttpRequest, pk: int) -> HttpResponse:
    """End all of a member of staff's."""
    ask_again_who_it_is(request)
    user, ip = get_object_or_404(User, pk=pk), request.META["REMOTE_ADDR"]
    return _said(request, staff_sessions.end_all(user, why="ended by an admin", actor=actor(request), ip=ip))


def _said(request: HttpRequest, number: int) -> HttpResponse:
    sentence = ngettext("%(n)d session is ended.", "%(n)d sessions are ended.", number)
    messages.success(request, sentence % {"n": number})
    return redirect("staff:sessions")


def _me(request: HttpRequest) -> User:
    return User.objects.get(email=request.user.get_username())
