"""Name servers that fail: a failure is never green, and never "missing"."""

import socket

import pytest

from migration.dns.checking import check
from migration.dns.lines import Verdict, worst
from migration.dns.lookup import SILENT_AT_MOST, Lookup
from migration.dns.servers import address_and_port, is_public
from sandbox.nameserver import Mode
from tests.nameserving import DOMAIN, WANTED, asking, lookup_of, zone


@pytest.mark.parametrize(
    ("mode", "failure"),
    [
        (Mode.SERVFAIL, "servfail"),
        (Mode.REFUSED, "refused"),
        (Mode.SILENT, "timeout"),
        (Mode.LAME, "lame"),
    ],
)
def test_a_server_that_fails_leaves_every_line_unknown(mode: Mode, failure: str) -> None:
    with lookup_of(zone()) as (lookup, server):
        server.mode = mode

        lines = check(DOMAIN, WANTED, lookup)

    assert {line.verdict for line in lines} == {Verdict.UNKNOWN}
    assert {line.detail["why"] for line in lines} == {failure}
    assert worst(lines) is Verdict.UNKNOWN
    assert "Nobody can tell" in str(lines[0])


def test_a_silent_server_is_given_up_after_a_few_questions() -> None:
    with lookup_of(zone()) as (lookup, server):
        server.mode = Mode.SILENT

        lines = check(DOMAIN, WANTED, lookup)

    assert len({question.rpartition(" ")[0] for question in server.asked}) == SILENT_AT_MOST < len(lines)


def test_no_server_at_all_is_unknown_too() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        lookup = Lookup([f"127.0.0.1:{taken.getsockname()[1]}"], lifetime=0.2)

        assert lookup.ask(DOMAIN, "MX").failure == "timeout"


def test_an_answer_too_long_for_udp_is_fetched_by_tcp() -> None:
    with lookup_of(zone()) as (lookup, server):
        server.mode = Mode.TRUNCATED

        lines = check(DOMAIN, WANTED, lookup)

    assert worst(lines) is Verdict.MATCH
    assert f"{DOMAIN}. MX TCP" in server.asked


def test_what_is_not_there_and_what_has_no_such_record_are_both_no_failure() -> None:
    with lookup_of(zone()) as (lookup, _server):
        nowhere, no_record = lookup.ask("nowhere.example", "MX"), lookup.ask(DOMAIN, "SRV")

    assert (nowhere.values, nowhere.failure) == (no_record.values, no_record.failure) == ((), "")


def test_a_chain_that_leads_nowhere_tells_its_links() -> None:
    with lookup_of(zone("www.kunde.example. 60 IN CNAME gone.example.")) as (lookup, _server):
        answer = lookup.ask("www.kunde.example", "A")

    assert (answer.chain, answer.values, answer.failure) == (("gone.example",), (), "")


def test_each_question_is_asked_once() -> None:
    with lookup_of(zone()) as (lookup, server):
        check(DOMAIN, WANTED, lookup)

    plain = [question for question in server.asked if "MX" not in question]
    assert len(plain) == len(set(plain))


def test_a_stranger_cannot_make_us_ask_a_private_address() -> None:
    with lookup_of(zone()) as (_lookup, server):
        wary = Lookup([server.address], lifetime=1.0, authority_port=server.port)

        assert wary.original_ttl(DOMAIN, "MX") is None
        assert asking(server).original_ttl(DOMAIN, "MX") == 86400


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("192.0.2.1", ("192.0.2.1", 53)),
        ("192.0.2.1:5353", ("192.0.2.1", 5353)),
        ("2001:db8::1", ("2001:db8::1", 53)),
        ("[2001:db8::1]:5353", ("2001:db8::1", 5353)),
    ],
)
def test_addresses_of_servers_are_taken_apart(text: str, wanted: tuple[str, int]) -> None:
    assert address_and_port(text) == wanted


@pytest.mark.parametrize("text", ["", "resolver.example", "192.0.2.1:0", "192.0.2.300", "192.0.2.1:99999"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - what it says comes from the standard library
        address_and_port(text)


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "fe80::1", "::ffff:10.0.0.1", "224.0.0.1", "0.0.0.0"]
)
def test_this_machine_and_private_networks_are_not_public(address: str) -> None:
    assert not is_public(address)
    assert is_public("9.9.9.9")


def test_text_of_a_record_carries_no_line_ends_and_no_end() -> None:
    long = " ".join(f'"{"x" * 250}"' for _n in range(20))
    with lookup_of(zone(f'odd.kunde.example. 60 IN TXT "a\\010b\\226\\128\\174c" {long}')) as (lookup, _server):
        (value,) = lookup.ask("odd.kunde.example", "TXT").values

    assert value.startswith("a b c")
    assert len(value) == 2_000
