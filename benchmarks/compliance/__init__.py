"""The CPU that the gate takes for an account: `python -m benchmarks.compliance`."""
