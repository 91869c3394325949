"""Where each fault of the catalogue is tried: files below `tests/`, and in them the tests without their `test_`."""

_SEEDED = """
    whatever_goes_wrong_the_newest_password_arrives_and_every_step_is_told
    with_real_workers_killed_and_frozen_the_same_holds
"""
_PROOFS: dict[int, dict[str, str]] = {
    1: {
        "faults/test_outbox_workers": "a_worker_killed_at_any_step_loses_nothing",
        "faults/test_workers_stopped": "a_pool_process_killed_in_the_middle_of_a_push_loses_nothing",
        "integration/test_push_outbox": "a_push_whose_worker_died_is_delivered_by_the_next",
        "faults/test_seeded": _SEEDED,
    },
    2: {
        "faults/test_processes": """
            a_worker_killed_in_the_middle_of_a_push_loses_nothing
            a_password_saved_while_no_worker_runs_arrives_when_one_does
            a_mail_whose_worker_was_killed_is_not_sent_twice
        """,
    },
    3: {
        "faults/test_outbox_workers": """
            a_worker_thawed_after_another_delivered_the_push_changes_no_row
            a_worker_thawed_before_its_write_never_writes_over_a_newer_password
            a_worker_frozen_in_the_midst_of_writing_is_written_over_again
        """,
        "faults/test_workers_stopped": "a_worker_stopped_past_its_claim_changes_nothing_when_it_goes_on",
        "faults/test_seeded": _SEEDED,
    },
    4: {
        "faults/test_submit_killed": """
            killed_after_the_commit_and_before_the_answer_the_owner_reads_saved_when_he_sends_again
        """,
    },
    5: {
        "faults/test_submit_killed": "killed_at_any_statement_all_of_it_is_saved_or_nothing",
    },
    6: {
        "faults/test_servers": "while_the_broker_is_down_owners_save_and_all_arrives_when_it_is_back_empty",
        "integration/test_doorbell": "a_broken_broker_does_no_harm",
    },
    7: {
        "faults/test_servers": "a_broker_that_is_flushed_full_or_read_only_costs_no_password",
        "faults/test_processes": "messages_that_are_lost_are_replaced_by_the_sweep",
    },
    8: {
        "faults/test_servers": "a_broker_that_flaps_leaves_the_worker_working",
    },
    9: {
        "faults/test_servers": "a_database_that_stops_at_once_keeps_every_password_it_acknowledged",
        "faults/test_database": "a_page_says_503_while_the_database_is_away",
    },
    10: {
        "faults/test_servers": "connections_cut_while_owners_save_make_no_second_version",
    },
    11: {
        "faults/test_database": """
            a_locked_database_says_503_and_goes_on_when_it_is_free
            a_full_disk_says_503_saves_nothing_by_half_and_goes_on_when_there_is_room
        """,
    },
    12: {
        "faults/test_outages": "six_hours_without_mailcow_give_nothing_up_and_then_all_arrives",
    },
    13: {
        "faults/test_wire": "a_write_overtaken_in_the_wire_is_put_right",
        "faults/test_seeded": _SEEDED + " mutant_that_does_not_settle_is_noticed",
    },
    14: {
        "integration/test_push_settling": """
            the_newest_password_wins_against_a_late_write
            a_late_write_in_the_same_second_as_ours_is_overwritten_too
        """,
        "property/test_outbox_machine": "the_password_saved_last_is_the_one_that_stays",
        "faults/test_wire": "a_write_overtaken_in_the_wire_is_put_right",
    },
    15: {
        "faults/test_wire": "a_reply_that_is_lost_leaves_one_password_in_force a_request_that_is_lost_is_made_again",
        "faults/test_seeded": _SEEDED,
    },
    16: {
        "faults/test_wire": "while_mailcow_is_slow_owners_are_served_and_nothing_is_slowed_down",
        "faults/test_figures": "while_mailcow_takes_seconds_for_each_call_owners_do_not_wait_for_it",
    },
    17: {
        "integration/test_push_replies": "an_odd_reply_to_the_write_is_never_taken_for_done",
        "contract/test_client_wire": "an_endless_body_is_read_up_to_the_limit",
        "contract/test_client": "no_error_carries_a_secret_or_another_error",
        "faults/test_provisioning": "every_mailbox_is_made_once_while_mailcow_stumbles",
        "faults/test_seeded": _SEEDED,
    },
    18: {
        "integration/test_push_replies": "what_the_read_back_does_not_prove_is_not_done",
        "integration/test_pushes": "success_without_effect_is_never_believed",
        "contract/test_recordings": "reading_back_catches_a_false_success",
    },
    19: {
        "faults/test_outages": "turned_away_with_five_hundred_due_the_door_is_left_alone",
        "integration/test_push_half_open": "being_turned_away_is_never_probed",
    },
    20: {
        "faults/test_wire": "a_message_five_times_for_each_of_four_workers_makes_one_push",
        "integration/test_doorbell": "a_task_may_come_twice_or_for_nothing",
    },
    21: {
        "faults/test_processes": "forged_and_poisoned_messages_do_not_end_the_worker",
        "integration/test_doorbell": "a_message_cut_off_in_the_middle_does_not_end_the_worker",
    },
    22: {
        "faults/test_processes": "two_clocks_and_two_workers_send_nothing_twice",
        "integration/test_mail_races": """
            no_mail_goes_out_twice_however_many_workers_have_its_id
            two_sweeps_and_workers_on_a_bad_day_send_each_mail_once
        """,
        "integration/test_pace": "two_beats_and_every_doorbell_at_once_keep_the_pace",
    },
    23: {
        "integration/test_mail_outbox": """
            temporary_refusal_is_tried_again_with_a_fresh_secret
            connection_lost_before_the_end_is_tried_again
        """,
        "faults/test_wire": "a_mail_cut_before_its_end_arrives_once_with_a_fresh_secret",
        "faults/test_seeded": _SEEDED,
    },
    24: {
        "integration/test_mail_outbox": "connection_lost_after_the_end_is_unclear_and_never_repeated",
        "faults/test_wire": "a_mail_whose_last_reply_is_lost_is_unclear_and_its_secret_works",
        "faults/test_seeded": _SEEDED,
    },
    25: {
        "integration/test_bounces": """
            bounce_is_matched_by_the_address_it_comes_to
            hundred_bounces_are_matched_a_hundred_times
        """,
        "integration/test_bounces_servers": """
            mail_to_nobody_that_a_real_postfix_took_is_shown_as_not_delivered
            bounces_in_a_mailbox_are_noted_and_then_deleted_and_all_else_is_left
        """,
    },
    26: {
        "faults/test_clocks": """
            a_worker_whose_clock_is_off_takes_nothing_early_and_nothing_late
            a_worker_whose_clock_is_off_ends_no_living_claim
        """,
    },
    27: {
        "faults/test_clocks": """
            a_session_across_a_jump_lasts_as_long_as_any
            a_first_login_password_across_a_jump_lives_as_many_seconds_as_any
        """,
    },
    28: {
        "faults/test_canaries": """
            the_search_finds_what_is_there
            the_new_password_is_nowhere
            the_first_login_password_is_in_its_own_mail_alone
            the_keys_are_nowhere_but_in_their_files
            no_password_hash_is_readable_outside_mailcow
        """,
        "faults/test_canaries_desk": """
            a_code_told_on_the_phone_is_nowhere
            the_contacts_code_is_in_his_mail_alone
            the_password_of_a_letter_is_on_paper_alone
            a_seed_of_the_staffs_second_factor_is_sealed
        """,
    },
    29: {
        "integration/test_import_corpus": """
            a_file_of_the_corpus_ends_as_stated
            c22_fifty_thousand_rows_with_a_bad_one_in_a_hundred
        """,
    },
    30: {
        "integration/test_import_killed": "an_import_killed_anywhere_and_run_again_ends_the_same",
        "integration/test_import_run": "the_same_file_a_second_time_changes_nothing",
        "integration/test_import_runs": "two_workers_never_work_on_the_same_run",
    },
    31: {
        "integration/test_keys": """
            owners_save_and_a_worker_settles_while_the_key_is_exchanged
            a_key_in_use_may_not_leave
        """,
    },
    32: {
        "faults/test_processes": """
            a_worker_asked_to_stop_ends_its_push_first
            web_processes_are_exchanged_under_traffic_without_a_failed_request
        """,
    },
    33: {
        "integration/test_restore": """
            an_old_password_of_a_backup_is_never_pushed
            a_mail_of_the_backup_is_not_sent_again
            a_password_saved_after_the_restore_waits_for_the_yes_and_goes
        """,
        "faults/test_restored_backup": "an_old_password_in_a_backup_never_reaches_mailcow",
        "integration/test_restore_guard": "nothing_is_claimed_from_an_older_database_even_before_anybody_looked",
    },
    34: {
        "integration/test_attempts_many": "ten_thousand_tries_from_five_hundred_networks_open_nothing",
        "integration/test_attempts": "a_stranger_cannot_lock_the_owner_out",
        "faults/test_figures": "while_somebody_floods_the_sign_in_owners_with_their_link_get_in",
    },
    35: {
        "integration/test_attempts": "two_hundred_tries_of_forty_threads_are_counted_exactly",
        "integration/test_attempts_many": "four_processes_share_one_counter",
    },
    36: {
        "faults/test_processes": "a_log_on_a_full_disk_costs_no_password_and_no_event",
    },
    37: {
        "contract/test_recordings": "reply_to_a_write_means_what_mailcow_did reply_to_a_look_means_what_mailcow_knows",
        "unit/test_mailcow_replies": """
            any_bytes_end_in_the_tree
            any_document_ends_in_the_tree
            any_message_ends_in_the_tree_and_is_not_repeated
        """,
    },
    38: {
        "contract/test_real_mailcow": "it_stores_a_hash_and_shows_that_it_did",
    },
}


def tests_of(fault: int) -> tuple[str, ...]:
    """The tests that try this fault, as `FILE::NAME`."""
    proofs = _PROOFS.get(fault, {})
    return tuple(f"{file}.py::test_{name}" for file, names in proofs.items() for name in names.split())
