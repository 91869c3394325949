"""Everything the key ring's keys are used for: what `migration` keeps, and staff's second factors."""

import base64
import binascii
from collections.abc import Callable, Iterator

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import SECRET_SESSION_KEY
from allauth.mfa.utils import decrypt, encrypt
from django.contrib.sessions.models import Session
from django.utils import timezone
from django.utils.translation import gettext_noop

from migration import keys, phone_codes
from migration.keys import Value

# Where allauth keeps what it had us encrypt (allauth.mfa.totp.internal.auth, allauth.mfa.recovery_codes.internal.auth).
_ENCRYPTED = ("secret", "seed")


def second_factors() -> Iterator[Value]:
    """The TOTP secrets and the seeds of the recovery codes."""
    for pk, data in Authenticator.objects.order_by("pk").values_list("pk", "data"):
        for member in _ENCRYPTED:
            if member in data:
                yield Value(f"authenticator {pk}", _key_named_by(data[member]), _renewal(pk, data, member))


def second_factors_being_set_up() -> Iterator[Value]:
    """The TOTP secrets that wait in a session for their first code; at most as long as a session lives."""
    for session in Session.objects.filter(expire_date__gt=timezone.now()).order_by("pk").iterator():
        if waiting := session.get_decoded().get(SECRET_SESSION_KEY):
            yield Value("a session", _key_named_by(waiting))


PLACES: keys.Places = {
    **keys.PLACES,
    gettext_noop("phone codes (until used or expired)"): phone_codes.in_use,
    gettext_noop("second factors"): second_factors,
    gettext_noop("second factors being set up (until the session ends)"): second_factors_being_set_up,
}


def _key_named_by(encrypted: str) -> str:
    try:
        return keys.key_named_by(base64.b64decode(encrypted, validate=True))
    except (binascii.Error, ValueError):
        return keys.UNREADABLE


def _renewal(pk: int, data: dict[str, object], member: str) -> Callable[[], bool]:
    def renew() -> bool:
        renewed = data | {member: encrypt(decrypt(str(data[member])))}
        # A recovery code that was used meanwhile must stay used: the write asks for the data as they were read.
        written: int = Authenticator.objects.filter(pk=pk, data=data).update(data=renewed)
        return written == 1

    return renew
