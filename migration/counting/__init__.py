"""Numbers the database keeps by itself, so that a page costs the same with a million mailboxes."""
