"""The move itself: which mailboxes move, how far they are, and making mailcow agree."""
