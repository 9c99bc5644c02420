"""Kafka: the one place that builds its clients. Open `clients.py` first."""
