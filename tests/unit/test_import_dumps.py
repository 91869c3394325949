"""Dumps of PostfixAdmin and ViMbAdmin, as mysqldump, pg_dump, phpMyAdmin and SQLite write them."""

import pytest

from migration.imports import admin_dumps
from migration.imports.rows import ParsedFile
from migration.imports.sql_dump import Dump, Record

BCRYPT = "{BLF-CRYPT}$2y$05$Gmmbcm/mj1DFDW/ZRicERe6xyXk4hPVGZuUF6oxMEnwYOTg7pDx.K"
MD5 = "5ebe2294ecd0e0f08eab7690d2a6ee69"

MYSQL = f"""-- MySQL dump 10.13  Distrib 8.0.31, for Linux (x86_64)
/*!40101 SET NAMES utf8mb4 */;
DROP TABLE IF EXISTS `log`;
CREATE TABLE `log` (`data` text NOT NULL COMMENT 'no; (end', PRIMARY KEY (`data`)) ENGINE=InnoDB;
INSERT INTO `log` VALUES ('anna@demo.example''s mailbox; INSERT INTO `mailbox` VALUES (1)'),('\\'); --');
CREATE TABLE `mailbox` (
  `username` varchar(255) NOT NULL,
  `password` varchar(255) NOT NULL,
  `name` varchar(255) CHARACTER SET utf8 NOT NULL DEFAULT 'a,b)',
  `quota` bigint(20) NOT NULL DEFAULT 0, -- bytes, (or 0)
  `domain` varchar(255) NOT NULL,
  `created` datetime NOT NULL DEFAULT '2000-01-01 00:00:00',
  `active` tinyint(1) NOT NULL DEFAULT 1,
  PRIMARY KEY (`username`), KEY `domain` (`domain`)
) ENGINE=InnoDB DEFAULT CHARSET=latin1 COMMENT='Postfix Admin - Virtual Mailboxes';
LOCK TABLES `mailbox` WRITE;
/*!40000 ALTER TABLE `mailbox` DISABLE KEYS */;
INSERT INTO `mailbox` VALUES
('anna@demo.example','{BCRYPT}','Anna O\\'Neill; \\"Chefin\\"',1048576000,'demo.example','2020-01-01',1),
('ben@demo.example','{MD5}','Ben',0,'demo.example','2020-01-01',1),('off@demo.example','','',0,'demo.example','2020-01-01',0);
INSERT INTO `mailbox` VALUES ('eva@other.example','x','Eva',0,'other.example','2020-01-01',1);
UNLOCK TABLES;
CREATE TABLE `alias` (`address` varchar(255) NOT NULL, `goto` text NOT NULL, `domain` varchar(255), `active` tinyint);
INSERT INTO `alias` VALUES ('anna@demo.example','anna@demo.example,x@gmail.example','demo.example',1),
('ben@demo.example','ben@demo.example','demo.example',1),
('off@demo.example','x@gmail.example','demo.example',1),
('info@demo.example','anna@demo.example,ben@demo.example','demo.example',1),
('old@demo.example','anna@demo.example','demo.example',0),
('@demo.example','anna@demo.example','demo.example',1),
('all@other.example','eva@other.example','other.example',1);
CREATE TABLE `quota2` (`username` varchar(100), `bytes` bigint, `messages` int);
INSERT INTO `quota2` VALUES ('anna@demo.example',1048577,12);
CREATE TABLE `alias_domain` (`alias_domain` varchar(255), `target_domain` varchar(255), `active` tinyint);
INSERT INTO `alias_domain` VALUES ('demo.test.example','demo.example',1),('x.example','other.example',1);
-- Dump completed on 2026-11-24
"""

POSTGRESQL = f"""--
-- PostgreSQL database dump
--
\\restrict abc'def
SET statement_timeout = 0;
CREATE FUNCTION public.merge() RETURNS void AS $_$ BEGIN INSERT INTO mailbox VALUES ('not; this'); END; $_$ LANGUAGE x;
CREATE TABLE public.mailbox (
    username character varying(255) NOT NULL,
    password character varying(255) DEFAULT ''::character varying NOT NULL,
    CONSTRAINT ok CHECK ((length(username) > 3))
);
COPY public.alias (address, goto, domain, active) FROM stdin;
anna@demo.example\tanna@demo.example\\n,x@gmail.example\tdemo.example\tt
info@demo.example\tanna@demo.example\tdemo.example\tt
\\.
COPY public.mailbox (username, password, name, quota, domain, active, token) FROM stdin;
anna@demo.example\t{BCRYPT}\tAnna \\\\ Gruber\t5368709120\tdemo.example\tt\t\\N
eva@other.example\tx\tEva\t0\tother.example\tt\t\\N
\\.
SELECT pg_catalog.setval('public.log_id_seq', 1, false);
"""

VIMBADMIN = f"""-- MySQL dump 10.16
INSERT INTO `mailbox` (`id`,`username`,`password`,`name`,`quota`,`active`,`maildir_size`,`delete_pending`,`Domain_id`)
VALUES (1,'anna@demo.example','{MD5}',NULL,0,1,2097152,0,1),(2,'gone@demo.example','x','',0,1,NULL,1,1);
INSERT INTO `alias` (`id`,`address`,`goto`,`active`,`created`,`Domain_id`) VALUES
(1,'anna@demo.example','anna@demo.example',1,'2016-06-04',1),(2,'c@demo.example','anna@demo.example',1,'2016-06-04',1);
"""


def read(
    text: str, program: admin_dumps.Program = admin_dumps.POSTFIXADMIN, domain: str = "demo.example"
) -> ParsedFile:
    return admin_dumps.parse(text.encode(), program, domain=domain)


def problems(parsed: ParsedFile) -> list[tuple[int, str, str]]:
    return [(problem.line, problem.column, problem.code) for problem in parsed.errors]


def notes(parsed: ParsedFile) -> list[tuple[int, str, str]]:
    return [(note.line, note.column, note.code) for note in parsed.notes]


def values(text: str) -> list[dict[str, str]]:
    refused: list[object] = []
    found = [record.values for record in Dump(text, {"t"}, lambda *problem, **_params: refused.append(problem))]
    assert refused == []
    return found


def test_a_mysql_dump_of_postfixadmin_gives_mailboxes_with_their_forwards_and_aliases() -> None:
    parsed = read(MYSQL)

    assert problems(parsed) == []
    assert [(str(row.address), row.name, row.quota_mib, row.used_mib, row.forwards) for row in parsed.rows] == [
        ("anna@demo.example", 'Anna O\'Neill; "Chefin"', 1000, 2, "x@gmail.example"),
        ("ben@demo.example", "Ben", None, None, ""),
    ]
    assert [(row.legacy_hash, row.legacy_scheme) for row in parsed.rows] == [
        (BCRYPT, "BLF-CRYPT"),
        ("{PLAIN-MD5}" + MD5, "PLAIN-MD5"),
    ]
    assert [(str(alias.address), alias.goto) for alias in parsed.aliases] == [
        ("info@demo.example", ("anna@demo.example", "ben@demo.example")),
        ("*@demo.example", ("anna@demo.example",)),
    ]
    assert {note.code: note.params for note in parsed.notes} == {
        "other_domains": {"n": 2},
        "alias_domain": {"name": "demo.test.example"},
        "switched_off": {},
    }
    assert [where for where in notes(parsed) if where[2] == "switched_off"] == [
        (20, "mailbox[3].address", "switched_off"),
        (28, "alias[5].address", "switched_off"),
    ]


def test_a_dump_of_postgresql_is_read_from_its_copy_lines() -> None:
    parsed = read(POSTGRESQL)

    assert problems(parsed) == []
    row = parsed.rows[0]
    assert (row.line, row.name, row.quota_mib, row.kind, row.legacy_hash) == (
        17,
        "Anna \\ Gruber",
        5120,
        "outside",
        BCRYPT,
    )
    assert [str(alias.address) for alias in parsed.aliases] == ["info@demo.example"]


def test_a_dump_of_vimbadmin_is_read() -> None:
    parsed = read(VIMBADMIN, admin_dumps.VIMBADMIN)

    assert problems(parsed) == []
    assert [(str(row.address), row.used_mib) for row in parsed.rows] == [("anna@demo.example", 2)]
    assert [str(alias.address) for alias in parsed.aliases] == ["c@demo.example"]
    assert notes(parsed) == [(3, "mailbox[2].address", "switched_off")]


def test_a_dump_without_the_domain_says_so() -> None:
    parsed = read(MYSQL, domain="nowhere.example")

    assert problems(parsed) == [(1, "", "sql_no_mailbox")]
    assert parsed.errors[0].params == {"others": 4}


def test_a_mistake_is_named_by_its_row_within_the_statement() -> None:
    parsed = read(MYSQL.replace(MD5, "geheim"))

    assert problems(parsed) == [(20, "mailbox[2].password_hash", "hash_clear_text")]
    assert len(parsed.rows) == 1
    assert "geheim" not in repr(parsed)


@pytest.mark.parametrize(
    ("dump", "problem"),
    [
        ("INSERT INTO mailbox VALUES ('a@demo.example','x',1);", (1, "mailbox", "sql_columns")),
        ("INSERT INTO mailbox (username,name) VALUES ('a@demo.example','x');", (1, "mailbox", "sql_column_missing")),
        (
            "\nINSERT INTO mailbox (username,password,active) VALUES ('a@demo.example','x');",
            (2, "mailbox[1]", "sql_values"),
        ),
        ("INSERT INTO mailbox (username,password,active) VALUES ('a@demo.example','x", (1, "", "sql_value")),
        ("INSERT INTO mailbox (username,password,active) VALUES (now(),'x',1);", (1, "", "sql_value")),
        ("SELECT 1;\nSELECT 'never closed;\n", (2, "", "sql_cut")),
        (
            "COPY mailbox (username, password, active) FROM stdin;\na@demo.example\tx\n\\.\n",
            (2, "mailbox[1]", "sql_values"),
        ),
        ("", (1, "", "no_rows")),
        ("SELECT 1;", (1, "", "no_rows")),
    ],
)
def test_a_dump_that_does_not_add_up_is_refused_where_it_does_not(dump: str, problem: tuple[int, str, str]) -> None:
    parsed = read(dump)

    assert problem in problems(parsed)
    assert parsed.rows == []
    assert all(str(error) for error in parsed.errors)


def test_a_value_that_cannot_be_read_leaves_the_statements_behind_it() -> None:
    columns = "INSERT INTO mailbox (username,password,active) VALUES "
    parsed = read(f"{columns}('a@demo.example',now(),1),('b;@demo.example','x',1);\n{columns}('c@demo.example','x',1);")

    assert problems(parsed) == [(1, "", "sql_value")]
    assert [row.address.local_part for row in parsed.rows] == ["c"]


@pytest.mark.parametrize(
    ("goto", "forwards", "told"),
    [
        ("anna@demo.example", "", []),
        ("ANNA@demo.example, x@b.example", "x@b.example", []),
        ("x@b.example", "x@b.example", ["no_copy"]),
        ("anna@demo.example,anna#demo.example@autoreply.example", "", ["autoreply"]),
    ],
)
def test_the_alias_of_a_mailbox_means_its_forwards(goto: str, forwards: str, told: list[str]) -> None:
    parsed = read(
        "INSERT INTO mailbox (username,password,active) VALUES ('anna@demo.example','x',1);"
        f"INSERT INTO alias (address,goto,active) VALUES ('anna@demo.example','{goto}',1);"
    )

    assert problems(parsed) == []
    assert parsed.aliases == []
    assert parsed.rows[0].forwards == forwards
    assert [note.code for note in parsed.notes] == told


@pytest.mark.parametrize(
    ("literal", "meant"),
    [
        ("'it''s'", "it's"),
        (r"'it\'s'", "it's"),
        (r"'a\\''b'", r"a\'b"),
        (r"'tab\tline\nnul\0'", "tab\tline\nnul\0"),
        ("_binary 'x'", "x"),
        ("_utf8mb4'x'", "x"),
        ("0x4142", "AB"),
        ("b'1'", "1"),
        ("-12.5e3", "-12.5e3"),
        ("NULL", ""),
        ("true", "1"),
        ("'a;b),('", "a;b),("),
        ("'--'", "--"),
    ],
)
def test_mysql_values_mean_what_mysql_means(literal: str, meant: str) -> None:
    assert values(f"-- MySQL dump\nINSERT INTO `t` (`a`, b) VALUES ({literal} , 1);") == [{"a": meant, "b": "1"}]


@pytest.mark.parametrize(
    ("literal", "meant"), [(r"'C:\'", "C:\\"), (r"E'it\'s'", "it's"), ("'it''s'", "it's"), ("'a\nb'", "a\nb")]
)
def test_standard_strings_know_no_backslash(literal: str, meant: str) -> None:
    assert values(f'INSERT INTO public."t" ("a", b) VALUES ({literal}, false);') == [{"a": meant, "b": "0"}]


def test_a_dump_of_sqlite_is_read() -> None:
    text = "PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\nCREATE TABLE t(a TEXT, b INT, PRIMARY KEY(a));\n"
    assert values(text + "INSERT INTO t VALUES('x\\',1);\nCOMMIT;\n") == [{"a": "x\\", "b": "1"}]


@pytest.mark.parametrize(("copied", "meant"), [("\\N", ""), ("a\\tb", "a\tb"), ("\\\\N", "\\N"), ("\\x41\\102", "AB")])
def test_copied_values_mean_what_postgresql_means(copied: str, meant: str) -> None:
    assert values(f"COPY t (a) FROM stdin;\n{copied}\n\\.\n") == [{"a": meant}]


def test_rows_are_counted_by_table_and_their_lines_by_file() -> None:
    text = "\n\nINSERT INTO t (a) VALUES (1),\n(2);\nINSERT INTO t (a) VALUES (3);"

    found = list(Dump(text, {"t"}, lambda *_problem, **_params: None))

    assert found == [
        Record("t", 3, 1, {"a": "1"}),
        Record("t", 4, 2, {"a": "2"}),
        Record("t", 5, 3, {"a": "3"}),
    ]
