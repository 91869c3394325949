"""An invented customer with two domains, its mailboxes as old servers export them, and its old passwords."""
