"""Of what kind a mailbox is: guessed with a reason, and put right by hand."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from migration import kinds
from migration.mailings import compose
from migration.models import Domain, Event, Mailbox
from tests.factories import make_domain, make_mailbox

NOW = datetime(2026, 11, 24, tzinfo=UTC)
Kind = Mailbox.Kind


@pytest.mark.parametrize(
    ("local_part", "kind", "reason"),
    [
        ("info", Kind.SHARED, "shared_name"),
        ("office", Kind.SHARED, "shared_name"),
        ("office2", Kind.SHARED, "shared_name"),
        ("no-reply", Kind.MACHINE, "machine_name"),
        ("scan_to_mail", Kind.MACHINE, "machine_name"),
        ("scanner.02", Kind.MACHINE, "machine_name"),
        ("anna", Kind.PERSONAL, ""),
        ("scannell", Kind.PERSONAL, ""),
        ("inform", Kind.PERSONAL, ""),
        ("1984", Kind.PERSONAL, ""),
    ],
)
def test_a_whole_name_tells_of_several_people_or_a_machine(local_part: str, kind: str, reason: str) -> None:
    guessed = kinds.guess(local_part, "demo.example", last_login=None, forwards=(), now=NOW)

    assert guessed == (kind, reason)


@pytest.mark.parametrize(
    ("days", "kind"), [(0, Kind.PERSONAL), (179, Kind.PERSONAL), (181, Kind.DORMANT), (None, Kind.PERSONAL)]
)
def test_who_has_not_signed_in_for_180_days_is_dormant(days: int | None, kind: str) -> None:
    last_login = None if days is None else NOW - timedelta(days=days)

    guessed, _reason = kinds.guess("anna", "demo.example", last_login=last_login, forwards=(), now=NOW)

    assert guessed == kind


@pytest.mark.parametrize(
    ("forwards", "kind"),
    [(["x@gmail.example"], Kind.OUTSIDE), (["ben@demo.example"], Kind.PERSONAL), (["x@notdemo.example"], Kind.OUTSIDE)],
)
def test_only_what_leaves_the_domain_is_outside(forwards: list[str], kind: str) -> None:
    assert kinds.guess("anna", "demo.example", last_login=None, forwards=forwards, now=NOW)[0] == kind


@pytest.mark.django_db
class TestByHand:
    @pytest.fixture
    def domain(self) -> Domain:
        return make_domain("demo.example")

    def test_each_changed_mailbox_gets_its_event_and_the_others_none(self, domain: Domain) -> None:
        anna, ben = make_mailbox("anna", domain=domain), make_mailbox("ben", domain=domain, kind=Kind.SHARED)

        assert kinds.set_kind([anna, ben], Kind.SHARED, actor="staff:eva") == 1

        assert set(Mailbox.objects.values_list("kind", "kind_reason")) == {("shared", "corrected")}
        event = Event.objects.get()
        assert (event.action, event.actor, event.mailbox, event.domain) == ("kind_set", "staff:eva", anna, domain)
        assert event.detail == {"before": "personal", "kind": "shared"}

    def test_a_second_time_changes_nothing(self, domain: Domain) -> None:
        anna = make_mailbox("anna", domain=domain)
        kinds.set_kind([anna], Kind.MACHINE, actor="staff:eva")

        assert kinds.set_kind([anna], Kind.MACHINE, actor="staff:eva") == 0
        assert Event.objects.count() == 1

    def test_a_kind_there_is_none_is_refused(self, domain: Domain) -> None:
        anna = make_mailbox("anna", domain=domain)

        with pytest.raises(ValueError, match="robot"):
            kinds.set_kind([anna], "robot", actor="staff:eva")  # type: ignore[arg-type]

        assert Mailbox.objects.get().kind == Kind.PERSONAL

    def test_twice_as_many_cost_no_more_queries(self, domain: Domain) -> None:
        def queries(number: int) -> int:
            boxes = [make_mailbox(f"m{number}-{each}", domain=domain) for each in range(number)]
            with CaptureQueriesContext(connection) as captured:
                kinds.set_kind(boxes, Kind.MACHINE, actor="staff:eva")
            return len(captured)

        assert queries(10) == queries(20)

    @pytest.mark.parametrize(("kind", "named"), [(Kind.DORMANT, True), (Kind.OUTSIDE, True), (Kind.SHARED, False)])
    def test_a_dormant_owner_is_still_called_by_name(self, domain: Domain, kind: str, *, named: bool) -> None:
        anna = make_mailbox("anna", domain=domain, name="Anna Gruber", kind=kind)

        mail = compose.password_saved(anna, NOW, language="en")

        assert ("Hello Anna Gruber" in mail.text) is named

    def test_a_mailbox_names_the_targets_outside(self, domain: Domain) -> None:
        anna = make_mailbox("anna", domain=domain, forwards="ben@demo.example,x@gmail.example")

        assert anna.outside == ["x@gmail.example"]
        assert make_mailbox("ben", domain=domain).outside == []

    def test_the_desk_shows_kind_reason_size_forwards_and_who_put_it_right(
        self, domain: Domain, support_client: Client
    ) -> None:
        anna = make_mailbox("anna", domain=domain, quota_mib=500, used_mib=12, forwards="anna@gmail.example")
        kinds.set_kind([anna], Kind.OUTSIDE, actor="staff:eva@provider.example")

        page = " ".join(support_client.get(reverse("desk:mailbox", args=[anna.pk])).content.decode().split())

        assert "one person, forwards to outside" in page
        assert "(set by hand)" in page
        assert "12 / 500 MiB" in page
        assert "anna@gmail.example" in page
        assert "leaves the house" in page
        assert "one person → one person, forwards to outside" in page

    def test_the_contact_is_told_of_used_size_and_of_what_leaves_the_house(self, domain: Domain) -> None:
        make_mailbox("anna", domain=domain, used_mib=12, forwards="anna@gmail.example,ben@demo.example")

        _subject, text = compose.draft(domain)

        told = next(line for line in text.splitlines() if line.startswith("- anna@"))
        assert told == (
            "- anna@demo.example, belegt 12 MiB, leitet weiter an anna@gmail.example, ben@demo.example"
            " – verlässt unser Haus: anna@gmail.example"
        )
