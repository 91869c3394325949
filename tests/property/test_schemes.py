import base64
import contextlib
import hashlib
import unicodedata

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from migration.schemes import (
    SchemeError,
    accepted_by_mailcow,
    check_cost,
    identify,
    is_clear_text,
    make_hash,
    truncates,
    verify,
)

ANYTHING = st.text(st.characters(codec=None, exclude_categories=()), max_size=300)
PASSWORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=60)
LABELS = st.sampled_from(
    [
        "SHA512-CRYPT",
        "SHA256-CRYPT",
        "BLF-CRYPT",
        "MD5-CRYPT",
        "CRYPT",
        "DES-CRYPT",
        "MD5",
        "PBKDF2",
        "ARGON2I",
        "ARGON2ID",
        "SSHA",
        "SSHA512",
        "SMD5",
        "SHA",
        "SHA256",
        "PLAIN-MD5",
        "PLAIN",
        "SCRAM-SHA-256",
        "CRAM-MD5",
        "nonsense",
        "CRYPT.HEX",
        "SSHA.B64",
    ]
)
STARTS = st.sampled_from(
    [
        "",
        "$1$",
        "$2y$04$",
        "$5$rounds=1000$",
        "$6$",
        "$y$j75$",
        "$7$",
        "$md5$",
        "$sha1$1$",
        "$argon2id$v=19$m=8,t=1,p=1$",
    ]
)
CRYPT_TEXT = st.text("./0123456789ABCabc$=,+:", max_size=120)


def no_answer_but_ours(stored: str, password: str) -> None:
    identify(stored)
    truncates(stored)
    is_clear_text(stored)
    accepted_by_mailcow(stored)
    with contextlib.suppress(SchemeError):
        check_cost(stored)
    with contextlib.suppress(SchemeError):
        verify(stored, password)


@given(ANYTHING, ANYTHING)
def test_any_text_is_answered_or_refused(stored: str, password: str) -> None:
    no_answer_but_ours(stored, password)


@given(LABELS, ANYTHING, ANYTHING)
def test_any_payload_behind_a_label_is_answered_or_refused(label: str, payload: str, password: str) -> None:
    no_answer_but_ours("{" + label + "}" + payload, password)


@given(LABELS, STARTS, CRYPT_TEXT, PASSWORDS)
def test_near_crypt_strings_are_answered_or_refused(label: str, start: str, rest: str, password: str) -> None:
    no_answer_but_ours("{" + label + "}" + start + rest, password)
    no_answer_but_ours(start + rest, password)


@settings(max_examples=50)
@given(PASSWORDS, PASSWORDS)
def test_our_hash_matches_its_password_and_no_other(password: str, other: str) -> None:
    stored = make_hash(password, memory_kib=64, time_cost=1)

    assert verify(stored, password)
    assert verify(stored, other) == (_nfc(other) == _nfc(password))


@given(
    PASSWORDS,
    PASSWORDS,
    st.binary(min_size=1, max_size=16),
    st.sampled_from(["sha1", "sha256", "sha512", "md5"]),
)
def test_a_salted_digest_matches_its_password_and_no_other(password: str, other: str, salt: bytes, name: str) -> None:
    assume(_nfc(password) != _nfc(other))
    label = {"sha1": "SSHA", "sha256": "SSHA256", "sha512": "SSHA512", "md5": "SMD5"}[name]
    raw = hashlib.new(name, password.encode() + salt).digest() + salt

    for stored in (
        "{" + label + "}" + base64.b64encode(raw).decode(),
        "{" + label + ".b64}" + base64.b64encode(raw).decode(),
        "{" + label.lower() + ".HEX}" + raw.hex(),
    ):
        assert verify(stored, password)
        assert not verify(stored, other)


def _nfc(text: str) -> bytes:
    return unicodedata.normalize("NFC", text).encode()
