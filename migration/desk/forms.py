"""What staff type at the desk."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from migration.models import Mailbox


class FindForm(forms.Form):
    """Find something by part of a name."""

    q = forms.CharField(
        label=_("Search"), required=False, max_length=254, widget=forms.TextInput(attrs={"type": "search"})
    )


class ReasonForm(forms.Form):
    """Say why; it is recorded."""

    reason = forms.CharField(label=_("Reason"), max_length=300, help_text=_("It is kept with the event."))


class PauseForm(forms.Form):
    """Pause, cut over or finish; why is kept if it is said."""

    reason = forms.CharField(
        label=_("Reason"), required=False, max_length=300, help_text=_("It is kept with the event.")
    )


class InviteForm(forms.Form):
    """Confirm how many invitations go out. Without a pre-announcement a reason is demanded."""

    reason = forms.CharField(
        label=_("Why without a pre-announcement?"),
        max_length=300,
        help_text=_("The customer's contact has not been told yet. Your reason is kept with the events."),
    )

    def __init__(self, *args: Any, announced: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if announced:
            del self.fields["reason"]


class BulkForm(forms.Form):
    """Say yes to a verb on many mailboxes. Which fields there are depends on the verb."""

    key = forms.UUIDField(widget=forms.HiddenInput)
    seen = forms.IntegerField(min_value=0, widget=forms.HiddenInput)
    kind = forms.ChoiceField(label=_("Kind"), choices=[("", _("please choose")), *Mailbox.Kind.choices])
    reason = forms.CharField(label=_("Reason"), max_length=300, help_text=_("It is kept with each event."))

    def __init__(self, *args: Any, with_kind: bool, with_reason: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, is_there in (("kind", with_kind), ("reason", with_reason)):
            if not is_there:
                del self.fields[name]


class AnnounceForm(forms.Form):
    """The pre-announcement, as it will be sent."""

    subject = forms.CharField(label=_("Subject"), max_length=200)
    text = forms.CharField(
        label=_("Text"),
        max_length=50_000,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 24, "class": "mono"}),
    )
