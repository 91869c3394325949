"""Imports in the Django admin: upload, look, confirm, follow. Each step is its own page or its own POST."""

# ruff: noqa: ARG002 - Django decides what a method is given.
# Django's own classes take no parameters when the program runs:
# mypy: disable-error-code="type-arg"

from dataclasses import dataclass
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from . import import_runs, spreadsheets
from .admin_import_form import UploadForm
from .desk.access import actor, ask_again_who_it_is, ask_before_it_is_filled_in
from .imports import report, staging
from .models import ImportRun

# So many rows of each group are shown together.
GLANCE = 20

REMARKS: dict[str, Promise] = {
    "errors": gettext_lazy(
        "These rows are left out; all others can go in. Mailboxes named in them may be listed under “Not in the file”."
    ),
    "conflicts": gettext_lazy("These rows are left out."),
    "gone": gettext_lazy("We have them, the file does not. Nothing is deleted."),
    "done": gettext_lazy("The owner has set a new password. The old one in the file is not taken."),
}
# What is shown together; afterwards only what still has to be looked after.
BEFORE = tuple(code for code in report.GROUPS if code != "unchanged")
AFTERWARDS = ("errors", "conflicts")


@dataclass(frozen=True)
class Group:
    """One list of the preview, as far as the page shows it."""

    code: str
    total: int
    entries: list[report.Entry]

    @property
    def title(self) -> str:
        """Its name."""
        return str(report.GROUPS[self.code])

    @property
    def remark(self) -> str:
        """What becomes of these rows."""
        return str(REMARKS.get(self.code, ""))

    @property
    def more(self) -> int:
        """How many are not shown."""
        return self.total - len(self.entries)


@admin.register(ImportRun)
class ImportRunAdmin(admin.ModelAdmin):
    """What was imported, by whom; and the way to import."""

    fields = ("file_name", "file_format", "domain", "state", "actor", "confirmed_by", "created_at", "applied_at")
    list_display = ("uploaded", "file_name", "domain", "file_format", "state", "new", "changed", "refused", "actor")
    list_display_links = ("file_name",)
    list_filter = ("state", ("domain", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("domain",)
    list_per_page = 50
    search_fields = ("file_name", "domain__name", "actor")

    def get_queryset(self, request: HttpRequest) -> Any:
        """Without the rows a run holds: they carry hashes."""
        return super().get_queryset(request).defer("staged")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody: a run is confirmed or discarded."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody: it is part of the audit trail."""
        return False

    @admin.display(description=gettext_lazy("uploaded"), ordering="created_at")
    def uploaded(self, run: ImportRun) -> str:
        """When, in short."""
        return date_format(timezone.localtime(run.created_at), "SHORT_DATETIME_FORMAT")

    @admin.display(description=gettext_lazy("new"))
    def new(self, run: ImportRun) -> int | str:
        """How many were made, or would be."""
        return _count(run, "new")

    @admin.display(description=gettext_lazy("changed"))
    def changed(self, run: ImportRun) -> int | str:
        """How many were changed, or would be."""
        return _count(run, "changed")

    @admin.display(description=gettext_lazy("refused"))
    def refused(self, run: ImportRun) -> int | str:
        """How many were left out, or would be."""
        preview = run.summary.get("preview", {})
        return preview.get("errors", 0) + preview.get("conflicts", 0) if preview else ""

    def get_urls(self) -> list[Any]:
        """Verbs and two answers for programs beside Django's pages."""
        views: dict[str, Any] = {
            "confirm": require_POST(self.confirm),
            "discard": require_POST(self.discard),
            "resume": require_POST(self.resume),
            "progress": require_safe(self.progress),
            "report": require_safe(self.report),
        }
        own = [
            path(f"<int:pk>/{name}/", self.admin_site.admin_view(view), name=f"migration_importrun_{name}")
            for name, view in views.items()
        ]
        return [*own, *super().get_urls()]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Upload: the file is read within the request and not stored; what it says waits for a yes."""
        self._refuse_strangers(request)
        if asked := ask_before_it_is_filled_in(request):
            return asked
        staging.forget_old()
        form = UploadForm(request.POST or None, request.FILES or None, initial={"domain": request.GET.get("domain")})
        if not form.is_valid():
            return self._page(request, "upload", {"form": form, "step": 1, "title": _("Import mailboxes")})
        held = import_runs.begin(form.cleaned_data["domain"], form.parsed, form.source(actor(request)))
        return redirect("admin:migration_importrun_change", held.pk)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Follow what is worked on, look at what confirming would change, read what was done."""
        self._refuse_strangers(request)
        run = _run(int(object_id) if object_id.isdecimal() else 0)
        context: dict[str, Any] = {"run": run, "title": _("Import of %(file)s") % {"file": run.file_name}}
        context |= {"step": 2 if run.state in ImportRun.UNDECIDED else 3, "fresh": _is_fresh(run)}
        if run.state in ImportRun.OPEN:
            return self._page(request, "progress", context | _progress(run))
        return self._page(request, "preview", context | _shown(run, request.GET))

    def confirm(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Apply what the run holds to the database as it is now."""
        self._refuse_strangers(request)
        ask_again_who_it_is(request)
        run = _run(pk)
        if not import_runs.confirm(run, actor=actor(request)):
            return self._refused(request, run)
        if import_runs.is_small(run):
            import_runs.work(pk)
            run = _run(pk)
            counts = {group: _count(run, group) for group in ("new", "changed")}
            self.message_user(request, _("Imported: %(new)s new, %(changed)s changed.") % counts, messages.SUCCESS)
        return redirect("admin:migration_importrun_change", pk)

    def discard(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Forget what the run holds."""
        self._refuse_strangers(request)
        run = _run(pk)
        if not import_runs.discard(run):
            return self._refused(request, run)
        self.message_user(request, _("Discarded. Nothing was changed."), messages.SUCCESS)
        return redirect("admin:migration_importrun_changelist")

    def resume(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Call a worker for a run that nobody works on."""
        self._refuse_strangers(request)
        import_runs.call_worker(_run(pk))
        return redirect("admin:migration_importrun_change", pk)

    def progress(self, request: HttpRequest, pk: int) -> HttpResponse:
        """How far the run is, for the page's script."""
        self._refuse_strangers(request)
        run = _run(pk)
        return JsonResponse({"state": run.state, **_progress(run)}, headers={"Cache-Control": "no-store"})

    def report(self, request: HttpRequest, pk: int) -> HttpResponse:
        """All groups of the preview as a table for a spreadsheet."""
        self._refuse_strangers(request)
        return spreadsheets.download(report.table(_run(pk)), f"import-{pk}.csv")

    def _refuse_strangers(self, request: HttpRequest) -> None:
        if not self.has_add_permission(request):
            raise PermissionDenied

    def _refused(self, request: HttpRequest, run: ImportRun) -> HttpResponse:
        run.refresh_from_db(fields=["state"])
        sentences = {
            ImportRun.State.COMPARING: _("This import is still being compared. Please wait."),
            ImportRun.State.PREVIEW: _("This import is more than a day old. Please upload the file again."),
        }
        decided = _("This import was decided already. Nothing was changed now.")
        self.message_user(request, sentences.get(ImportRun.State(run.state), decided), messages.ERROR)
        return redirect("admin:migration_importrun_change", run.pk)

    def _page(self, request: HttpRequest, name: str, context: dict[str, Any]) -> HttpResponse:
        page = {**self.admin_site.each_context(request), "opts": self.opts, **context}
        return render(request, f"admin/migration/importrun/{name}.html", page)


def _run(pk: int) -> ImportRun:
    return get_object_or_404(ImportRun.objects.select_related("domain").defer("staged"), pk=pk)


def _is_fresh(run: ImportRun) -> bool:
    return run.created_at > timezone.now() - staging.KEPT


def _count(run: ImportRun, group: str) -> int | str:
    count: int | str = (run.summary.get("applied") or run.summary.get("preview") or {}).get(group, "")
    return count


def _progress(run: ImportRun) -> dict[str, Any]:
    """How far, and whether somebody works on it; the clocks of machines may differ by the lease at most."""
    worked_on = run.lease_until is not None and run.lease_until > timezone.now()
    return {"done": sum(run.summary.get("applied", {}).values()), "rows": run.rows, "worked_on": worked_on}


def _shown(run: ImportRun, asked: Any) -> dict[str, Any]:
    """The chosen group, page by page, or how each of them begins."""
    counts = run.summary.get("preview", {})
    chosen, number = asked.get("group", ""), asked.get("page", 1)
    context: dict[str, Any] = {"counts": counts, "chosen": chosen if chosen in report.GROUPS else ""}
    context["compared"] = parse_datetime(run.summary.get("compared", ""))
    context["tabs"] = [Group(code, counts.get(code, 0), []) for code in report.GROUPS] if counts else []
    if context["chosen"]:
        page = Paginator(range(counts.get(chosen, 0)), report.PER_PAGE).get_page(number)
        context["page"] = page
        context["page_numbers"] = page.paginator.get_elided_page_range(page.number, on_each_side=2, on_ends=1)
        context["groups"] = [Group(chosen, counts.get(chosen, 0), report.entries(run, chosen, page.number - 1))]
    else:
        found = report.beginnings(run, GLANCE)
        shown = BEFORE if run.state == ImportRun.State.PREVIEW else AFTERWARDS
        context["groups"] = [Group(code, counts.get(code, 0), found[code]) for code in shown if found.get(code)]
    context["something"] = bool(counts.get("new") or counts.get("changed"))
    context["is_kept"] = bool(context["groups"]) or run.pages.exists()
    return context
