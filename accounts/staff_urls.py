"""Staff sign-in: the pages of allauth we need, one by one, so that none appears by an update.

There is no sign-up, no password reset by mail and no change of address: an operator does these with
`add_staff`.
"""

from allauth.account import views as account
from allauth.mfa.base import views as second_factor
from allauth.mfa.recovery_codes import views as recovery_codes
from allauth.mfa.totp import views as totp
from django.urls import path

from .second_factor import SetUpForm

urlpatterns = [
    path("login/", account.login, name="account_login"),
    path("logout/", account.logout, name="account_logout"),
    path("inactive/", account.account_inactive, name="account_inactive"),
    path("reauthenticate/", account.reauthenticate, name="account_reauthenticate"),
    path("password/", account.password_change, name="account_change_password"),
    path("second-factor/", second_factor.index, name="mfa_index"),
    path("second-factor/code/", second_factor.authenticate, name="mfa_authenticate"),
    path("second-factor/reauthenticate/", second_factor.reauthenticate, name="mfa_reauthenticate"),
    path("second-factor/app/", totp.ActivateTOTPView.as_view(form_class=SetUpForm), name="mfa_activate_totp"),
    path("second-factor/app/remove/", totp.deactivate_totp, name="mfa_deactivate_totp"),
    path("second-factor/recovery-codes/", recovery_codes.view_recovery_codes, name="mfa_view_recovery_codes"),
    path(
        "second-factor/recovery-codes/new/",
        recovery_codes.generate_recovery_codes,
        name="mfa_generate_recovery_codes",
    ),
    path(
        "second-factor/recovery-codes/download/",
        recovery_codes.download_recovery_codes,
        name="mfa_download_recovery_codes",
    ),
]
