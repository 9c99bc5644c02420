"""What to do next about an account. Open `schedule.py` first."""
