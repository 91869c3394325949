"""Everybody at the invented customer whose mailboxes the demo, the tests and the benchmark move."""

from typing import NamedTuple

FIRST = "sonnleitner.example"
SECOND = "bäckerei-müller.example"
CONTACT = f"katharina.sonnleitner@{FIRST}"


class Person(NamedTuple):
    """One mailbox.

    `scheme` is Dovecot's name, `bare …` for a hash without label, or `yescrypt`; without a password it is what the
    old server has in the place of a hash.
    """

    local_part: str
    name: str
    scheme: str
    password: str
    shows: str = ""
    kind: str = "personal"
    responsible: str = ""
    language: str = ""
    quota_mib: int = 5120
    last_login: str = "2026-11-20"


PEOPLE = [
    Person("anna.gruber", "Anna Gruber", "SHA512-CRYPT", "Semmelknoedel2026", "fits the rules: may be kept"),
    Person(
        "katharina.sonnleitner",
        "Katharina Sonnleitner",
        "BLF-CRYPT",
        "Wachau-Marille-77",
        "the customer's contact; may be kept",
        quota_mib=20480,
    ),
    Person("josef.sonnleitner", "Josef Sonnleitner", "SSHA", "sepp1951", "too short for the new server"),
    Person("maria.sonnleitner", "Maria Sonnleitner", "SSHA512", "Kaiserschmarrn4Zwei", "may be kept"),
    Person("lukas.huber", "Lukas Huber", "MD5-CRYPT", "Dachstein2995Meter", "an old, weak scheme; may be kept"),
    Person("sophie.wagner", "Sophie Wagner", "PBKDF2", "Veltliner-Jahrgang-19", "may be kept"),
    Person(
        "david.pichler", "David Pichler", "ARGON2ID", "Radlweg4Passau", "may be kept, and is strong enough as it is"
    ),
    Person("elisabeth.moser", "Elisabeth Moser", "DES-CRYPT", "Lisl1948", "sees 8 characters only: cannot be checked"),
    Person("markus.steiner", "Markus Steiner", "PLAIN-MD5", "Donauwalzer2020", "no salt; may be kept"),
    Person("johanna.bauer", "Johanna Bauer", "CRAM-MD5", "Obstgarten2021", "unsupported: cannot be checked"),
    Person("thomas.eder", "Thomas Eder", "SHA256-CRYPT", "Hollerbusch1234", "may be kept"),
    Person("christina.fuchs", "Christina Fuchs", "yescrypt", "Apfelstrudel2mal", "Debian's own crypt; may be kept"),
    Person(
        "sean.o'neill",
        "Sean O'Neill",
        "BLF-CRYPT",
        "Galway2Linz-by-bike",
        "an apostrophe; mails in English",
        language="en",
    ),
    Person("anna+shop", "Anna Gruber (Shop)", "SSHA256.HEX", "Warenkorb2026Neu", "a plus in the address; may be kept"),
    Person("michael.lang", "Michael Lang", "SMD5", "lang1234", "too short for the new server"),
    Person("sabine.koch", "Sabine Koch", "SHA256.B64", "Kuerbiskernoel8480", "may be kept"),
    Person("peter.wolf", "Peter Wolf", "SCRAM-SHA-256", "Zirbenstube1977", "may be kept"),
    Person(
        "nina.berger", "Nina Berger", "SHA512-CRYPT", "Grüße-aus-Wels-1", "umlauts: works only if they were typed so"
    ),
    Person("office", "Büro", "SHA512-CRYPT", "Dinkelmehl4840Neu", "several people", "shared", CONTACT, quota_mib=20480),
    Person("bestellung", "Bestellungen", "SSHA", "Dinkel&Roggen12", "several people", "shared", CONTACT),
    Person("lager", "Lager", "MD5-CRYPT", "lager", "several people, too short", "shared", f"lukas.huber@{FIRST}"),
    Person(
        "scanner",
        "Kopierer im Büro",
        "PLAIN-MD5",
        "scan2mail",
        "a machine: mail goes to the contact",
        "machine",
        CONTACT,
    ),
    Person("webshop", "Webshop", "SHA512-CRYPT", "X7qRkM2vTz9wLp4N", "a machine", "machine", f"david.pichler@{FIRST}"),
    Person("kassa", "Registrierkassa", "SSHA512", "kassa123", "a machine", "machine", CONTACT, quota_mib=512),
    Person("ferdinand", "Ferdinand Sonnleitner", "SSHA", "ferdl1938", "dormant since 2024", last_login="2024-02-11"),
    Person("praktikum", "Praktikum", "!", "", "locked on the old server: no old password", last_login=""),
]

BAKERS = [
    Person("eva.mueller", "Eva Müller", "BLF-CRYPT", "Sauerteig-Nr-1898", "may be kept"),
    Person("franz.mueller", "Franz Müller", "SHA512-CRYPT", "franzl55", "too short for the new server"),
    Person("backstube", "Backstube", "bare SHA512-CRYPT", "Kipferl-um-4-Uhr", "a hash without label; may be kept"),
    Person("filiale.linz", "Filiale Linz", "SSHA", "Landstrasse4020", "may be kept", quota_mib=2048),
    Person("filiale.wels", "Filiale Wels", "SSHA256", "Stadtplatz4600", "may be kept", quota_mib=2048),
    Person("buchhaltung", "Buchhaltung", "SHA256-CRYPT", "Monatsabschluss12", "may be kept"),
    Person("lehrlinge", "Lehrlinge", "bare DES-CRYPT", "Krapfen1", "13 bare characters: DES-crypt, cannot be checked"),
    Person("hannes.ortner", "Hannes Ortner", "ARGON2I", "Mohnflesserl2go", "may be kept"),
    Person("petra.schmid", "Petra Schmid", "LDAP-MD5", "Vanillekipferl24", "may be kept"),
    Person("ivana.horvat", "Ivana Horvat", "SHA", "Krempita-Zagreb-1", "may be kept"),
    Person("mehmet.yilmaz", "Mehmet Yılmaz", "SHA512.b64", "Simit2Semmel2026", "may be kept"),
    Person("kaffee", "Kaffeemaschine", "OTP", "Melange2017", "unsupported: cannot be checked", quota_mib=512),
    Person("notdienst", "Notdienst", "*", "", "locked on the old server: no old password", quota_mib=512),
    Person("karl.mueller", "Karl Müller", "x", "", "the old server keeps the hash elsewhere: no old password"),
]

ALIASES = [
    ("anna", "anna.gruber@sonnleitner.example", "a short form"),
    ("vertrieb", "katharina.sonnleitner@sonnleitner.example, lukas.huber@sonnleitner.example", "two people"),
    ("rechnung", "maria.sonnleitner@sonnleitner.example", "one person"),
    ("kontakt", "office@sonnleitner.example", "a shared mailbox"),
    ("postmaster", "office@sonnleitner.example", "required by RFC 5321"),
    ("sepp", "josef.sonnleitner@sonnleitner.example, sepp.sonnleitner@freemail.example", "a copy leaves the house"),
    ("*", "office@sonnleitner.example", "the catch-all"),
]

BAKERS_ALIASES = [
    ("info", "eva.mueller@bäckerei-müller.example", "one person"),
    ("filialen", "filiale.linz@bäckerei-müller.example, filiale.wels@bäckerei-müller.example", "two mailboxes"),
    ("postmaster", "buchhaltung@bäckerei-müller.example", "required by RFC 5321"),
]
