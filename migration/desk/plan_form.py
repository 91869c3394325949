"""The dates of a domain's plan as an admin types them: each mistake is told beside its field, with the mend."""

from datetime import date
from typing import Any, cast

from django import forms
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from migration import plan
from migration.models import Domain, Mailing

from .timeline import DATES

LONGEST = 90
REMINDERS_AT_MOST = 6


def _day(name: str, hint: Any) -> forms.DateField:
    return forms.DateField(
        label=cast(Any, DATES[name]),
        required=False,
        help_text=hint,
        input_formats=["%Y-%m-%d", "%d.%m.%Y"],
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        error_messages={"invalid": gettext_lazy("This is no date. Write it like 2027-01-31 or 31.1.2027.")},
    )


class PlanForm(forms.Form):
    """All dates at once. An empty one leaves the step to people."""

    announce_on = _day(
        "announce_on", gettext_lazy("The contact gets the list of what will move, in the provider's words.")
    )
    invite_on = _day("invite_on", gettext_lazy("Every owner gets the mail with the first-login password."))
    deadline = _day("deadline", gettext_lazy("The last day for setting the new password, shown in mails."))
    remind_days = forms.CharField(
        label=cast(Any, DATES["remind_days"]),
        required=False,
        max_length=100,
        help_text=gettext_lazy("Numbers with commas between; empty: nobody is reminded."),
    )
    cut_over_on = _day("cut_over_on", gettext_lazy("The day you change the MX record. The mark is set by hand."))
    ends_on = _day(
        "ends_on",
        gettext_lazy("By itself only if everybody is done; after it the portal sends owners to the new server."),
    )

    def __init__(self, *args: Any, domain: Domain, **kwargs: Any) -> None:
        self.domain = domain
        initial = {name: getattr(domain, name) for name in plan.FIELDS}
        initial["remind_days"] = ", ".join(map(str, plan.remind_days(domain)))
        kwargs["initial"] = initial
        super().__init__(*args, **kwargs)

    def clean_remind_days(self) -> list[int]:
        """Numbers of days, the largest first, each once."""
        texts = [text.strip() for text in self.cleaned_data["remind_days"].replace(";", ",").split(",")]
        for text in filter(None, texts):
            if not (text.isascii() and text.isdecimal() and 1 <= int(text[:4]) <= LONGEST):
                raise forms.ValidationError(
                    _("“%(text)s” is no number of days between 1 and %(most)d. Write for example 14, 3, 1.")
                    % {"text": text, "most": LONGEST}
                )
        days = sorted({int(text) for text in texts if text}, reverse=True)
        if len(days) > REMINDERS_AT_MOST:
            raise forms.ValidationError(
                _("These are %(n)d reminders. Choose at most %(most)d.") % {"n": len(days), "most": REMINDERS_AT_MOST}
            )
        return days

    def clean(self) -> dict[str, Any]:
        """Refuse days in the past and days in the wrong order."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        for name in plan.FIELDS:
            day = cleaned.get(name)
            if isinstance(day, date) and day < timezone.localdate() and day != getattr(self.domain, name):
                self.add_error(name, _("This day is over. Choose today or a later day, or leave it empty."))
        self._after("invite_on", "announce_on")
        self._after("deadline", "invite_on")
        self._after("cut_over_on", "invite_on")
        self._after("ends_on", "deadline", same_day=True)
        self._after("ends_on", "cut_over_on")
        told = self.domain.mailings.filter(kind=Mailing.Kind.ANNOUNCEMENT).exists()
        if cleaned.get("invite_on") and not cleaned.get("announce_on") and not told:
            self.add_error(
                "announce_on",
                _("Nobody is invited before the contact was told. Choose a day before the invitations."),
            )
        return cleaned

    def _after(self, name: str, earlier: str, *, same_day: bool = False) -> None:
        day, before = self.cleaned_data.get(name), self.cleaned_data.get(earlier)
        if not (day and before) or day > before or (same_day and day == before):
            return
        self.add_error(
            name,
            _("This must be after “%(step)s” on %(day)s. Choose a later day here, or an earlier one there.")
            % {"step": DATES[earlier], "day": formats.date_format(before, "SHORT_DATE_FORMAT")},
        )
