"""One of every mail we send, about a made-up company: for the pictures in docs/images/mail, and for the tests.

`every_mail` makes the rows it needs in the database at hand, which must be one that may be thrown away.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from django.utils import timezone

from migration import dns_letter, wordings
from migration import first_login as first_logins
from migration.dns.lines import Line, Verdict
from migration.mailings import compose, occasion
from migration.models import Alias, Customer, Domain, Event, FirstLogin, Mailbox, Mailing, Review

SECRET = "tq7mwc4bpxr9hd3k"
# A domain is there once only, and each language has its own.
DOMAINS = {"de": ("sonnleitner.example", "hofladen.example"), "en": ("hughes.example", "farmshop.example")}
SHOWN = first_logins.show(SECRET)
# What a customer may add to his mails.
ASK_INSIDE = {
    "de": "Wer lieber im Haus fragt: Frau Berger am Empfang von {customer} weiß Bescheid.",
    "en": "If you would rather ask in the house: Ms Berger at the reception of {customer} knows about it.",
}
Kind, S = Mailbox.Kind, Mailing.State


def _found(domain: str) -> list[Line]:
    """What a look at the name servers of a domain with everything to change brought."""
    mx, old = ("10 mx.provider.example",), ("10 mail.old.example",)
    spf, source = ("v=spf1 include:provider.example ~all",), ("v=spf1 mx -all",)
    host, there = ("mail.provider.example",), ("203.0.113.9",)
    conflict, missing = Verdict.CONFLICT, Verdict.MISSING
    key = (f"v=DKIM1; k=rsa; p={'QUJDREVGR0hJSktMTU5P' * 8}",)
    return [
        Line("mx", domain, "MX", conflict, "mx_source", wanted=mx, found=old, foreign=old, ttl=86400),
        Line("spf", domain, "TXT", conflict, "spf_without", wanted=spf, found=source, foreign=source),
        Line("dkim", f"dkim._domainkey.{domain}", "TXT", missing, "dkim_none", wanted=key),
        Line("autoconfig", f"autoconfig.{domain}", "CNAME", missing, "host_none", wanted=host),
        Line(
            *("autodiscover", f"autodiscover.{domain}", "CNAME", conflict, "host_elsewhere"),
            wanted=host,
            found=there,
            foreign=there,
            detail={"there": there[0]},
        ),
    ]


DNS_FOUND = {language: _found(names[0]) for language, names in DOMAINS.items()}


@dataclass(frozen=True)
class Sample:
    """A mail, and what its reader must find in it: the secret if it carries one, and the last day."""

    name: str
    language: str
    mail: compose.Mail = field(repr=False)
    secret: str = ""
    last_day: str = ""


@dataclass
class _Company:
    """Its domain, before the cut-over; and another one of it that has been cut over."""

    language: str
    domain: Domain
    moved: Domain

    def mailbox(self, local_part: str, name: str, **fields: object) -> Mailbox:
        values: dict[str, object] = {"domain": self.domain, "name": name} | fields
        return Mailbox.objects.create(local_part=local_part, **values)

    def mailed(self, mailbox: Mailbox, kind: str = Mailing.Kind.INVITATION) -> FirstLogin:
        """A first-login password with its mail, sent a week ago."""
        number, ago = mailbox.first_logins.count() + 1, timezone.now() - timedelta(days=7)
        row = FirstLogin.objects.create(mailbox=mailbox, number=number, locator=first_logins.new_locator())
        first_logins.mint(row)
        Mailing.objects.create(
            kind=kind,
            domain=mailbox.domain,
            mailbox=mailbox,
            first_login=row,
            recipient=mailbox.address,
            language=self.language,
            state=S.SENT,
            sent_at=ago,
        )
        return row

    def sample(self, name: str, first_login: FirstLogin, *, reminder: bool = False) -> Sample:
        """The mail with this first-login password."""
        composed = compose.reminder if reminder else compose.invitation
        mail = composed(first_login, SECRET, language=self.language)
        return Sample(name, self.language, mail, SHOWN, self.day(first_login))

    def day(self, first_login: FirstLogin) -> str:
        """The last day as the mail writes it."""
        return occasion.day(occasion.last_day(first_login), self.language)


def every_mail(language: str) -> Iterator[Sample]:
    """All of them in one language."""
    company = _company(language)
    yield from _about_the_domain(company)
    yield from _invitations(company)
    yield from _reminders(company)
    yield from _notices(company)
    yield _in_own_words(company)


def _company(language: str) -> _Company:
    customer = Customer.objects.create(
        name={"de": "Sonnleitner Naturkost GmbH", "en": "Hughes Natural Foods Ltd"}[language],
        contact_name={"de": "Katharina Sonnleitner", "en": "Catherine Hughes"}[language],
        contact_email="katharina@kontakt.example",
        language=language,
    )
    today, moved = timezone.localdate(), {"cut_over_at": timezone.now() - timedelta(days=3)}
    domains = [
        Domain.objects.create(
            name=name,
            customer=customer,
            deadline=today + timedelta(days=12),
            cut_over_on=today + timedelta(days=14),
            **fields,
        )
        for name, fields in zip(DOMAINS[language], ({}, moved), strict=True)
    ]
    for domain in domains:
        Mailing.objects.create(
            kind=Mailing.Kind.ANNOUNCEMENT,
            domain=domain,
            recipient=customer.contact_email,
            language=language,
            state=S.SENT,
            sent_at=timezone.now() - timedelta(days=20),
        )
    return _Company(language, *domains)


def _invitations(company: _Company) -> Iterator[Sample]:
    anna = company.mailbox("anna.gruber", "Anna Gruber", state="invited")
    yield company.sample("invitation", company.mailed(anna))
    yield company.sample("invitation-again", company.mailed(anna))
    office = company.mailbox("office", "", kind=Kind.SHARED, responsible=f"chefin@{company.domain}")
    yield company.sample("invitation-shared", company.mailed(office))
    scanner = company.mailbox("scanner", "", kind=Kind.MACHINE, responsible=f"chefin@{company.domain}")
    yield company.sample("invitation-machine", company.mailed(scanner))
    for name, replaced in (("over", False), ("replaced", True)):
        jonas = company.mailbox(f"jonas.{name}", "Jonas Eder", state="invited", version=0 if replaced else 1)
        spent = company.mailed(jonas)
        FirstLogin.objects.filter(pk=spent.pk).update(revoked_at=timezone.now())
        if replaced:
            Event.record(Event.Action.REPLACED, actor="owner", mailbox=jonas, number=spent.number)
        yield company.sample(f"invitation-{name}", company.mailed(jonas))


def _reminders(company: _Company) -> Iterator[Sample]:
    people = (("paul.lang", "Paul Lang", Kind.PERSONAL), ("info", "", Kind.SHARED), ("kassa", "", Kind.MACHINE))
    for local_part, name, kind in people:
        for domain, ending in ((company.domain, ""), (company.moved, "-late")):
            mailbox = company.mailbox(local_part, name, kind=kind, domain=domain, state="invited")
            company.mailed(mailbox)
            of_kind = "" if kind == Kind.PERSONAL else f"-{kind}"
            again = company.mailed(mailbox, Mailing.Kind.REMINDER)
            yield company.sample(f"reminder{ending}{of_kind}", again, reminder=True)


def _notices(company: _Company) -> Iterator[Sample]:
    language, now = company.language, timezone.now()
    eva = company.mailbox("eva.lang", "Eva Lang", state="password_set")
    shop = company.mailbox("shop", "", kind=Kind.SHARED, state="active")
    for name, mailbox, composed in (
        ("password_saved", eva, compose.password_saved),
        ("password_saved-shared", shop, compose.password_saved),
        ("password_active", eva, compose.password_active),
    ):
        yield Sample(name, language, composed(mailbox, now, language=language))


def _about_the_domain(company: _Company) -> Iterator[Sample]:
    language, domain = company.language, company.domain
    finished = company.mailbox("karl", "Karl Huber", state="active", quota_mib=5120, used_mib=1830)
    company.mailbox("lena", "Lena Mayr", state="invited")
    company.mailbox("max", "Max Wurm", state="signed_in")
    company.mailbox("lager", "", state="imported")
    Alias.objects.create(domain=domain, local_part="bestellung", goto=f"{finished.address},lager@extern.example")
    yield Sample("announcement", language, compose.announcement(*compose.draft(domain), language=language))
    yield Sample("summary", language, compose.summary(domain, language))
    company.mailbox("gustav", "Gustav Lang", state="invited", domain=company.moved)
    yield Sample("summary-late", language, compose.summary(company.moved, language))
    Mailbox.objects.filter(domain=company.moved).update(state="moved")
    yield Sample("summary-done", language, compose.summary(company.moved, language))
    subject, text = dns_letter.draft(domain, DNS_FOUND[language], language)
    yield Sample("dns", language, compose.announcement(subject, text, language=language))
    review = Review.objects.create(
        customer=domain.customer, locator=first_logins.new_locator(), minted_at=timezone.now()
    )
    review.domains.add(domain)
    last_day = occasion.day(review.expires_at, language)
    yield Sample("review", language, compose.review(review, SECRET, language=language), SHOWN, last_day)


def _in_own_words(company: _Company) -> Sample:
    customer, mail, language = company.domain.customer, "invitation", company.language
    subject, text = wordings.standard(mail, language)
    own = f"{text}\n\nPS: {ASK_INSIDE[language]}"
    trial = compose.trial(*wordings.filled(customer, mail, language, subject, own), language=language)
    return Sample("test", language, trial, first_logins.show(wordings.MADE_UP_SECRET))
