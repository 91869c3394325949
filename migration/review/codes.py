"""The code that opens a contact's list: mint it, check it, tell how long it lasts. See decision 0040.

It is made as a first-login password is: 74 random bits, of which only an HMAC under the key ring is kept.
"""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_noop

from migration import retention
from migration.first_login import new_secret, normalise
from migration.models import Review
from migration.secrets import Purpose, mac, mac_matches

_LOCATOR = re.compile(r"[A-Za-z0-9_-]{11}")


def mint(review: Review) -> str:
    """Give the list a fresh code, save its MAC, and return the code; any earlier one is worthless from now on.

    Called by the mail worker just before SMTP. The caller keeps the result in one local variable.
    """
    code = new_secret()
    review.mac = mac(Purpose.REVIEW, _message(review.pk, code))
    review.minted_at = timezone.now()
    review.save(update_fields=["mac", "minted_at"])
    return code


def find(locator: str) -> Review | None:
    """The list a mailed link names, open or not; None if there is none."""
    if not _LOCATOR.fullmatch(locator):  # PostgreSQL would raise for a NUL
        return None
    return Review.objects.select_related("customer").filter(locator=locator).first()


def fits(review: Review | None, typed: str) -> bool:
    """Whether the code opens this list now. Whatever is asked, for a list or none, one comparison is made."""
    stored = bytes(review.mac) if review and review.mac else mac(Purpose.REVIEW, b"nobody")
    matches = mac_matches(Purpose.REVIEW, _message(review.pk if review else 0, normalise(typed)), stored)
    return matches and review is not None and review.is_open


def still_open(pk: int, *, minted_at: str) -> Review | None:
    """The list a contact's session began with; None once it was revoked, has expired, or has got another code."""
    review = Review.objects.select_related("customer").filter(pk=pk).first()
    if review is None or not review.is_open or review.minted_at is None:
        return None
    return review if review.minted_at.isoformat() == minted_at else None


def _message(pk: int, code: str) -> bytes:
    return f"{pk}\0{code}".encode("utf-8", "surrogatepass")


def _ended(before: datetime) -> list[Any]:
    """Lists revoked before that moment, or whose newest code had ended by then; unsent, from the day it was made."""
    born = before - Review.CODE_LASTS
    unsent = Q(minted_at=None, created_at__lt=born)
    return retention.pks(Review.objects.filter(Q(revoked_at__lt=before) | Q(minted_at__lt=born) | unsent))


def _delete(chosen: Sequence[Any]) -> None:
    """With its link and all answers. The mails that carried the code stay on the timeline, without the link."""
    Review.objects.filter(pk__in=chosen).delete()


RULES = (
    retention.Rule(
        "review",
        gettext_noop(
            "a contact's list is deleted with its link and answers after it was revoked or its code had ended"
        ),
        timedelta(days=90),
        _ended,
        _delete,
    ),
)
