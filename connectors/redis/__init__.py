"""Redis: the states and the progress of each partition. Open `ledger.py` first."""
