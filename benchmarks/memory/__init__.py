"""What a worker and Redis hold after millions of events."""
