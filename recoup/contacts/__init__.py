"""What people do about contacts: stop them, let them go, look at doubts. Open `stopping.py` first."""
