"""Threats and the tests that show the control against each.

`what` is the threat as the table of docs/security.md names it; tests/test_corpus_complete.py compares.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Threat:
    """One line of the threat model: its number, its line in the table, `file::test` below tests/."""

    number: int
    what: str
    tests: tuple[str, ...]


THREATS = (
    Threat(
        1,
        "First-login password is guessed",
        (
            "integration/test_attempts_many.py::test_ten_thousand_tries_from_five_hundred_networks_open_nothing",
            "integration/test_attempts_wait.py::test_ten_guesses_at_once_with_the_link_are_one_guess",
        ),
    ),
    Threat(
        2,
        "Somebody burns the budget to lock the owner out",
        (
            "integration/test_attempts.py::test_a_stranger_cannot_lock_the_owner_out",
            "integration/test_attempts_wait.py::test_whoever_has_no_link_makes_nobody_wait",
        ),
    ),
    Threat(
        3,
        "Addresses are found out by trying",
        (
            "integration/test_sign_in_refusals.py::test_every_refusal_is_the_same_page_to_the_byte",
            "integration/test_sign_in_refusals.py::test_every_refusal_costs_the_same_queries_and_two_comparisons",
            "integration/test_sign_in_refusals.py::test_with_the_mailed_link_too_the_answer_does_not_tell_why",
            "integration/test_again.py::test_everybody_reads_the_same",
        ),
    ),
    Threat(
        4,
        "Forged `Host` poisons a mailed link",
        (
            "integration/test_poisoned_hosts.py::test_a_forged_host_is_refused",
            "integration/test_poisoned_hosts.py::test_other_headers_that_name_a_host_reach_no_mail",
            "e2e/test_scanner.py::test_two_hosts_in_one_request_are_refused_s26",
        ),
    ),
    Threat(
        5,
        "Mail scanner opens or presses everything",
        (
            "integration/test_link.py::test_opening_it_writes_nothing",
            "e2e/test_scanner.py::test_a_browser_that_presses_everything_uses_nothing_up",
        ),
    ),
    Threat(
        6,
        "Secrets stand in addresses, and so in logs and histories",
        ("integration/test_crawl.py::test_no_address_carries_a_secret_and_nothing_is_loaded_from_elsewhere",),
    ),
    Threat(
        7,
        "Forged `X-Forwarded-For` buys a new budget",
        (
            "integration/test_attempts.py::test_a_forged_forwarding_header_buys_no_new_budget",
            "integration/test_attempts.py::test_another_spelling_uses_the_same_budget",
            "integration/test_attempts.py::test_a_success_neither_counts_as_a_failure_nor_clears_the_networks",
            "integration/test_attempts.py::test_an_exception_while_verifying_keeps_the_count",
            "integration/test_attempts_many.py::test_four_processes_share_one_counter",
            "integration/test_attempts_many.py::test_one_place_alone_looks_at_a_first_login_password",
        ),
    ),
    Threat(
        8,
        "Owner's session: fixation, shared PC, outlives a revoke",
        (
            "integration/test_owner_session.py::test_a_preset_session_is_not_kept",
            "integration/test_owner_session.py::test_a_quiet_quarter_of_an_hour_ends_it",
            "integration/test_owner_session.py::test_an_hour_ends_it_in_any_case",
            "integration/test_owner_session.py::test_what_support_does_ends_it_at_the_next_request",
        ),
    ),
    Threat(
        9,
        "Owner reaches another mailbox or a staff page",
        (
            "integration/test_owner_session.py::test_another_mailbox_named_in_the_form_is_ignored",
            "integration/test_owner_session.py::test_each_field_that_names_another_mailbox_is_written_down",
            "integration/test_owner_session.py::test_an_owner_reaches_no_staff_page",
        ),
    ),
    Threat(
        13,
        "Old password guessed through the form",
        ("integration/test_old_password.py::test_the_old_password_is_compared_five_times_a_session",),
    ),
    Threat(
        14,
        "Hash in an import made to burn CPU or memory",
        (
            "integration/test_odd_passwords.py::test_a_hash_made_to_burn_the_server_is_refused_by_an_import",
            "integration/test_odd_passwords.py::test_a_hash_made_to_burn_the_server_is_not_computed_at_the_door",
            "unit/test_schemes.py::test_a_hash_that_costs_too_much_is_refused_before_it_is_computed",
        ),
    ),
    Threat(
        15,
        "Huge or odd input makes an error page",
        (
            "integration/test_odd_passwords.py::test_odd_bodies_are_answered_and_save_nothing",
            "integration/test_set_password.py::test_more_than_a_kibibyte_is_refused_before_it_is_looked_at",
            "integration/test_sign_in_corpus.py::test_a_huge_body_is_refused_before_the_database",
            "integration/test_sign_in_corpus.py::test_broken_unicode_is_uniform",
        ),
    ),
    Threat(
        16,
        "Password means less than its owner typed",
        (
            "integration/test_odd_passwords.py::test_a_scheme_that_cuts_gives_no_credit",
            "integration/test_odd_passwords.py::test_behind_a_nul_nothing_counts_as_the_old_password",
            "integration/test_odd_passwords.py::test_beyond_what_bcrypt_looks_at_nothing_is_the_old_password",
            "integration/test_set_password.py::test_a_long_password_is_kept_whole",
        ),
    ),
)
