"""Odd input in the new-password form: never a 500, never half a password, and no credit for a scheme that cuts."""

import bcrypt
import pytest
from django.test import Client
from structlog.testing import capture_logs

from migration.imports import run
from migration.models import Mailbox, Push
from migration.secrets import Purpose, seal

from .door import GOOD, marked, owner_client, save

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


BOMBS = [
    param("{SHA512-CRYPT}$6$rounds=999999999$saltsalt$" + "x" * 86, id="sha512-rounds"),
    param("{BLF-CRYPT}$2y$31$Gmmbcm/mj1DFDW/ZRicERe6xyXk4hPVGZuUF6oxMEnwYOTg7pDx.K", id="bcrypt-31"),
    param("{ARGON2ID}$argon2id$v=19$m=4194304,t=1,p=1$c2FsdHNhbHRzYWx0$" + "A" * 43, id="argon2-4-GiB"),
    param("{PBKDF2}$1$saltsalt$1000000000$" + "0" * 40, id="pbkdf2-1e9"),
    param("{CRYPT}$y$jFT$saltsalt$" + "x" * 43, id="yescrypt"),
]


@pytest.mark.parametrize("stored", BOMBS)
def test_a_hash_made_to_burn_the_server_is_not_computed_at_the_door(mailbox: Mailbox, stored: str) -> None:
    """An import refuses it. Should one be in the table all the same, the door does not verify against it."""
    client = owner_of_old_hash(mailbox, stored)

    with capture_logs() as lines:
        assert save(client).status_code == 302

    assert [(line["event"], line["error"]) for line in lines] == [("old_password_unreadable", "TooCostly")]
    assert not Push.objects.get().kept_old


@pytest.mark.parametrize("stored", BOMBS)
def test_a_hash_made_to_burn_the_server_is_refused_by_an_import(mailbox: Mailbox, stored: str) -> None:
    file = f"address;password_hash\nberta@demo.example;{stored}\neva@demo.example;\n"

    parsed = run.read(file.encode(), mailbox.domain, file_format="csv")

    assert [(error.line, error.code) for error in parsed.errors] == [(2, "hash_too_costly")]
    assert [str(row.address) for row in parsed.rows] == ["eva@demo.example"]


# --- What a password means: no credit for what looks at a part of it ----------------------------------------------


@pytest.mark.parametrize(
    ("stored", "looks_at", "another"),
    [
        param("{DES-CRYPT}rltH.bBNwyPwg", "Kaffee81", "Kaffee81-blau-tor", id="DES-CRYPT"),
        param("{CRYPT}rltH.bBNwyPwg", "Kaffee81", "Kaffee81-blau-tor", id="CRYPT"),
        param("{PLAIN-TRUNC}8-Kaffee81-blau-tor", "Kaffee81", "Kaffee81-another-end", id="PLAIN-TRUNC"),
    ],
)
def test_a_scheme_that_cuts_gives_no_credit(mailbox: Mailbox, stored: str, looks_at: str, another: str) -> None:
    assert another.startswith(looks_at)

    assert save(owner_of_old_hash(mailbox, stored), another).status_code == 302

    assert not Push.objects.get().kept_old


def test_behind_a_nul_nothing_counts_as_the_old_password(mailbox: Mailbox) -> None:
    """The C library ends a text at a NUL, and SASL PLAIN divides by it."""
    client = owner_of_old_hash(mailbox, "{BLF-CRYPT}" + bcrypt.hashpw(b"Kaffee81-blau", bcrypt.gensalt(4)).decode())

    assert marked(save(client, "Kaffee81-blau\0-tor")) == {"control"}

    assert not Push.objects.exists()
    assert save(client, "Kaffee81-blau").status_code == 302
    assert Push.objects.get().kept_old


def test_beyond_what_bcrypt_looks_at_nothing_is_the_old_password(mailbox: Mailbox) -> None:
    old = "Kaffee-und-Kuchen-77-" * 4
    client = owner_of_old_hash(mailbox, "{BLF-CRYPT}" + bcrypt.hashpw(old[:72].encode(), bcrypt.gensalt(4)).decode())

    assert save(client, old[:72] + "-another-end").status_code == 302
    assert not Push.objects.get().kept_old

    assert save(client, old[:72]).status_code == 302
    assert Push.objects.get(version=2).kept_old


def owner_of_old_hash(mailbox: Mailbox, stored: str) -> Client:
    """The owner, signed in, of a mailbox that was imported with this hash."""
    mailbox.legacy_hash = seal(Purpose.LEGACY_HASH, mailbox.address, stored.encode())
    mailbox.save(update_fields=["legacy_hash"])
    return owner_client(mailbox)
