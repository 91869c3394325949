"""The audit trail proves itself: each event is sealed over the one before, and a check finds what was changed since."""
