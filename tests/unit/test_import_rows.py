from datetime import UTC, datetime

import pytest

from migration.addresses import InvalidAddress, Reason
from migration.imports.problems import ADDRESS_SENTENCES, SENTENCES
from migration.imports.rows import ParsedFile, Rows

SHA512 = "$6$saltsalt$" + "x" * 86
ANNA = "anna@demo.example"


def judged(**fields: str) -> ParsedFile:
    rows = Rows()
    rows.add(7, {"address": ANNA} | fields)
    return rows.parsed


def problems(parsed: ParsedFile) -> list[tuple[str, str]]:
    return [(error.column, error.code) for error in parsed.errors]


@pytest.mark.parametrize(
    ("stored", "scheme"),
    [
        ("{SSHA}mIhA0/SiY62UAsXvKWMqeXwFvJjYKaS8", "SSHA"),
        ("{SMD5}aGHs0dJjVKAO86sLAkhTSSiDMUc=", "SMD5"),
        ("{CRYPT}" + SHA512, "SHA512-CRYPT"),
        (SHA512, "SHA512-CRYPT"),
        ("$2a$05$Gmmbcm/mj1DFDW/ZRicERe6xyXk4hPVGZuUF6oxMEnwYOTg7pDx.K", "BLF-CRYPT"),
        ("$2b$05$Gmmbcm/mj1DFDW/ZRicERe6xyXk4hPVGZuUF6oxMEnwYOTg7pDx.K", "BLF-CRYPT"),
        ("{BLF-CRYPT}$2y$05$Gmmbcm/mj1DFDW/ZRicERe6xyXk4hPVGZuUF6oxMEnwYOTg7pDx.K", "BLF-CRYPT"),
        ("$1$o.43fH1c$EapKZBtK6ExFP3.hWba4e0", "MD5-CRYPT"),
        ("{ARGON2ID}$argon2id$v=19$m=32,t=1,p=1$c2FsdHNhbHRzYWx0$" + "A" * 43, "ARGON2ID"),
        ("$y$j9T$saltsalt$" + "x" * 43, "CRYPT"),
    ],
)
def test_hashes_of_old_servers_are_recognised(stored: str, scheme: str) -> None:
    parsed = judged(password_hash=stored)

    assert problems(parsed) == []
    assert parsed.notes == []
    assert (parsed.rows[0].legacy_hash, parsed.rows[0].legacy_scheme) == (stored, scheme)


@pytest.mark.parametrize(
    "stored", ["", " ", "*", "!", "!!", "x", "*LK*", "!" + SHA512, "{CRYPT}!", "{CRYPT}!" + SHA512]
)
def test_a_locked_or_missing_password_is_no_password(stored: str) -> None:
    parsed = judged(password_hash=stored)

    assert problems(parsed) == []
    assert (parsed.rows[0].legacy_hash, parsed.rows[0].legacy_scheme) == ("", "")


@pytest.mark.parametrize(
    "stored", ["{PLAIN}geheim", "{clear.b64}Z2VoZWlt", "{PLAIN-TRUNC}6-geheim", "geheim", "Sommer2026geh"]
)
def test_clear_text_is_refused_and_never_repeated(stored: str) -> None:
    parsed = judged(password_hash=stored)

    assert problems(parsed) == [("password_hash", "hash_clear_text")]
    assert parsed.rows == []
    assert stored not in str(parsed.errors[0])
    assert stored not in repr(parsed)


@pytest.mark.parametrize(
    "stored",
    [
        "$6$rounds=999999999$salt$" + "x" * 86,
        "$2y$31$Gmmbcm/mj1DFDW/ZRicERe6xyXk4hPVGZuUF6oxMEnwYOTg7pDx.K",
        "$argon2id$v=19$m=4194304,t=1,p=1$c2FsdHNhbHRzYWx0$" + "A" * 43,
        "{PBKDF2}$1$salt$1000000000$" + "0" * 40,
    ],
)
def test_a_hash_made_to_burn_the_server_is_refused(stored: str) -> None:
    assert problems(judged(password_hash=stored)) == [("password_hash", "hash_too_costly")]


@pytest.mark.parametrize(
    "stored", ["{SSHA}", "{SSHA}!nonsense", SHA512[:-1], SHA512 + " ", "{CRYPT}" + SHA512 + "\n", "{CRYPT} " + SHA512]
)
def test_a_broken_hash_is_refused(stored: str) -> None:
    assert problems(judged(password_hash=stored)) == [("password_hash", "hash_malformed")]


@pytest.mark.parametrize(
    ("stored", "code", "scheme"),
    [
        ("{CRAM-MD5}" + "0" * 64, "hash_unsupported", "CRAM-MD5"),
        ("{NTLM}" + "0" * 32, "hash_unsupported", "NTLM"),
        ("{ROT13}trurvz", "hash_unsupported", "?"),
        ("$9$abc$def", "hash_unsupported", "?"),
        ("{CRYPT}abHKVHTgYc7KA", "hash_truncates", "DES-CRYPT"),
    ],
)
def test_a_hash_that_cannot_be_checked_is_noted_and_not_kept(stored: str, code: str, scheme: str) -> None:
    parsed = judged(password_hash=stored)

    assert problems(parsed) == []
    assert [(note.line, note.code) for note in parsed.notes] == [(7, code)]
    assert (parsed.rows[0].legacy_hash, parsed.rows[0].legacy_scheme) == ("", scheme)


def test_no_representation_of_a_row_shows_its_hash() -> None:
    assert SHA512 not in repr(judged(password_hash=SHA512))


@pytest.mark.parametrize(
    ("column", "value", "code"),
    [
        ("address", "", "empty"),
        ("address", "anna", "no_at"),
        ("address", "änna@demo.example", "local_part_characters"),
        ("address", "*@demo.example", "wildcard"),
        ("name", "Anna\r\nBcc: x", "name_characters"),
        ("name", "Anna\u202e", "name_characters"),
        ("name", "x" * 10_000, "name_length"),
        ("kind", "office", "kind"),
        ("responsible", "the boss", "no_at"),
        ("responsible", "\u212aai@demo.example", "local_part_characters"),
        ("language", "fr", "language"),
        ("quota_mib", "0", "quota"),
        ("quota_mib", "-1", "quota"),
        ("quota_mib", "1 PB", "quota"),
        ("quota_mib", "٣", "quota"),
        ("quota_mib", "9" * 5000, "quota"),
        ("last_login", "31/3/2026", "last_login"),
        ("last_login", "31.2.2026", "last_login"),
        ("used_mib", "-1", "used"),
        ("forwards", "eva", "no_at"),
        ("last_login", "0001-01-01T00:00+14:00", "last_login"),
        ("goto", "eva@demo.example", "goto_on_mailbox"),
    ],
)
def test_a_wrong_field_is_refused_by_its_column(column: str, value: str, code: str) -> None:
    parsed = judged(**{column: value})

    assert problems(parsed) == [(column, code)]
    assert parsed.rows == []
    assert str(parsed.errors[0]).startswith("Line 7, column")


@pytest.mark.parametrize(
    ("fields", "column", "code"),
    [
        ({"goto": ""}, "goto", "goto_missing"),
        ({"goto": "Anna@demo.example"}, "goto", "goto_itself"),
        ({"goto": "eva"}, "goto", "no_at"),
        ({"goto": " ".join(f"m{n}@demo.example" for n in range(101))}, "goto", "goto_too_many"),
        ({"goto": "eva@demo.example", "password_hash": SHA512}, "password_hash", "alias_with_password"),
    ],
)
def test_a_wrong_alias_is_refused(fields: dict[str, str], column: str, code: str) -> None:
    parsed = judged(kind="alias", **fields)

    assert problems(parsed) == [(column, code)]
    assert parsed.aliases == []


def test_all_faults_of_a_row_are_told_at_once() -> None:
    parsed = judged(address="anna", kind="office", quota_mib="much", password_hash="geheim")

    assert [column for column, _ in problems(parsed)] == ["kind", "address", "password_hash", "quota_mib"]


@pytest.mark.parametrize("name", ["=HYPERLINK(1)", "+1", "-1", "@x", "{{x}}", "<b>Anna</b>", "O'Neil"])
def test_a_strange_name_is_taken_literally(name: str) -> None:
    assert judged(name=name).rows[0].name == name


@pytest.mark.parametrize("again", ["ANNA@Demo.Example", " anna@demo.example\u00a0"])
def test_the_second_of_two_equal_addresses_is_reported_with_the_line_of_the_first(again: str) -> None:
    rows = Rows()
    rows.add(2, {"address": ANNA, "name": "first"})
    rows.add(9, {"address": again, "name": "second"})
    rows.add(10, {"address": again, "kind": "alias", "goto": "eva@demo.example"})

    assert [row.name for row in rows.parsed.rows] == ["first"]
    assert rows.parsed.aliases == []
    assert [(error.line, error.code, error.params) for error in rows.parsed.errors] == [
        (9, "duplicate", {"first": 2}),
        (10, "duplicate", {"first": 2}),
    ]


def test_a_domain_written_in_two_ways_is_one() -> None:
    rows = Rows()
    rows.add(2, {"address": "anna@bücher.example"})
    rows.add(3, {"address": "anna@bu\u0308cher.example"})
    rows.add(4, {"address": "anna@xn--bcher-kva.example"})

    assert len(rows.parsed.rows) == 1


def test_rows_of_another_domain_become_errors() -> None:
    rows = Rows()
    rows.add(2, {"address": "anna@bücher.example"})
    rows.add(3, {"address": ANNA, "password_hash": "{ROT13}x"})
    rows.add(4, {"address": "@demo.example", "kind": "alias", "goto": ANNA})
    rows.add(5, {"address": "nonsense"})

    parsed = rows.parsed.for_domain("BÜCHER.example")

    assert [row.line for row in parsed.rows] == [2]
    assert (parsed.aliases, parsed.notes) == ([], [])
    assert [(error.line, error.code) for error in parsed.errors] == [
        (3, "foreign_domain"),
        (4, "foreign_domain"),
        (5, "no_at"),
    ]
    assert len(rows.parsed.rows) == 2


def test_a_nonsense_domain_is_refused() -> None:
    with pytest.raises(InvalidAddress):
        ParsedFile().for_domain("nonsense")


def test_a_moment_without_zone_is_utc() -> None:
    assert judged(last_login="2026-03-31").rows[0].last_login == datetime(2026, 3, 31, tzinfo=UTC)
    assert judged(last_login="2026-03-31T08:15Z").rows[0].last_login == datetime(2026, 3, 31, 8, 15, tzinfo=UTC)


def test_every_reason_of_a_bad_address_has_its_own_sentence() -> None:
    assert set(ADDRESS_SENTENCES) == set(Reason)
    assert not set(SENTENCES) & {str(reason) for reason in Reason}
    assert str(judged(address="").errors[0]) == "Line 7, column “address”: The address is missing."


@pytest.mark.parametrize(
    ("text", "mib"),
    [
        ("0", 0),
        ("5120", 5120),
        ("5 GB", 5120),
        ("5GiB", 5120),
        ("1T", 1024**2),
        ("1025k", 2),
        ("12 MB", 12),
        ("1 kB", 1),
    ],
)
def test_a_size_may_have_a_unit_and_is_mib_without_one(text: str, mib: int) -> None:
    assert judged(used_mib=text).rows[0].used_mib == mib


@pytest.mark.parametrize("text", ["5368709120", "1.5 GB", "5 GB free", "GB", "5 B B"])
def test_a_size_that_may_mean_something_else_is_refused(text: str) -> None:
    assert problems(judged(quota_mib=text)) == [("quota_mib", "quota")]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("31.3.2026", datetime(2026, 3, 31, tzinfo=UTC)),
        ("01.04.2026 08:15", datetime(2026, 4, 1, 8, 15, tzinfo=UTC)),
        ("2026-04-01 08:15:30", datetime(2026, 4, 1, 8, 15, 30, tzinfo=UTC)),
    ],
)
def test_a_date_may_be_written_as_in_german(text: str, moment: datetime) -> None:
    assert judged(last_login=text).rows[0].last_login == moment


def test_forwards_are_kept_in_order_without_the_mailbox_itself() -> None:
    row = judged(forwards="x@b.example, ANNA@demo.example a@b.example,x@b.example", kind="personal").rows[0]

    assert row.forwards == "a@b.example,x@b.example"


def test_an_alias_forwards_by_its_own_column() -> None:
    assert problems(judged(kind="alias", goto="eva@demo.example", forwards="x@b.example")) == [
        ("forwards", "forwards_on_alias")
    ]


@pytest.mark.parametrize(
    ("fields", "kind", "reason"),
    [
        ({"address": "office@demo.example"}, "shared", "shared_name"),
        ({"address": "office@demo.example", "kind": "Personal"}, "personal", "stated"),
        ({"forwards": "x@gmail.example"}, "outside", "forwards"),
        ({"last_login": "2001-01-01"}, "dormant", "no_login"),
        ({"last_login": "2001-01-01", "kind": "machine"}, "machine", "stated"),
        ({}, "personal", ""),
    ],
)
def test_a_kind_the_file_does_not_say_is_guessed_and_one_it_says_wins(
    fields: dict[str, str], kind: str, reason: str
) -> None:
    row = judged(**fields).rows[0]

    assert (row.kind, row.kind_reason) == (kind, reason)
