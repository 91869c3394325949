"""Odd input in the new-password form: never a 500, never half a password, and no credit for a scheme that cuts."""

import bcrypt
import pytest

from migration.models import Mailbox, Push
from migration.secrets import Purpose, seal

from .door import GOOD, owner_client, save

param = pytest.param


@pytest.mark.parametrize(
    ("body", "status"),
    [
        param(b"password=" + b"A1b" * 4_000_000, 400, id="ten-megabytes"),
        param(b"password=" + b"Aa1-" * 300, 422, id="over-a-kibibyte"),
        param(b"password=" + b"Aa1" + b"%CC%88" * 5000, 422, id="combining-marks"),
        param(b"password=" + b"%F0%9D%9F%98" * 200, 422, id="compatibility-digits"),
        param(b"password=Abcdef-123456%ED%A0%80", 422, id="surrogate"),
        param(b"password=Abcdef-123456%FF", 422, id="invalid-utf-8"),
        param(b"password=Abcdef%00-123456", 422, id="NUL"),
        param(b"password[]=Abcdef-123456", 422, id="array"),
        param(b"&" * 2000, 422, id="ampersands"),
        param(b"=".join([b"x"] * 3000), 422, id="equals-signs"),
        param(b"&".join(b"f%d=" % number for number in range(5000)), 400, id="five-thousand-fields"),
    ],
)
def test_odd_bodies_are_answered_and_save_nothing(mailbox: Mailbox, body: bytes, status: int) -> None:
    client = owner_client(mailbox)

    response = client.post("/password", body, content_type="application/x-www-form-urlencoded")

    assert response.status_code == status
    assert not Push.objects.exists()
    assert client.get("/password").status_code == 200


def test_a_json_body_saves_nothing(mailbox: Mailbox) -> None:
    client = owner_client(mailbox)

    assert client.post("/password", {"password": GOOD}, content_type="application/json").status_code == 422
    assert not Push.objects.exists()


def test_a_password_in_the_address_line_is_no_password(mailbox: Mailbox) -> None:
    client = owner_client(mailbox)

    response = client.get("/password", {"password": GOOD})

    assert response.status_code == 200
    assert GOOD not in response.content.decode()
    assert not Push.objects.exists()


def test_beyond_what_bcrypt_looks_at_nothing_counts_as_the_old_password(mailbox: Mailbox) -> None:
    old = "Kaffee-und-Kuchen-77-" * 4
    stored = "{BLF-CRYPT}" + bcrypt.hashpw(old[:72].encode(), bcrypt.gensalt(4)).decode()
    mailbox.legacy_hash = seal(Purpose.LEGACY_HASH, mailbox.address, stored.encode())
    mailbox.save(update_fields=["legacy_hash"])

    assert save(owner_client(mailbox), old[:72] + "-another-end").status_code == 302

    assert not Push.objects.get().kept_old
