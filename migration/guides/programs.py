"""The mail programs people have, and the words their settings windows use.

The words are each program's own, in English here and in German in the catalogue; they were checked against the makers'
help pages and, where the program is open, its own translation. The values come from `facts` alone.
"""

from collections.abc import Mapping
from types import MappingProxyType

from django.utils.translation import gettext_lazy, pgettext_lazy

from .windows import Line, Program

THUNDERBIRD = Program(
    "thunderbird",
    "Thunderbird",
    gettext_lazy("on the computer"),
    (
        pgettext_lazy("thunderbird", "Server Settings"),
        (
            Line(pgettext_lazy("thunderbird", "Server Name:"), "host"),
            Line(pgettext_lazy("thunderbird", "Port:"), "port"),
            Line(pgettext_lazy("thunderbird", "User Name:"), "login"),
            Line(pgettext_lazy("thunderbird", "Connection security:"), "security"),
            Line(pgettext_lazy("thunderbird", "Authentication method:"), "thunderbird"),
        ),
    ),
    (
        pgettext_lazy("thunderbird", "Outgoing Server (SMTP)"),
        (
            Line(pgettext_lazy("thunderbird", "Server Name:"), "host"),
            Line(pgettext_lazy("thunderbird", "Port:"), "port"),
            Line(pgettext_lazy("thunderbird", "Connection security:"), "security"),
            Line(pgettext_lazy("thunderbird", "Authentication method:"), "thunderbird"),
            Line(pgettext_lazy("thunderbird", "User Name:"), "login"),
        ),
    ),
)

OUTLOOK = Program(
    "outlook",
    gettext_lazy("Outlook, the classic one"),
    gettext_lazy("Windows; it has “File” at the top left"),
    (
        pgettext_lazy("outlook", "Incoming mail"),
        (
            Line(pgettext_lazy("outlook", "User name"), "login"),
            Line(pgettext_lazy("outlook", "Password"), "password"),
            Line(pgettext_lazy("outlook", "Server"), "host"),
            Line(pgettext_lazy("outlook", "Port"), "port"),
            Line(pgettext_lazy("outlook", "Encryption method"), "security"),
        ),
    ),
    (
        pgettext_lazy("outlook", "Outgoing mail"),
        (
            Line(pgettext_lazy("outlook", "Server"), "host"),
            Line(pgettext_lazy("outlook", "Port"), "port"),
            Line(pgettext_lazy("outlook", "Encryption method"), "security"),
            Line(pgettext_lazy("outlook", "My outgoing server (SMTP) requires authentication"), "on"),
        ),
    ),
)

NEW_OUTLOOK = Program(
    "outlook-new",
    gettext_lazy("Outlook, the new one"),
    gettext_lazy("Windows; no “File” at the top left"),
    (
        pgettext_lazy("outlook-new", "Incoming server"),
        (
            Line(pgettext_lazy("outlook-new", "User name"), "login"),
            Line(pgettext_lazy("outlook-new", "Password"), "password"),
            Line(pgettext_lazy("outlook-new", "Incoming server"), "host"),
            Line(pgettext_lazy("outlook-new", "Port"), "port"),
            Line(pgettext_lazy("outlook-new", "Secure connection type"), "security"),
        ),
    ),
    (
        pgettext_lazy("outlook-new", "Outgoing server (SMTP)"),
        (
            Line(pgettext_lazy("outlook-new", "SMTP user name"), "login"),
            Line(pgettext_lazy("outlook-new", "SMTP password"), "password"),
            Line(pgettext_lazy("outlook-new", "Outgoing server"), "host"),
            Line(pgettext_lazy("outlook-new", "Port"), "port"),
            Line(pgettext_lazy("outlook-new", "Secure connection type"), "security"),
        ),
    ),
)

_APPLE_MAC = (
    Line(pgettext_lazy("apple", "User Name:"), "login"),
    Line(pgettext_lazy("apple", "Password:"), "password"),
    Line(pgettext_lazy("apple", "Host Name:"), "host"),
    Line(pgettext_lazy("apple", "Automatically manage connection settings"), "off"),
    Line(pgettext_lazy("apple", "Port:"), "port"),
    Line(pgettext_lazy("apple", "Use TLS/SSL"), "on"),
    Line(pgettext_lazy("apple", "Authentication:"), "apple"),
)
MAC = Program(
    "mac",
    gettext_lazy("Apple Mail on the Mac"),
    gettext_lazy("the blue stamp or envelope"),
    (pgettext_lazy("apple", "Incoming Mail Server"), _APPLE_MAC),
    (pgettext_lazy("apple", "Outgoing Mail Server (SMTP)"), _APPLE_MAC),
    is_apples=True,
)

_IPHONE = (
    Line(pgettext_lazy("iphone", "Host Name"), "host"),
    Line(pgettext_lazy("iphone", "User Name"), "login"),
    Line(pgettext_lazy("iphone", "Password"), "password"),
    Line(pgettext_lazy("iphone", "Use SSL"), "on"),
    Line(pgettext_lazy("iphone", "Server Port"), "port"),
)
IPHONE = Program(
    "iphone",
    "iPhone, iPad",
    gettext_lazy("the app “Mail” that is already there"),
    (pgettext_lazy("iphone", "Incoming Mail Server"), _IPHONE),
    (pgettext_lazy("iphone", "Outgoing Mail Server › SMTP › Primary Server"), _IPHONE),
    is_on_phone=True,
    is_apples=True,
)

GMAIL = Program(
    "gmail",
    "Gmail",
    gettext_lazy("the app on an Android phone"),
    (
        pgettext_lazy("gmail", "Incoming settings"),
        (
            Line(pgettext_lazy("gmail", "Username"), "login"),
            Line(pgettext_lazy("gmail", "Password"), "password"),
            Line(pgettext_lazy("gmail", "Server"), "host"),
            Line(pgettext_lazy("gmail", "Port"), "port"),
            Line(pgettext_lazy("gmail", "Security type"), "security"),
        ),
    ),
    (
        pgettext_lazy("gmail", "Outgoing settings"),
        (
            Line(pgettext_lazy("gmail", "SMTP server"), "host"),
            Line(pgettext_lazy("gmail", "Port"), "port"),
            Line(pgettext_lazy("gmail", "Security type"), "security"),
            Line(pgettext_lazy("gmail", "Require sign-in"), "on"),
            Line(pgettext_lazy("gmail", "Username"), "login"),
            Line(pgettext_lazy("gmail", "Password"), "password"),
        ),
    ),
    is_on_phone=True,
)

_K9 = (
    Line(pgettext_lazy("k9", "Server"), "host"),
    Line(pgettext_lazy("k9", "Security"), "security"),
    Line(pgettext_lazy("k9", "Port"), "port"),
    Line(pgettext_lazy("k9", "Username"), "login"),
    Line(pgettext_lazy("k9", "Authentication"), "k9"),
    Line(pgettext_lazy("k9", "Password"), "password"),
)
K9 = Program(
    "k9",
    gettext_lazy("Thunderbird or K-9 Mail"),
    gettext_lazy("on an Android phone"),
    (pgettext_lazy("k9", "Incoming server"), _K9),
    (pgettext_lazy("k9", "Outgoing server"), _K9),
    is_on_phone=True,
)

WEBMAIL = Program("webmail", "Webmail", gettext_lazy("SOGo, Roundcube: mail in the browser"))
OTHER = Program("other", gettext_lazy("Another program or a device"), gettext_lazy("also a scanner or a shop"))

PROGRAMS: Mapping[str, Program] = MappingProxyType(
    {program.slug: program for program in (THUNDERBIRD, OUTLOOK, NEW_OUTLOOK, MAC, IPHONE, GMAIL, K9, WEBMAIL, OTHER)}
)
