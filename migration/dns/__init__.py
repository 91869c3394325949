"""What a domain's DNS is to say for mail on the target, what it says, and how the two agree. Knows no database."""
