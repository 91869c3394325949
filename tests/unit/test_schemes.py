import base64
import hashlib
import json
import shutil
import subprocess
from pathlib import Path

import bcrypt
import pytest

from migration.schemes import (
    MalformedHash,
    TooCostly,
    UnsupportedScheme,
    accepted_by_mailcow,
    check_cost,
    identify,
    is_clear_text,
    make_hash,
    truncates,
    verify,
)

VECTORS = json.loads(Path(__file__).with_name("scheme_vectors.json").read_text(encoding="utf-8"))
SHA512 = "$6$FMm3O5UmhKDFv470$" + "x" * 86
BCRYPT = "$2y$05$" + "a" * 21 + "u" + "X" * 31
ARGON2 = "$argon2id$v=19$m=32,t=1,p=1$c2FsdHNhbHRzYWx0$" + "A" * 43

needs_doveadm = pytest.mark.skipif(shutil.which("doveadm") is None, reason="doveadm is not installed")


def dovecot_accepts(stored: str, password: str) -> bool:
    command = ["doveadm", "pw", "-t", stored, "-p", password]
    return subprocess.run(command, check=False, capture_output=True, timeout=30).returncode == 0


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["stored"][:24])
def test_what_dovecot_hashed_is_verified_here(vector: dict[str, str]) -> None:
    assert verify(vector["stored"], vector["password"])
    assert not verify(vector["stored"], "y" + vector["password"])
    check_cost(vector["stored"])


@needs_doveadm
@pytest.mark.parametrize("scheme", ["SHA512-CRYPT", "BLF-CRYPT", "SSHA512", "PBKDF2", "ARGON2ID"])
def test_a_fresh_hash_of_dovecot_is_verified_here(scheme: str) -> None:
    command = ["doveadm", "pw", "-s", scheme, "-p", "frisch gehackt"]
    stored = subprocess.run(command, check=True, capture_output=True, text=True, timeout=30).stdout.strip()

    assert verify(stored, "frisch gehackt")
    assert not verify(stored, "frisch gehakt")


@needs_doveadm
@pytest.mark.parametrize("password", ["Sommer2026Wien", "Grüße aus Wien 1€", "🙂 Emoji 12345 Ab"])
def test_dovecot_verifies_our_hash(password: str) -> None:
    stored = make_hash(password)

    assert dovecot_accepts(stored, password)
    assert not dovecot_accepts(stored, password + "x")


def test_our_hash_is_one_mailcow_can_store() -> None:
    stored = make_hash("Sommer2026Wien")

    assert stored.startswith("{ARGON2ID}$argon2id$v=19$m=19456,t=2,p=1$")
    assert len(stored) <= 255
    assert accepted_by_mailcow(stored)
    assert verify(stored, "Sommer2026Wien")
    assert make_hash("Sommer2026Wien") != stored


def test_both_spellings_of_an_umlaut_are_one_password() -> None:
    stored = make_hash("Gru\u0308ße2026Wien", memory_kib=64, time_cost=1)

    assert verify(stored, "Gr\u00fcße2026Wien")
    assert verify(stored, "Gru\u0308ße2026Wien")


@pytest.mark.parametrize(
    ("stored", "scheme"),
    [
        ("{SSHA}abc", "SSHA"),
        ("{smd5.hex}00", "SMD5"),
        ("{Sha512-Crypt}" + SHA512, "SHA512-CRYPT"),
        ("{CRYPT}" + SHA512, "SHA512-CRYPT"),
        ("{CRYPT.b64}" + base64.b64encode(SHA512.encode()).decode(), "SHA512-CRYPT"),
        ("{CRYPT.B64}!", "CRYPT"),
        (SHA512, "SHA512-CRYPT"),
        ("$5$salt$x", "SHA256-CRYPT"),
        ("$1$salt$x", "MD5-CRYPT"),
        ("{MD5}$1$salt$x", "MD5-CRYPT"),
        ("{MD5}" + "0" * 32, "MD5"),
        ("$2a$05$x", "BLF-CRYPT"),
        ("$2b$05$x", "BLF-CRYPT"),
        ("$2y$05$x", "BLF-CRYPT"),
        (ARGON2, "ARGON2ID"),
        ("$argon2i$v=19$x", "ARGON2I"),
        ("{CRYPT}" + ARGON2, "ARGON2ID"),
        ("$y$j9T$salt$x", "CRYPT"),
        ("{CRYPT}abHKVHTgYc7KA", "DES-CRYPT"),
        ("{SHA}x", "SHA1"),
        ("{CLEARTEXT}x", "PLAIN"),
        ("{CRAM-MD5}00", "CRAM-MD5"),
        ("{ROT13}x", None),
        ("abHKVHTgYc7KA", None),
        ("geheim12", None),
        ("$9$unknown", None),
        ("", None),
    ],
)
def test_schemes_are_named_as_dovecot_names_them(stored: str, scheme: str | None) -> None:
    assert identify(stored) == scheme


@pytest.mark.parametrize(
    "stored",
    [
        "{CRAM-MD5}" + "0" * 64,
        "{ROT13}x",
        "{NTLM}x",
        "{PLAIN-TRUNC}6-geheim",
        "geheim12",
        "$9$abc$def",
        "",
        "{CRYPT",
    ],
)
def test_an_unsupported_scheme_is_not_a_wrong_password(stored: str) -> None:
    with pytest.raises(UnsupportedScheme):
        verify(stored, "geheim12")


@pytest.mark.parametrize(
    "stored",
    [
        "{SHA512-CRYPT}",
        "{SHA512-CRYPT}" + SHA512[:-1],
        "{SHA512-CRYPT}" + SHA512 + "\n",
        "{SHA512-CRYPT} " + SHA512,
        "{SHA512-CRYPT}$6$salt$" + "ä" * 86,
        "{CRYPT}$6$sa\nlt$" + "x" * 86,
        "{CRYPT}$6$sa\x00lt$" + "x" * 86,
        "{CRYPT}nonsense",
        "{BLF-CRYPT}" + BCRYPT[:-1],
        "{ARGON2ID}" + ARGON2 + " ",
        "{ARGON2ID}nonsense",
        "{ARGON2ID}$argon2id$v=19$m=32,t=1,p=1$c2$AA",
        "{ARGON2ID}$argon2id$v=19$m=٣٢,t=1,p=1$c2FsdHNhbHRzYWx0$" + "A" * 43,
        "{SSHA}",
        "{SSHA}mIhA0/SiY62UAsXvKWMqeXwFvJjYKaS",
        "{SSHA}" + base64.b64encode(b"x" * 20).decode(),
        "{SHA256}" + "0" * 63,
        "{SHA256.HEX}zz",
        "{SHA256.HEX}" + "0" * 64 + "\n",
        "{PLAIN-MD5}" + "0" * 31 + "\n",
        "{SSHA}mIhA0/SiY62UAsXvKWMqeXwFvJjYKaS8\n",
        "{PLAIN-MD5}nonsense",
        "{SSHA512}\ud800",
        "{PBKDF2}$1$salt$0$" + "0" * 40,
        "{PBKDF2}$1$salt$5000$" + "0" * 39,
        "{SCRAM-SHA-256}4096,YQ==,YQ==,YQ==",
        "{SCRAM-SHA-256}4096,YQ==",
        "{SSHA512}" + "A" * 1024,
    ],
)
def test_a_malformed_hash_is_not_a_wrong_password(stored: str) -> None:
    with pytest.raises(MalformedHash):
        verify(stored, "geheim12")


@pytest.mark.parametrize(
    "stored",
    [
        "$6$rounds=999999999$salt$" + "x" * 86,
        "{SHA256-CRYPT}$5$rounds=500001$salt$" + "x" * 43,
        "$2y$31$" + BCRYPT[7:],
        "{BLF-CRYPT}$2y$14$" + BCRYPT[7:],
        "{ARGON2ID}$argon2id$v=19$m=4194304,t=1,p=1$c2FsdHNhbHRzYWx0$" + "A" * 43,
        "{ARGON2ID}$argon2id$v=19$m=65536,t=999999,p=1$c2FsdHNhbHRzYWx0$" + "A" * 43,
        "{ARGON2I}$argon2i$v=19$m=65536,t=3,p=255$c2FsdHNhbHRzYWx0$" + "A" * 43,
        "{PBKDF2}$1$salt$1000000000$" + "0" * 40,
        "{SCRAM-SHA-1}999999999,YQ==," + base64.b64encode(b"x" * 20).decode() + ",YQ==",
        "{CRYPT}$y$jFT$salt$" + "x" * 43,
        "{CRYPT}$y$j9T0$salt$" + "x" * 43,
        "{CRYPT}$7$LU..../....salt$" + "x" * 43,
        "{CRYPT}$md5,rounds=999999999$salt$$" + "x" * 22,
        "{CRYPT}$sha1$999999999$salt$" + "x" * 28,
    ],
)
def test_a_hash_that_costs_too_much_is_refused_before_it_is_computed(stored: str) -> None:
    with pytest.raises(TooCostly):
        check_cost(stored)
    with pytest.raises(TooCostly):
        verify(stored, "geheim12")


def test_no_exception_carries_the_hash() -> None:
    for stored in (
        "{SSHA}geheimnis",
        "{CRYPT}geheimnis",
        "{ROT13}geheimnis",
        "geheimnis",
        "{CRYPT.B64}geheimnis!",
    ):
        with pytest.raises((MalformedHash, UnsupportedScheme)) as caught:
            verify(stored, "x")

        assert "geheimnis" not in str(caught.value)
        assert caught.value.__cause__ is None


@pytest.mark.parametrize("password", ["geheim12\x00", "\ud800", "x" * 2000, "x" * 600, ""])
def test_what_no_mail_program_sends_matches_nothing(password: str) -> None:
    for vector in VECTORS[:110:7]:
        assert not verify(vector["stored"], password)


def test_bcrypt_never_matches_beyond_its_72_bytes() -> None:
    stored = "{BLF-CRYPT}" + bcrypt.hashpw(b"x" * 72, b"$2b$04$abcdefghijklmnopqrstuu").decode()

    assert verify(stored, "x" * 72)
    assert not verify(stored, "x" * 72 + "tail")


def test_des_crypt_is_known_to_look_at_eight_characters() -> None:
    stored = "{CRYPT}abHKVHTgYc7KA"

    assert verify(stored, "geheim12 and any tail")
    assert truncates(stored)
    assert truncates("{DES-CRYPT}abHKVHTgYc7KA")
    assert truncates("{PLAIN-TRUNC}6-geheim")
    assert not truncates("{CRYPT}" + SHA512)
    assert not truncates("{BLF-CRYPT}" + BCRYPT)


@pytest.mark.parametrize(
    "stored", ["{PLAIN}x", "{clear}x", "{CLEARTEXT.b64}eA==", "{PLAIN-TRUNC}1-x", "geheim12", "Sommer2026abc"]
)
def test_clear_text_is_recognised(stored: str) -> None:
    assert is_clear_text(stored)


@pytest.mark.parametrize("stored", ["", SHA512, "{SSHA}x", "{ROT13}x", "{CRYPT}abHKVHTgYc7KA", "$9$x$y", "$y$j9T$x$y"])
def test_a_hash_is_not_taken_for_clear_text(stored: str) -> None:
    assert not is_clear_text(stored)


@pytest.mark.parametrize(
    ("stored", "accepted"),
    [
        ("{SHA512-CRYPT}" + SHA512, True),
        ("{sha512-crypt}" + SHA512, True),
        ("{CRYPT}" + SHA512, True),
        ("{SHA256-CRYPT}$5$salt$" + "x" * 43, True),
        ("{BLF-CRYPT}" + BCRYPT, True),
        ("{ARGON2ID}" + ARGON2, True),
        ("{CRYPT}" + ARGON2, False),
        (SHA512, False),
        (" {SHA512-CRYPT}" + SHA512, False),
        ("{SHA512-CRYPT}" + SHA512 + "\n", False),
        ("{SHA512-CRYPT.B64}" + base64.b64encode(SHA512.encode()).decode(), False),
        ("{SHA512-CRYPT}$6$rounds=999999999$salt$" + "x" * 86, False),
        ("{CRYPT}$y$j9T$salt$" + "x" * 43, False),
        ("{SSHA512}" + base64.b64encode(b"x" * 72).decode(), False),
        ("{PLAIN}x", False),
        ("{ARGON2ID}nonsense", False),
    ],
)
def test_only_strong_hashes_mailcow_can_use_are_kept(stored: str, accepted: bool) -> None:
    assert accepted_by_mailcow(stored) is accepted


def test_an_unsalted_digest_may_be_hex_or_base64() -> None:
    digest = hashlib.sha256(b"geheim12")

    assert verify("{SHA256}" + digest.hexdigest(), "geheim12")
    assert verify("{SHA256}" + digest.hexdigest().upper(), "geheim12")
    assert verify("{SHA256}" + base64.b64encode(digest.digest()).decode(), "geheim12")


def test_php_magic_hashes_do_not_match_each_other() -> None:
    stored = "{PLAIN-MD5}" + hashlib.md5(b"240610708").hexdigest()

    assert not verify(stored, "QNKCDZO")
