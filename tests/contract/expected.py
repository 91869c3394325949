"""What each recorded reply means, written down from mailcow's observed behaviour, first match first.

An outcome is a class and its reason, or `OK`. The tables are read by `test_recordings.py`; nothing here
calls the code under test.
"""

from __future__ import annotations

from fnmatch import fnmatchcase

from migration.mailcow.errors import Blocked, MailcowError, Missing, Reason, Refused, Unknown

Outcome = tuple[type[MailcowError], Reason] | None
Table = list[tuple[Outcome, str]]
OK: Outcome = None

EMPTY = (Unknown, Reason.EMPTY)
UNEXPECTED = (Unknown, Reason.UNEXPECTED)
MISSING = (Missing, Reason.MISSING)

BY_TRANSPORT: Table = [
    ((Refused, Reason.KEY), "auth-wrong-key-* auth-deactivated-key session-cookie-with-wrong-key"),
    ((Refused, Reason.NETWORK), "auth-ip-allowed-network auth-ip-not-allowed"),
    ((Refused, Reason.BAD_REQUEST), "body-bom body-utf16 body-invalid-json auth-readonly-key-edit-bad-json"),
    ((Refused, Reason.BAD_REQUEST), "edit-mailbox-chars-invalid-utf8"),
    ((Refused, Reason.READ_ONLY), "auth-missing-key-edit auth-missing-key-delete method-options"),
    ((Refused, Reason.READ_ONLY), "auth-readonly-key-add auth-readonly-key-delete auth-readonly-key-edit"),
    ((Refused, Reason.FORBIDDEN), "route-sec-fetch-dest"),
    (EMPTY, "auth-missing-key-get auth-missing-key-add auth-empty-key auth-key-in-query"),
    (EMPTY, "route-unknown-get-category-no-key body-json-as-form body-json-string"),
    (EMPTY, "add-mailbox-name-long add-syncjob-no-exclude edit-app-passwd"),
    (EMPTY, "edit-mailbox-chars-nul edit-mailbox-chars-nul-first edit-mailbox-password-array"),
    (EMPTY, "edit-mailbox-deadlock-empty-body edit-mailbox-row-locked-60s edit-mailbox-strange-too-long"),
    (EMPTY, "session-return-4-crash session-return-7-crash-without-cookie"),
    ((Refused, Reason.NO_ROUTE), "route-unknown-* route-wrong-case"),
    (
        (Refused, Reason.NO_ROUTE),
        "method-put-on-edit method-post-on-get-with-json delete-mailbox-delete-method",
    ),
    ((Unknown, Reason.SERVER_ERROR), "outage-*"),
]
"""The same for every verb, whatever was asked."""

PASSWORD_STORED: Table = [
    *BY_TRANSPORT,
    # "Task completed", and the objection to a body without attributes
    (UNEXPECTED, "body-json-list body-json-number edit-mailbox-items-empty-list edit-mailbox-items-missing"),
    (UNEXPECTED, "body-no-content-type body-content-type-upper method-get-on-edit"),
    # the edits of one mailbox that mailcow refuses
    (
        MISSING,
        "edit-mailbox-unknown edit-mailbox-alias-address edit-mailbox-alias-domain edit-mailbox-no-quota2-row",
    ),
    ((Blocked, Reason.QUOTA), "edit-mailbox-quota-over-domain-total edit-mailbox-quota-too-big"),
    (
        (Blocked, Reason.POLICY),
        "edit-mailbox-password-policy edit-mailbox-password2-missing edit-mailbox-chars-len-5",
    ),
    ((Blocked, Reason.POLICY), "edit-mailbox-password-bool-true edit-mailbox-policy-on-hash-plain"),
    ((Blocked, Reason.POLICY), "edit-mailbox-policy-on-hash-short-plain session-return-2-policy"),
    ((Blocked, Reason.MISMATCH), "edit-mailbox-password-mismatch"),
    ((Blocked, Reason.ADDRESS), "edit-mailbox-idn-item-unicode edit-mailbox-item-trailing-blank"),
    ((Blocked, Reason.ADDRESS), "edit-mailbox-items-empty-string edit-mailbox-not-an-address"),
    ((Unknown, Reason.DATABASE), "edit-mailbox-deadlock-danger-text"),
    ((Unknown, Reason.CRASH), "session-return-5-success-after-crash"),
    # more than one item: never sent by the client, and not a certain success
    ((Blocked, Reason.OTHER_ADDRESS), "edit-mailbox-several-items"),
    (UNEXPECTED, "edit-mailbox-several-items-one-unknown edit-mailbox-duplicate-items"),
    # another route that reports the same message about somebody's mailbox
    ((Blocked, Reason.OTHER_ADDRESS), "edit-mailbox-custom-attribute* add-syncjob edit-syncjob"),
    (OK, "edit-mailbox-* body-content-type-charset body-content-type-form body-duplicate-keys"),
    (OK, "session-cookie-ro-then-rw-key session-cookie-without-key-edit"),
    (OK, "session-return-1-success session-return-3-success session-return-6-after"),
    # answers to other questions
    (UNEXPECTED, "get-* search-* auth-* cors-* route-trailing-slash session-* delete-mailbox-empty-list"),
    ((Blocked, Reason.QUOTA), "add-domain-maxquota-over-quota add-mailbox-domain-quota-left-exceeded"),
    ((Blocked, Reason.POLICY), "add-mailbox-password-policy"),
    ((Blocked, Reason.MISMATCH), "add-app-passwd-mismatch"),
    (MISSING, "delete-mailbox-again delete-mailbox-mixed delete-mailbox-object-items"),
    (MISSING, "add-syncjob-bad-interval add-syncjob-unknown-mailbox"),
    ((Blocked, Reason.REJECTED), "add-alias-bad-goto add-alias-is-mailbox add-alias-over-limit"),
    (
        (Blocked, Reason.REJECTED),
        "add-alias-unknown-domain add-domain-defquota-over-maxquota add-domain-duplicate",
    ),
    ((Blocked, Reason.REJECTED), "add-domain-hostname add-domain-invalid-name add-domain-is-alias-domain"),
    ((Blocked, Reason.REJECTED), "add-domain-missing-name add-domain-zero-quota add-mailbox-alias-domain"),
    (
        (Blocked, Reason.REJECTED),
        "add-mailbox-count-exceeded add-mailbox-domain-invalid add-mailbox-duplicate",
    ),
    ((Blocked, Reason.REJECTED), "add-mailbox-local-part-65 add-mailbox-local-part-with-at"),
    ((Blocked, Reason.REJECTED), "add-mailbox-nonascii-local-part add-syncjob-duplicate add-syncjob-bad-param"),
    (UNEXPECTED, "add-* delete-* edit-alias edit-domain"),
]

READ_MAILBOX: Table = [
    *BY_TRANSPORT,
    (OK, "get-mailbox-after-logins get-mailbox-over-quota get-mailbox-unlimited-quota"),
    (OK, "get-mailbox-apostrophe-encoded auth-readonly-key-get route-trailing-slash"),
    (OK, "session-cookie-without-key-get"),
    (MISSING, "get-mailbox-unknown get-mailbox-unknown-domain get-mailbox-alias-domain get-mailbox-plus-raw"),
    (MISSING, "get-mailbox-malformed get-mailbox-empty get-mailbox-no-quota2-row"),
    # an empty object means "none", whichever list was asked for
    (MISSING, "get-mailbox-all-alias-domain get-mailbox-all-empty-domain get-alias-address-of-mailbox"),
    (
        MISSING,
        "get-alias-all-domain-none get-alias-all-domain-unknown get-alias-unknown-id get-domain-all-empty",
    ),
    (MISSING, "get-syncjobs-none get-logs-api-bad-count get-logs-ui session-return-8-get-unknown-then"),
    (UNEXPECTED, "*"),
]

FALSE_SUCCESS = {
    "edit-mailbox-attr-empty",
    "edit-mailbox-attr-missing",
    "edit-mailbox-authsource-ldap",
    "edit-mailbox-authsource-ldap-to-mailcow",
    "edit-mailbox-force-pw-update-reset",
    "edit-mailbox-name-angle",
    "edit-mailbox-name-empty",
    "edit-mailbox-password-0",
    "edit-mailbox-password-empty",
    "edit-mailbox-unknown-attr",
}
"""Success was reported and no password stored: only reading back tells."""


def outcome(table: Table, name: str) -> Outcome:
    """The first entry one of whose patterns fits. Raises LookupError: every recording must have one."""
    for expected, patterns in table:
        if any(fnmatchcase(name, pattern) for pattern in patterns.split()):
            return expected
    raise LookupError(name)
