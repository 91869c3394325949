import pytest

from migration.imports import passwd_file
from migration.imports.rows import ParsedFile

SHA512 = "$6$saltsalt$" + "x" * 86


def read(text: str, **options: str) -> ParsedFile:
    return passwd_file.parse(text.encode("utf-8"), **options)


def test_a_full_line_is_read() -> None:
    parsed = read(
        f"Anna@Demo.Example:{{SHA512-CRYPT}}{SHA512}:5000:5000:Anna Sonnleitner,,,:/var/vmail/anna::"
        "userdb_quota_rule=*:storage=2G userdb_mail=maildir:~/Maildir\n"
    )

    row = parsed.rows[0]
    assert parsed.errors == []
    assert (str(row.address), row.name, row.quota_mib) == ("anna@demo.example", "Anna Sonnleitner", 2048)
    assert (row.legacy_hash, row.legacy_scheme) == ("{SHA512-CRYPT}" + SHA512, "SHA512-CRYPT")


def test_user_and_password_are_enough() -> None:
    parsed = read(f"anna@demo.example:{SHA512}\neva@demo.example:\nida@demo.example\n")

    assert [row.legacy_scheme for row in parsed.rows] == ["SHA512-CRYPT", "", ""]


def test_comments_and_empty_lines_are_skipped_but_counted() -> None:
    parsed = read("# mailboxes\n\nanna@demo.example:x\r\n#eva@demo.example:x\n")

    assert [(row.line, str(row.address)) for row in parsed.rows] == [(3, "anna@demo.example")]


def test_users_without_domain_get_the_one_of_the_file() -> None:
    assert str(read("anna:*:", domain="bücher.example").rows[0].address) == "anna@xn--bcher-kva.example"
    assert [error.code for error in read("anna:*:").errors] == ["no_at"]


def test_thirteen_characters_are_des_crypt_here() -> None:
    parsed = read("anna@demo.example:abHKVHTgYc7KA:\n")

    assert [note.code for note in parsed.notes] == ["hash_truncates"]
    assert parsed.rows[0].legacy_scheme == "DES-CRYPT"


@pytest.mark.parametrize(
    ("extra", "mib"),
    [
        ("userdb_quota_rule=*:storage=500M", 500),
        ("userdb_quota_rule=*:storage=1T", 1024 * 1024),
        ("userdb_quota_rule=*:storage=2048", 2),
        ("userdb_quota_rule=*:storage=2048k", 2),
        ("userdb_quota_rule=*:storage=1b", 1),
        ("userdb_quota_rule=*:storage=1G:messages=1000", 1024),
        ("userdb_quota_rule=*:bytes=1048576", 1),
        ("userdb_quota_rule=*:messages=1000:storage=1G", 1024),
        ("quota_rule=*:storage=1G", 1024),
        ("nologin=y USERDB_QUOTA_RULE=*:STORAGE=2g allow_nets=10.0.0.0/8", 2048),
        ("quota_storage_size=1G", 1024),
        ("userdb_quota_storage_size=1G", 1024),
        ("userdb_quota_storage_size=1048577", 2),
        ("userdb_quota_rule=*:storage=0", None),
        ("userdb_quota_rule=Trash:storage=100M", None),
        ("userdb_quota_rule=*:storage=999999999999T", 10_000_000),
        ("nologin=yes", None),
        ("", None),
    ],
)
def test_the_quota_is_found_among_the_extra_fields(extra: str, mib: int | None) -> None:
    assert read(f"anna@demo.example:*:::::/bin/false:{extra}\n").rows[0].quota_mib == mib


def test_clear_text_is_refused_and_never_repeated() -> None:
    parsed = read("anna@demo.example:{PLAIN}geheim:\neva@demo.example:geheim:\n")

    assert [(error.line, error.code) for error in parsed.errors] == [(1, "hash_clear_text"), (2, "hash_clear_text")]
    assert not any("geheim" in str(error) for error in parsed.errors)


def test_a_broken_line_never_stops_the_good_ones() -> None:
    parsed = read("anna@demo.example:\x00:\nroot:x:0:0:root:/root:/bin/sh\neva@demo.example:*:\n")

    assert [(error.line, error.code) for error in parsed.errors] == [(1, "nul"), (2, "no_at")]
    assert [str(row.address) for row in parsed.rows] == ["eva@demo.example"]


def test_an_endless_line_stops_the_reading() -> None:
    parsed = read("anna@demo.example:*:\neva@demo.example:" + "x" * 70_000 + "\nida@demo.example:*:\n")

    assert [error.code for error in parsed.errors] == ["line_too_long"]
    assert len(parsed.rows) == 1


@pytest.mark.parametrize(
    ("data", "code"), [(b"", "no_rows"), (b"# nothing\n", "no_rows"), (b"anna@x.example:\xff", "not_utf8")]
)
def test_a_file_of_another_kind_is_refused(data: bytes, code: str) -> None:
    assert [error.code for error in passwd_file.parse(data).errors] == [code]


def test_cp1252_is_read_by_choice() -> None:
    data = "anna@demo.example:*:::Anna Müller".encode("cp1252")

    assert passwd_file.parse(data, encoding="cp1252").rows[0].name == "Anna Müller"
