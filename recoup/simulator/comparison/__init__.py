"""Policies side by side on the same customers with the same luck. Open `compare.py` first."""
