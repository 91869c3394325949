"""The staff desk: who is how far, and what can be done about it."""
