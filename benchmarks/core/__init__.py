"""What the pure core costs per event, without Kafka and Redis. Run `python -m benchmarks.core --help`."""
