"""The stream jobs. Open `source.py` first, then `decide/agent.py`."""
