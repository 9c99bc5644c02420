"""One account, folded from its events. Open `state.py` first."""
