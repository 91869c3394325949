import contextlib

from hypothesis import given
from hypothesis import strategies as st

from migration.addresses import InvalidAddress, domain_to_ascii, domain_to_unicode, parse, same

ATEXT = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+/=?^_`{|}~-"
LOCAL_PARTS = st.lists(st.text(ATEXT, min_size=1, max_size=12), min_size=1, max_size=4).map(".".join)
LABELS = st.text("abcdefghijkmnopqrstuvwxyzäöüßçéABCÄÖÜ0123456789", min_size=1, max_size=15)
DOMAINS = st.lists(LABELS, min_size=1, max_size=3).map(lambda labels: ".".join([*labels, "example"]))
ANYTHING = st.text(st.characters(codec=None, exclude_categories=()), max_size=300)


@given(ANYTHING)
def test_any_text_is_an_address_or_refused(text: str) -> None:
    try:
        address = parse(text)
    except InvalidAddress:
        return

    assert str(address).isascii()
    assert len(str(address)) <= 254


@given(ANYTHING, ANYTHING)
def test_any_local_part_and_domain_are_an_address_or_refused(local_part: str, domain: str) -> None:
    with contextlib.suppress(InvalidAddress):
        parse(f"{local_part}@{domain}.example")


@given(LOCAL_PARTS, DOMAINS)
def test_normalising_twice_changes_nothing(local_part: str, domain: str) -> None:
    try:
        once = parse(f"{local_part}@{domain}")
    except InvalidAddress:
        return

    assert parse(str(once)) == once
    assert parse(once.display) == once


@given(
    LOCAL_PARTS,
    st.sampled_from(["demo.example", "bücher.example"]),
    st.sampled_from(["", " ", "\u00a0", "\r\n"]),
)
def test_case_and_blanks_around_do_not_matter(local_part: str, domain: str, blank: str) -> None:
    text = f"{local_part}@{domain}"

    if len(local_part) <= 64 and local_part != "0":
        assert same(text, blank + text.upper() + blank)


@given(DOMAINS)
def test_a_domain_survives_the_way_to_display_and_back(domain: str) -> None:
    try:
        ascii_domain = domain_to_ascii(domain)
    except InvalidAddress:
        return

    assert domain_to_ascii(domain_to_unicode(ascii_domain)) == ascii_domain


@given(st.characters(min_codepoint=128), st.text("abc", max_size=5))
def test_no_character_outside_ascii_ever_becomes_an_ascii_local_part(character: str, rest: str) -> None:
    assert not same(f"{rest}{character}{rest}x@demo.example", f"{rest}k{rest}x@demo.example")
    try:
        address = parse(f"x{character}x@demo.example")
    except InvalidAddress:
        return

    raise AssertionError(f"{character!a} was taken into {address}")
