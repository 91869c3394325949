"""What the columns of a table are called: by us, and by those who wrote the table."""

import unicodedata

from .parsed import COLUMNS

# A column called "password" is none of them: it would most likely hold passwords.
_ALSO: dict[str, str] = {
    "address": "email emailaddress mail mailaddress mailbox emailadresse mailadresse adresse postfach",
    "name": "fullname displayname realname anzeigename vollername",
    "kind": "type mailboxtype art typ postfachart",
    "responsible": "responsibleperson verantwortlich verantwortliche verantwortlicher zuständig ansprechpartner",
    "language": "lang sprache",
    "quota_mib": "quota quotamb kontingent kontingentmb kontingentmib speicherlimit",
    "used_mib": "used usedmb usedsize size belegt belegtmb belegtmib grösse größe",
    "last_login": "lastlogon lastsignin letzteanmeldung letzterlogin letzterzugriff",
    "password_hash": "hash passwordhash passworthash passwortprüfsumme kennworthash",
    "forwards": "forward forwardto forwarding weiterleitung weiterleitungen weiterleitungan",
    "goto": "target targets destination ziel ziele zieladresse zieladressen",
}


def column_of(heading: str) -> str:
    """Our name of the column; empty for a heading we do not know.

    Upper and lower case, blanks, hyphens and the like make no difference: "E-Mail-Adresse" is `address`.
    """
    return _COLUMNS.get(_plain(heading), "")


def _plain(heading: str) -> str:
    composed = unicodedata.normalize("NFC", heading[:100]).lower()
    return "".join(character for character in composed if character.isalnum())


_COLUMNS = {_plain(column): column for column in COLUMNS}
_COLUMNS |= {word: column for column, words in _ALSO.items() for word in words.split()}
