"""The command line. Open `main.py` first: it lists every command and where it lives."""
