"""A world of customers whose true behaviour is known, for judging policies off-line. Open `run.py` first."""
