"""The outside world: Kafka, Redis, ClickHouse and the channels that reach a customer."""
