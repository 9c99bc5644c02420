"""ClickHouse: client, migrations and the exactly-once sink. Open `sink.py` first."""
