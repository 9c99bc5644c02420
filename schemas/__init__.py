"""The data contract: what every message on every topic looks like. Open `registry.py` first, then `topics/`."""
