"""Why mailcow did not do, or may not have done, what was asked.

    MailcowError            .reason: one code of the closed list below
    ├── Unknown             nobody knows whether it happened     repeat the newest, later
    ├── Blocked             this mailbox needs a person          tell support, do not storm
    ├── Missing             the mailbox is not there (yet)       wait
    └── Refused             mailcow turns *us* away              stop every call until a person says go on

A class exists only where a caller acts differently. The reason is for people and statistics. No error holds
an address, a hash, the key or a word of mailcow's reply.
"""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """Machine code of an error; the screens translate it. Stored with a push, so codes are never renamed."""

    # Unknown
    TIMEOUT = "timeout"  # the whole call took longer than allowed
    UNREACHABLE = "unreachable"  # no connection, so nothing was sent; after a 401 probably mailcow's ban
    CONNECTION_LOST = "connection_lost"
    EMPTY = "empty"  # 200 without a body: PHP crashed, a deadlock, or the key was not seen
    NOT_JSON = "not_json"  # HTML, a warning before the JSON, duplicate members, NaN, bad UTF-8, too deep
    TOO_LARGE = "too_large"
    UNEXPECTED = "unexpected"  # well-formed, but not an answer to what was asked ("Task completed")
    SERVER_ERROR = "server_error"  # 5xx, and 405 with HTML, which is an outage too
    BUSY = "busy"  # 408, 425, 429
    DATABASE = "database"  # mailcow's database gave up (deadlock, lock wait); it may be stored all the same
    CRASH = "crash"  # an exception of mailcow is reported inside the answer

    # Blocked
    QUOTA = "quota"  # mailcow's limits were lowered below what the mailbox has
    POLICY = "policy"  # mailcow's password policy; a hash passes any sane one
    MISMATCH = "mismatch"
    ADDRESS = "address"  # mailcow does not take the address as one
    AUTHSOURCE = "authsource"  # the password lives in LDAP, Keycloak or another place
    NOT_STORED = "not_stored"  # success reported, but the time of the last password change stayed
    READ_BACK = "read_back"  # the time of the last password change cannot be read
    OTHER_ADDRESS = "other_address"  # the answer speaks of another mailbox
    REJECTED = "rejected"  # a refusal this version does not know

    # Missing
    MISSING = "missing"

    # Refused
    KEY = "key"  # 401: the key is wrong or was switched off
    NETWORK = "network"  # 401: the key is right, our address is not allowed
    READ_ONLY = "read_only"  # 403: the key may only read
    FORBIDDEN = "forbidden"  # any other 403
    REDIRECTED = "redirected"
    TLS = "tls"
    BAD_REQUEST = "bad_request"  # 400: a fault of ours
    NO_ROUTE = "no_route"  # 404, 405: not mailcow's API, or another version


# The reasons an Unknown may have; the first group above.
UNCLEAR = frozenset(
    {
        Reason.TIMEOUT,
        Reason.UNREACHABLE,
        Reason.CONNECTION_LOST,
        Reason.EMPTY,
        Reason.NOT_JSON,
        Reason.TOO_LARGE,
        Reason.UNEXPECTED,
        Reason.SERVER_ERROR,
        Reason.BUSY,
        Reason.DATABASE,
        Reason.CRASH,
    }
)


class MailcowError(Exception):
    """A call that did not end in a certain success."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(str(reason))
        self.reason = reason


class Unknown(MailcowError):
    """The outcome is unknown. Writing the newest hash again is harmless."""


class Blocked(MailcowError):
    """A refusal of this password until a person has acted; trying again soon changes nothing."""


class Missing(MailcowError):
    """There is no such mailbox, or only half of one."""


class Refused(MailcowError):
    """Turned away by mailcow or something in front of it. More calls do harm: ten 401s ban our address."""
