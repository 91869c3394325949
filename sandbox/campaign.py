"""The demo's other customers: seventeen domains in every state, with a history of the last weeks.

Everything that a verb does is done by the verb, at the time in the story: while it runs, the clock of Django says so.
What only mailcow or a mail server would bring about (arrived, refused, came back) is written as the worker writes it.
All of it happens in the order of time, so that the rows have their numbers in that order too.
"""

import random
import tempfile
from datetime import timedelta
from functools import partial
from io import StringIO
from pathlib import Path

from django.core.management import call_command
from django.db import transaction
from django.utils import timezone

from migration import domains, plan, reminders
from migration.addresses import domain_to_ascii
from migration.mailings import compose
from migration.models import Customer, Domain, PlanStep

from . import campaign_mail
from .campaign_cast import Cast, Plot
from .campaign_owners import Owners
from .campaign_plots import PLOTS
from .campaign_story import Story

ADMIN = "staff:staff@provider.example"
PLAIN = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", " ": "."})


class DomainStory:
    """The way of one domain."""

    def __init__(self, story: Story, plot: Plot) -> None:
        self.story, self.plot = story, plot
        self.random = random.Random(plot.name)  # the same demo every time
        self.day = story.day

    def begin(self) -> None:
        """Note what is known from the start; what depends on the rows is noted once they are there."""
        plot, at = self.plot, self.story.at
        at(self.day(plot.imported, 10), self.import_file)
        if plot.plan:
            at(self.day(plot.imported, 11) if plot.announced is None else self.day(plot.announced, 8.5), self.save_plan)
        if plot.announced is not None:
            at(self.day(plot.announced, 8.8), self.announce)
        if plot.invited is not None:
            at(self.day(plot.invited, 8), self.invite)
        if plot.paused is not None:
            at(self.day(plot.paused, 15), self.pause)
        if plot.findings or plot.made is not None:
            at(self.day(-2 if plot.findings else plot.made or 0, 11), self.provision)
        if plot.cut_over is not None:
            at(self.day(plot.cut_over, 18), self.cut_over)
        if plot.finished is not None:
            at(self.day(plot.finished, 9), self.finish)

    @property
    def domain(self) -> Domain:
        """The row as it is now."""
        return Domain.objects.select_related("customer").get(name=domain_to_ascii(self.plot.name))

    def import_file(self) -> None:
        """The mailboxes come from a file, as they do for every customer."""
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, f"{self.plot.name}.csv")
            file.write_text("\n".join(self._lines()), encoding="utf-8")
            names = {"domain": self.plot.name, "customer": self.plot.customer.name}
            call_command("import_mailboxes", str(file), **names, stdout=StringIO(), stderr=StringIO())

    def _lines(self) -> list[str]:
        lines, plot = ["address;name;kind;quota_mib;last_login"], self.plot
        for name in self.random.sample(list(plot.customer.names), plot.people):
            ago = self.random.choice((1, 1, 2, 3, 5, 8)) if self.random.random() < 0.97 else 260
            last = self.story.day(plot.imported - ago).date()
            quota = self.random.choice((1024, 2048, 2048, 5120))
            lines.append(f"{name.lower().translate(PLAIN)}@{plot.name};{name};;{quota};{last}")
        lines += [f"{local_part}@{plot.name};{local_part.capitalize()};;2048;" for local_part in plot.shared]
        lines += [f"{local_part}@{plot.name};;;512;" for local_part in plot.machines]
        return lines

    def save_plan(self) -> None:
        """An admin saves the plan."""
        domains.change_plan(
            self.domain, actor=ADMIN, **{name: self.story.date(day) for name, day in self.plot.plan.items()}
        )

    def announce(self) -> None:
        """The contact is told; his server accepts it a minute later, or does not."""
        domain = self.domain
        subject, text = compose.draft(domain)
        domains.announce(domain, actor=ADMIN, subject=subject, text=text)
        settle = campaign_mail.refuse_open if self.plot.unheard else campaign_mail.send_open
        self.story.later(partial(settle, domain), minutes=1)

    def invite(self) -> None:
        """All are invited; then everybody goes his own way."""
        domain = self.domain
        number = domains.start(domain, actor="clock")
        PlanStep.objects.create(
            domain=domain, kind="invite", day=self.story.date(self.plot.plan["invite_on"]), number=number
        )
        self.story.later(partial(campaign_mail.send_open, domain), minutes=4)
        Owners(self.story, self.plot, self.random, domain).begin()
        for days in (14, 3, 1):
            before = self.plot.plan["deadline"] - days
            if (self.plot.invited or 0) < before <= 0 and (self.plot.paused is None or before < self.plot.paused):
                self.story.at(self.day(before, 7.5), partial(self.remind, before))
        PlanStep.objects.create(domain=domain, kind="summary", day=plan.monday(self.story.date(0)), number=1)

    def remind(self, day: int) -> None:
        """The clock reminds whoever is open."""
        domain = self.domain
        number = reminders.remind_all(domain, actor="clock")
        PlanStep.objects.create(domain=domain, kind="remind", day=self.story.date(day), number=number)
        self.story.later(partial(campaign_mail.send_open, domain), minutes=3)
        self.story.later(partial(campaign_mail.send_back_again, domain), minutes=7)

    def pause(self) -> None:
        """An admin holds it up."""
        domains.pause(self.domain, actor=ADMIN, reason=self.plot.why_paused)

    def provision(self) -> None:
        """The domain was compared with mailcow, and made there if nothing spoke against it."""
        campaign_mail.provision(self.domain, self.plot.findings, actor=ADMIN)

    def cut_over(self) -> None:
        """The MX record was changed."""
        domains.cut_over(self.domain, actor=ADMIN, reason="Mit dem Kunden vereinbart.")

    def finish(self) -> None:
        """The move is over."""
        domains.finish(self.domain, actor=ADMIN, reason="Der Kunde ist zufrieden.")


def make() -> None:
    """Let it all happen; nothing if it has happened already."""
    if Customer.objects.filter(name=PLOTS[0].customer.name).exists():
        return
    story = Story(timezone.now() - timedelta(minutes=1))
    with transaction.atomic():
        for cast in dict.fromkeys(plot.customer for plot in PLOTS):
            story.at(story.day(-60, 9), partial(_customer, cast))
        for plot in PLOTS:
            DomainStory(story, plot).begin()
        story.tell()


def _customer(cast: Cast) -> None:
    fields = ("name", "contact_name", "contact_email", "language")
    Customer.objects.create(**{name: getattr(cast, name) for name in fields})
