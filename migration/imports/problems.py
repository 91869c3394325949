"""What can be wrong with an import file, as sentences for the person who has to mend it.

A sentence names line and column and says what to do. It never repeats what stands in a cell: columns may have
slipped, and then any cell may hold a password or its hash.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from migration.addresses import Reason

SENTENCES: dict[str, Promise] = {
    # The whole file
    "file_too_big": gettext_lazy("The file is larger than %(limit)d MB. Please split it."),
    "too_many_rows": gettext_lazy("The file has more than %(limit)d lines. Please split it."),
    "no_rows": gettext_lazy("There is no mailbox in the file."),
    "zip": gettext_lazy("This is a packed file (ZIP, Excel). Please save the table as CSV."),
    "gzip": gettext_lazy("This is a packed file (gzip). Please unpack it first."),
    "utf16": gettext_lazy("The file is encoded as UTF-16. Please save it as UTF-8."),
    "not_utf8": gettext_lazy(
        "This line is not valid UTF-8. Save the file as UTF-8, or choose “Windows (cp1252)” if that is its encoding."
    ),
    "unknown_encoding": gettext_lazy("Only UTF-8 and cp1252 can be read."),
    "undecodable": gettext_lazy("The line cannot be read in the chosen encoding."),
    "delimiter_unclear": gettext_lazy(
        "Please separate the columns by comma, semicolon or tab, and by one of them only."
    ),
    "column_missing": gettext_lazy("The first line must name the columns, among them “address”. Known are: %(known)s."),
    "column_unknown": gettext_lazy("There is no column “%(name)s”. Known are: %(known)s."),
    "column_twice": gettext_lazy("The column “%(name)s” is there twice. Please leave one."),
    "sql_columns": gettext_lazy(
        "The dump does not say what the columns of this table are called. Please dump it with its CREATE TABLE."
    ),
    "sql_column_missing": gettext_lazy("This table has no column “%(name)s”. Is the dump one of %(program)s?"),
    "sql_no_mailbox": gettext_lazy("The dump has no mailbox of this domain. It has %(others)d of other domains."),
    "mailcow_json": gettext_lazy("This is not JSON with the lists “mailboxes” and “aliases”."),
    # A line
    "line_too_long": gettext_lazy("The line is too long. Nothing after it was read."),
    "quote_open": gettext_lazy("A quotation mark is never closed in this line. Nothing after it was read."),
    "quote_inside": gettext_lazy("A quotation mark stands inside a field. Please write it twice."),
    "nul": gettext_lazy("The line contains a NUL character. Please remove it."),
    "field_count": gettext_lazy("Fields in this line: %(found)d. Columns named in the first line: %(wanted)d."),
    "sql_cut": gettext_lazy("A statement ends in the middle here. Nothing after it was read."),
    "sql_value": gettext_lazy("A value in this statement is neither text nor number. The rest of it was not read."),
    "sql_values": gettext_lazy("Values in this row: %(found)d. Columns of the table: %(wanted)d."),
    # A field
    "duplicate": gettext_lazy("This address is already in line %(first)d. Please leave one of them."),
    "foreign_domain": gettext_lazy("The address belongs to another domain than the one being imported."),
    "wildcard": gettext_lazy("A mailbox cannot be called “*”. For a catch-all, write “alias” in the column “kind”."),
    "name_length": gettext_lazy("The name is longer than %(limit)d characters. Please shorten it."),
    "name_characters": gettext_lazy("The name contains invisible or control characters. Please type it anew."),
    "kind": gettext_lazy("Please write one of: %(known)s. Where it is empty, it is guessed."),
    "language": gettext_lazy("Please write “de” or “en”, or leave it empty for the customer's language."),
    "quota": gettext_lazy("Please write whole MiB from 1 to %(limit)d, or leave it empty."),
    "used": gettext_lazy("Please write whole MiB from 0 to %(limit)d, or leave it empty."),
    "last_login": gettext_lazy("Please write a date such as 2026-03-31 or 2026-03-31T08:15, or leave it empty."),
    "goto_missing": gettext_lazy("An alias needs at least one address to deliver to."),
    "goto_itself": gettext_lazy("The alias delivers to itself."),
    "goto_on_mailbox": gettext_lazy("Only an alias delivers elsewhere. Leave it empty or make the row an alias."),
    "goto_too_many": gettext_lazy("More than %(limit)d addresses. Please make a mailing list of them."),
    "forwards_on_alias": gettext_lazy("An alias delivers to “goto”. Please leave “forwards” empty."),
    "alias_with_password": gettext_lazy("An alias has no password. Please leave it empty."),
    "hash_clear_text": gettext_lazy(
        "This is no password hash but perhaps the password itself. Please leave it empty: passwords in "
        "clear text are not taken."
    ),
    "hash_malformed": gettext_lazy(
        "The password hash is cut or has something before or after it. Copy it anew, or leave it empty."
    ),
    "hash_too_costly": gettext_lazy("Checking this password hash would take too long. Please leave it empty."),
    # Notes: nothing to mend
    "other_domains": gettext_lazy("Mailboxes and aliases of other domains in the dump, left out: %(n)d."),
    "alias_domain": gettext_lazy("The domain %(name)s is an alias of this one. Please set it up on mailcow yourself."),
    "switched_off": gettext_lazy("It is switched off on the old server and left out."),
    "no_copy": gettext_lazy("It forwards everything and keeps no copy: the first-login mail would be forwarded too."),
    "mailcow_target": gettext_lazy("It discards mail, or learns it as spam or ham. It is left out."),
    "autoreply": gettext_lazy("An automatic reply is switched on. It does not move."),
    "hash_unsupported": gettext_lazy("The old password cannot be checked, its scheme is not supported."),
    "hash_truncates": gettext_lazy("The old password cannot be checked, its scheme looks at 8 characters only."),
}

ADDRESS_SENTENCES: dict[Reason, Promise] = {
    Reason.EMPTY: gettext_lazy("The address is missing."),
    Reason.TOO_LONG: gettext_lazy("The address is longer than 254 characters."),
    Reason.NO_AT: gettext_lazy("The address has no @."),
    Reason.SEVERAL_ATS: gettext_lazy("The address has more than one @."),
    Reason.NO_LOCAL_PART: gettext_lazy("There is nothing before the @."),
    Reason.LOCAL_PART_LENGTH: gettext_lazy("There are more than 64 characters before the @."),
    Reason.LOCAL_PART_CHARACTERS: gettext_lazy(
        "Before the @, mailcow takes a to z, digits and some signs, but no blanks and no umlauts."
    ),
    Reason.LOCAL_PART_DOTS: gettext_lazy("A dot begins or ends the part before the @, or two dots meet."),
    Reason.LOCAL_PART_REFUSED: gettext_lazy("mailcow refuses “0” before the @."),
    Reason.QUOTED: gettext_lazy("mailcow does not support quotation marks in an address."),
    Reason.NO_DOMAIN: gettext_lazy("There is nothing after the @."),
    Reason.LITERAL: gettext_lazy("A number in brackets is no domain."),
    Reason.DOMAIN: gettext_lazy("The part after the @ is no valid domain."),
}


@dataclass(frozen=True)
class RowError:
    """One thing to mend (or, among the notes, to know). `line` counts from 1, `column` may be empty."""

    line: int
    column: str
    code: str
    params: Mapping[str, str | int] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """What is wrong and how to mend it, in the reader's language."""
        sentence = SENTENCES.get(self.code) or ADDRESS_SENTENCES[Reason(self.code)]
        return str(sentence) % self.params

    def __str__(self) -> str:
        if self.column:
            return _("Line %(line)d, column “%(column)s”: %(text)s") % {
                "line": self.line,
                "column": self.column,
                "text": self.text,
            }
        return _("Line %(line)d: %(text)s") % {"line": self.line, "text": self.text}
