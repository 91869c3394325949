import pytest

from migration.addresses import (
    Address,
    InvalidAddress,
    Reason,
    domain_to_ascii,
    domain_to_unicode,
    parse,
    same,
)


def refused(text: str) -> Reason:
    with pytest.raises(InvalidAddress) as caught:
        parse(text)
    return caught.value.reason


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("anna@demo.example", "anna@demo.example"),
        ("ANNA@DEMO.EXAMPLE", "anna@demo.example"),
        ("anna@demo.example \u00a0", "anna@demo.example"),
        ("\ufeff\u200banna@demo.example\u200b\r\n", "anna@demo.example"),
        (" \u200b \ufeffanna@demo.example", "anna@demo.example"),
        ("anna@demo.example.", "anna@demo.example"),
        ("anna+tag@demo.example", "anna+tag@demo.example"),
        ("o'neil@demo.example", "o'neil@demo.example"),
        ("a.b-c_d/e=f?@demo.example", "a.b-c_d/e=f?@demo.example"),
        ("anna@bücher.example", "anna@xn--bcher-kva.example"),
        ("anna@BÜCHER.example", "anna@xn--bcher-kva.example"),
        ("anna@bu\u0308cher.example", "anna@xn--bcher-kva.example"),
        ("anna@XN--BCHER-KVA.example", "anna@xn--bcher-kva.example"),
        ("anna@xn--bcher-kva.example", "anna@xn--bcher-kva.example"),
        ("1@demo.example", "1@demo.example"),
    ],
)
def test_ways_to_write_an_address_become_one(written: str, meant: str) -> None:
    assert str(parse(written)) == meant


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", Reason.EMPTY),
        (" \u00a0\u200b", Reason.EMPTY),
        ("anna", Reason.NO_AT),
        ("@demo.example", Reason.NO_LOCAL_PART),
        ("anna@", Reason.NO_DOMAIN),
        ("anna@eva@demo.example", Reason.SEVERAL_ATS),
        ('"anna"@demo.example', Reason.QUOTED),
        ('"a@b"@demo.example', Reason.QUOTED),
        ("anna@[127.0.0.1]", Reason.LITERAL),
        ("anna@[IPv6:::1]", Reason.LITERAL),
        ("anna@127.0.0.1", Reason.DOMAIN),
        ("anna@localhost", Reason.DOMAIN),
        ("anna@demo..example", Reason.DOMAIN),
        ("anna@-demo.example", Reason.DOMAIN),
        ("anna@a_b.example", Reason.DOMAIN),
        ("anna@xn--zzzzzzzz.example", Reason.DOMAIN),
        ("anna@demo.example\r\nBcc: x", Reason.DOMAIN),
        ("an na@demo.example", Reason.LOCAL_PART_CHARACTERS),
        ("anna\x00@demo.example", Reason.LOCAL_PART_CHARACTERS),
        ("anna@demo\x00.example", Reason.DOMAIN),
        ("änna@demo.example", Reason.LOCAL_PART_CHARACTERS),
        ("anna\u0308@demo.example", Reason.LOCAL_PART_CHARACTERS),
        ("\ud800@demo.example", Reason.LOCAL_PART_CHARACTERS),
        ("anna@\ud800.example", Reason.DOMAIN),
        ("' OR 1=1--", Reason.NO_AT),
        (".anna@demo.example", Reason.LOCAL_PART_DOTS),
        ("anna.@demo.example", Reason.LOCAL_PART_DOTS),
        ("an..na@demo.example", Reason.LOCAL_PART_DOTS),
        ("0@demo.example", Reason.LOCAL_PART_REFUSED),
        ("x" * 1_000_000, Reason.TOO_LONG),
    ],
)
def test_what_is_no_address_is_refused_with_its_reason(text: str, reason: Reason) -> None:
    assert refused(text) == reason


@pytest.mark.parametrize("twin", ["\u212aai", "\u0130da", "\u0131da", "\u017ferena", "\uff4bai", "\u0455erena"])
def test_letter_twins_never_reach_another_mailbox(twin: str) -> None:
    assert refused(f"{twin}@demo.example") == Reason.LOCAL_PART_CHARACTERS


@pytest.mark.parametrize(
    "twin", ["\u212aunst.example", "\u017fonne.example", "\uff44emo.example", "de\u00admo.example"]
)
def test_letter_twins_never_reach_another_domain(twin: str) -> None:
    assert refused(f"anna@{twin}") == Reason.DOMAIN


def test_a_cyrillic_look_alike_is_another_domain() -> None:
    assert parse("anna@D\u0415MO.example") != parse("anna@demo.example")


def test_sharp_s_becomes_ss_as_on_mailcow() -> None:
    assert domain_to_ascii("müßig.example") == "xn--mssig-kva.example"
    assert same("anna@STRAẞE.example", "anna@strasse.example")


def test_lengths_end_where_rfc_5321_ends_them() -> None:
    long_domain = ".".join(["d" * 60] * 3) + ".example"

    assert parse("l" * 64 + "@demo.example").local_part == "l" * 64
    assert refused("l" * 65 + "@demo.example") == Reason.LOCAL_PART_LENGTH
    assert len(str(parse("l" * 63 + "@" + long_domain))) == 254
    assert refused("l" * 64 + "@" + long_domain) == Reason.TOO_LONG


def test_the_domain_is_shown_with_its_umlauts() -> None:
    assert domain_to_unicode("xn--bcher-kva.example") == "bücher.example"
    assert domain_to_unicode("xn--zzzzzzzz.example") == "xn--zzzzzzzz.example"
    assert parse("anna@bücher.example").display == "anna@bücher.example"


def test_same_compares_mailboxes_and_not_letters() -> None:
    assert same("Anna@bücher.example", "anna@xn--bcher-kva.example")
    assert not same("anna@demo.example", "eva@demo.example")
    assert not same("nonsense", "nonsense")


def test_an_address_is_a_value() -> None:
    assert parse("Anna@demo.example") == Address("anna", "demo.example")
    assert len({parse("Anna@demo.example"), parse("anna@demo.example")}) == 1


def test_a_refusal_does_not_carry_the_text() -> None:
    with pytest.raises(InvalidAddress) as caught:
        parse("geheim123")

    assert "geheim" not in str(caught.value)
