"""Reports of undelivered mail as servers write them. `{to}` is the address they come to, `{mail}` what they quote."""

POSTFIX = """\
Return-Path: <>
Date: Tue, 24 Nov 2026 16:00:00 +0100 (CET)
From: MAILER-DAEMON@alt.example (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
To: {to}
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="XX"

--XX
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

This is the mail system at host alt.example.

--XX
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; alt.example
X-Postfix-Queue-ID: 4F1
Arrival-Date: Tue, 24 Nov 2026 16:00:00 +0100 (CET)

Final-Recipient: rfc822; anna@demo.example
Original-Recipient: rfc822;anna@demo.example
Action: {action}
Status: {status}
Remote-MTA: dns; store.alt.example
Diagnostic-Code: smtp; 550 5.1.1 <anna@demo.example>: Recipient address
    rejected: User unknown

--XX
Content-Description: Undelivered Message
Content-Type: message/rfc822

{mail}
--XX--
"""

EXCHANGE = """\
From: <postmaster@kunde.example>
To: <{to}>
Subject: Unzustellbar: Ihr neues Passwort
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="YY"

--YY
Content-Type: multipart/alternative; boundary="ZZ"

--ZZ
Content-Type: text/plain; charset="utf-8"
Content-Transfer-Encoding: quoted-printable

Fehler bei der Nachrichtenzustellung an folgende Empf=C3=A4nger.

--ZZ--
--YY
Content-Type: message/delivery-status

Reporting-MTA: dns;ex.kunde.example

Final-recipient: RFC822;anna@demo.example
Action: failed
Status: 5.2.2
Diagnostic-code: smtp;554 5.2.2 mailbox full; STOREDRV.Deliver.Exception:QuotaExceededException

--YY
Content-Type: message/rfc822

{mail}
--YY--
"""

QMAIL = """\
Return-Path: <>
From: MAILER-DAEMON@alt.example
To: {to}
Subject: failure notice

Hi. This is the qmail-send program at alt.example.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<anna@demo.example>:
Sorry, no mailbox here by that name. (#5.1.1)

--- Below this line is a copy of the message.

{mail}
"""

EXIM = """\
X-Failed-Recipients: anna@demo.example
Auto-Submitted: auto-replied
From: Mail Delivery System <Mailer-Daemon@alt.example>
To: {to}
Subject: Mail delivery failed: returning message to sender

This message was created automatically by mail delivery software.

  anna@demo.example
    host store.alt.example [192.0.2.1]
    SMTP error from remote mail server after RCPT TO:<anna@demo.example>:
    552 5.3.4 message too big

------ This is a copy of the message, including all the headers. ------

{mail}
"""

ABSENCE = """\
From: anna@demo.example
To: {to}
Subject: Abwesenheit
Auto-Submitted: auto-replied (vacation)

Ich bin bis 5.1.2027 nicht im Haus. Tel. 550 123
"""


def report(
    template: str, to: str, *, action: str = "failed", status: str = "5.1.1", mail: str = "Subject: x\n"
) -> bytes:
    """The report as bytes, with the line ends of SMTP."""
    text = template.format(to=to, action=action, status=status, mail=mail)
    return text.replace("\n", "\r\n").encode()
