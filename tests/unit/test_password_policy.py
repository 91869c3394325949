"""The rules of the new password."""

import json
import unicodedata
from pathlib import Path

import pytest
from django.utils import translation

from accounts.password_policy import Policy, context_words, normal

WORDS_OF_ANNA = context_words("anna.gruber", "backhaus-demo.example", "ITEG")
POLICY = Policy(words=WORDS_OF_ANNA)
WIDE = Policy(words=WORDS_OF_ANNA, ascii_only=False)

# What each password breaks; tests/e2e/test_password_page.py asks the browser the same.
TABLE = json.loads((Path(__file__).parent / "passwords.json").read_text(encoding="utf-8"))
POLICIES = {
    name: Policy(
        words=context_words(of["local_part"], of["domain"], of["provider"]),
        ascii_only=of["ascii_only"],
        least=of["least"],
    )
    for name, of in TABLE["contexts"].items()
}


@pytest.mark.parametrize(("password", "context", "broken"), TABLE["cases"], ids=lambda value: ascii(value)[:30])
def test_each_rule_names_itself(password: str, context: str, broken: list[str]) -> None:
    assert sorted(rule.name for rule in POLICIES[context].broken(normal(password))) == broken


def test_the_table_has_an_example_of_every_rule() -> None:
    told = {name for _password, _context, broken in TABLE["cases"] for name in broken}

    assert len(TABLE["cases"]) >= 200
    assert told == {rule.name for rule in POLICY.rules} | {"common", "guessable"}


def test_all_broken_rules_are_told_at_once() -> None:
    assert [rule.name for rule in POLICY.broken(" gruber\t")] == [
        "short",
        "upper",
        "digit",
        "edges",
        "control",
        "words",
    ]


@pytest.mark.parametrize("password", ["amber24-Rabe-autor-wabe", "Mein Rad hat 2 neue Reifen", "tG7#kkq2Lw9x"])
def test_long_or_random_passwords_are_welcome(password: str) -> None:
    assert POLICY.broken(password) == []


@pytest.mark.parametrize("length", [33, 64, 73, 100, 128])
def test_long_passwords_are_judged_without_an_exception(length: int) -> None:
    password = ("Kaffee81-blau-tor-" * 8)[:length].rstrip("-")

    assert "short" not in [rule.name for rule in POLICY.broken(password)]


def test_a_decomposed_umlaut_is_the_composed_one() -> None:
    assert normal(unicodedata.normalize("NFD", "Müller2026Abc")) == "Müller2026Abc"


def test_characters_are_counted_and_not_bytes() -> None:
    assert WIDE.broken("äöüßàéèîôûçñäöüßàéèîôûçñA1a") == []
    assert "short" in [rule.name for rule in WIDE.broken("ää😀😀😀Aa1")]


def test_umlauts_are_refused_only_where_the_setting_says_so() -> None:
    assert "ascii" in [rule.name for rule in POLICY.broken("Kaffee81-bläu-tor")]
    assert WIDE.broken("Kaffee81-bläu-tor") == []


def test_the_mailed_password_is_refused() -> None:
    assert [rule.name for rule in POLICY.broken("Kfp7-mrt4-xwd9-hc3q", mailed=True)] == ["mailed"]


@pytest.mark.parametrize("password", [" Käse81 mit Brot ", "{PLAIN}Kaffee81", "Gruber-81-blau-tor"])
def test_a_verified_old_password_may_contain_what_a_new_one_may_not(password: str) -> None:
    assert POLICY.broken(password) != []
    assert POLICY.broken(password, old=True) == []


def test_an_old_password_must_have_length_and_classes() -> None:
    assert [rule.name for rule in POLICY.broken("käse81", old=True)] == ["short", "upper"]
    assert [rule.name for rule in POLICY.broken("Passwort1234", old=True)] == ["common"]


def test_by_setting_an_old_password_needs_the_length_alone() -> None:
    lenient = Policy(old_rules="length")

    assert lenient.broken("nurkleinbuchstaben", old=True) == []
    assert [rule.name for rule in lenient.broken("kurz", old=True)] == ["short"]


@pytest.mark.parametrize(
    ("local_part", "domain", "words"),
    [
        ("anna.gruber", "demo.example", ("anna", "gruber", "demo", "iteg")),
        ("jo", "ab.example", ("iteg",)),
        ("office", "bücher-haus.co.at", ("office", "bücher", "haus", "iteg")),
        ("anna+shop", "anna.example", ("anna", "shop", "iteg")),
    ],
)
def test_context_words_are_the_parts_of_address_and_provider(
    local_part: str, domain: str, words: tuple[str, ...]
) -> None:
    assert context_words(local_part, domain, "ITEG") == words


def test_rules_carry_their_data_for_the_page() -> None:
    data = {rule.name: rule.attributes for rule in POLICY.rules}

    assert data["short"] == {"least": "12"}
    assert data["digit"] == {"wants": "[0-9]"}
    assert data["invisible"] == {"categories": "Cf Cs Co"}
    assert data["words"]["words"].split() == list(WORDS_OF_ANNA)


def test_the_rules_are_told_in_the_language_of_the_page() -> None:
    told = {}
    for language in ("de", "en", "de"):
        with translation.override(language):
            told[language] = Policy().rules[3].sentence

    assert told["en"] == "A digit (0–9)"
    assert told["de"] != told["en"]
