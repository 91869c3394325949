"""What docs/performance.md shows: each row is a value, what it is held against in the same run, and their ratio."""
