"""Setting up the second factor: the secret waits in the session, and the session in the database, sealed."""

from typing import Any

from allauth.core import context
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.totp.internal.auth import SECRET_SESSION_KEY
from allauth.mfa.utils import decrypt, encrypt


class SetUpForm(ActivateTOTPForm):  # type: ignore[misc]
    """allauth's form, which finds the secret of the page shown before, or makes one, in the session."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        session = context.request.session
        if sealed := session.get(SECRET_SESSION_KEY):
            session[SECRET_SESSION_KEY] = decrypt(sealed)
        super().__init__(*args, **kwargs)
        session[SECRET_SESSION_KEY] = encrypt(self.secret)
