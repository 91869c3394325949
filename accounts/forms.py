"""The two forms of the owner's door. The guards run here; a view only asks is_valid()."""

import uuid
from functools import lru_cache
from typing import Any

import structlog
from django import forms
from django.conf import settings
from django.forms.utils import flatatt
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_variables

from migration import first_login as first_logins
from migration import schemes
from migration.cases import plain
from migration.models import Case, FirstLogin
from migration.secrets import Purpose, SecretsError, unseal

from . import password_policy
from .attempts import Bucket, spend
from .owners import Here
from .sign_in import Refusal, attempt
from .waits import TooEarly

log = structlog.get_logger(__name__)


class VerbatimField(forms.CharField):
    """Text exactly as it was sent: not trimmed, and no character is an error of the form."""

    def __init__(self, **options: Any) -> None:
        super().__init__(strip=False, **options)
        # Django refuses NUL here with a text of its own; our own rules and the address parser say more.
        self.validators = []


class PlainTextInput(forms.TextInput):
    """A text field as Django writes it, put together without a template for each attribute."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:  # noqa: ARG002
        """The `<input>`."""
        widget = self.get_context(name, value, attrs)["widget"]
        shown = format_html(' value="{}"', widget["value"]) if widget["value"] is not None else ""
        own = _attributes((("type", widget["type"]), ("name", name)))
        return format_html("<input{}{}{}>", own, shown, _attributes(tuple(widget["attrs"].items())))


@lru_cache(maxsize=64)
def _attributes(pairs: tuple[tuple[str, Any], ...]) -> SafeString:
    """Attributes as HTML; a field has hardly more than two sets of them."""
    return flatatt(dict(pairs))


class ReadableSecretInput(PlainTextInput, forms.PasswordInput):
    """A field whose text can be read while it is typed, and which never shows again what was sent."""

    input_type = "text"


def address_field() -> VerbatimField:
    """Where an owner types his address."""
    return VerbatimField(
        label=gettext_lazy("Your e-mail address"),
        error_messages={"required": gettext_lazy("Please enter your e-mail address.")},
        widget=PlainTextInput(
            attrs={
                "autocomplete": "username",
                "inputmode": "email",
                "autocapitalize": "none",
                "autocorrect": "off",
                "spellcheck": "false",
            }
        ),
    )


class AgainForm(forms.Form):
    """Ask for a new mail with a first-login password."""

    address = address_field()


class CaseForm(forms.Form):
    """What is not right with a mailbox, and a note that is kept as it was typed."""

    kind = forms.ChoiceField(
        label=gettext_lazy("What fits best?"),
        choices=Case.Kind.choices,
        widget=forms.RadioSelect,
        error_messages={
            "required": gettext_lazy("Please choose what fits best."),
            "invalid_choice": gettext_lazy("Please choose what fits best."),
        },
    )
    note = VerbatimField(
        label=gettext_lazy("Anything else we should know? (optional)"),
        required=False,
        widget=forms.Textarea(
            attrs={"rows": 4, "maxlength": Case.LONGEST_NOTE, "aria-describedby": "note-hint", "autocomplete": "off"}
        ),
    )

    def clean_note(self) -> str:
        """At most a thousand characters, however the browser counts line ends."""
        note = plain(self.cleaned_data["note"])
        if len(note) > Case.LONGEST_NOTE:
            raise forms.ValidationError(
                _("Please write at most %(number)d characters.") % {"number": Case.LONGEST_NOTE}, code="long"
            )
        return note


class SignInForm(forms.Form):
    """Address and first-login password. Valid means: `first_login` is who signed in."""

    address = address_field()
    secret = VerbatimField(
        label=gettext_lazy("First-login password from the mail"),
        error_messages={"required": gettext_lazy("Please enter the first-login password from our mail.")},
        widget=ReadableSecretInput(
            attrs={
                "class": "secret",
                "autocomplete": "one-time-code",
                "autocapitalize": "none",
                "autocorrect": "off",
                "spellcheck": "false",
                "aria-describedby": "secret-hint",
            }
        ),
    )

    def __init__(self, *args: Any, ip: str = "", locator: str = "", **options: Any) -> None:
        super().__init__(*args, **options)
        self.ip, self.locator = ip, locator
        self.first_login: FirstLogin | None = None
        self.refusal: Refusal | None = None
        self.wait_seconds = 0
        missing = "secret" if self.initial.get("address") or self.data.get("address") else "address"
        self.fields[missing].widget.attrs["autofocus"] = True

    @sensitive_variables()
    def clean(self) -> dict[str, Any]:
        """Check both together. Every refused try is the same error, whatever the reason."""
        address, secret = self.cleaned_data.get("address", ""), self.cleaned_data.pop("secret", "")
        if address.strip() and secret.strip():
            try:
                answer = attempt(address, secret, locator=self.locator, ip=self.ip)
            except TooEarly as early:
                self.wait_seconds = early.seconds
                raise forms.ValidationError("", code="too_early") from None
            if isinstance(answer, FirstLogin):
                self.first_login = answer
            else:
                self.refusal = answer
                raise forms.ValidationError("", code="refused")
        elif not self.errors:
            empty = "secret" if address.strip() else "address"
            self.add_error(empty, self.fields[empty].error_messages["required"])
        return self.cleaned_data


class SetPasswordForm(forms.Form):
    """The new password of the mailbox whose owner is signed in.

    Valid means: `cleaned_data["password"]` may be saved. `kept_hash` is the imported hash if the password was verified
    against it, else empty. `broken` are the rules a refused password broke; the password itself is never shown again.
    """

    password = VerbatimField(required=False)
    submission = forms.CharField(required=False, max_length=36)

    def __init__(self, *args: Any, here: Here, session: str, **options: Any) -> None:
        super().__init__(*args, **options)
        self.here, self.session = here, session
        self.policy = password_policy.policy_for(here.mailbox)
        self.broken: list[password_policy.Rule] = []
        self.kept_hash = ""
        self.old_too_short = False

    def clean_submission(self) -> uuid.UUID:
        """The name of this sending; a fresh one if the browser sent none that can be read."""
        try:
            return uuid.UUID(self.cleaned_data["submission"])
        except ValueError:
            return uuid.uuid4()

    @sensitive_variables()
    def clean_password(self) -> str:
        """The password in the form that is hashed. All broken rules are told at once."""
        typed = self.cleaned_data["password"]
        if len(typed.encode("utf-8", "surrogatepass")) > password_policy.MAX_BYTES:
            self.broken = [rule for rule in self.policy.rules if rule.name == "long"]
            raise forms.ValidationError("", code="refused")
        password = password_policy.normal(typed)
        self.kept_hash = self._old_hash_of(password)
        self.broken = self.policy.broken(
            password,
            old=bool(self.kept_hash),
            mailed=isinstance(self.here, FirstLogin) and first_logins.is_secret_of(self.here, password),
        )
        if self.broken:
            self.old_too_short = bool(self.kept_hash) and any(rule.name == "short" for rule in self.broken)
            raise forms.ValidationError("", code="refused")
        return password

    @sensitive_variables()
    def _old_hash_of(self, password: str) -> str:
        """The imported hash if this is the old password, else nothing; five tries in a session.

        A scheme that looks at the beginning only would call another password the old one, so it never counts.
        """
        mailbox = self.here.mailbox
        if not mailbox.legacy_hash or not password:
            return ""
        try:
            stored = unseal(Purpose.LEGACY_HASH, mailbox.address, mailbox.legacy_hash).decode()
            if schemes.truncates(stored):
                return ""
            tries = Bucket("old_password", self.session)
            if spend(tries)[tries] > tries.limit:
                return ""
            return stored if schemes.verify(stored, password) else ""
        except (SecretsError, schemes.SchemeError) as error:
            log.warning("old_password_unreadable", mailbox=mailbox.pk, error=type(error).__name__)
            return ""

    @property
    def reason(self) -> str:
        """One sentence above the broken rules."""
        if self.old_too_short:
            return _("This is your old password, but it is too short for the new server. Please choose a longer one.")
        return _("This password was not saved. Please look at the points in red.")


def hash_to_push(password: str, kept_hash: str) -> str:
    """The hash the new server gets: a fresh one, or by LEGACY_HASH=keep the verified old one if the server takes it."""
    if settings.LEGACY_HASH == "keep" and kept_hash and schemes.accepted_by_mailcow(kept_hash):
        return kept_hash
    return schemes.make_hash(password, memory_kib=settings.ARGON2_MEMORY_KIB, time_cost=settings.ARGON2_TIME_COST)
