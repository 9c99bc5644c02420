"""What policies bring on simulated customers, and how fast they are compared. Run `python -m benchmarks.policies --help`."""
