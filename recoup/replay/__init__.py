"""A real ledger through the whole pipeline, on its own clock. Open `replay.py` first."""
