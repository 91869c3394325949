"""The verbs that make a domain: every recorded reply classified, and the verbs against the stand-in."""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Any

import pytest

from migration import schemes
from migration.mailcow import objects, provisioning
from migration.mailcow.client import Client
from migration.mailcow.errors import MailcowError, Missing, Reason, Unknown
from migration.mailcow.objects import NotMade, Refusal
from migration.mailcow.provisioning import NewAlias, NewDomain, NewMailbox
from sandbox.mailcow import MailcowStandIn
from sandbox.mailcow.state import MIB

from .recorded import Recording, recordings

HASH = schemes.make_hash("nobody knows this one")
DOMAIN = NewDomain("demo.example", "Demo", mailboxes=20, aliases=400, default_quota=1024, max_quota=4096, quota=9999)
ANNA = NewMailbox("anna@demo.example", "Anna Gruber", 2048)
INFO = NewAlias("info@demo.example", ("anna@demo.example",))

REFUSED = {
    "add-domain-duplicate add-domain-is-alias-domain add-mailbox-duplicate": Refusal.EXISTS,
    "add-domain-invalid-name add-domain-hostname add-domain-missing-name": Refusal.NAME,
    "add-mailbox-domain-invalid add-mailbox-local-part-65 add-mailbox-local-part-with-at": Refusal.NAME,
    "add-mailbox-nonascii-local-part": Refusal.NAME,
    "add-domain-defquota-over-maxquota add-domain-maxquota-over-quota": Refusal.QUOTA,
    "add-mailbox-domain-quota-left-exceeded": Refusal.QUOTA,
    "add-mailbox-alias-domain add-alias-unknown-domain": Refusal.NO_DOMAIN,
    "add-mailbox-count-exceeded": Refusal.COUNT,
    "add-alias-bad-goto": Refusal.GOTO,
    "add-alias-is-mailbox": Refusal.IS_TAKEN,
    "add-domain-zero-quota add-mailbox-password-policy": Refusal.OTHER,
}
UNCLEAR = {
    "add-mailbox-name-long": Reason.EMPTY,
    "add-alias-over-limit": Reason.UNEXPECTED,
    "auth-missing-key-add": Reason.EMPTY,
    "auth-readonly-key-add": Reason.READ_ONLY,
}
"""Nothing was made; of several objects in one call only some; or we were not let in."""

KEYS = {"add/domain": "domain_added", "add/mailbox": "mailbox_added", "add/alias": "alias_added"}
ADDS = [one for one in recordings().values() if one.route in KEYS]


def name_sent(recording: Recording) -> str:
    """The object as mailcow names it: what our verbs send already is of that form."""
    sent = recording.request["body"]
    if isinstance(sent, list):
        return "nothing"
    if recording.route == "add/alias":
        local_part, _, domain = sent["address"].rpartition("@")
        return f"{local_part}@{domain.lower()}"
    domain = str(sent.get("domain", "")).strip().lower().encode("idna").decode()
    return domain if recording.route == "add/domain" else f"{str(sent['local_part']).strip().lower()}@{domain}"


def expected_of(recording: Recording) -> Any:
    for patterns, refusal in REFUSED.items():
        if any(fnmatchcase(recording.name, pattern) for pattern in patterns.split()):
            return refusal
    return UNCLEAR.get(recording.name)


def outcome_of(verb: Callable[[], object]) -> Any:
    try:
        verb()
    except NotMade as error:
        return error.refusal
    except MailcowError as error:
        return error.reason
    return None


@pytest.mark.parametrize("recording", ADDS, ids=[one.name for one in ADDS])
def test_reply_to_an_add_means_what_mailcow_made(recording: Recording) -> None:
    name = name_sent(recording)

    assert outcome_of(lambda: objects.made(recording.reply, KEYS[recording.route], name)) == expected_of(recording)


@pytest.mark.parametrize("recording", ADDS, ids=[one.name for one in ADDS])
def test_no_reply_counts_as_success_for_another_object(recording: Recording) -> None:
    for key in KEYS.values():
        with pytest.raises(MailcowError):
            objects.made(recording.reply, key, "other@elsewhere.example")


def test_no_reply_to_anything_else_counts_as_made() -> None:
    for name, recording in recordings().items():
        if recording.route not in KEYS:
            for key in KEYS.values():
                with pytest.raises(MailcowError):
                    objects.made(recording.reply, key, name)


def test_every_domain_mailcow_told_of_can_be_read() -> None:
    facts = objects.read_domain(recordings()["get-domain-after"].reply)

    assert (facts.name, facts.active, facts.backup_mx, facts.relays) == ("demo.example", True, False, False)
    assert (facts.mailboxes, facts.max_mailboxes, facts.aliases, facts.max_aliases) == (18, 40, 7, 50)
    assert (facts.quota_given, facts.max_quota, facts.max_quota_of_mailbox) == (1462763520, 10000 * MIB, 1000 * MIB)


def test_alias_domain_tells_the_name_of_its_target() -> None:
    assert objects.read_domain(recordings()["get-domain-alias-domain"].reply).name == "demo.example"


def test_nothing_but_a_domain_is_read_as_one() -> None:
    read = {
        name
        for name, one in recordings().items()
        if outcome_of(lambda one=one: objects.read_domain(one.reply)) is None  # type: ignore[misc]
    }

    assert read == {name for name in recordings() if name.startswith("get-domain-") and "-all" not in name}


def test_aliases_are_read_with_their_targets_in_order() -> None:
    rows = objects.read_aliases(recordings()["get-alias-all-domain"].reply, "demo.example")

    by_address = {row.address: row for row in rows}
    assert by_address["sales@demo.example"].goto == ("anna@demo.example", "logins@demo.example")
    assert by_address["info@demo.example"].active


@pytest.mark.parametrize("name", ["get-alias-all-domain-none", "get-alias-all-domain-unknown"])
def test_an_empty_object_is_no_alias(name: str) -> None:
    assert objects.read_aliases(recordings()[name].reply, "demo.example") == []


def test_alias_of_another_address_is_not_believed() -> None:
    reply = recordings()["get-alias-address-with-leading-digits"].reply

    with pytest.raises(Unknown):
        objects.read_alias(reply, "79xyz@demo.example")


def test_mailbox_is_no_alias() -> None:
    with pytest.raises(Missing):
        objects.read_alias(recordings()["get-alias-address-of-mailbox"].reply, "logins@demo.example")


def test_what_was_made_is_there(mailcow: MailcowStandIn, client: Client) -> None:
    provisioning.add_domain(client, DOMAIN)
    provisioning.add_mailbox(client, ANNA, password_hash=HASH)
    provisioning.add_alias(client, INFO)

    facts = provisioning.domain(client, "demo.example")
    assert (facts.mailboxes, facts.max_mailboxes, facts.max_quota) == (1, 20, 9999 * MIB)
    row = mailcow.mailboxes["anna@demo.example"]
    assert (row.name, row.quota, row.active, row.authsource) == ("Anna Gruber", 2048 * MIB, 1, "mailcow")
    assert row.attributes["force_pw_update"] == "0"
    assert provisioning.alias(client, INFO.address) == provisioning.aliases(client, "demo.example")[0]
    assert provisioning.alias(client, INFO.address).active


@pytest.mark.parametrize("local_part", ["o'neil", "a+b", "79xyz", "a.b_c"])
def test_odd_addresses_are_made_and_found(local_part: str, client: Client) -> None:
    provisioning.add_domain(client, DOMAIN)
    mailbox, alias = f"{local_part}@demo.example", f"{local_part}2@demo.example"

    provisioning.add_mailbox(client, NewMailbox(mailbox, "", 1), password_hash=HASH)
    provisioning.add_alias(client, NewAlias(alias, (mailbox,)))

    assert client.mailbox(mailbox).address == mailbox
    assert provisioning.alias(client, alias).goto == (mailbox,)


def test_a_catch_all_is_made_and_found(client: Client) -> None:
    provisioning.add_domain(client, DOMAIN)

    provisioning.add_alias(client, NewAlias("@demo.example", ("anna@demo.example",)))

    assert provisioning.alias(client, "@demo.example").goto == ("anna@demo.example",)


def test_what_is_not_there_is_missing(client: Client) -> None:
    for verb in (
        lambda: provisioning.domain(client, "demo.example"),
        lambda: provisioning.alias(client, "info@demo.example"),
        lambda: provisioning.alias(client, "1@demo.example"),
    ):
        with pytest.raises(Missing):
            verb()


def test_nothing_is_made_twice(mailcow: MailcowStandIn, client: Client) -> None:
    provisioning.add_domain(client, DOMAIN)
    provisioning.add_mailbox(client, ANNA, password_hash=HASH)
    provisioning.add_alias(client, INFO)

    assert outcome_of(lambda: provisioning.add_domain(client, DOMAIN)) is Refusal.EXISTS
    assert outcome_of(lambda: provisioning.add_mailbox(client, ANNA, password_hash=HASH)) is Refusal.EXISTS
    assert outcome_of(lambda: provisioning.add_alias(client, INFO)) is Refusal.IS_TAKEN
    assert len(mailcow.journal) == len(mailcow.state.aliases) == len(mailcow.state.domains) == 1


@pytest.mark.parametrize(
    "verb",
    [
        lambda client: provisioning.add_mailbox(client, ANNA, password_hash="{PLAIN}secret"),
        lambda client: provisioning.add_mailbox(client, NewMailbox("anna@demo.example", "", 0), password_hash=HASH),
        lambda client: provisioning.add_mailbox(client, NewMailbox("Änna@demo.example", "", 1), password_hash=HASH),
        lambda client: provisioning.add_alias(client, NewAlias("a@demo.example", ("nonsense",))),
    ],
    ids=["clear text", "unlimited", "umlaut", "no address"],
)
def test_what_mailcow_would_misread_never_reaches_the_wire(
    mailcow: MailcowStandIn, client: Client, verb: Callable[[Client], None]
) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the message is for developers
        verb(client)

    assert not mailcow.calls


def test_an_alias_to_itself_is_refused_here(mailcow: MailcowStandIn, client: Client) -> None:
    alias = NewAlias("a@demo.example", ("a@demo.example",))

    assert outcome_of(lambda: provisioning.add_alias(client, alias)) is Refusal.GOTO
    assert not mailcow.calls
