"""What is known of an account at an instant, as a row of named numbers. Open `catalogue.py` first."""
