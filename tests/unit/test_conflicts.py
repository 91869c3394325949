"""What stands in the way of making a domain on mailcow, and what is only to be known."""

from dataclasses import replace

import pytest
from django.utils import translation

from migration.conflicts import MIB, Found, Kind, Wanted, WantedMailbox, check, to_make
from migration.findings import SENTENCES, SEVERITIES, Finding, Severity
from migration.mailcow.objects import AliasFacts, DomainFacts
from migration.mailcow.provisioning import NewAlias, NewDomain, NewMailbox
from migration.mailcow.replies import MailboxFacts

NAME = "demo.example"
DOMAIN = NewDomain(NAME, "Demo", mailboxes=10, aliases=400, default_quota=1024, max_quota=10240, quota=10240)
THERE = DomainFacts(
    NAME,
    active=True,
    backup_mx=False,
    relays=False,
    mailboxes=0,
    max_mailboxes=10,
    aliases=0,
    max_aliases=400,
    quota_given=0,
    max_quota=10240 * MIB,
    max_quota_of_mailbox=4096 * MIB,
)
ANNA = WantedMailbox(NewMailbox("anna@demo.example", "Anna", 1024))
INFO = NewAlias("info@demo.example", ("anna@demo.example",))
WANTED = Wanted(DOMAIN, (ANNA,), (INFO,))


def box(address: str = "anna@demo.example", **changes: object) -> MailboxFacts:
    facts = MailboxFacts(address, 1, "mailcow", None, "", 1024 * MIB, None, None, None)
    return replace(facts, **changes)  # type: ignore[arg-type]


def alias(address: str = "info@demo.example", goto: str = "anna@demo.example", *, active: bool = True) -> AliasFacts:
    return AliasFacts(address, tuple(goto.split(",")), active)


def codes(wanted: Wanted, found: Found) -> list[str]:
    return [finding.code for finding in check(wanted, found)]


def of_code(code: str, wanted: Wanted, found: Found) -> Finding:
    return next(finding for finding in check(wanted, found) if finding.code == code)


def test_nothing_stands_in_the_way_of_a_new_domain() -> None:
    assert codes(WANTED, Found()) == ["domain_new"]
    assert to_make(WANTED, Found()) == {Kind.DOMAIN: 1, Kind.MAILBOX: 1, Kind.ALIAS: 1}


def test_what_is_there_as_wanted_is_only_counted() -> None:
    found = Found(THERE, (box(),), (alias(),))

    assert codes(WANTED, found) == ["aliases_exist", "domain_exists", "mailboxes_exist"]
    assert to_make(WANTED, found) == {Kind.DOMAIN: 0, Kind.MAILBOX: 0, Kind.ALIAS: 0}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"name": "other.example"}, "alias_domain"),
        ({"max_mailboxes": 0}, "mailbox_count"),
        ({"mailboxes": 10}, "mailbox_count"),
        ({"max_aliases": 0}, "alias_count"),
        ({"max_quota": 1023 * MIB}, "quota_sum"),
        ({"quota_given": 9217 * MIB}, "quota_sum"),
    ],
)
def test_what_must_be_mended_first_comes_first(changes: dict[str, object], code: str) -> None:
    first = check(WANTED, Found(replace(THERE, **changes)))[0]  # type: ignore[arg-type]

    assert (first.severity, first.code) == (Severity.STOP, code)


def test_what_just_fits_is_no_finding() -> None:
    tight = replace(THERE, max_mailboxes=1, max_aliases=1, max_quota=1024 * MIB, max_quota_of_mailbox=1024 * MIB)

    assert codes(WANTED, Found(tight)) == ["domain_exists"]


def test_what_is_there_already_needs_no_room() -> None:
    full = replace(THERE, mailboxes=10, aliases=400, quota_given=10240 * MIB)

    assert not [one for one in check(WANTED, Found(full, (box(),), (alias(),))) if one.severity is Severity.STOP]


@pytest.mark.parametrize(
    ("found", "code"),
    [
        (Found(replace(THERE, active=False)), "domain_inactive"),
        (Found(replace(THERE, backup_mx=True)), "domain_relays"),
        (Found(replace(THERE, relays=True)), "domain_relays"),
        (Found(replace(THERE, max_quota_of_mailbox=1023 * MIB)), "mailbox_too_big"),
        (Found(THERE, (box(authsource="ldap"),)), "mailbox_authsource"),
        (Found(THERE, (box(active=0),)), "mailbox_inactive"),
        (Found(THERE, (box(active=2),)), "mailbox_inactive"),
        (Found(THERE, (box(quota=1023 * MIB),)), "mailbox_quota"),
        (Found(THERE, (box(quota=0),)), "mailbox_quota"),
        (Found(THERE, (), (alias("anna@demo.example", "x@y.example"),)), "mailbox_is_alias"),
        (Found(THERE, (box("info@demo.example"),)), "alias_is_mailbox"),
        (Found(THERE, (), (alias(goto="other@demo.example"),)), "alias_goto"),
        (Found(THERE, (), (alias(goto="anna@demo.example,other@demo.example"),)), "alias_goto"),
        (Found(THERE, (), (alias(active=False),)), "alias_inactive"),
    ],
)
def test_what_differs_there_is_left_as_it_is(found: Found, code: str) -> None:
    assert of_code(code, WANTED, found).severity is Severity.LEFT


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        (Wanted(DOMAIN, (ANNA,), (NewAlias("anna@demo.example", ("x@y.example",)),)), "alias_is_own_mailbox"),
        (Wanted(DOMAIN, (), (NewAlias("a@demo.example", ("a@demo.example",)),)), "alias_to_itself"),
    ],
)
def test_aliases_that_cannot_be_made_are_left_out(wanted: Wanted, code: str) -> None:
    assert of_code(code, wanted, Found()).severity is Severity.LEFT
    assert to_make(wanted, Found())[Kind.ALIAS] == 0


def test_upper_case_on_mailcow_is_the_same_alias() -> None:
    found = Found(THERE, (), (alias("Info@demo.example"),))

    assert of_code("alias_case", WANTED, found).severity is Severity.NOTE
    assert to_make(WANTED, found)[Kind.ALIAS] == 0


def test_quota_is_not_compared_where_we_know_none() -> None:
    wanted = Wanted(DOMAIN, (replace(ANNA, has_quota=False),))

    assert "mailbox_quota" not in codes(wanted, Found(THERE, (box(quota=5),)))
    assert of_code("no_quota", wanted, Found()).detail == {"n": 1, "quota": 1024}


def test_order_of_an_alias_targets_means_nothing() -> None:
    wanted = Wanted(DOMAIN, (), (NewAlias("info@demo.example", ("a@x.example", "b@x.example")),))

    assert "alias_goto" not in codes(wanted, Found(THERE, (), (alias(goto="b@x.example,a@x.example"),)))


def test_target_that_is_nowhere_is_told() -> None:
    wanted = Wanted(DOMAIN, (ANNA,), (NewAlias("info@demo.example", ("gone@demo.example", "out@x.example")),))

    assert of_code("goto_nowhere", wanted, Found()).detail == {"target": "gone@demo.example"}
    assert "goto_nowhere" not in codes(wanted, Found(THERE, (box("gone@demo.example"),)))


def test_target_that_is_no_address_is_told() -> None:
    wanted = Wanted(DOMAIN, (), (NewAlias("info@demo.example", ("nonsense",)),))

    assert of_code("goto_invalid", wanted, Found()).severity is Severity.LEFT


def test_catch_all_is_told_whoever_has_it() -> None:
    ours = Wanted(DOMAIN, (ANNA,), (NewAlias("@demo.example", ("anna@demo.example",)),))
    theirs = Found(THERE, (), (alias("@demo.example"),))

    assert "catch_all" in codes(ours, Found())
    assert "catch_all_there" in codes(WANTED, theirs)
    assert codes(ours, theirs) == ["aliases_exist", "domain_exists"]


def test_what_is_only_there_is_counted() -> None:
    found = Found(THERE, (box("zoe@demo.example", quota=0),), (alias("zoe2@demo.example"),))

    assert of_code("mailboxes_only_there", WANTED, found).detail == {"n": 1}
    assert of_code("aliases_only_there", WANTED, found).detail == {"n": 1}
    assert of_code("unlimited", WANTED, found).detail == {"n": 1}


def test_name_with_umlauts_is_told_as_people_write_it() -> None:
    wanted = Wanted(replace(DOMAIN, name="xn--mller-kva.example"))

    assert of_code("idn", wanted, Found()).detail == {"written": "müller.example"}


def test_forwarding_is_told() -> None:
    assert "forwards" in codes(Wanted(DOMAIN, (replace(ANNA, forwards=True),)), Found())


def test_every_sentence_reads_in_german_too() -> None:
    detail = dict.fromkeys(("target", "need", "left", "there", "ours", "goto", "most", "written", "n", "quota"), "7")
    for code in SENTENCES:
        finding = Finding(Severity.NOTE, code, "", detail)
        english = str(finding)
        with translation.override("de"):
            assert str(finding) != english, code
            assert SEVERITIES[Severity.NOTE] != "to know"
        assert "%(" not in english


def test_finding_comes_back_as_it_was_kept() -> None:
    finding = Finding(Severity.LEFT, "mailbox_quota", "anna@demo.example", {"there": 1, "ours": 2})

    assert Finding.of(finding.kept) == finding
