"""What people did, recorded in a chain, and every chain read again. Open `acts.py` first."""
