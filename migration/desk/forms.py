"""What staff type at the desk."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from migration.models import Mailbox

from .tables import ATTENTION


class FindForm(forms.Form):
    """Find something by part of a name."""

    q = forms.CharField(
        label=_("Search"), required=False, max_length=254, widget=forms.TextInput(attrs={"type": "search"})
    )


class DomainsForm(FindForm):
    """Narrow the list of domains."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["q"].label = _("Domain or customer")


class FilterForm(FindForm):
    """Narrow a domain's list of mailboxes."""

    state = forms.ChoiceField(
        label=_("State"),
        required=False,
        choices=[("", _("all")), (ATTENTION, _("needs attention")), *Mailbox.State.choices],
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


class AnnounceForm(forms.Form):
    """The pre-announcement, as it will be sent."""

    subject = forms.CharField(label=_("Subject"), max_length=200)
    text = forms.CharField(
        label=_("Text"),
        max_length=50_000,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 24, "class": "mono"}),
    )
