"""What another policy would have earned, told to people and to programs. Open `run.py` first."""
