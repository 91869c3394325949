"""The first page of an import: which domain, and a file or its content."""

# Django's own classes take no parameters when the program runs:
# mypy: disable-error-code="type-arg"

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from .import_runs import Source
from .imports import csv_file, run
from .imports.problems import SENTENCES
from .imports.rows import ParsedFile
from .models import Domain

SHOWN = 20
FORMATS = {
    "csv": gettext_lazy("CSV: a table whose first line names the columns"),
    "passwd": gettext_lazy("passwd-file of Dovecot"),
    "postfixadmin": gettext_lazy("database dump of PostfixAdmin"),
    "vimbadmin": gettext_lazy("database dump of ViMbAdmin"),
}


def formats() -> list[tuple[str, Any]]:
    """What can be chosen: a format people have a file of, or none, to have it found out."""
    return [
        ("", gettext_lazy("Find out by itself")),
        *((name, FORMATS[name]) for name in run.FORMATS if name in FORMATS),
    ]


class UploadForm(forms.Form):
    """One file for one domain, uploaded or pasted. `parsed` is what it says, once the form is valid."""

    domain = forms.ModelChoiceField(
        Domain.objects.all(), label=gettext_lazy("Domain"), help_text=gettext_lazy("Every row must belong to it.")
    )
    file = forms.FileField(label=gettext_lazy("File"), max_length=200, required=False)
    content = forms.CharField(
        label=gettext_lazy("Or paste it here"),
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false", "autocomplete": "off"}),
        help_text=gettext_lazy("Some hundred lines; choose a file for more."),
    )
    file_format = forms.ChoiceField(label=gettext_lazy("Format"), choices=formats, required=False)
    encoding = forms.ChoiceField(
        label=gettext_lazy("Encoding"),
        choices=[("utf-8", "UTF-8"), ("cp1252", gettext_lazy("Windows (cp1252)"))],
        help_text=gettext_lazy("Change it only when UTF-8 was refused."),
    )
    parsed: ParsedFile

    def clean_file(self) -> UploadedFile | None:
        """Not larger than we read."""
        file: UploadedFile | None = self.cleaned_data["file"]
        if file and (file.size or 0) > csv_file.MAX_BYTES:
            raise ValidationError(str(SENTENCES["file_too_big"]) % {"limit": csv_file.MAX_BYTES // 1024 // 1024})
        return file

    def clean(self) -> dict[str, Any]:
        """Read the file. One without a single good row is refused here, where another can be chosen."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        file, content = cleaned["file"], cleaned["content"]
        if bool(file) == bool(content.strip()):
            raise ValidationError(_("Choose a file or paste its content: one of them."))
        data, name = (file.read(), file.name) if file else (content.encode(), "")
        encoding = cleaned["encoding"] if file else "utf-8"
        cleaned["file_format"] = cleaned["file_format"] or run.guess_format(data, name)
        self.parsed = run.read(
            data, cleaned["domain"], file_name=name, file_format=cleaned["file_format"], encoding=encoding
        )
        if not (self.parsed.rows or self.parsed.aliases):
            raise ValidationError([str(error) for error in self.parsed.errors[:SHOWN]])
        return cleaned

    def source(self, actor: str) -> Source:
        """Where the import comes from."""
        file = self.cleaned_data["file"]
        return Source(file.name if file else _("pasted"), self.cleaned_data["file_format"], actor)
