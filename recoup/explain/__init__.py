"""An account's story, from its events to each decision and why. Open `story.py` first."""
