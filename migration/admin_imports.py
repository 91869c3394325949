"""Imports in the Django admin: upload, look, confirm. Each step is its own page or its own POST."""

# ruff: noqa: ARG002 - Django decides what a method is given.
# Django's own classes take no parameters when the program runs:
# mypy: disable-error-code="type-arg"

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from .desk.access import actor
from .imports import csv_file, run, staging
from .imports.compare import Conflict, Item, Preview
from .imports.problems import SENTENCES
from .imports.rows import ParsedFile
from .models import Domain, ImportRun

SHOWN = 200
SHOWN_ON_FORM = 20


class UploadForm(forms.Form):
    """One file for one domain. `parsed` is what it says, once the form is valid."""

    domain = forms.ModelChoiceField(
        Domain.objects.all(), label=gettext_lazy("Domain"), help_text=gettext_lazy("Every row must belong to it.")
    )
    file = forms.FileField(
        label=gettext_lazy("File"),
        max_length=200,
        help_text=gettext_lazy("A CSV file whose first line names the columns, or a passwd-file of Dovecot."),
    )
    encoding = forms.ChoiceField(
        label=gettext_lazy("Encoding"),
        choices=[("utf-8", "UTF-8"), ("cp1252", gettext_lazy("Windows (cp1252)"))],
        help_text=gettext_lazy("Change it only when UTF-8 was refused."),
    )
    parsed: ParsedFile

    def clean_file(self) -> UploadedFile:
        """Not larger than we read."""
        file: UploadedFile = self.cleaned_data["file"]
        if (file.size or 0) > csv_file.MAX_BYTES:
            raise ValidationError(str(SENTENCES["file_too_big"]) % {"limit": csv_file.MAX_BYTES // 1024 // 1024})
        return file

    def clean(self) -> dict[str, Any]:
        """Read the file. One without a single good row is refused here, where another can be chosen."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        file = cleaned["file"]
        self.parsed = run.read(file.read(), cleaned["domain"], file_name=file.name, encoding=cleaned["encoding"])
        if not (self.parsed.rows or self.parsed.aliases):
            raise ValidationError([str(error) for error in self.parsed.errors[:SHOWN_ON_FORM]])
        return cleaned


@dataclass(frozen=True)
class Table:
    """One group of the preview as far as it fits on a page."""

    title: str | Promise
    text: str | Promise
    total: int
    items: Sequence[Item | Conflict]

    @property
    def more(self) -> int:
        """How many are not shown."""
        return self.total - len(self.items)


@admin.register(ImportRun)
class ImportRunAdmin(admin.ModelAdmin):
    """What was imported, by whom; and the way to import."""

    fields = ("file_name", "domain", "state", "actor", "created_at", "applied_at")
    list_display = ("file_name", "domain", "state", "actor", "created_at", "applied_at")
    list_filter = ("state", ("domain", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("domain",)
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

    def get_urls(self) -> list[Any]:
        """Two verbs beside Django's pages."""
        view = self.admin_site.admin_view
        return [
            path("<int:pk>/confirm/", view(require_POST(self.confirm)), name="migration_importrun_confirm"),
            path("<int:pk>/discard/", view(require_POST(self.discard)), name="migration_importrun_discard"),
            *super().get_urls(),
        ]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Upload: the file is read within the request and not stored; what it says waits for a yes."""
        self._refuse_strangers(request)
        staging.forget_old()
        form = UploadForm(request.POST or None, request.FILES or None, initial={"domain": request.GET.get("domain")})
        if not form.is_valid():
            return self._page(request, "upload", {"form": form, "title": _("Import mailboxes")})
        domain, file = form.cleaned_data["domain"], form.cleaned_data["file"]
        summary = run.preview(domain, form.parsed).summary
        held = ImportRun.objects.create(
            domain=domain, file_name=file.name[:200], actor=actor(request), summary={"preview": summary}
        )
        staging.hold(held, form.parsed)
        return redirect("admin:migration_importrun_change", held.pk)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Preview: what confirming would change now; later only the counts."""
        self._refuse_strangers(request)
        held = _run(int(object_id) if object_id.isdecimal() else 0)
        context: dict[str, Any] = {"run": held, "title": _("Import of %(file)s") % {"file": held.file_name}}
        if parsed := staging.held(held):
            context["preview"] = preview = run.preview(held.domain, parsed)
            context["tables"] = _tables(preview)
            context["errors"] = preview.errors[:SHOWN]
            context["errors_more"] = len(preview.errors) - SHOWN
            context["notes"] = preview.notes[:SHOWN]
            context["notes_more"] = len(preview.notes) - SHOWN
        return self._page(request, "preview", context)

    def confirm(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Apply what the run holds to the database as it is now."""
        self._refuse_strangers(request)
        held = _run(pk)
        parsed = staging.held(held)
        if parsed is None or not staging.decide(held, ImportRun.State.APPLIED):
            return self._refused(request, held)
        before = run.preview(held.domain, parsed).summary
        applied = run.apply(held.domain, parsed, actor=actor(request))
        held.summary = {"preview": before, "applied": asdict(applied)}
        held.save(update_fields=["summary"])
        counts = {"new": applied.new, "changed": applied.changed}
        self.message_user(request, _("Imported: %(new)d new, %(changed)d changed.") % counts, messages.SUCCESS)
        return redirect("admin:migration_importrun_change", pk)

    def discard(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Forget what the run holds."""
        self._refuse_strangers(request)
        held = _run(pk)
        if not staging.decide(held, ImportRun.State.DISCARDED):
            return self._refused(request, held)
        self.message_user(request, _("Discarded. Nothing was changed."), messages.SUCCESS)
        return redirect("admin:migration_importrun_changelist")

    def _refuse_strangers(self, request: HttpRequest) -> None:
        if not self.has_add_permission(request):
            raise PermissionDenied

    def _refused(self, request: HttpRequest, held: ImportRun) -> HttpResponse:
        held.refresh_from_db()
        if held.state == ImportRun.State.PREVIEW:
            sentence = _("This import is more than a day old. Please upload the file again.")
        else:
            sentence = _("This import was decided already. Nothing was changed now.")
        self.message_user(request, sentence, messages.ERROR)
        return redirect("admin:migration_importrun_change", held.pk)

    def _page(self, request: HttpRequest, name: str, context: dict[str, Any]) -> HttpResponse:
        page = {**self.admin_site.each_context(request), "opts": self.opts, **context}
        return render(request, f"admin/migration/importrun/{name}.html", page)


def _run(pk: int) -> ImportRun:
    return get_object_or_404(ImportRun.objects.select_related("domain"), pk=pk)


def _tables(preview: Preview) -> list[Table]:
    conflict = _("These rows are left out.")
    gone = _("We have them, the file does not. Nothing is deleted.")
    done = _("The owner has set a new password. The old one in the file is not taken.")
    groups: list[tuple[str, str, Sequence[Item | Conflict]]] = [
        (_("In conflict"), conflict, preview.conflicts),
        (_("Not in the file"), gone, preview.gone),
        (_("Changed"), "", preview.changed),
        (_("New"), "", preview.new),
        (_("Already done"), done, preview.done),
    ]
    return [Table(title, text, len(items), items[:SHOWN]) for title, text, items in groups if items]
