"""What another policy would have earned, and whom a contact moves. Open `judge.py` first."""
