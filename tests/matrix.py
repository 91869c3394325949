"""Who may open which address: one row for each route of the whole portal.

`tests/integration/test_matrix.py` walks all of them as everybody, with GET and with POST. A new route without a row
fails there. Below /admin/ one row is enough: what is new there is closed to all but admins by itself. What nobody opens
is what the Django admin has for every model and we have closed (`autocomplete` wants to be told for which field).

`<int:pk>` and the like are filled in from `tests.integration.doors.World`, by the word before them.
"""

from collections.abc import Iterator
from functools import cache

from django.urls import URLPattern, URLResolver, get_resolver

STAFF = ("readonly", "support", "operator", "admin")
# Who comes with a token for the API: one for all there is, or one for a customer's domains.
PROGRAMS = ("program", "customers-program")
EVERYBODY = ("stranger", "owner", "contact", *STAFF, *PROGRAMS)
GROUPS = {
    "everybody": EVERYBODY,
    "staff": STAFF,
    "who-sees-addresses": ("readonly", "support", "admin"),
    "who-helps": ("support", "admin"),
    "who-runs-it": ("operator", "admin"),
    "nobody": (),
}

ROWS = """
/readyz                                              everybody
/language                                            everybody
/theme.css                                           everybody
/help                                                everybody
/help/sheet                                          everybody
/help/<slug:program>                                 everybody
/help/<slug:program>/<slug:protocol>                 everybody

/                                                    everybody
/s/<slug:locator>                                    everybody
/phone                                               everybody
/again                                               everybody
/again/asked                                         everybody
/sign-out                                            everybody
/password                                            owner
/done                                                owner
/done/state                                          owner
/say                                                 owner
/say/thanks                                          owner
/guide                                               everybody
/guide/sheet                                         everybody
/guide/apple.mobileconfig                            owner
/guide/<slug:program>                                everybody
/guide/<slug:program>/<slug:protocol>                everybody

/c/<slug:locator>                                    everybody
/review/leave                                        everybody
/review                                              contact
/review/<int:pk>                                     contact
/review/<int:pk>/keep                                contact
/review/submit                                       contact
/review/reopen                                       contact
/review/progress                                     contact

/staff/sign-in/login/                                everybody
/staff/sign-in/inactive/                             everybody
/staff/sign-in/logout/                               everybody
/staff/sign-in/second-factor/code/                   staff
/staff/sign-in/reauthenticate/                       staff
/staff/sign-in/password/                             staff
/staff/sign-in/second-factor/                        staff
/staff/sign-in/second-factor/reauthenticate/         staff
/staff/sign-in/second-factor/app/                    staff
/staff/sign-in/second-factor/app/remove/             staff
/staff/sign-in/second-factor/passkey/                staff
/staff/sign-in/second-factor/passkey/<int:pk>/remove/ staff
/staff/sign-in/second-factor/passkey/reauthenticate/ staff
/staff/sign-in/second-factor/recovery-codes/         staff
/staff/sign-in/second-factor/recovery-codes/new/     staff
/staff/sign-in/second-factor/recovery-codes/download/ staff

/staff/sessions/                                     staff
/staff/sessions/<int:pk>/end/                        staff
/staff/sessions/others/end/                          staff
/staff/members/<int:pk>/sessions/end/                admin
/staff/operation/                                    who-runs-it
/staff/operation/breaker/close/                      who-runs-it
/staff/operation/restore/confirm/                    who-runs-it
/staff/operation/keys/                               who-runs-it
/staff/operation/retention/                          who-runs-it

/staff/                                              staff
/staff/search/                                       who-sees-addresses
/staff/audit/                                        staff
/staff/audit/csv/                                    admin
/staff/follow-ups/                                   who-sees-addresses
/staff/notes/<int:pk>/done/                          who-helps
/staff/cases/                                        who-sees-addresses
/staff/cases/<int:pk>/                               who-sees-addresses
/staff/cases/<int:pk>/close/                         who-helps
/staff/logins/                                       who-helps
/staff/logins/csv/                                   who-helps
/staff/bans/                                         who-helps
/staff/bans/lift/                                    who-helps
/staff/domains/<int:pk>/                             who-sees-addresses
/staff/domains/<int:pk>/announce/                    admin
/staff/domains/<int:pk>/announce/trial/              admin
/staff/domains/<int:pk>/summary/                     who-sees-addresses
/staff/domains/<int:pk>/summary/mail/                who-sees-addresses
/staff/domains/<int:pk>/invite/                      who-helps
/staff/domains/<int:pk>/bulk/                        who-helps
/staff/bulk/<int:pk>/                                who-sees-addresses
/staff/bulk/<int:pk>/progress/                       who-sees-addresses
/staff/domains/<int:pk>/letters/                     who-helps
/staff/domains/<int:pk>/pause/                       admin
/staff/domains/<int:pk>/resume/                      admin
/staff/domains/<int:pk>/plan/                        staff
/staff/domains/<int:pk>/plan/change/                 admin
/staff/domains/<int:pk>/remind/                      who-helps
/staff/domains/<int:pk>/cut-over/                    admin
/staff/domains/<int:pk>/cut-over/undo/               admin
/staff/domains/<int:pk>/finish/                      admin
/staff/pause/                                        admin
/staff/resume/                                       admin
/staff/domains/<int:pk>/provisioning/                who-sees-addresses
/staff/domains/<int:pk>/provisioning/progress/       who-sees-addresses
/staff/domains/<int:pk>/provisioning/check/          admin
/staff/domains/<int:pk>/provisioning/start/          admin
/staff/export/                                       who-helps
/staff/customers/<int:pk>/export/                    who-helps
/staff/domains/<int:pk>/export/                      who-helps
/staff/domains/<int:pk>/checks/                      staff
/staff/domains/<int:pk>/checks/progress/             staff
/staff/domains/<int:pk>/checks/ask/                  who-helps
/staff/domains/<int:pk>/checks/tell/                 admin
/staff/domains/<int:pk>/checks/mail/                 admin
/staff/reviews/                                      who-sees-addresses
/staff/domains/<int:pk>/review/                      who-sees-addresses
/staff/domains/<int:pk>/review/send/                 admin
/staff/domains/<int:pk>/review/again/                admin
/staff/domains/<int:pk>/review/revoke/               admin
/staff/domains/<int:pk>/review/harmless/             admin
/staff/answers/<int:pk>/apply/                       admin
/staff/answers/<int:pk>/leave/                       admin
/staff/customers/<int:pk>/wordings/                  who-sees-addresses
/staff/customers/<int:pk>/wordings/one/              who-sees-addresses
/staff/customers/<int:pk>/wordings/save/             admin
/staff/customers/<int:pk>/wordings/standard/         admin
/staff/customers/<int:pk>/wordings/preview/          admin
/staff/customers/<int:pk>/wordings/trial/            admin
/staff/tokens/                                       admin
/staff/tokens/new/                                   admin
/staff/tokens/<int:pk>/revoke/                       admin
/staff/mailboxes/<int:pk>/                           who-sees-addresses
/staff/mailboxes/<int:pk>/note/                      who-helps
/staff/mailboxes/<int:pk>/invite/                    who-helps
/staff/mailboxes/<int:pk>/remind/                    who-helps
/staff/mailboxes/<int:pk>/phone-code/                who-helps
/staff/mailboxes/<int:pk>/reopen/                    who-helps
/staff/mailboxes/<int:pk>/revoke/                    who-helps
/staff/mailboxes/<int:pk>/retry-push/                who-helps
/staff/mailboxes/<int:pk>/exclude/                   admin
/staff/mailboxes/<int:pk>/include/                   admin

/api/                                                everybody
/api/v1/                                             everybody
/api/v1/openapi.json                                 everybody
/api/v1/health                                       program
/api/**                                              program,customers-program

/admin/logout/                                       everybody
/admin/autocomplete/                                 nobody
/admin/accounts/user/add/                            nobody
/admin/accounts/user/<path:object_id>/delete/        nobody
/admin/migration/importrun/<path:object_id>/delete/  nobody
/admin/migration/push/add/                           nobody
/admin/migration/push/<path:object_id>/delete/       nobody
/admin/migration/mailing/add/                        nobody
/admin/migration/mailing/<path:object_id>/delete/    nobody
/admin/migration/firstlogin/add/                     nobody
/admin/migration/firstlogin/<path:object_id>/delete/ nobody
/admin/migration/event/add/                          nobody
/admin/migration/event/<path:object_id>/delete/      nobody
/admin/migration/target/add/                         nobody
/admin/migration/target/<path:object_id>/delete/     nobody
/admin/**                                            admin
"""


@cache
def rows() -> dict[str, frozenset[str]]:
    """Who may open each route."""
    found = {}
    for route, who in (line.split() for line in ROWS.splitlines() if line):
        found[route] = frozenset(name for word in who.split(",") for name in GROUPS.get(word, (word,)))
    return found


def routes(resolver: URLResolver | None = None, before: str = "/") -> Iterator[str]:
    """Every route of the URL table, as it is written there."""
    for entry in (resolver or get_resolver()).url_patterns:
        route = before + str(entry.pattern)
        if isinstance(entry, URLPattern):
            yield route
        else:
            yield from routes(entry, route)


def row_of(route: str) -> str | None:
    """The row a route belongs to: its own, or the one its beginning has."""
    known = rows()
    if route in known:
        return route
    return next((row for row in known if row.endswith("**") and route.startswith(row[:-2])), None)
