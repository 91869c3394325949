"""What the verdict on a record says to a person, by its code."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

# Why a lookup brought nothing, and a page of a web server.
FAILURES: dict[str, str | Promise] = {
    "timeout": _("no answer in time"),
    "servfail": _("the name server had an error (SERVFAIL)"),
    "refused": _("the name server refuses to answer (REFUSED)"),
    "lame": _("the name server asked does not know the domain"),
    "network": _("no name server can be reached"),
    "broken": _("the answer makes no sense"),
    "tls": _("the certificate is not valid"),
    "private": _("the name points to a private address, which is not asked"),
}

SENTENCES: dict[str, str | Promise] = {
    "failed": _("Nobody can tell: %(why)s. Ask again later."),
    "as_wanted": _("As wanted."),
    "nothing": _("Nothing is there, and nothing has to be."),
    "mx_none": _("There is no MX record: mail goes to the web server of the domain, or nowhere."),
    "mx_null": _("The domain says that it takes no mail at all (null MX, RFC 7505). Replace this record."),
    "mx_source": _("Mail still arrives at the old server."),
    "mx_elsewhere": _("Mail arrives at %(there)s, which is neither the old nor the new server."),
    "mx_mixed": _(
        "Mail also arrives at %(there)s. Delete this MX record, or a part of the mail is lost to the owners."
    ),
    "spf_none": _("There is no SPF record: other servers trust mail from the new server less."),
    "spf_several": _("There are %(n)s SPF records. Only one may be there, or none counts (RFC 7208)."),
    "spf_without": _("The SPF record does not allow the new server to send. Add what is missing to it."),
    "spf_broken": _("The SPF record refers to %(there)s, which has no SPF record, so all of it counts for nothing."),
    "spf_too_many": _(
        "The SPF record allows the new server, but needs %(n)s lookups. With more than 10 many servers ignore it "
        "(RFC 7208, 4.6.4). Take out what is not used any more."
    ),
    "dkim_none": _("The key is not there: mail from the new server is not signed so that others can check it."),
    "dkim_none_known": _("No key is there, and the new server tells none. Let it make one, or enter the key below."),
    "dkim_other": _("Another key is there, so signatures of the new server are wrong. Replace it."),
    "dkim_revoked": _("The key is taken back (it is empty). Replace it."),
    "dkim_several": _("There are several keys of this name. Only the new server's may be there."),
    "dkim_not_told": _(
        "A key is there, but the new server does not tell which one is right. Enter the right one below."
    ),
    "dmarc_none": _("There is no DMARC record. Large providers want one of who sends much."),
    "dmarc_several": _("There are %(n)s DMARC records. Only one may be there, or none counts (RFC 7489)."),
    "dmarc_broken": _("The DMARC record does not say what to do (p=none, quarantine or reject)."),
    "mta_sts": _("The domain has an MTA-STS policy. If it does not name the new server, mail from others stays out."),
    "tls_reports": _("Reports about TLS are sent to whom the record names."),
    "host_none": _("Missing: mail programs do not find the new server by themselves."),
    "host_by_address": _("It has the address of %(host)s. That works; a CNAME would follow when the address changes."),
    "host_source": _("Mail programs are sent to the old server (%(there)s). Delete this record, or change it."),
    "host_elsewhere": _("Mail programs are sent to %(there)s, which is not ours. Delete this record, or change it."),
    "host_wildcard": _(
        "A record for all names (*) answers with %(there)s, so mail programs are sent there. Add a record of its own."
    ),
    "srv_none": _("Not there. Some mail programs would find the new server by it."),
    "srv_not_offered": _("The domain says that this is not offered. That is allowed."),
    "srv_refused": _(
        "The domain says that this is not offered, but the new server does. Delete or change this record."
    ),
    "srv_elsewhere": _("Mail programs are sent to %(there)s. Delete this record, or change it."),
    "page_elsewhere": _(
        "The web server of the domain tells mail programs to use %(there)s. Delete this file there, or change it."
    ),
    "page_answers": _(
        "The web server of the domain answers here. Outlook asks it first; see that it is not in the way."
    ),
    "page_moved": _("The web server of the domain sends on to %(there)s, which was not looked at."),
}
