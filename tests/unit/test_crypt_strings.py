from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from migration import crypt_strings
from migration.crypt_strings import UnsupportedScheme, is_des, method_of
from migration.schemes import check_cost, verify

SHA512 = (
    "$6$rounds=2000$saltsalt$SvdbhcS.nPOQ3TtG4tm7VH2PAYOju2HhYX4rTHiV88zjonhJ/e6eMYDfTxD5nzyl0t1UgzCIQbf4Ez0xSNLMQ."
)
BCRYPT = "$2y$05$abcdefghijklmnopqrstuuXOXurqMaaxOhcarShcc1E8Dc5tk3KVG"


@pytest.fixture
def no_libcrypt(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def no_library(name: str) -> None:
        raise OSError(name)

    monkeypatch.setattr("ctypes.CDLL", no_library)
    crypt_strings._libcrypt.cache_clear()
    yield
    crypt_strings._libcrypt.cache_clear()


def test_without_libcrypt_only_its_own_methods_are_unsupported(no_libcrypt: None) -> None:
    with pytest.raises(UnsupportedScheme):
        check_cost(SHA512)
    with pytest.raises(UnsupportedScheme):
        verify("{CRYPT}abHKVHTgYc7KA", "geheim12")
    assert verify(BCRYPT, "geheim12")
    assert verify("{SHA256}61486d1c67b326c3d37168073ccd099bb0582c621dabca8c162ab75caccfc653", "geheim12")


def test_a_method_this_libcrypt_lacks_is_unsupported() -> None:
    def old_libcrypt(password: bytes, setting: bytes, buffer: object) -> bytes:
        return b"*0"

    with pytest.raises(UnsupportedScheme):
        crypt_strings._crypt_matches(old_libcrypt, SHA512.encode(), b"geheim12")


def test_threads_do_not_mix_up_their_answers() -> None:
    questions = [(SHA512, "geheim12"), (SHA512, "falsch12"), ("{CRYPT}abHKVHTgYc7KA", "geheim12")] * 40

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda question: verify(*question), questions))

    assert answers == [True, False, True] * 40


def test_passwords_beyond_libcrypts_limit_match_nothing() -> None:
    assert not verify(SHA512, "x" * 511)
    assert not verify(SHA512, "x" * 512)


def test_a_method_is_told_by_its_first_characters() -> None:
    assert method_of("$6$anything") == "SHA512-CRYPT"
    assert method_of("$66$anything") is None
    assert method_of("6$") is None
    assert is_des("abHKVHTgYc7KA")
    assert not is_des("abHKVHTgYc7KA=")
