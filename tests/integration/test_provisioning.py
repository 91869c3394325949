"""A domain is made on mailcow: checked first, then object by object, and what is there is left alone."""

import pytest

from migration import domains, mailboxes, provisioning
from migration.models import Event, Mailbox, ProvisionedObject
from migration.refusals import VerbRefused
from migration.tasks import provision
from sandbox.mailcow import MailcowStandIn
from sandbox.mailcow.state import MIB, Alias
from tests import factories
from tests.provisioning import (
    NAME,
    STAFF,
    checked,
    make_domain,
    started,
    state_of,
    work_until_done,
    writes,
)

pytestmark = pytest.mark.django_db
State = ProvisionedObject.State
BOX, ALIAS = "m0@demo.example", "a0@demo.example"


def test_a_domain_is_made_with_its_mailboxes_and_aliases(mailcow: MailcowStandIn) -> None:
    row = started(make_domain(mailboxes=12, aliases=2))

    provision(row.pk)

    domain = mailcow.state.domains[NAME]
    assert (domain.active, domain.mailboxes, domain.aliases) == (1, 12, 400)
    assert len(mailcow.mailboxes) == 12
    assert (mailcow.mailboxes[BOX].quota, mailcow.mailboxes[BOX].name) == (100 * MIB, "Owner 0")
    assert {(alias.address, alias.goto, alias.active) for alias in mailcow.state.aliases.values()} == {
        (ALIAS, BOX, 1),
        ("a1@demo.example", BOX, 1),
    }
    assert provisioning.counts(row.domain) == {State.MADE: 15}


def test_nobody_knows_the_password_of_a_mailbox_that_was_made(mailcow: MailcowStandIn) -> None:
    row = started(make_domain(mailboxes=2))

    provision(row.pk)

    assert {entry.scheme for entry in mailcow.journal} == {"{ARGON2ID}"}
    assert len({entry.digest for entry in mailcow.journal}) == 2


def test_a_catch_all_and_a_mailbox_without_a_quota_are_made(mailcow: MailcowStandIn) -> None:
    domain = make_domain(aliases=0)
    factories.make_mailbox("roomy", domain=domain)
    factories.make_alias("*", goto=f"{BOX},out@x.example", domain=domain)
    row = started(domain)

    provision(row.pk)

    assert mailcow.mailboxes["roomy@demo.example"].quota == 3072 * MIB
    assert [(alias.address, alias.goto) for alias in mailcow.state.aliases.values()] == [
        ("@demo.example", f"{BOX},out@x.example")
    ]
    assert provisioning.counts(domain) == {State.MADE: 4}


def test_what_happened_is_told_once(mailcow: MailcowStandIn) -> None:
    row = started(make_domain())

    provision(row.pk)
    provision(row.pk)

    actions = list(Event.objects.order_by("pk").values_list("action", "mailbox__local_part"))
    assert actions == [("provision_started", None), ("made_there", None), ("made_there", "m0"), ("provisioned", None)]
    assert Event.objects.get(action=Event.Action.PROVISIONED).detail == {"objects": {"made": 3}}
    row.refresh_from_db()
    assert row.finished_at
    assert row.started_by == STAFF


def test_an_excluded_mailbox_is_not_made(mailcow: MailcowStandIn) -> None:
    domain = make_domain(mailboxes=3)
    mailboxes.exclude(Mailbox.objects.get(local_part="m1"), actor=STAFF, reason="left")
    row = started(domain)
    mailboxes.exclude(Mailbox.objects.get(local_part="m2"), actor=STAFF, reason="left meanwhile")

    assert work_until_done(row) == 1

    assert list(mailcow.mailboxes) == [BOX]


def test_a_mailbox_with_another_password_source_is_a_finding_and_stays_as_it_is(mailcow: MailcowStandIn) -> None:
    before = mailcow.add_mailbox(BOX, authsource="ldap", quota=7 * MIB, name="theirs")
    as_it_was = repr(before)
    domain = make_domain()

    row = checked(domain)
    provisioning.start(domain, actor=STAFF)
    provision(row.pk)

    assert "mailbox_authsource" in [finding.code for finding in row.found]
    assert state_of(BOX) == (State.DIFFERS, "mailbox_authsource")
    assert repr(mailcow.mailboxes[BOX]) == as_it_was
    assert [call.path for call in writes(mailcow)] == ["/api/v1/add/alias"]


def test_what_is_there_as_wanted_is_not_written(mailcow: MailcowStandIn) -> None:
    mailcow.add_mailbox(BOX, quota=100 * MIB)
    mailcow.state.aliases[5] = Alias(5, ALIAS, BOX, active=1)
    row = started(make_domain())

    provision(row.pk)

    assert provisioning.counts(row.domain) == {State.THERE: 3}
    assert writes(mailcow) == []


def test_an_alias_there_that_delivers_elsewhere_is_left_alone(mailcow: MailcowStandIn) -> None:
    mailcow.add_domain(NAME)
    mailcow.state.aliases[5] = Alias(5, ALIAS, "boss@x.example", active=1)
    row = started(make_domain())

    provision(row.pk)

    assert state_of(ALIAS) == (State.DIFFERS, "alias_goto")
    assert mailcow.state.aliases[5].goto == "boss@x.example"
    assert "boss@x.example" in ProvisionedObject.objects.get(kind="alias").why


def test_an_alias_where_we_have_a_mailbox_is_not_tried(mailcow: MailcowStandIn) -> None:
    domain = make_domain(aliases=0)
    factories.make_alias("m0", goto="out@x.example", domain=domain)
    row = started(domain)

    provision(row.pk)

    assert ProvisionedObject.objects.get(kind="alias").state == State.BLOCKED
    assert [call.path.rpartition("/")[2] for call in writes(mailcow)] == ["domain", "mailbox"]


def test_targets_with_umlauts_and_upper_case_are_sent_as_mailcow_keeps_them(mailcow: MailcowStandIn) -> None:
    domain = make_domain(aliases=0)
    factories.make_alias("info", goto="Eva@Bäckerei.example, OUT@x.example", domain=domain)
    row = started(domain)

    provision(row.pk)

    assert mailcow.state.alias_at("info@demo.example").goto == (  # type: ignore[union-attr]
        "eva@xn--bckerei-5wa.example,out@x.example"
    )


def test_an_alias_that_delivers_to_no_address_needs_a_person_and_holds_up_nothing(mailcow: MailcowStandIn) -> None:
    domain = make_domain(aliases=0)
    factories.make_alias("bad", goto="nonsense", domain=domain)
    factories.make_alias("good", goto=BOX, domain=domain)
    row = started(domain)

    assert work_until_done(row) == 1

    assert state_of("bad@demo.example") == (State.BLOCKED, "not_made_goto")
    assert state_of("good@demo.example") == (State.MADE, "")


def test_nothing_is_begun_before_the_findings_were_seen(mailcow: MailcowStandIn) -> None:
    domain = make_domain()

    with pytest.raises(VerbRefused) as refused:
        provisioning.start(domain, actor=STAFF)

    assert refused.value.code == "not_checked"
    assert not ProvisionedObject.objects.exists()


def test_nothing_is_begun_while_something_must_be_mended_first(mailcow: MailcowStandIn) -> None:
    mailcow.add_domain(NAME, mailboxes=0)
    domain = make_domain()
    checked(domain)

    with pytest.raises(VerbRefused) as refused:
        provisioning.start(domain, actor=STAFF)

    assert refused.value.code == "must_be_mended"


def test_a_paused_domain_is_not_begun_and_rests_in_between(mailcow: MailcowStandIn) -> None:
    domain = make_domain()
    row = started(domain)
    domains.pause(domain, actor=STAFF)

    provision(row.pk)

    assert writes(mailcow) == []
    with pytest.raises(VerbRefused):
        provisioning.start(domain, actor=STAFF)


def test_nothing_of_a_domain_is_made_before_the_domain(mailcow: MailcowStandIn) -> None:
    row = started(make_domain())
    mailcow.faults.reject(["domain_invalid"])

    provision(row.pk)

    assert state_of(NAME) == (State.BLOCKED, "not_made_name")
    assert len(writes(mailcow)) == 1


def test_beginning_again_takes_up_what_was_mended(mailcow: MailcowStandIn) -> None:
    domain = make_domain()
    row = started(domain)
    mailcow.faults.reject(["domain_invalid"])
    provision(row.pk)

    provisioning.start(domain, actor=STAFF)
    provision(row.pk)

    assert provisioning.counts(domain) == {State.MADE: 3}
    assert Event.objects.filter(action=Event.Action.PROVISIONED).count() == 1


def test_a_check_without_an_answer_says_so(mailcow: MailcowStandIn) -> None:
    mailcow.faults.answer_500()

    assert checked(make_domain()).why == "The new server has an error of its own. It is tried again by itself."
