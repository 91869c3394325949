"""A key is exchanged while owners save and workers push; an old one leaves only when nothing names it."""

import os
import uuid
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from io import StringIO
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import SECRET_SESSION_KEY, TOTP
from allauth.mfa.utils import decrypt, encrypt
from django.contrib.sessions.backends.db import SessionStore
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.keys import PLACES
from migration import first_login as first_logins
from migration import keys, mailboxes
from migration.imports import staging
from migration.imports.rows import ParsedFile
from migration.models import FirstLogin, ImportRun, Mailbox, Push
from migration.secrets import Purpose, key_id_of, unseal
from tests import factories
from tests.racing import at_once

OLD, NEW, FOREIGN = (("old", os.urandom(32)), ("new", os.urandom(32)), ("foreign", os.urandom(32)))
LEGACY = "{SSHA512}legacy"


@pytest.fixture(autouse=True)
def old_ring(settings: Any) -> None:
    settings.KEY_RING = [OLD]


@pytest.fixture
def exchange(settings: Any) -> Callable[[], None]:
    """Put a new key on top of the ring."""

    def put_on_top() -> None:
        settings.KEY_RING = [NEW, OLD]

    return put_on_top


def rotate(*arguments: str) -> str:
    out = StringIO()
    call_command("rotate_keys", *arguments, stdout=out)
    return out.getvalue()


def left_of_the_old_key() -> dict[str, int]:
    return {name: counted["old"] for name, counted in keys.in_use(PLACES).items() if counted["old"]}


@pytest.mark.django_db
def test_everything_sealed_opens_with_the_new_key_alone(settings: Any, exchange: Callable[[], None]) -> None:
    mailbox = factories.make_mailbox("anna", domain=factories.make_domain("xn--bcher-kva.example"), legacy=LEGACY)
    push = factories.make_push(mailbox)
    run = ImportRun.objects.create(domain=mailbox.domain, file_name="x.csv")
    staging.hold(run, ParsedFile())
    staff = factories.make_staff()
    codes = RecoveryCodes.activate(staff).generate_codes()
    exchange()

    rotate()

    settings.KEY_RING = [NEW]
    mailbox.refresh_from_db()
    push.refresh_from_db()
    assert unseal(Purpose.LEGACY_HASH, mailbox.address, mailbox.legacy_hash or b"").decode() == LEGACY
    assert unseal(Purpose.PENDING_HASH, push.sealed_for, push.payload or b"").decode() == factories.HASH
    assert staging.held(ImportRun.objects.get()) == ParsedFile()
    totp, seed = Authenticator.objects.order_by("pk")
    assert decrypt(totp.data["secret"]) == factories.TOTP_SECRET
    assert TOTP(totp).validate_code("000000") in (True, False)
    assert RecoveryCodes(seed).generate_codes() == codes


@pytest.mark.django_db
def test_a_second_run_finds_nothing_to_do(exchange: Callable[[], None]) -> None:
    factories.make_push(factories.make_mailbox(legacy=LEGACY))
    exchange()

    assert "2 values were sealed anew with the key new." in rotate()
    again = rotate()

    assert "0 values were sealed anew" in again
    assert "Every value is sealed with the first key." in again


@pytest.mark.django_db
def test_a_stopped_run_goes_on_where_it_was(exchange: Callable[[], None]) -> None:
    for _ in range(3):
        factories.make_mailbox(legacy=LEGACY)
    exchange()

    first = next(keys.legacy_hashes())
    assert first.renew
    assert first.renew()

    assert left_of_the_old_key() == {"old passwords' hashes": 2}
    assert keys.rotate(PLACES).renewed == 2


@pytest.mark.django_db
def test_a_run_goes_through_more_than_one_batch(exchange: Callable[[], None]) -> None:
    domain = factories.make_domain()
    Mailbox.objects.bulk_create(Mailbox(domain=domain, local_part=f"box{n}") for n in range(2 * keys.BATCH + 1))
    sealed = factories.make_mailbox(domain=domain, legacy=LEGACY).legacy_hash
    Mailbox.objects.update(legacy_hash=sealed)
    exchange()

    done = keys.rotate({"one": keys.legacy_hashes})

    # Only one of them was sealed for its own address; the others belong elsewhere and are named, not lost.
    assert done.renewed == 1
    assert len(done.unreadable) == 2 * keys.BATCH + 1


@pytest.mark.django_db
def test_a_value_changed_meanwhile_is_left_to_who_changed_it(exchange: Callable[[], None]) -> None:
    mailbox = factories.make_mailbox(legacy=LEGACY)
    exchange()
    [value] = keys.legacy_hashes()
    Mailbox.objects.filter(pk=mailbox.pk).update(legacy_hash=None)

    assert value.renew
    assert not value.renew()

    mailbox.refresh_from_db()
    assert mailbox.legacy_hash is None


@pytest.mark.django_db
def test_a_recovery_code_used_meanwhile_stays_used(exchange: Callable[[], None]) -> None:
    codes = RecoveryCodes.activate(factories.make_staff())
    used = codes.generate_codes()[0]
    exchange()
    values = [value for value in PLACES["second factors"]() if value.key_id == "old"]
    assert codes.validate_code(used)

    renewed = [value.renew() for value in values if value.renew]

    assert renewed == [True, False]
    assert used not in RecoveryCodes(Authenticator.objects.get(pk=codes.instance.pk)).get_unused_codes()


@pytest.mark.django_db
def test_what_no_key_opens_is_named_and_stays(settings: Any, exchange: Callable[[], None]) -> None:
    settings.KEY_RING = [FOREIGN]
    lost = factories.make_mailbox(legacy=LEGACY)
    exchange()
    good = factories.make_mailbox(legacy=LEGACY)

    with pytest.raises(CommandError, match=f"1 values are opened by no key of the ring: mailbox {lost.pk}$"):
        rotate()

    lost.refresh_from_db()
    good.refresh_from_db()
    assert key_id_of(lost.legacy_hash or b"") == "foreign"
    assert key_id_of(good.legacy_hash or b"") == "new"


@pytest.mark.django_db
def test_a_key_in_use_may_not_leave(exchange: Callable[[], None]) -> None:
    factories.make_mailbox(legacy=LEGACY)
    exchange()

    with pytest.raises(CommandError, match="old passwords' hashes: 1"):
        rotate("--check", "old")

    rotate()
    assert "may leave the ring" in rotate("--check", "old")


@pytest.mark.django_db
def test_the_first_key_may_never_leave() -> None:
    with pytest.raises(CommandError, match="is the first key"):
        rotate("--check", "old")


@pytest.mark.django_db
@pytest.mark.parametrize("ended", ["consumed_at", "revoked_at", "minted_at"])
def test_a_mailed_password_keeps_its_key_until_it_is_spent_or_expired(ended: str, exchange: Callable[[], None]) -> None:
    factories.make_first_login(factories.make_mailbox())
    exchange()
    rotate()

    with pytest.raises(CommandError, match="until used or expired"):
        rotate("--check", "old")

    FirstLogin.objects.update(**{ended: timezone.now() - timedelta(days=15)})
    assert "may leave the ring" in rotate("--check", "old")


@pytest.mark.django_db
def test_a_mailed_password_still_opens_the_door_after_a_rotation(exchange: Callable[[], None]) -> None:
    mailbox = factories.make_mailbox()
    first_login, secret = factories.make_first_login(mailbox)
    exchange()

    rotate()

    assert first_logins.check(mailbox, secret) == first_login


@pytest.mark.django_db
def test_a_second_factor_being_set_up_counts(exchange: Callable[[], None]) -> None:
    session = SessionStore()
    session[SECRET_SESSION_KEY] = encrypt("JBSWY3DPEHPK3PXP")
    session.save()
    exchange()

    with pytest.raises(CommandError, match="being set up"):
        rotate("--check", "old")


@pytest.mark.django_db
def test_no_clear_text_is_printed(exchange: Callable[[], None]) -> None:
    factories.make_push(factories.make_mailbox(legacy=LEGACY))
    exchange()

    said = rotate()

    assert "legacy" not in said.replace("old passwords' hashes", "")
    assert "ARGON2ID" not in said


def save_all() -> None:
    for mailbox in Mailbox.objects.order_by("-pk"):
        mailboxes.set_password(mailbox, password_hash=factories.HASH, kept_old=False, submission=uuid.uuid4(), ip=None)


def settle(pks: list[int]) -> None:
    for pk in pks:
        Push.objects.filter(mailbox=pk, state=Push.State.QUEUED).update(state=Push.State.DELIVERED, payload=None)
        Mailbox.objects.filter(pk=pk).update(legacy_hash=None)


@pytest.mark.django_db(transaction=True)
def test_owners_save_and_a_worker_settles_while_the_key_is_exchanged(exchange: Callable[[], None]) -> None:
    domain = factories.make_domain()
    pks = [factories.make_mailbox(domain=domain, legacy=LEGACY).pk for _ in range(25)]
    for mailbox in Mailbox.objects.all():
        factories.make_push(mailbox)
    exchange()

    at_once(save_all, partial(settle, pks[::3]), partial(keys.rotate, PLACES))
    keys.rotate(PLACES)

    assert left_of_the_old_key() == {}
    for push in Push.objects.filter(payload__isnull=False):
        assert unseal(Purpose.PENDING_HASH, push.sealed_for, push.payload or b"").decode() == factories.HASH
    kept = Mailbox.objects.filter(legacy_hash__isnull=False)
    for mailbox in kept:
        assert unseal(Purpose.LEGACY_HASH, mailbox.address, mailbox.legacy_hash or b"").decode() == LEGACY
    assert not kept.filter(pk__in=pks[::3]).exists()
