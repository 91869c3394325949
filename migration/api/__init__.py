"""The API for machines: read-only JSON for wallboards and ticket systems, opened by tokens."""
