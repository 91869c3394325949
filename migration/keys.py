"""Exchange keys: seal everything anew with the ring's first key, and tell which keys are still in use.

Every value names the key it was made with. A value is read, opened, sealed and written back one at a time, and the
write asks for the old bytes: whoever changed the row meanwhile wins, and the value is found again by the next run. So
a rotation may run while owners save and workers push, and may be stopped and started again at any point.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog
from django.db.models import Model, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_noop

from . import first_login
from .mailings import route
from .models import ApiToken, FirstLogin, ImportPage, ImportRun, Mailbox, Push, Review, Seal, Source
from .secrets import Purpose, SecretsError, current_key_id, key_id_of, seal, unseal

log = structlog.get_logger(__name__)

BATCH = 200
UNREADABLE = "?"
"""Stands for the key id of a value that names none: it was cut or changed."""


@dataclass(frozen=True)
class Value:
    """One stored value in use: which row has it and which key it was made with.

    `renew` makes it anew with the first key and returns whether it was still there to be replaced; it raises
    SecretsError when no key opens it. None: it cannot be made anew, only run out.
    """

    row: str
    key_id: str
    renew: Callable[[], bool] | None = None


Places = Mapping[str, Callable[[], Iterator[Value]]]
"""What is kept where: a name for people, and all its values."""


@dataclass
class Rotation:
    """What a rotation did. `unreadable` names the rows that no key on the ring opens."""

    renewed: int = 0
    changed_meanwhile: int = 0
    unreadable: list[str] = field(default_factory=list)


def rotate(places: Places) -> Rotation:
    """Seal anew what names another key than the first. No clear text leaves this process's memory."""
    done, current = Rotation(), current_key_id()
    for values in places.values():
        for value in values():
            if value.key_id == current or value.renew is None:
                continue
            try:
                if value.renew():
                    done.renewed += 1
                else:
                    done.changed_meanwhile += 1
            except SecretsError:
                done.unreadable.append(value.row)
    log.info("keys_rotated", key=current, renewed=done.renewed, unreadable=len(done.unreadable))
    return done


def in_use(places: Places) -> dict[str, Counter[str]]:
    """How many values each place has by key id."""
    return {name: Counter(value.key_id for value in values()) for name, values in places.items()}


def key_named_by(stored: bytes | memoryview) -> str:
    """The id of the key a value was made with, or UNREADABLE."""
    try:
        return key_id_of(stored)
    except SecretsError:
        return UNREADABLE


def legacy_hashes() -> Iterator[Value]:
    """The old passwords' hashes."""
    rows = Mailbox.objects.select_related("domain").only("domain__name", "local_part", "legacy_hash")
    return _sealed(rows, "legacy_hash", Purpose.LEGACY_HASH, lambda mailbox: mailbox.address)


def pending_hashes() -> Iterator[Value]:
    """The hashes on their way to mailcow. A push in flight was opened before; settling it asks for its lease only."""
    return _sealed(Push.objects.all(), "payload", Purpose.PENDING_HASH, lambda push: push.sealed_for)


def uploads() -> Iterator[Value]:
    """The parsed import files that are not all in yet, one at a time: each may be megabytes."""
    return _sealed(ImportRun.objects.all(), "staged", Purpose.STAGING, lambda run: f"import:{run.pk}", batch=1)


def reports() -> Iterator[Value]:
    """What was told of the import files of the last day."""
    return _sealed(ImportPage.objects.all(), "sealed", Purpose.STAGING, lambda page: page.sealed_for)


def source_logins() -> Iterator[Value]:
    """The passwords for the old servers' SMTP."""
    return _sealed(Source.objects.all(), "sealed_password", Purpose.SOURCE_LOGIN, route.sealed_for)


def first_logins() -> Iterator[Value]:
    """The first-login passwords that still open the door. We do not know them, so nothing can be made anew."""
    unspent = FirstLogin.objects.filter(mac__isnull=False, consumed_at=None, revoked_at=None)
    for row in unspent.select_related("mailbox__domain").defer("mailbox__legacy_hash").iterator(BATCH):
        if first_login.is_valid(row):
            yield Value(f"first-login password {row.pk}", key_named_by(row.mac or b""))


def review_codes() -> Iterator[Value]:
    """The codes that open a contact's list now. As with first-login passwords, nothing can be made anew."""
    for row in Review.objects.filter(mac__isnull=False, revoked_at=None).iterator(BATCH):
        if row.is_open:
            yield Value(f"contact's code {row.pk}", key_named_by(row.mac or b""))


def audit_chain() -> Iterator[Value]:
    """The newest seal of the audit trail. It vouches for all before it, whatever keys those were made with."""
    for newest in Seal.objects.order_by("-number")[:1]:
        yield Value(f"seal {newest.number}", key_named_by(newest.mac))


def api_tokens() -> Iterator[Value]:
    """The tokens that open the API now. Nothing can be made anew: whoever uses one gets another."""
    for row in ApiToken.objects.filter(revoked_at=None, expires_at__gt=timezone.now()).iterator(BATCH):
        yield Value(f"token for the API {row.pk}", key_named_by(row.mac))


PLACES: Places = {
    gettext_noop("pending hashes"): pending_hashes,
    gettext_noop("old passwords' hashes"): legacy_hashes,
    gettext_noop("uploads to be confirmed"): uploads,
    gettext_noop("reports of uploads"): reports,
    gettext_noop("passwords of old servers"): source_logins,
    gettext_noop("first-login passwords (until used or expired)"): first_logins,
    gettext_noop("codes of contacts (until expired)"): review_codes,
    gettext_noop("tokens of the API (until revoked or ended)"): api_tokens,
    gettext_noop("end of the audit chain (until the next event)"): audit_chain,
}


def _sealed(
    rows: QuerySet[Any], column: str, purpose: Purpose, name: Callable[[Any], str], *, batch: int = BATCH
) -> Iterator[Value]:
    """Every value of a sealed column, batch by batch in the order of the primary key."""
    rows = rows.filter(**{f"{column}__isnull": False}).order_by("pk")
    last = 0
    while found := list(rows.filter(pk__gt=last)[:batch]):
        for row in found:
            stored = bytes(getattr(row, column))
            renew = _renewal(type(row), row.pk, column, stored, purpose, name(row))
            yield Value(f"{row._meta.model_name} {row.pk}", key_named_by(stored), renew)
        last = found[-1].pk


def _renewal(
    model: type[Model], pk: int, column: str, stored: bytes, purpose: Purpose, name: str
) -> Callable[[], bool]:
    def renew() -> bool:
        sealed = seal(purpose, name, unseal(purpose, name, stored))
        unchanged = model._default_manager.filter(**{"pk": pk, column: stored})
        return unchanged.update(**{column: sealed}) == 1

    return renew


def total(counts: Iterable[Counter[str]]) -> Counter[str]:
    """All places together."""
    return sum(counts, Counter())
