"""The operator's page: breaker, restore, queues, keys in use, what is due to be erased. Counts only, no address.

What an operator does here he could do on the command line, too. Keys are exchanged there alone: the ring is in files
that no web process may write.
"""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from accounts import keys, retention
from migration import breaker, reports, restore_guard, restores
from migration.desk.access import actor, ask_again_who_it_is, staff_with
from migration.keys import in_use
from migration.models import Mailing, ProvisionedObject, Push, Target
from migration.secrets import current_key_id

MAY = "migration.operate"

# What is on its way, or stays where it is until a person looks.
_P, _M, _O = Push.State, Mailing.State, ProvisionedObject.State
QUEUES: tuple[tuple[Promise, type[Push | Mailing | ProvisionedObject], tuple[str, ...]], ...] = (
    (gettext_lazy("Passwords on their way to the new server"), Push, (*Push.OPEN, _P.IN_FLIGHT, _P.SETTLING)),
    (gettext_lazy("Mails"), Mailing, (*Mailing.OPEN, _M.SENDING, _M.FAILED, _M.UNCLEAR)),
    (
        gettext_lazy("Objects being made on the new server"),
        ProvisionedObject,
        (*ProvisionedObject.OPEN, _O.IN_FLIGHT, _O.BLOCKED),
    ),
)


@dataclass(frozen=True)
class Queue:
    """One outbox: how many rows it has in each state that is not the end."""

    name: Promise
    states: list[tuple[str, int]]

    @property
    def total(self) -> int:
        """All of them."""
        return sum(count for _state, count in self.states)


@staff_with(MAY)
@require_safe
def operation(request: HttpRequest) -> HttpResponse:
    """How the portal runs, and what a person has to decide."""
    target = Target.objects.order_by("-breaker_opened_at").first()
    restored_at = restore_guard.stopped_since()
    context: dict[str, Any] = {
        "section": "operation",
        "target": target,
        "why": dict(Push.Reason.choices).get(target.breaker_reason, "") if target else "",
        "restored_at": restored_at,
        "oldest_due": reports.oldest_due_seconds(),
        "queues": _queues(),
        "open_mails": restores.open_mails().count() if restored_at else 0,
    }
    return render(request, "staff/operation.html", context)


@staff_with(MAY)
@require_POST
def close_breaker(request: HttpRequest) -> HttpResponse:
    """Let transfers go on, once the cause is removed."""
    ask_again_who_it_is(request)
    opened = list(Target.objects.exclude(breaker_opened_at=None, probe_after=None))
    for target in opened:
        breaker.close(target, actor=actor(request))
    if opened:
        messages.success(request, _("Transfers go on."))
    else:
        messages.warning(request, _("Nothing was stopped."))
    return redirect("staff:operation")


@staff_with(MAY)
@require_POST
def confirm_restore(request: HttpRequest) -> HttpResponse:
    """Let the outboxes of a restored database work again."""
    ask_again_who_it_is(request)
    done = restores.confirm(actor=actor(request))
    if done is None:
        messages.warning(request, _("Nothing waited for this."))
    else:
        sentence = _("Confirmed. Passwords that are compared first: %(pushes)d; mails that stay unclear: %(mails)d.")
        messages.success(request, sentence % {"pushes": done.pushes, "mails": done.mails})
    return redirect("staff:operation")


@staff_with(MAY)
@require_safe
def keys_in_use(request: HttpRequest) -> HttpResponse:
    """How many values each key of the ring still has, by what they are."""
    counts = in_use(keys.PLACES)
    ids = sorted({key for counted in counts.values() for key in counted} | {current_key_id()})
    rows = [(name, [counted[key] for key in ids]) for name, counted in counts.items()]
    context = {"section": "operation", "ids": ids, "current": current_key_id(), "rows": rows}
    return render(request, "staff/keys.html", context)


@staff_with(MAY)
@require_safe
def retention_due(request: HttpRequest) -> HttpResponse:
    """What tonight's run would erase, by rule: counted, nothing is erased."""
    due = retention.run(dry_run=True)
    rows = [(rule, due[rule.code]) for rule in retention.RULES]
    return render(request, "staff/retention.html", {"section": "operation", "rows": rows})


def _queues() -> list[Queue]:
    found = []
    for name, model, states in QUEUES:
        rows = model._default_manager.filter(state__in=states).order_by()
        counts = dict(rows.values_list("state").annotate(Count("pk")))
        labels = dict(model.State.choices)
        found.append(Queue(name, [(str(labels[state]), counts.get(state, 0)) for state in states]))
    return found
