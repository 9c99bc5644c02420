"""The local stack: real Kafka, ClickHouse and Redis without Docker. Open `stack.py` first."""
