"""Every mail we send, in both languages, as its reader and as a mail server sees it."""

import re
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings as django_settings

from migration.mailings import compose
from sandbox import mail_samples
from sandbox.mail_samples import Sample

LANGUAGES = [code for code, _name in django_settings.LANGUAGES]
CLEAR_PORTS = re.compile(r"\b(?:143|110|587)\b|STARTTLS", re.IGNORECASE)
HOST = "umzug.provider.example"
BREAKS = ("br", "div", "td")
NAMES = [
    "announcement",
    "dns",
    "invitation",
    "invitation-again",
    "invitation-machine",
    "invitation-over",
    "invitation-replaced",
    "invitation-shared",
    "password_active",
    "password_saved",
    "password_saved-shared",
    "reminder",
    "reminder-late",
    "reminder-late-machine",
    "reminder-late-shared",
    "reminder-machine",
    "reminder-shared",
    "review",
    "summary",
    "summary-done",
    "summary-late",
    "test",
]


class Reader(HTMLParser):
    """What a person reads in the HTML of a mail, and what a program would follow or load."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self._said = ""
        self.links: list[str] = []
        self.loads: list[str] = []
        self._silent = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Called for each tag."""
        self._silent += tag in ("style", "title")
        self._said += " " * (tag in BREAKS)
        for name, value in attrs:
            if name == "href":
                self.links.append(value or "")
            elif name in ("src", "background", "srcset", "action", "data"):
                self.loads.append(value or "")

    def handle_endtag(self, tag: str) -> None:
        """Called for each end."""
        self._silent -= tag in ("style", "title")
        self._said += " " * (tag in BREAKS)

    def handle_data(self, data: str) -> None:
        """Called for text."""
        if not self._silent:
            self._said += data

    @property
    def words(self) -> list[str]:
        """All of them."""
        return self._said.split()


_made: dict[tuple[str, str], Sample] = {}


@pytest.fixture
def samples(db: None, settings: Any) -> dict[tuple[str, str], Sample]:
    """All of them. They are made once: what they say no longer needs the rows."""
    settings.BASE_URL = f"https://{HOST}"
    if not _made:
        found = [one for language in LANGUAGES for one in mail_samples.every_mail(language)]
        _made.update({(one.name, one.language): one for one in found})
    return _made


@pytest.fixture(params=[(name, language) for language in LANGUAGES for name in NAMES], ids="-".join)
def sample(request: Any, samples: dict[tuple[str, str], Sample]) -> Sample:
    return samples[request.param]


def received(sample: Sample) -> EmailMessage:
    message = compose.message(sample.mail, to="anna@demo.example", mailing_id=7)
    return message_from_bytes(message.as_bytes(), policy=default)


def test_no_mail_is_left_out(samples: dict[tuple[str, str], Sample]) -> None:
    assert set(samples) == {(name, language) for language in LANGUAGES for name in NAMES}


def test_the_text_alone_tells_everything(sample: Sample, settings: Any) -> None:
    text = sample.mail.text

    assert settings.PROVIDER_PHONE in text
    assert settings.PROVIDER_NAME in text
    assert text.count(sample.secret or "no secret here") == (1 if sample.secret else 0)
    assert sample.last_day in text
    assert len(re.findall(rf"https://{HOST}/\S+", text)) == (1 if sample.secret else 0)


def test_html_says_what_the_text_says(sample: Sample, settings: Any) -> None:
    shown = Reader(sample.mail.html).words

    # What is a list's "- " in the text is its dot in HTML; a line of a zone file has its dash in both.
    spoken = [word for word in sample.mail.text.split() if word != "-"]
    assert [word for word in shown if word not in ("•", "-")] == [*settings.PROVIDER_NAME.split(), *spoken]


def test_all_links_lead_to_the_portal_and_are_written_out(sample: Sample) -> None:
    reader = Reader(sample.mail.html)

    assert {urlsplit(link).hostname for link in reader.links} <= {HOST}
    assert len(reader.links) == (1 if sample.secret else 0)
    assert set(reader.links) <= set(reader.words)
    assert reader.loads == []
    assert "http://" not in sample.mail.text + sample.mail.html


def test_nobody_is_told_a_port_without_tls(sample: Sample) -> None:
    assert not CLEAR_PORTS.search(" ".join(Reader(sample.mail.html).words))


def test_subject_is_short_and_keeps_the_secret(sample: Sample) -> None:
    assert 10 < len(sample.mail.subject.removeprefix("Probe: ").removeprefix("Trial: ")) < 78
    assert sample.secret[:4] not in sample.mail.subject or not sample.secret


def test_what_arrives_is_what_was_written(sample: Sample) -> None:
    message = received(sample)
    text, html = message.iter_parts()

    assert message.get_content_type() == "multipart/alternative"
    assert str(message["Subject"]).strip() == sample.mail.subject
    assert (text.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    assert text.get_content().replace("\r\n", "\n") == sample.mail.text
    assert html.get_content().replace("\r\n", "\n") == sample.mail.html
    assert {part["Content-Transfer-Encoding"] for part in (text, html)} == {"quoted-printable"}
    assert not [defect for part in (message, text, html) for defect in part.defects]


def test_headers_name_a_machine_and_no_list(sample: Sample) -> None:
    message = received(sample)

    assert message["Auto-Submitted"] == "auto-generated"
    assert message["MIME-Version"] == "1.0"
    assert sorted(message.keys()) == sorted(set(message.keys()))
    assert not {"list-id", "list-unsubscribe", "precedence", "bcc", "cc"} & {key.lower() for key in message}


def test_lines_are_short_enough_to_be_quoted(sample: Sample) -> None:
    assert max(len(line) for line in sample.mail.text.splitlines()) < 78


def test_html_holds_in_outlook_and_in_the_dark(sample: Sample) -> None:
    html = sample.mail.html

    for needed in ("<!--[if mso]>", 'name="color-scheme"', "prefers-color-scheme: dark", "bgcolor=", "</html>"):
        assert needed in html
    outside_the_style_sheet = re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL)
    assert not re.search(r"display:\s*(?:flex|grid)|position:|float:|var\(|<main|<section", outside_the_style_sheet)
    assert len(html) < 20_000


def test_a_further_mail_says_why_and_what_became_of_the_earlier_one(samples: dict[tuple[str, str], Sample]) -> None:
    def words(name: str) -> str:
        return " ".join(samples[name, "en"].mail.text.split())

    assert "asked for" not in words("invitation")
    assert "support on your behalf, asked for a new" in words("invitation-again")
    assert "in the earlier mail still works too" in words("invitation-again")
    assert "in the earlier mail no longer works" in words("invitation-over")
    assert "chosen already keeps working until" in words("invitation-over")
    assert "Too many wrong first-login passwords" in words("invitation-replaced")
    assert "asked for" not in words("invitation-replaced")


def test_a_reminder_tells_when_we_wrote_and_what_happens(samples: dict[tuple[str, str], Sample]) -> None:
    before, after = (" ".join(samples[name, "en"].mail.text.split()) for name in ("reminder", "reminder-late"))

    assert re.search(r"Gruber|Lang,", before)
    assert re.search(r"on \d+ \w+ \d{4} we wrote to you that your mailbox", before)
    assert re.search(r"On \d+ \w+ \d{4} we switch over: new mail then arrives at the new server", before)
    assert re.search(r"since \d+ \w+ \d{4} new mail for paul.lang@\S+ arrives at our new mail server", after)
    assert "cannot be opened there until a new password is chosen" in after


def test_a_summary_names_who_is_open_and_nobody_who_is_done(samples: dict[tuple[str, str], Sample]) -> None:
    text = samples["summary", "en"].mail.text

    assert "lena@hughes.example (Lena Mayr)" in text
    assert "max@hughes.example (Max Wurm)" in text
    assert "karl@" not in text
    assert "1 of 4" in text
    assert "Everybody has chosen a password" in samples["summary-done", "en"].mail.text


def test_a_trial_says_that_it_opens_nothing(samples: dict[tuple[str, str], Sample]) -> None:
    trial = samples["test", "en"].mail

    assert trial.subject.startswith("Trial: ")
    assert "made up and opens nothing" in " ".join(trial.text.split())
    assert "Ms Berger at the reception of" in " ".join(trial.text.split())
