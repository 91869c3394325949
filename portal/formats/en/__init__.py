"""English for Europe."""
