"""A portfolio of simulated customers who react to contacts. Open `portfolio.py` first."""
