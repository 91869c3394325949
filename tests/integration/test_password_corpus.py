"""Bad input at the new password, N1 to N30: the stated answer, never a 500, and nothing saved that should not be.

The rows that need a story of their own stand beside their like: N21, N22 to N25 in test_old_password.py, N26 to N28 in
test_set_password.py and test_owner_session.py. Where a decided rule is stricter than the corpus or lets go of it, the
test says so.
"""

import unicodedata
from typing import Any

import argon2
import pytest
from django.test import Client

from migration import first_login as first_logins
from migration import schemes
from migration.models import Mailbox, Push
from tests import factories

from .door import GOOD, marked, owner_client, pushed, save, sign_in

param = pytest.param
AT_LENGTH = ("Kaffee81-blau-tor-" * 8)[:127] + "z"


def is_saved(mailbox: Mailbox, password: str) -> bool:
    """Whether the page takes the password, and what is pushed is the hash of just this text, in NFC."""
    response = save(owner_client(mailbox), password)
    return response.status_code == 302 and argon2.PasswordHasher().verify(
        pushed(Push.objects.get()).removeprefix("{ARGON2ID}"), unicodedata.normalize("NFC", password)
    )


def refused_for(mailbox: Mailbox, password: str) -> set[str]:
    """The rules the page marks; nothing is saved, and the password is not shown again."""
    response = save(owner_client(mailbox), password)
    assert response.status_code == 422
    assert not Push.objects.exists()
    return marked(response)


@pytest.mark.parametrize(
    "password",
    [
        param("Kaffee81blau", id="N2-twelve"),
        param(AT_LENGTH, id="N3-128"),
        param(AT_LENGTH[:73], id="N4-73"),
        param("$6$Kaffee81$blau-tor", id="N20-crypt"),
        param("%s%sKaffee81 blau", id="N20-format"),
        param("{{7*7}}Kaffee81 blau", id="N20-template"),
        param("<script>Kaffee81 blau", id="N20-markup"),
    ],
)
def test_ordinary_text_of_the_right_length_is_saved_as_it_is(mailbox: Mailbox, password: str) -> None:
    assert is_saved(mailbox, password)


@pytest.mark.parametrize(
    ("password", "broken"),
    [
        param("Kaffee81bla", {"short"}, id="N1-eleven"),
        param(AT_LENGTH + "z", {"long"}, id="N3-129"),
        param("Abc\0def123456", {"control"}, id="N7-NUL"),
        param("Kaffee81\tblau-tor", {"control"}, id="N8-TAB"),
        param("Kaffee81\rblau-tor", {"control"}, id="N8-CR"),
        param("Kaffee81\nblau-tor", {"control"}, id="N8-LF"),
        param("Kaffee81\u0085blau-tor", {"control", "ascii"}, id="N8-0085"),
        param("Kaffee81\u200bblau-tor", {"invisible", "ascii"}, id="N8-200b"),
        param("Kaffee81\u202eblau-tor", {"invisible", "ascii"}, id="N8-202e"),
        param(" " * 12, {"lower", "upper", "digit", "edges"}, id="N10-blanks"),
        param("Passwort1234", {"common"}, id="N15-Passwort1234"),
        param("Sommer202612", {"common"}, id="N15-Sommer202612"),
        param("Qwertz123456", {"common"}, id="N15-Qwertz123456"),
        param("PASSWORT1234a", {"common"}, id="N16-capitals"),
        param("anna.Kaffee2026", {"words"}, id="N17-local-part"),
        param("demo.Kaffee2026", {"words"}, id="N17-domain"),
        param("iteg.Kaffee2026", {"words"}, id="N17-company"),
        param("Kaffee81-blau-tor\n", {"control"}, id="N21-pasted-line-end"),
    ],
)
def test_what_breaks_a_rule_is_refused_with_that_reason(mailbox: Mailbox, password: str, broken: set[str]) -> None:
    assert refused_for(mailbox, password) == broken


@pytest.mark.parametrize(
    "password",
    [
        param("Müller2026Abc", id="N6-composed"),
        param(unicodedata.normalize("NFD", "Müller2026Abc"), id="N6-decomposed"),
        param("😀😁😂😃😄😅😆😇😈Aa1", id="N14-twelve-code-points"),
    ],
)
def test_beyond_ascii_needs_the_setting(mailbox: Mailbox, settings: Any, password: str) -> None:
    """The corpus lets these pass. By decision a setting has to allow them: many mail programs send them wrongly.

    Then both spellings of an umlaut are one password, the composed one.
    """
    assert refused_for(mailbox, password) == {"ascii"}
    settings.PASSWORD_ASCII_ONLY = False
    assert is_saved(mailbox, password)


def test_umlauts_are_counted_and_not_their_bytes_n5(mailbox: Mailbox, settings: Any) -> None:
    """The corpus takes two dozen times one umlaut. By decision what is guessed at once is refused, however long."""
    settings.PASSWORD_ASCII_ONLY = False

    assert refused_for(mailbox, "ä" * 24 + "Aa1") == {"guessable"}
    assert refused_for(mailbox, "ä" * 8 + "Aa1") == {"short"}
    assert is_saved(mailbox, "äöüßàéèîôûçñ" * 2 + "Aa1")


@pytest.mark.parametrize(
    ("password", "broken"),
    [
        param("\uff21ffenzahn\uff11\uff12abcd", {"upper", "digit"}, id="N11-full-width"),
        param("\uff21\uff11\uff41" * 5, {"upper", "lower", "digit"}, id="N11-full-width-alone"),
        param("Kaffee\u2460\u2461\u2462blautor", {"digit"}, id="N12-circled"),
        param("ß" * 12 + "A1", {"lower"}, id="N13-sharp-s"),
        param("\u216b" * 3 + "kaffeeblau1", {"upper"}, id="N13-roman-twelve"),
        param("😀😁😂😃😄😅😆😇Aa1", {"short"}, id="N14-eleven-code-points"),
        param("Kaffee81-\U0001f468\u200d\U0001f469-blau", {"invisible"}, id="N14-joined"),
    ],
)
def test_only_letters_and_digits_of_ascii_count_and_only_code_points(
    mailbox: Mailbox, settings: Any, password: str, broken: set[str]
) -> None:
    """The corpus counts classes by Unicode, N11 and the sharp s of N13 among them. mailcow counts those of ASCII only.

    So does the decided rule: what the page calls a capital letter is one there too.
    """
    settings.PASSWORD_ASCII_ONLY = False
    assert refused_for(mailbox, password) == broken
    settings.PASSWORD_ASCII_ONLY = True
    assert refused_for(mailbox, password) == broken | {"ascii"}


@pytest.mark.parametrize("password", [param(f" {GOOD}", id="N9-leading"), param(f"{GOOD} ", id="N9-trailing")])
def test_a_blank_at_either_end_is_refused(mailbox: Mailbox, password: str) -> None:
    """The corpus asks the owner and keeps it. By decision it is refused: nobody sees it, and many programs trim it."""
    assert refused_for(mailbox, password) == {"edges"}


@pytest.mark.parametrize(
    "password",
    [param("{PLAIN}Abcdefg12345", id="N19-PLAIN"), param("{ARGON2ID}$argon2id$v=19$Abc", id="N19-ARGON2ID")],
)
def test_a_scheme_at_the_beginning_is_refused(mailbox: Mailbox, password: str) -> None:
    """The corpus would store it as text inside the hash. The decided rule refuses it.

    A mail program or a later tool that hands it on unhashed would have it read as an instruction.
    """
    assert refused_for(mailbox, password) == {"scheme"}


def test_the_first_login_password_is_no_new_password_n18(client: Client, mailbox: Mailbox) -> None:
    _, secret = factories.make_first_login(mailbox)
    sign_in(client, mailbox.address, secret)

    assert marked(save(client, first_logins.show(secret))) == {"mailed"}
    assert not Push.objects.exists()


def test_a_second_field_is_not_read_n21(mailbox: Mailbox) -> None:
    """The corpus compares a repeat field. By decision there is one field with show and hide, so none is compared."""
    client = owner_client(mailbox)

    client.post("/password", {"password": GOOD, "password2": "Tulpe-77-ofen-kran"})

    assert schemes.verify(pushed(Push.objects.get()), GOOD)
    assert client.get("/password").content.decode().count('type="password"') == 1


def test_the_password_of_a_waiting_push_may_be_saved_again_n30(mailbox: Mailbox) -> None:
    client = owner_client(mailbox)
    save(client)

    assert save(client).status_code == 302

    first, second = Push.objects.order_by("version")
    assert (first.state, first.payload, second.state) == (Push.State.SUPERSEDED, None, Push.State.QUEUED)
    assert schemes.verify(pushed(second), GOOD)
