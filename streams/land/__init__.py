"""land: every topic into its ClickHouse table, each message one row. Open `agent.py` first."""
