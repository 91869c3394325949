"""A stateful stand-in for mailcow's JSON API, with its quirks, for the demo, the tests and the benchmark.

It behaves as mailcow 2026-07a was recorded to behave (`tests/contract/`), not as its documentation says.
"""

from .standin import JournalEntry, MailcowStandIn

__all__ = ["JournalEntry", "MailcowStandIn"]
