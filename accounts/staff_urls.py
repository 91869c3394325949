"""Staff sign-in: the pages of allauth we need, one by one, so that none appears by an update.

There is no sign-up, no password reset by mail and no change of address: an operator does these with
`add_staff`.
"""

from allauth.account import views as account
from allauth.mfa.base import views as second_factor
from allauth.mfa.recovery_codes import views as recovery_codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as passkeys
from django.urls import path, reverse_lazy

from .second_factor import SecondStep, SetUpForm
from .staff_changes import changes_factor, changes_password

set_up_app = changes_factor(totp.ActivateTOTPView.as_view(form_class=SetUpForm))
remove_passkey = changes_factor(passkeys.RemoveWebAuthnView.as_view(success_url=reverse_lazy("mfa_index")))
new_codes = changes_factor(recovery_codes.generate_recovery_codes)

urlpatterns = [
    path("login/", account.login, name="account_login"),
    path("logout/", account.logout, name="account_logout"),
    path("inactive/", account.account_inactive, name="account_inactive"),
    path("reauthenticate/", account.reauthenticate, name="account_reauthenticate"),
    path("password/", changes_password(account.password_change), name="account_change_password"),
    path("second-factor/", second_factor.index, name="mfa_index"),
    path("second-factor/code/", SecondStep.as_view(), name="mfa_authenticate"),
    path("second-factor/reauthenticate/", second_factor.reauthenticate, name="mfa_reauthenticate"),
    path("second-factor/app/", set_up_app, name="mfa_activate_totp"),
    path("second-factor/app/remove/", changes_factor(totp.deactivate_totp), name="mfa_deactivate_totp"),
    path("second-factor/passkey/", changes_factor(passkeys.add_webauthn), name="mfa_add_webauthn"),
    path("second-factor/passkey/<int:pk>/remove/", remove_passkey, name="mfa_remove_webauthn"),
    path(
        "second-factor/passkey/reauthenticate/",
        passkeys.reauthenticate_webauthn,
        name="mfa_reauthenticate_webauthn",
    ),
    path("second-factor/recovery-codes/", recovery_codes.view_recovery_codes, name="mfa_view_recovery_codes"),
    path("second-factor/recovery-codes/new/", new_codes, name="mfa_generate_recovery_codes"),
    path(
        "second-factor/recovery-codes/download/",
        recovery_codes.download_recovery_codes,
        name="mfa_download_recovery_codes",
    ),
]
