"""The world behind the doors of `test_matrix`: two customers with all there is, and everybody's browser."""

import re
from dataclasses import dataclass
from datetime import timedelta

from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.apps import apps
from django.test import Client
from django.utils import timezone

from accounts.models import StaffSession, User
from migration.models import Answer, ApiToken, BulkRun, Case, Customer, ImportRun, Mailbox, Note, Review
from migration.secrets import Purpose, mac
from tests.factories import HASH, make_customer, make_domain, make_first_login, make_mailbox, make_push, make_staff
from tests.integration.contacts import contact_client, make_review
from tests.integration.door import owner_client
from tests.integration.proof import proves_who_it_is
from tests.matrix import PROGRAMS, STAFF

MODEL = re.compile(r"^/admin/(accounts|migration)/(\w+)/")


@dataclass
class World:
    """Two customers, each with a domain, a mailbox, a list, a case; everything the addresses can name."""

    mine: Mailbox
    theirs: Mailbox
    review: Review
    code: str
    case: Case
    answer: Answer

    def client(self, who: str) -> Client:
        """The browser of this one, signed in as far as he can be."""
        client = Client()
        if who == "owner":
            return owner_client(self.mine)
        if who == "contact":
            return contact_client(self.review, self.code)
        if who in PROGRAMS:
            token = a_token(self.mine.domain.customer if who == "customers-program" else None)
            return Client(headers={"Authorization": f"Bearer {token}"})
        if who in STAFF:
            user = make_staff(role=who)
            RecoveryCodes.activate(user)
            client.force_login(user, backend="accounts.staff.RoleBackend")
            client.get("/staff/")
            proves_who_it_is(client)
        return client

    def address(self, route: str, *, foreign: bool = False) -> str:
        """A route with the numbers and words of what it names; of the other customer's if asked for."""
        mailbox = self.theirs if foreign else self.mine
        words = {
            "/admin/": f"/admin/{self._row_in_the_admin(route)}/",
            "/domains/": mailbox.domain_id,
            "/review/": mailbox.domain_id,
            "/mailboxes/": mailbox.pk,
            "/customers/": mailbox.domain.customer_id,
            "/cases/": self.case.pk,
            "/notes/": mailbox.notes.get().pk,
            "/bulk/": BulkRun.objects.values_list("pk", flat=True).get(),
            "/answers/": self.answer.pk,
            "/sessions/": StaffSession.objects.values_list("pk", flat=True).first() or 1,
            "/members/": User.objects.values_list("pk", flat=True).first() or 1,
            "/tokens/": ApiToken.objects.order_by("pk").values_list("pk", flat=True).first(),
            "/passkey/": 1,
            "/s/": "of-nobody",
            "/c/": "of-nobody",
            "/help/": "thunderbird",
            "/guide/": "thunderbird",
            "/help/<slug:program>/": "imap",
            "/guide/<slug:program>/": "imap",
        }
        if route.startswith("/admin/"):
            return re.sub(r"<[^>]+>|\(\?P.*\)\$?|\^", str(self._row_in_the_admin(route)), route).replace("$", "")
        if route.startswith("/api/"):
            return route.replace("<name>", mailbox.domain.name)
        filled = ""
        for part in re.split(r"(<[^>]+>)", route):
            filled += str(words.get(filled_from(route, part), 1)) if part.startswith("<") else part
        return filled

    def _row_in_the_admin(self, route: str) -> int:
        model = MODEL.match(route)
        row = apps.get_model(model[1], model[2])._default_manager.first() if model else None
        return row.pk if row else 1


def filled_from(route: str, part: str) -> str:
    """What stands before a placeholder: the word that says what it names."""
    before = route[: route.index(part)]
    return before if before.endswith(">/") else f"/{before.rstrip('/').rpartition('/')[2]}/"


def a_token(customer: Customer | None) -> str:
    """A token that may read all there is, of the customer if one is given."""
    text = f"umzug_{'customer' if customer else 'for--all'}{'x' * 32}"
    ApiToken.objects.create(
        name="a program",
        lookup=text[6:14],
        mac=mac(Purpose.API_TOKEN, text.encode()),
        scopes=ApiToken.Scope.values,
        customer=customer,
        made_by="staff:eva",
        expires_at=timezone.now() + timedelta(days=1),
    )
    return text


def make_world() -> World:
    """Everything the addresses can name, twice."""
    mine, theirs = (make_mailbox(legacy=HASH, domain=make_domain(customer=make_customer())) for _which in range(2))
    for mailbox in (mine, theirs):
        make_push(make_mailbox(domain=mailbox.domain))
        make_first_login(mailbox)
        day = mailbox.created_at.date()
        Note.objects.create(mailbox=mailbox, text="Calls back.", written_by="staff:eva", follow_up_on=day)
    (review, code), _theirs = make_review(mine.domain), make_review(theirs.domain)
    case = Case.objects.create(mailbox=mine, kind=Case.Kind.SHARED)
    ApiToken.objects.create(name="x", lookup="lookup-1", mac=b"", made_by="staff:eva", expires_at=timezone.now())
    ImportRun.objects.create(domain=mine.domain, file_name="x.csv")
    BulkRun.objects.create(domain=mine.domain, verb=BulkRun.Verb.INVITE, chosen=1, ended_at=mine.created_at)
    answer = Answer.objects.create(review=review, mailbox=mine, choice=Answer.Choice.DELETE)
    return World(mine, theirs, review, code, case, answer)
