"""How likely an account is to pay. Open `baseline.py` first."""
