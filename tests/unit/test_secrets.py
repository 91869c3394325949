import os

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django.fixtures import Settings

from migration.secrets import (
    Purpose,
    SealBroken,
    UnknownKey,
    current_key_id,
    key_id_of,
    mac,
    mac_matches,
    new_key_line,
    parse_key_ring,
    seal,
    unseal,
)

OLD = ("2025a", b"o" * 32)
NEW = ("2026a", b"n" * 32)


@pytest.fixture(autouse=True)
def ring(settings: Settings) -> None:
    settings.KEY_RING = [OLD]


def test_what_was_sealed_comes_back() -> None:
    sealed = seal(Purpose.PENDING_HASH, 17, b"{ARGON2ID}...")

    assert unseal(Purpose.PENDING_HASH, 17, sealed) == b"{ARGON2ID}..."
    assert unseal(Purpose.PENDING_HASH, "17", memoryview(sealed)) == b"{ARGON2ID}..."
    assert b"ARGON2ID" not in sealed


def test_sealing_twice_gives_two_results() -> None:
    assert seal(Purpose.STAGING, 1, b"same") != seal(Purpose.STAGING, 1, b"same")


@pytest.mark.parametrize("clear", [b"", b"\x00", os.urandom(5000)])
def test_any_bytes_can_be_sealed(clear: bytes) -> None:
    assert unseal(Purpose.STAGING, 1, seal(Purpose.STAGING, 1, clear)) == clear


def test_a_value_moved_to_another_row_is_refused() -> None:
    sealed = seal(Purpose.PENDING_HASH, "17|3", b"hash")

    for row in ("18|3", "17|4", 17):
        with pytest.raises(SealBroken):
            unseal(Purpose.PENDING_HASH, row, sealed)


def test_a_value_moved_to_another_purpose_is_refused() -> None:
    sealed = seal(Purpose.PENDING_HASH, 17, b"hash")

    for purpose in set(Purpose) - {Purpose.PENDING_HASH}:
        with pytest.raises(SealBroken):
            unseal(purpose, 17, sealed)


def test_every_changed_bit_is_noticed() -> None:
    sealed = seal(Purpose.TOTP, 1, b"secret")

    for index in range(len(sealed)):
        changed = sealed[:index] + bytes([sealed[index] ^ 1]) + sealed[index + 1 :]
        with pytest.raises((SealBroken, UnknownKey)):
            unseal(Purpose.TOTP, 1, changed)


def test_every_cut_value_is_noticed() -> None:
    sealed = seal(Purpose.TOTP, 1, b"secret")

    for length in range(len(sealed)):
        with pytest.raises(SealBroken):
            unseal(Purpose.TOTP, 1, sealed[:length])


def test_the_first_key_encrypts_and_every_key_decrypts(settings: Settings) -> None:
    before = seal(Purpose.LEGACY_HASH, 1, b"old")
    settings.KEY_RING = [NEW, OLD]
    after = seal(Purpose.LEGACY_HASH, 1, b"new")

    assert (key_id_of(before), key_id_of(after), current_key_id()) == ("2025a", "2026a", "2026a")
    assert unseal(Purpose.LEGACY_HASH, 1, before) == b"old"
    assert unseal(Purpose.LEGACY_HASH, 1, after) == b"new"


def test_a_key_taken_away_too_early_is_named(settings: Settings) -> None:
    sealed = seal(Purpose.LEGACY_HASH, 1, b"old")
    settings.KEY_RING = [NEW]

    with pytest.raises(UnknownKey, match="2025a"):
        unseal(Purpose.LEGACY_HASH, 1, sealed)


def test_the_same_id_with_another_key_is_noticed(settings: Settings) -> None:
    sealed = seal(Purpose.LEGACY_HASH, 1, b"old")
    settings.KEY_RING = [("2025a", b"x" * 32)]

    with pytest.raises(SealBroken):
        unseal(Purpose.LEGACY_HASH, 1, sealed)


def test_a_fingerprint_matches_its_message_only() -> None:
    stored = mac(Purpose.FIRST_LOGIN, b"ABCDEFGH")

    assert mac_matches(Purpose.FIRST_LOGIN, b"ABCDEFGH", stored)
    assert mac_matches(Purpose.FIRST_LOGIN, b"ABCDEFGH", memoryview(stored))
    assert not mac_matches(Purpose.FIRST_LOGIN, b"ABCDEFGJ", stored)
    assert not mac_matches(Purpose.ADDRESS_BUCKET, b"ABCDEFGH", stored)
    assert mac(Purpose.FIRST_LOGIN, b"ABCDEFGH") == stored


def test_a_cut_or_empty_fingerprint_matches_nothing() -> None:
    stored = mac(Purpose.FIRST_LOGIN, b"")

    for length in range(len(stored)):
        assert not mac_matches(Purpose.FIRST_LOGIN, b"", stored[:length])


def test_a_fingerprint_is_checked_under_the_key_it_names(settings: Settings) -> None:
    stored = mac(Purpose.FIRST_LOGIN, b"secret")

    settings.KEY_RING = [NEW, OLD]
    assert mac_matches(Purpose.FIRST_LOGIN, b"secret", stored)
    settings.KEY_RING = [NEW]
    assert not mac_matches(Purpose.FIRST_LOGIN, b"secret", stored)


def test_a_sealed_value_and_a_fingerprint_never_share_a_key() -> None:
    stored = mac(Purpose.STAGING, b"message")

    with pytest.raises(SealBroken):
        unseal(Purpose.STAGING, 1, stored)


def test_a_new_key_line_can_be_read_back() -> None:
    text = f"# keys\n\n{new_key_line('2026a')}\n  {new_key_line('2025a')}  \n"

    ring = parse_key_ring(text)

    assert [key_id for key_id, _ in ring] == ["2026a", "2025a"]
    assert all(len(key) == 32 for _, key in ring)
    assert ring[0][1] != ring[1][1]


def test_a_key_ring_may_stand_in_one_line() -> None:
    assert len(parse_key_ring(f"{new_key_line('b')},{new_key_line('a')}")) == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("# only a comment", "is empty"),
        ("c2VjcmV0c2VjcmV0", "line 1: write id:key"),
        ("a b:c2VjcmV0", "line 1: write id:key"),
        ("\n2026a:c2VjcmV0", "line 2: the key has 6 bytes instead of 32"),
        ("2026a:c2Vjc!mV0", "line 1: the key is not valid base64"),
        ("2026a:c2VjcmV0ä", "line 1: the key is not valid base64"),
    ],
)
def test_a_bad_key_ring_names_the_line_and_never_the_key(text: str, message: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=message) as caught:
        parse_key_ring(text)

    assert "c2V" not in str(caught.value)


def test_a_key_id_may_stand_once_only() -> None:
    with pytest.raises(ImproperlyConfigured, match="2026a is there twice"):
        parse_key_ring(f"{new_key_line('2026a')}\n{new_key_line('2026a')}")


def test_a_key_id_has_a_plain_name() -> None:
    with pytest.raises(ValueError, match="key id"):
        new_key_line("2026 a")
