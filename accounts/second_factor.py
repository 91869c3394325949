"""The second factor: set up with a secret that waits sealed in the session, asked for, and removed."""

from typing import Any

from allauth.core import context
from allauth.mfa.base.views import AuthenticateView
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.totp.internal.auth import SECRET_SESSION_KEY
from allauth.mfa.utils import decrypt, encrypt
from django.http import HttpResponse

from migration.models import Event


class SetUpForm(ActivateTOTPForm):  # type: ignore[misc]
    """allauth's form, which finds the secret of the page shown before, or makes one, in the session."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        session = context.request.session
        if sealed := session.get(SECRET_SESSION_KEY):
            session[SECRET_SESSION_KEY] = decrypt(sealed)
        super().__init__(*args, **kwargs)
        session[SECRET_SESSION_KEY] = encrypt(self.secret)


class SecondStep(AuthenticateView):  # type: ignore[misc]
    """allauth's page for the code, or the passkey, after the password. A wrong one is written down."""

    def form_invalid(self, form: Any) -> HttpResponse:
        """Show it again. The password was right, so it is known whose factor was wrong."""
        ip, kind = self.request.META["REMOTE_ADDR"], "code" if "code" in self.request.POST else "passkey"
        whose = self.stage.login.user.get_username()
        Event.record(Event.Action.STAFF_SIGN_IN_FAILED, actor=f"staff:{whose}", ip=ip, step=kind)
        response: HttpResponse = super().form_invalid(form)
        return response
