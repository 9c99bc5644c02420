"""The whole pipeline shown at work on a simulated portfolio, with a summary that adds up. Open `show.py` first."""
