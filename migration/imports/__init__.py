"""Reading what the old server knows: one parser per file format, one place that judges a row."""
