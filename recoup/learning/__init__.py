"""Teaches a strategy from logged decisions what its actions do. Open `lesson.py` first."""
