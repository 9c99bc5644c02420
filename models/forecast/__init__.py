"""What cash to expect of a portfolio, from how its customers have paid so far. Open `cash.py` first."""
