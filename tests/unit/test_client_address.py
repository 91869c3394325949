"""Whose address counts: the one the trusted proxies wrote, never one the client wrote himself."""

import pytest

from portal.middleware import client_address

PEER = "198.51.100.7"


@pytest.mark.parametrize(
    ("header", "proxies", "expected"),
    [
        ("", 0, PEER),
        ("203.0.113.9", 0, PEER),
        ("203.0.113.9", 1, "203.0.113.9"),
        ("6.6.6.6, 203.0.113.9", 1, "203.0.113.9"),
        ("6.6.6.6, 203.0.113.9, 192.0.2.1", 2, "203.0.113.9"),
        ("203.0.113.9", 2, PEER),
        ("", 1, PEER),
        ("999.9.9.9", 1, PEER),
        ("unknown", 1, PEER),
        ("203.0.113.9,", 1, PEER),
        ("2001:db8::1", 1, "2001:db8::1"),
        ("2001:DB8:0::1", 1, "2001:db8::1"),
        ("x" * 4096, 1, PEER),
        ("203.0.113.9:4711", 1, PEER),
    ],
)
def test_the_address_is_taken_from_as_far_right_as_there_are_proxies(header: str, proxies: int, expected: str) -> None:
    assert client_address(PEER, header, proxies) == expected
