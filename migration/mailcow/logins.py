"""The logins mailcow has seen, read out of its list of a domain's mailboxes. Pure: a reply in, times or an error out.

`last_imap_login`, `last_pop3_login` and `last_smtp_login` are whole Unix seconds of the newest success, 0 for never.
They lag by up to five minutes, since a login that Dovecot answers from its cache is not noted, and know nothing of
webmail (`data/web/inc/functions.mailbox.inc.php`, table `sasl_log`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from .errors import Reason, Unknown
from .replies import MailboxFacts, Reply, facts_of, json_of

MAX_BODY = 32 * 1024 * 1024
"""Bytes of a list that are read: about 25,000 mailboxes."""

CLOCK_SKEW = timedelta(minutes=10)
"""How far mailcow's clock may be ahead of ours before a login is not believed."""


@dataclass(frozen=True, slots=True)
class Logins:
    """When a mailbox's owner last signed in at mailcow, by protocol, in UTC; None for never."""

    imap_at: datetime | None
    pop3_at: datetime | None
    smtp_at: datetime | None

    @property
    def read_at(self) -> datetime | None:
        """The newest login of somebody reading his mail; sending alone does not count."""
        return max((at for at in (self.imap_at, self.pop3_at) if at), default=None)


def read_mailboxes(reply: Reply, domain: str) -> list[MailboxFacts]:
    """The mailboxes of the domain in a reply to `get/mailbox/reduced/DOMAIN`. Raises MailcowError.

    An empty object stands for none. For a domain mailcow does not know it lists every mailbox of every domain:
    those are dropped, and so are the mailboxes of nulls without a quota row.
    """
    document = json_of(reply, limit=MAX_BODY)
    if document == {}:
        return []
    if not isinstance(document, list) or not all(isinstance(row, dict) for row in document):
        raise Unknown(Reason.UNEXPECTED)
    facts = [facts_of(row) for row in document if row.get("domain") == domain]
    if any(not found.address.endswith(f"@{domain}") for found in facts):
        raise Unknown(Reason.UNEXPECTED)
    return facts


def logins_of(facts: MailboxFacts, *, now: datetime) -> Logins:
    """The logins of one mailbox.

    One that lies ahead of `now` by more than CLOCK_SKEW counts as never: mailcow's PHP and its database are then in
    different time zones, and the hours between them would make an old login look new.
    """

    def believed(seconds: int | None) -> datetime | None:
        if not seconds or not 0 < seconds <= (now + CLOCK_SKEW).timestamp():
            return None
        return datetime.fromtimestamp(seconds, UTC)

    return Logins(believed(facts.last_imap_login), believed(facts.last_pop3_login), believed(facts.last_smtp_login))
