"""Commands of the move."""
