"""The front door: staff, and mailbox owners who set a new password."""
