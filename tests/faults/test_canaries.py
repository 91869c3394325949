"""Secrets are searched for like an intruder would, in every file and store the journey has touched."""

import base64
import binascii
import gzip
import re
import zlib
from collections.abc import Iterator
from urllib.parse import quote

import psycopg
import pytest
import redis
import requests

from bench.journey import sign_in_and_save
from sandbox.stack import Stack
from tests.e2e.pages import invitation

OLD_PASSWORD = "Grüße-aus-Wels-1"
# Long enough that megabytes of sealed bytes do not look like one by chance.
HASHES = re.compile(
    rb"\$(?:[156]|2[aby]|y)\$[./=0-9A-Za-z]{1,16}\$[./0-9A-Za-z]|\$2[aby]\$\d\d\$[./0-9A-Za-z]|\{S?SHA|\{ARGON2ID\}"
)
NEW_PASSWORD = "Kanarienvogel-im-Bergwerk-4711"


def stores(stack: Stack) -> Iterator[tuple[str, bytes]]:
    """Everything on disk, in PostgreSQL and in the broker; not the secret files, which hold what they are for."""
    for path in sorted(stack.folder.rglob("*")):
        if path.is_file() and path.parent.name != "secrets":
            yield str(path.relative_to(stack.folder)), path.read_bytes()
    if stack.database_url:
        with psycopg.connect(stack.database_url) as connection:
            tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
            for (table,) in tables:
                with connection.cursor().copy(f'COPY "{table}" TO STDOUT') as rows:
                    yield f"table {table}", b"".join(bytes(row) for row in rows)
    if stack.broker_url:
        broker = redis.Redis.from_url(stack.broker_url)
        for key in broker.scan_iter():
            yield f"broker {key!r}", broker.dump(key) or b""


def spellings(secret: str) -> Iterator[bytes]:
    """The secret as it is, and in the ways it could have been wrapped."""
    raw = secret.encode()
    yield raw
    yield quote(secret).encode()
    yield binascii.hexlify(raw)
    yield secret.encode("unicode_escape")
    # Base64 of something around it: the three alignments, without the ends that depend on the neighbours.
    for shift in range(3):
        yield base64.b64encode(b"x" * shift + raw)[4:-4]


def unpacked(content: bytes) -> bytes:
    """The content, and what comes out if it is compressed."""
    for unpack in (gzip.decompress, zlib.decompress):
        try:
            return content + unpack(content)
        except (OSError, zlib.error, EOFError):
            continue
    return content


def found(stack: Stack, secret: str) -> list[str]:
    wanted = list(spellings(secret))
    return [name for name, content in stores(stack) if any(spelling in unpacked(content) for spelling in wanted)]


@pytest.fixture(scope="module")
def first_login_password(stack: Stack) -> str:
    """An owner's journey with every kind of mistake; returns the first-login password he used."""
    link, secret = invitation(stack, "ferdinand")
    requests.post(f"{stack.mailcow}/sandbox/faults", json={"kind": "answer_500", "times": 1}, timeout=5)
    requests.get(link, params={"password": NEW_PASSWORD[:5]}, timeout=5)
    sign_in_and_save(link, secret, NEW_PASSWORD)
    return secret


def test_the_search_finds_what_is_there(stack: Stack, first_login_password: str) -> None:
    assert any(name.startswith("mails/") for name in found(stack, first_login_password))


def test_the_new_password_is_nowhere(stack: Stack, first_login_password: str) -> None:
    assert found(stack, NEW_PASSWORD) == []


def test_the_first_login_password_is_in_its_own_mail_alone(stack: Stack, first_login_password: str) -> None:
    places = found(stack, first_login_password) + found(stack, first_login_password.replace("-", "").lower())

    assert {place.split("/")[0] for place in places} == {"mails"}
    assert len(set(places)) == 1


def test_the_keys_are_nowhere_but_in_their_files(stack: Stack, first_login_password: str) -> None:
    key = stack.secret("key_ring").partition(":")[2]
    for secret in (stack.secret("secret_key"), key, stack.secret("mailcow_api_key"), stack.secret("totp_secret")):
        assert found(stack, secret) == []


def test_a_stored_hash_would_be_known_by_its_form() -> None:
    for stored in (
        b"$6$aSalt$Ab1",
        b"$6$rounds=5000$aSalt$Ab1",
        b"$2y$05$Ab1",
        b"{SSHA512}Ab1",
        b"{ARGON2ID}$argon2id",
    ):
        assert HASHES.search(b"\0\x11" + stored)


def test_no_password_hash_is_readable_outside_mailcow(stack: Stack, first_login_password: str) -> None:
    """The imported hashes and the ones on their way are sealed; only mailcow's own state shows them."""
    # Staff passwords are Django's own hashes, argon2$argon2id$…; Dovecot's form is ours.
    outside = [(name, content) for name, content in stores(stack) if not name.startswith("mailcow.")]

    assert [(name, sign) for name, content in outside for sign in HASHES.findall(content)] == []
