"""What to do next about an account. Open `choice.py` first: what every policy is asked, and what every choice says."""
