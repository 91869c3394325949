"""What the contact sends: which lines he wants to see, what he says about them, who hands it in."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from migration.cases import plain
from migration.models import Answer
from migration.review import answering, lists

WRONG = {
    "no_target": gettext_lazy("Please enter another mailbox of this list as the address it shall deliver to."),
    "no_responsible": gettext_lazy("Please enter the e-mail address of the responsible person."),
    "no_person": gettext_lazy("Please enter the name of the other person, 200 characters at most."),
    "no_choice": gettext_lazy("Please choose an answer too."),
}


class ShowForm(forms.Form):
    """Which lines to show."""

    of = forms.ChoiceField(required=False, choices=[(lists.MAILBOXES, ""), (lists.ALIASES, "")])
    show = forms.ChoiceField(required=False, choices=[(lists.ALL, ""), (lists.OPEN, ""), (lists.DORMANT, "")])


class AnswerForm(forms.Form):
    """What the contact says about one line; its prefix is the line's key."""

    choice = forms.ChoiceField(required=False)
    detail = forms.CharField(required=False, max_length=254)
    note = forms.CharField(required=False, max_length=Answer.LONGEST_NOTE)

    def __init__(self, *args: Any, line: lists.Line, addresses: set[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs | {"prefix": line.key})
        self.line, self.addresses = line, addresses
        choice = self.fields["choice"]
        assert isinstance(choice, forms.ChoiceField)  # noqa: S101 - told to mypy
        choice.choices = [("", ""), *line.choices]

    def clean(self) -> dict[str, Any]:
        """The detail in its canonical form; an error if it does not fit the choice."""
        cleaned = super().clean() or {}
        if self.errors:
            return cleaned
        note = plain(cleaned["note"]).replace("\n", " ")
        detail, wrong = answering.refusal(self.line, cleaned["choice"], cleaned["detail"], self.addresses)
        if not cleaned["choice"] and (note or cleaned["detail"].strip()):
            wrong = "no_choice"
        if wrong:
            raise forms.ValidationError(str(WRONG[wrong]))
        return cleaned | {"detail": detail, "note": note}

    @property
    def error(self) -> str:
        """The first thing that is wrong, in words."""
        return next((str(sentence) for sentences in self.errors.values() for sentence in sentences), "")

    @property
    def said(self) -> answering.Said:
        """The answer of a valid form."""
        cleaned = self.cleaned_data
        return answering.Said(self.line, cleaned["choice"], cleaned["detail"], cleaned["note"])


class SubmitForm(forms.Form):
    """Who hands the answers in."""

    name = forms.CharField(
        label=gettext_lazy("Your name"),
        max_length=answering.LONGEST_NAME,
        error_messages={"required": gettext_lazy("Please type your name.")},
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
