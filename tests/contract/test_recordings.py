"""Every recorded reply of a real mailcow, classified; its database has the last word."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest

from migration.mailcow import replies
from migration.mailcow.errors import Blocked, MailcowError, Reason
from migration.mailcow.replies import MailboxFacts

from .expected import FALSE_SUCCESS, OK, PASSWORD_STORED, READ_MAILBOX, Outcome, outcome
from .recorded import Recording, recordings

every_recording = pytest.mark.parametrize("recording", recordings().values(), ids=recordings())

STORED = [name for name, one in recordings().items() if one.effects.get("password_column_changed") is True]

BEFORE = MailboxFacts(
    address="edit@demo.example",
    active=1,
    authsource="mailcow",
    passwd_update="2020-01-01 00:00:00",
    attribute_hash="",
    quota=104857600,
    last_imap_login=None,
    last_pop3_login=None,
    last_smtp_login=None,
)


def outcome_of(verb: Callable[[], object]) -> Outcome:
    try:
        verb()
    except MailcowError as error:
        return type(error), error.reason
    return OK


def read_back(recording: Recording) -> MailboxFacts:
    """The facts a second look brings, from what changed in the row."""
    changed = recording.effects["row_diff"].get("attributes.passwd_update")
    if changed is None:
        return BEFORE
    return replace(BEFORE, passwd_update=changed[1])


def test_all_recordings_are_here() -> None:
    assert len(recordings()) == 360


@every_recording
def test_reply_to_a_write_means_what_mailcow_did(recording: Recording) -> None:
    expected = outcome(PASSWORD_STORED, recording.name)

    assert outcome_of(lambda: replies.password_stored(recording.reply, recording.address)) == expected


@every_recording
def test_reply_to_a_look_means_what_mailcow_knows(recording: Recording) -> None:
    expected = outcome(READ_MAILBOX, recording.name)

    assert outcome_of(lambda: replies.read_mailbox(recording.reply, recording.address)) == expected


def test_only_the_version_reads_as_a_version() -> None:
    for name, recording in recordings().items():
        expected = isinstance(recording.document, dict) and "version" in recording.document

        assert (outcome_of(partial(replies.version, recording.reply)) == OK) == expected, name


def test_nothing_unchanged_counts_as_stored() -> None:
    signs = ("password_column_changed", "password_changed", "password_stored_anyway")
    for name, recording in recordings().items():
        unchanged = any(recording.effects.get(sign) is False for sign in signs)
        stored = outcome_of(partial(replies.password_stored, recording.reply, recording.address)) == OK

        assert not (stored and unchanged) or name in FALSE_SUCCESS, name  # those are caught by reading back


@pytest.mark.parametrize("name", sorted(FALSE_SUCCESS))
def test_reading_back_catches_a_false_success(name: str) -> None:
    recording = recordings()[name]
    assert recording.effects["password_column_changed"] is False
    replies.password_stored(recording.reply, recording.address)

    with pytest.raises(Blocked) as caught:
        replies.confirm(BEFORE, read_back(recording))

    assert caught.value.reason is Reason.NOT_STORED


@pytest.mark.parametrize("name", STORED)
def test_reading_back_confirms_every_stored_password(name: str) -> None:
    replies.confirm(BEFORE, read_back(recordings()[name]))


def test_password_kept_elsewhere_is_found_out_before_the_write() -> None:
    with pytest.raises(Blocked) as caught:
        replace(BEFORE, authsource="ldap").require_own_passwords()

    assert caught.value.reason is Reason.AUTHSOURCE


def test_logins_on_the_target_are_read_as_seconds() -> None:
    recording = recordings()["get-mailbox-after-logins"]

    facts = replies.read_mailbox(recording.reply, "logins@demo.example")

    assert facts.last_imap_login == recording.effects["true_epoch_of_login"]
    assert facts.passwd_update == "2026-11-24 04:41:33"
    assert facts.quota == 100 * 1024 * 1024
