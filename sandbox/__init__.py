"""The outside world on one machine: for the demo, the tests and the benchmark. Never part of production."""
