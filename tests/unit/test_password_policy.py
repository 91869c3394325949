"""The rules of the new password. CASES is also what the browser must agree on."""

import unicodedata

import pytest
from django.utils.translation import override

from accounts.common_passwords import TAILS, WORDS, is_common
from accounts.password_policy import Policy, context_words, normal

WORDS_OF_ANNA = context_words("anna.gruber", "backhaus-demo.example", "ITEG")
POLICY = Policy(words=WORDS_OF_ANNA)
WIDE = Policy(words=WORDS_OF_ANNA, ascii_only=False)

# What a rule of the page says about a password: (password, names of the broken rules that carry data).
CASES = [
    ("Kaffee81bla", {"short"}),
    ("Kaffee81blau", set()),
    ("k", {"short", "upper", "digit"}),
    ("", {"short", "lower", "upper", "digit"}),
    ("            ", {"lower", "upper", "digit", "edges"}),
    ("kaffee81blau", {"upper"}),
    ("KAFFEE81BLAU", {"lower"}),
    ("Kaffeeblauro", {"digit"}),
    ("A1" + "bcdefghijk" * 12 + "Zyxwvu", set()),
    ("A1" + "bcdefghijk" * 12 + "Zyxwvut", {"long"}),
    ("Kaffee81\0blau-tor", {"control"}),
    ("Kaffee81\tblau-tor", {"control"}),
    ("Kaffee81\rblau-tor", {"control"}),
    ("Kaffee81-blau-tor\n", {"control"}),
    ("\nKaffee81-blau-tor", {"control"}),
    ("Kaffee81\x85blau-tor", {"control", "ascii"}),
    ("Kaffee81\x7fblau-tor", {"control"}),
    ("Kaffee81\u2028blau-tor", {"control", "ascii"}),
    ("Kaffee81\u200bblau-tor", {"invisible", "ascii"}),
    ("Kaffee81\u202eblau-tor", {"invisible", "ascii"}),
    ("Kaffee81\u00adblau-tor", {"invisible", "ascii"}),
    ("Kaffee81\ufeffblau-tor", {"invisible", "ascii"}),
    ("Kaffee81\U000e0041blau", {"invisible", "ascii"}),
    (" Kaffee81-blau-tor", {"edges"}),
    ("Kaffee81-blau-tor ", {"edges"}),
    ("\u00a0Kaffee81-blau-tor", {"edges", "ascii"}),
    ("Kaffee81-blau-tor\u3000", {"edges", "ascii"}),
    ("Kaffee 81 blau tor", set()),
    ("{PLAIN}Kaffee81-blau", {"scheme"}),
    ("{ARGON2ID}$argon2id$v=19$Abc", {"scheme"}),
    ("{ssha.hex}Kaffee81blau", {"scheme"}),
    ("Kaffee{PLAIN}81blau", set()),
    ("{Kaffee 81} blau tor", set()),
    ("$6$Kaffee81$blau-tor", set()),
    ("%sKaffee81{{7*7}}<script>", set()),
    ("Kaffee81-bläu-tor", {"ascii"}),
    ("Kaffee81-€-blau-tor", {"ascii"}),
    ("Kaffee81-😀-blau-tor", {"ascii"}),
    ("Kaffee81-👨\u200d👩-blau", {"invisible", "ascii"}),
    ("Ａffenzahn１２ａbcd", {"ascii", "upper", "digit"}),
    ("Kaffee①②③blautor", {"ascii", "digit"}),
    ("ßßßßßßßßßßßßA1", {"ascii", "lower"}),
    ("ⅫkaffeeblautorX1", {"ascii"}),
    ("Gruber-81-blau-tor", {"words"}),
    ("81-kaffee-GRUBER-tor", {"words"}),
    ("Backhaus-81-kaffee", {"words"}),
    ("Demo-81-kaffee-tor", {"words"}),
    ("Iteg-81-kaffee-tor", {"words"}),
    ("Kaffee81blau\ud800tor", {"invisible", "ascii"}),
]


@pytest.mark.parametrize(("password", "broken"), CASES, ids=lambda value: ascii(value)[:30])
def test_each_rule_names_itself(password: str, broken: set[str]) -> None:
    assert {rule.name for rule in POLICY.rules if not rule.holds(normal(password))} == broken


def test_all_broken_rules_are_told_at_once() -> None:
    assert [rule.name for rule in POLICY.broken(" gruber\t")] == [
        "short",
        "upper",
        "digit",
        "edges",
        "control",
        "words",
    ]


@pytest.mark.parametrize(
    "password",
    [
        "Passwort1234",
        "Sommer202612",
        "Qwertz123456",
        "PASSWORT1234a",
        "Hallo1234567",
        "SonnenscheinSchatz1",
        "Schatz-Sonne-2024",
        "1234-Passwort",
        "Willkommen2026!",
        "November2026a",
    ],
)
def test_what_is_tried_first_everywhere_is_refused(password: str) -> None:
    assert "common" in [rule.name for rule in POLICY.broken(password)]


@pytest.mark.parametrize("password", ["Aaaaaaaaaaa1", "A1a1a1a1a1a1a1a1"])
def test_what_repeats_itself_is_refused_with_advice(password: str) -> None:
    with override("en"):
        [rule] = POLICY.broken(password)

    assert rule.name == "guessable"
    assert "several words" in rule.sentence


@pytest.mark.parametrize("password", ["amber24-Rabe-autor-wabe", "Mein Rad hat 2 neue Reifen", "tG7#kkq2Lw9x"])
def test_long_or_random_passwords_are_welcome(password: str) -> None:
    assert POLICY.broken(password) == []


def test_the_list_of_common_passwords_holds_thousands_that_keep_the_rules() -> None:
    candidates = {word.capitalize() + str(year) + mark for word in WORDS for year in range(1990, 2030) for mark in "!a"}
    good = [candidate for candidate in candidates if not any(not rule.holds(candidate) for rule in Policy().rules)]

    assert len(good) >= 3000
    assert all(is_common(candidate) for candidate in good)
    assert TAILS


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
