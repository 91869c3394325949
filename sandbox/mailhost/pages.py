"""The old webmail's pages as text. Plain on purpose: no script, one style sheet."""

import re
from html import escape
from urllib.parse import quote

from .store import StoredMail

SHOWN_AT_ONCE = 200


def mailboxes(mails: list[StoredMail], wanted: str) -> str:
    """All mailboxes that have mail, the one with the newest mail first, or those containing `wanted`."""
    newest = {mail.recipient: mail for mail in mails if wanted.lower() in mail.recipient}
    rows = sorted(newest.values(), key=lambda mail: -mail.id)
    items = "".join(
        f'<li><a href="/mailbox?address={quote(mail.recipient)}"><strong>{escape(mail.recipient)}</strong>'
        f"<small>{escape(mail.subject)}</small></a></li>"
        for mail in rows[:SHOWN_AT_ONCE]
    )
    more = f"<p>{len(rows) - SHOWN_AT_ONCE} more. Search for the one you want.</p>" if len(rows) > SHOWN_AT_ONCE else ""
    listed = f'<ul class="list">{items}</ul>{more}' if items else "<p>No mail here yet.</p>"
    search = (
        f'<form method="get" action="/"><div><label for="q">Part of an address</label>'
        f'<input id="q" name="q" type="search" value="{escape(wanted)}"></div><button>Search</button></form>'
    )
    return page("Old mailboxes", search + listed)


def mailbox(address: str, mails: list[StoredMail]) -> str:
    """One mailbox's mails, newest first."""
    items = "".join(
        f'<li><a href="/mail/{mail.id}"><strong>{escape(mail.subject)}</strong>'
        f"<small>{escape(str(mail.message['From'] or mail.sender))} · "
        f"{escape(str(mail.message['Date'] or ''))}</small>"
        "</a></li>"
        for mail in reversed(mails)
    )
    listed = f'<ul class="list">{items}</ul>' if items else "<p>No mail here.</p>"
    return page(address, f'<p><a href="/">All mailboxes</a></p>{listed}')


def mail(mail: StoredMail, portal_url: str, *, as_html: bool) -> str:
    """One mail: its text with the portal's links to click, or its HTML in a frame that can do nothing."""
    lines = (("From", mail.message["From"]), ("To", mail.message["To"]), ("Date", mail.message["Date"]))
    head = "".join(f"<dt>{name}</dt><dd>{escape(str(value or ''))}</dd>" for name, value in lines)
    if as_html:
        other = f'<a href="/mail/{mail.id}">Show as text</a>'
        body = (
            f'<iframe src="/mail/{mail.id}/html" title="The mail"'
            ' sandbox="allow-popups allow-popups-to-escape-sandbox"></iframe>'
        )
    else:
        other = f'<a href="/mail/{mail.id}?as=html">Show as HTML</a>' if mail.html else ""
        body = f"<pre>{linked(mail.text, portal_url)}</pre>"
    back = f'<a href="/mailbox?address={quote(mail.recipient)}">{escape(mail.recipient)}</a>'
    return page(mail.subject, f"<p>{back}</p><dl>{head}</dl><p>{other}</p>{body}")


def phone(code: str, left: int) -> str:
    """The phone with the code of now. It reloads when the code changes."""
    digits = f"{code[:3]} {code[3:]}"
    body = (
        f'<p>Code of the authenticator app for the staff sign-in:</p><p class="code" id="code">{digits}</p>'
        f"<p>Changes in {left} seconds.</p>"
    )
    return page("Phone", body, refresh=left)


def page(title: str, body: str, *, refresh: int = 0) -> str:
    """A whole page."""
    reload = f'<meta http-equiv="refresh" content="{refresh}">' if refresh else ""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">{reload}'
        f'<title>{escape(title)}</title><link rel="stylesheet" href="/mailhost.css"></head><body>'
        f"<header><small>Old webmail (a stand-in)</small><h1>{escape(title)}</h1></header>"
        f"<main>{body}</main></body></html>"
    )


def linked(text: str, portal_url: str) -> str:
    """Escaped text in which addresses of the portal, and no others, are links."""
    if not portal_url:
        return escape(text)
    parts = re.split(rf"({re.escape(portal_url.rstrip('/'))}/[\w/-]*)", text)
    return "".join(
        f'<a href="{escape(part)}">{escape(part)}</a>' if number % 2 else escape(part)
        for number, part in enumerate(parts)
    )
