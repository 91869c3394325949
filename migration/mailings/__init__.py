"""Mail: what it says, which way it goes, and the outbox that sends each one at most once."""
