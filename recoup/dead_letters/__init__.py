"""Dead letters found, looked at, mended, proved and sent again. Open `replay.py` first."""
